"""A centre to be fuzzed: real requests over a real socket, signed as they should be or not, and what it may not do."""

from __future__ import annotations

import asyncio
import hashlib
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest.mock import patch

import psycopg
import requests
import uvicorn

from store_agent.codec import NOUN_OF, decode_row, hash_of
from store_agent.trouble import Trouble
from sync import wire
from sync.central import app
from sync.central.office.sealing import read_keys
from tests.head_office import CAMPAIGN, STORES, gtin
from tests.trials.branches import Branch, bind
from tests.trials.centre_process import TOKEN

KNOWN: dict[str, list[Any]] = {
    "store": ["s0", "s1"],
    "home_store": ["s0", "s1"],
    "stores": [["s0"], ["s1"]],
    "member_id": ["m1", "m2"],
    "phone": ["0912345678", "+85291234567"],
    "gtin": [gtin(1), gtin(2)],
    "campaign_id": ["c85"],
    "order_no": ["W1", "W2"],
    "coupon_id": ["k1"],
    "staff_id": ["amy"],
    "issuer": ["chain"],
    "id": ["m1", "s0", "W1"],
}
"""Names that there are: a stranger's name is declined before anything interesting happens."""


@dataclass
class Speaker:
    """Asks the centre, as whoever it is told to be."""

    url: str
    line: requests.Session
    branch: Branch
    secret: str
    database_url: str

    def send(self, request: requests.Request, who: str) -> requests.Response:
        """Send a request; `who` is `device`, `admin`, or one of the ways not to be somebody."""
        prepared = self.line.prepare_request(request)
        body = prepared.body.encode() if isinstance(prepared.body, str) else prepared.body or b""
        assert isinstance(body, bytes)
        prepared.headers.pop("authorization", None)
        prepared.headers.update(self._proof(who, prepared.method or "", prepared.path_url, body))
        try:
            return self.line.send(prepared, timeout=30, allow_redirects=False)
        except requests.exceptions.ConnectionError:
            # A server that crashed over the last request has closed the line behind it; this one was never heard.
            return self.line.send(prepared, timeout=30, allow_redirects=False)

    def _proof(self, who: str, method: str, target: str, body: bytes) -> dict[str, str]:
        device, secret = self.branch.replica.device, self.secret
        if who == "admin":
            return {"authorization": f"Bearer {TOKEN}"}
        if who in ("", "nobody"):
            return {}
        if who == "wrong token":
            return {"authorization": f"Bearer {TOKEN}x"}
        if who == "stranger":
            device, secret = "0" * 32, wire.make_key()[0]
        elif who == "wrong key":
            secret = wire.make_key()[0]
        elif who == "other request":
            body += b" "
        signature = wire.sign(secret, wire.signed_text(method, target, device, body))
        return {wire.DEVICE_HEADER: device, wire.SIGNATURE_HEADER: signature}

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """What the ledger answers."""
        with psycopg.connect(self.database_url, autocommit=True) as conn:
            return conn.execute(query.encode()).fetchall()

    def fingerprint(self) -> str:
        """Changes whenever any row of the ledger does."""
        tables = [row[0] for row in self.ask("select tablename from pg_tables where schemaname = 'public' order by 1")]
        each = [self.ask(f"select md5(string_agg(t::text, '|' order by t::text)) from \"{name}\" t") for name in tables]
        return hashlib.sha256(repr(each).encode()).hexdigest()


@contextmanager
def fuzzed_centre(database_url: str, folder: Path, seed: int) -> Iterator[Speaker]:
    """A centre in a thread of this process, so that bugs can be planted in it; with a store and a few rows."""
    # Nobody waits for news here.
    with patch.object(app, "LONGEST_WAIT_S", 0.01):
        made = app.make_app(database_url, admin_token=TOKEN, availability_every_s=3600, sealing=read_keys(["5c" * 32]))
        server = uvicorn.Server(uvicorn.Config(made, port=0, log_config=None, access_log=False, lifespan="on"))
        running = threading.Thread(target=asyncio.run, args=(server.serve(),), daemon=True)
        running.start()
        try:
            yield _speaker(_address(server, running), database_url, folder, seed)
        finally:
            server.should_exit = True
            running.join(timeout=20)


def _address(server: uvicorn.Server, running: threading.Thread) -> str:
    while not server.started:
        if not running.is_alive():
            raise Trouble("The centre does not start.")
        running.join(timeout=0.02)
    host, port = server.servers[0].sockets[0].getsockname()[:2]
    return f"http://{host}:{port}"


def _speaker(url: str, database_url: str, folder: Path, seed: int) -> Speaker:
    branch = bind([url], 2, folder, seed)[0]
    speaker = Speaker(url, requests.Session(), branch, branch.replica.journal.setting("secret"), database_url)
    for path, body in FIRST:
        request = requests.Request("POST", f"{url}/v1/admin/{path}", json=body)
        said = speaker.send(request, "admin")
        if said.status_code != 200:
            raise Trouble(f"The first rows are not taken: {said.text}")
    return speaker


FIRST: Sequence[tuple[str, Any]] = (
    ("import/stores", STORES[:1]),
    ("import/staff", [{"id": "amy", "store": "s0", "name": "Amy", "role": "cashier"}]),
    ("import/products", [{"gtin": gtin(n), "name": {"zh-TW": "茶"}} for n in (1, 2)]),
    (
        "import/members",
        [{"id": f"m{n}", "phone": f"091234567{n + 7}", "name": "A", "home_store": "s0"} for n in (1, 2)],
    ),
    ("campaigns", CAMPAIGN),
    ("keys", {}),
)


def check_ledger_itself(speaker: Speaker) -> list[str]:
    """What must hold of a ledger whatever was sent to it: ONCE, ORDER, FEED, CASE, and every row can be read."""
    wrong = []
    for device, _epoch in speaker.ask("select distinct device, epoch from operation order by 1, 2"):
        last = "0" * 64
        chain = speaker.ask(f"select seq, hash, data from operation where device = '{device}' order by epoch, seq")
        for place, (seq, hash, data) in enumerate(chain, 1):
            if seq != place or hash_of(bytes(data)) != hash:
                wrong.append(f"ORDER: the chain of {device} breaks at {seq}")
                break
            if device != "centre" and f'"prev_hash":"{last}"'.encode() not in bytes(data).replace(b" ", b""):
                wrong.append(f"ORDER: operation {seq} of {device} follows on another one")
                break
            last = hash
    for stream, positions in speaker.ask("select stream, array_agg(position order by position) from feed group by 1"):
        if positions != list(range(1, len(positions) + 1)):
            wrong.append(f"FEED: {stream} has gaps")
    if speaker.ask("select 1 from cases group by op_id, kind having count(*) > 1 and op_id is not null"):
        wrong.append("CASE: one broken limit, one case")
    for table in NOUN_OF:
        for id_, body in speaker.ask(f"select id, body::text from {table}"):
            try:
                decode_row(table, body)
            except Trouble as trouble:
                wrong.append(f"{table} {id_!r} cannot be read by a store: {trouble}")
                break
    crashed = (
        "select kind, reason from operation where outcome = 'parked' and reason not in ('unreadable', 'behind another')"
    )
    wrong += [f"the rule of {kind} crashed: {reason}" for kind, reason in speaker.ask(crashed)]
    return wrong
