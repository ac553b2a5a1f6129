"""Requests that no description generates: operations with a field astray, bytes turned over, numbers out of reach."""

from __future__ import annotations

import json
from collections.abc import Iterator
from random import Random
from typing import Any
from urllib.parse import urlencode

import requests

from store_agent.clock import Ids, SystemClock
from store_agent.codec import OPERATION_OF, hash_of
from sync.central.endpoints import BODY_BYTES_MOST
from tests.test_codec import encode, make
from tests.trials.fuzz_centre import KNOWN, Speaker

ODD: list[Any] = [
    *(None, True, False, 0, -1, 1, 2**31, 2**53, 2**53 + 1, 2**63, 2**64, -(2**63), 10**400, 0.5, 1e308),
    *(
        "",
        "x",
        "\0",
        "a\0b",
        "\ud800",
        "‮",
        "\u2066[@click=app.quit]x[/]",
        "é" * 5000,
        "2026-11-21T12:00:00",
        "-1",
        "NaN",
    ),
    *("0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "2026-02-30T00:00:00Z", "2026-11-21T12:00:00+23:59"),
    *([], {}, [[]], [None], {"": ""}, {"a": {"b": []}}, ["x"] * 2000),
]
NUMBERS = [
    "0",
    "-1",
    "1e3",
    "nan",
    "inf",
    "-inf",
    "1e400",
    "0x10",
    "",
    " ",
    "٣",
    "1_000",
    "9" * 400,
    "9007199254740993",
]
HEADERS = ["", "x", "\x7f", "é", "0" * 10_000, "Bearer", "Bearer ", "bearer  x", "Basic eDp5", "null"]
new_id = Ids(SystemClock()).new


def odd_operation(random: Random, speaker: Speaker, seq: int, last_hash: str) -> bytes:
    """An operation in its right place in the device's chain, with some of its fields astray."""
    kind = random.choice(sorted(OPERATION_OF))
    envelope = json.loads(encode(make(OPERATION_OF[kind])))
    body = envelope["body"]
    body |= {"op_id": new_id(), "store": speaker.branch.id}
    for name in sorted(set(body) & set(KNOWN) - {"store"}):
        if random.random() < 0.7:
            body[name] = random.choice(KNOWN[name])
    for _time in range(random.choice([0, 1, 1, 2, 3])):
        where, key = random.choice([*_leaves(body)])
        where[key] = random.choice(ODD)
    envelope |= {"device": speaker.branch.replica.device, "epoch": 1, "seq": seq, "prev_hash": last_hash, "kind": kind}
    if random.random() < 0.1:
        envelope[random.choice(sorted(envelope))] = random.choice(ODD)
    return json.dumps(envelope, ensure_ascii=random.random() < 0.5).encode(errors="surrogatepass")


def _leaves(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every place in a JSON value where something stands."""
    pairs = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in list(pairs):
        yield value, key
        yield from _leaves(part)


def turned_over(random: Random, data: bytes) -> bytes:
    """The same bytes but for a few."""
    changed = bytearray(data)
    for _time in range(random.choice([1, 1, 2, 8])):
        at = random.randrange(len(changed) or 1)
        match random.randrange(4):
            case 0 if changed:
                changed[at] = random.randrange(256)
            case 1:
                changed[at:at] = random.choice([b"\0", b'"', b"{", b"[", b"\xff", b"\\ud800", b"9" * 50])
            case 2:
                del changed[at : at + random.randrange(1, 30)]
            case _:
                changed[at:at] = changed[at : at + random.randrange(1, 60)]
    return bytes(changed)


def push(speaker: Speaker, random: Random) -> tuple[requests.Request, str]:
    """A push that goes on with the device's chain, and may then go astray."""
    ((seq, last_hash),) = speaker.ask(f"select seq, last_hash from device where id = '{speaker.branch.replica.device}'")
    operations = []
    for _n in range(random.choice([1, 1, 1, 2, 5])):
        seq += 1
        operations.append(odd_operation(random, speaker, seq, last_hash))
        last_hash = hash_of(operations[-1])
    body = b'{"operations":[' + b",".join(operations) + b"]}"
    if random.random() < 0.3:
        body = turned_over(random, body)
    return requests.Request("POST", f"{speaker.url}/v1/push", data=body), "device"


def pull(speaker: Speaker, random: Random) -> tuple[requests.Request, str]:
    """A pull with parameters that are none."""
    good = ["chain", "rows", "wait", f"store/{speaker.branch.id}"]
    said = [(name, random.choice(NUMBERS)) for name in random.sample(good, random.randrange(1, 4))]
    if random.random() < 0.3:
        said.append((random.choice([*good, "store/s1", "", "Chain", "store/", "\0"]), random.choice(NUMBERS)))
    query = urlencode(said)
    if random.random() < 0.2:
        query = query.replace("=", random.choice(["", "%", "%zz", "=%00", "=%ff", "&&"]))
    return requests.Request("GET", f"{speaker.url}/v1/pull?{query}"), "device"


def headers(speaker: Speaker, random: Random) -> tuple[requests.Request, str]:
    """A request of somebody whose papers are rubbish."""
    names = ["authorization", "x-store-agent-device", "x-store-agent-signature", "content-type", "accept", "host"]
    said = {name: random.choice(HEADERS).encode("utf-8") for name in random.sample(names, 3)}
    # What stands in `authorization` is taken away where somebody proves who they are.
    path = random.choice(
        ["/v1/push", "/v1/sight", "/v1/admin/orders", "/v1/admin/import/stores", "/nothing", "/v1/push/"]
    )
    request = requests.Request("POST", speaker.url + path, data=b"{}", headers=said)
    return request, random.choice(["device", "admin", "nobody", "wrong key"])


def too_long(speaker: Speaker, random: Random) -> tuple[requests.Request, str]:
    """A body one byte over the limit, from a device that may speak."""
    body = b'{"operations":[]}'
    body += b" " * (BODY_BYTES_MOST + 1 - len(body))
    return requests.Request("POST", f"{speaker.url}/v1/push", data=body), "device"
