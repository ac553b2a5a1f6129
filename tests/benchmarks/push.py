"""`push`: operations that wait in a store's journal into PostgreSQL: judged, durable, applied once.

Ours is the store's own loop over TCP to a centre in a process of its own: read the journal, sign, send, check the chain
of hashes, judge each against the truth, write rows, operations, answers and streams, commit; 500 at once. The floor is
what no centre can do without, in one process and with everything ready: the same rows of the same tables, in sets, by
psycopg, in as many transactions; it judges nothing. PouchDB pushes as many documents to express-pouchdb on LevelDB.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from itertools import count
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import psycopg

from store_agent.clock import Ids
from store_agent.codec import Entry, encode_entry, encode_row
from store_agent.domain.coupons import Coupon, RedeemCoupon
from store_agent.domain.members import Member
from store_agent.replica import Replica
from store_agent.replica.journal import FIRST_HASH
from sync import wire
from sync.client import Client
from sync.in_step import InStep
from sync.session import BATCH_MOST, Session
from tests.benchmarks.harness import Effort, Row, Timed, Work, by_rate, in_turns
from tests.benchmarks.node import open_all
from tests.benchmarks.pages import serve_pages
from tests.benchmarks.processes import Talker, open_centre, open_ledger
from tests.benchmarks.seeding import Connection, Device, put_followers, put_rows, put_stores, store_of
from tests.counter_fixture import NOW, HeldClock

NAME = "push"
POUCH_GOAL = 2.0
FLOOR_GOAL = 0.4
COUPONS_EACH = 2
LOOP_MOST = 100
"""So many show how slow a loop of statements is."""


def measure(sizes: Sequence[int], effort: Effort) -> list[Row]:
    """Rows for each number of operations that wait."""
    return [row for size in sizes for row in _measure_size(size, replace(effort, calls=1))]


def _measure_size(size: int, effort: Effort) -> list[Row]:
    with ExitStack() as stack:
        database_url = stack.enter_context(open_ledger())
        centre = stack.enter_context(open_centre(database_url))
        conn = stack.enter_context(psycopg.connect(database_url, autocommit=True))
        ours = Ours(stack, centre.said, conn, size)
        works: dict[str, Callable[[int], Work]] = {
            "ours": ours.ready,
            "floor": lambda _calls: _floor(conn, size, _write_set),
            "loop": lambda _calls: _floor(conn, min(size, LOOP_MOST), _write_loop),
        }
        absent = _pouch(stack, works, size) if effort.rivals else ""
        timed = in_turns(effort, works)
        _check(conn, size, len(timed["ours"].rounds))
    return _rows(timed, size, absent)


def _rows(timed: dict[str, Timed], size: int, absent: str) -> list[Row]:
    what = f"{size:,} waiting operations"
    ours = timed["ours"]
    floor: dict[str, Any] = {"rival": "the floor by psycopg, in sets", "goal": FLOOR_GOAL}
    rows = [by_rate(NAME, what, "op/s", size, ours, timed["floor"], **floor)]
    if "pouch" in timed:
        pouch: dict[str, Any] = {"rival": "PouchDB, which judges nothing", "goal": POUCH_GOAL}
        rows.append(by_rate(NAME, what, "op/s", size, ours, timed["pouch"], **pouch))
    elif absent:
        rows.append(by_rate(NAME, what, "op/s", size, ours, rival=f"absent: PouchDB ({absent})"))
    loop = by_rate(NAME, "", "op/s", min(size, LOOP_MOST), timed["loop"])
    mine = by_rate(NAME, what, "op/s", size, ours, rival="a loop of statements, all in one transaction")
    return [*rows, replace(mine, theirs=loop.ours, ratio=mine.ours / loop.ours)]


STORES = count(1)


def _draw(conn: Connection, size: int) -> tuple[Device, list[RedeemCoupon], list[Coupon]]:
    """A store that serves new members, what it accepted, and the coupons as they were before."""
    store = f"s{next(STORES):05d}"
    (device,) = put_stores(conn, [store])
    people = [
        Member(id=f"{store}-m{number}", phone=f"+8869{store[1:]}{number:05d}", name="王小明", home_store=store)
        for number in range(max(1, size // COUPONS_EACH))
    ]
    coupons = [
        Coupon(id=f"{store}-k{number}", campaign_id="c", member_id=people[number % len(people)].id)
        for number in range(size)
    ]
    put_rows(conn, [*people, *coupons])
    put_followers(conn, [(person.id, store) for person in people])
    ids = Ids(HeldClock())
    named: dict[str, Any] = {"at": NOW, "staff": "s-an", "store": store, "saved_minor": 75, "currency": "TWD"}
    operations = [
        RedeemCoupon(op_id=ids.new(), coupon_id=one.id, campaign_id="c", member_id=one.member_id, **named)
        for one in coupons
    ]
    return device, operations, coupons


class Ours:
    """Store after store, each with as many operations that wait."""

    def __init__(self, stack: ExitStack, url: str, conn: Connection, size: int) -> None:
        self._stack = stack
        self._url = url
        self._conn = conn
        self._size = size
        self._runner = stack.enter_context(asyncio.Runner())

    def ready(self, _calls: int) -> Work:
        device, operations, _coupons = _draw(self._conn, self._size)
        replica = self._stack.enter_context(store_of(device))
        with replica.journal.transaction():
            replica.journal.append(operations, device.id, 1)
        return lambda: self._runner.run(self._push(replica, device))

    async def _push(self, replica: Replica, device: Device) -> None:
        async with Client(self._url, device=device.id, secret=device.secret) as client:
            in_step = InStep(Session(replica), client, HeldClock(), Random(1))
            while replica.outbox(1):
                await in_step.push_once()


Write = Callable[[Connection, Sequence[Entry], dict[str, str], str], None]


def _floor(conn: Connection, size: int, write: Write) -> Work:
    device, operations, coupons = _draw(conn, size)
    entries: list[Entry] = []
    prev_hash = FIRST_HASH
    for seq, operation in enumerate(operations, 1):
        entries.append(encode_entry(operation, device.id, 1, seq, prev_hash))
        prev_hash = entries[-1].hash
    after = {
        coupon.id: encode_row(operation.effect(coupon)).decode()
        for coupon, operation in zip(coupons, operations, strict=True)
    }

    def work() -> None:
        for start in range(0, size, BATCH_MOST):
            with conn.transaction():
                write(conn, entries[start : start + BATCH_MOST], after, wire.stream_of(device.store))

    return work


INSERT = (
    b"insert into operation (op_id, device, epoch, seq, hash, kind, subject, data, outcome, reason, received_at)"
    b" select *, 'applied', '', current_timestamp from unnest(%s::text[], %s::text[], %s::int[], %s::bigint[],"
    b" %s::text[], %s::text[], %s::text[], %s::bytea[]) as new on conflict do nothing"
)
FEED = (
    b"insert into feed select %s, n, %s, t, i, r, b from unnest(%s::bigint[], %s::text[], %s::text[], %s::bigint[],"
    b" %b::text[]) as new (n, t, i, r, b)"
)
LOCK = b"select id, revision, body::text from coupon where id = any(%s) order by id for no key update"
UPDATE = (
    b"update coupon as old set revision = new.revision, body = new.body::jsonb"
    b" from unnest(%s::text[], %s::bigint[], %b::text[]) as new (id, revision, body) where old.id = new.id"
)
HEAD = b"update head set position = position + %s where stream = %s returning position"


def _write_set(conn: Connection, entries: Sequence[Entry], after: dict[str, str], stream: str) -> None:
    ids = [entry.operation.subject for entry in entries]
    bodies = [after[id_] for id_ in ids]
    seen = conn.execute(b"select op_id from operation where op_id = any(%s)", [[e.operation.op_id for e in entries]])
    assert not seen.fetchall()
    revisions = {row[0]: row[1] + 1 for row in conn.execute(LOCK, [sorted(ids)]).fetchall()}
    conn.execute(INSERT, list(map(list, zip(*map(_columns, entries), strict=True))))
    conn.execute(UPDATE, [ids, [revisions[id_] for id_ in ids], bodies])
    (head,) = conn.execute(HEAD, [2 * len(ids), stream]).fetchone() or (0,)
    positions = list(range(head - 2 * len(ids) + 1, head + 1))
    tables = ["coupon"] * len(ids) + [wire.ANSWER] * len(ids)
    names = ids + [entry.operation.op_id for entry in entries]
    answers = [json.dumps({"op_id": entry.operation.op_id, "outcome": "applied"}) for entry in entries]
    conn.execute(FEED, [stream, head, positions, tables, names, [2] * len(positions), bodies + answers])


def _write_loop(conn: Connection, entries: Sequence[Entry], after: dict[str, str], stream: str) -> None:
    for entry in entries:
        _write_set(conn, [entry], after, stream)


def _columns(entry: Entry) -> tuple[Any, ...]:
    operation = entry.operation
    subject = f"{operation.table}/{operation.subject}"
    return operation.op_id, entry.device, entry.epoch, entry.seq, entry.hash, operation.kind, subject, entry.data


def _pouch(stack: ExitStack, works: dict[str, Callable[[int], Work]], size: int) -> str:
    """Add PouchDB; returns why it is absent, or nothing."""
    folder = stack.enter_context(TemporaryDirectory(prefix="store-agent-bench-"))
    server, absent = open_all(stack, ["pouchserver"], folder)
    for one in server.values():
        pouch, absent = open_all(stack, ["pouchdb"], folder, one.said["url"])
        for rival in pouch.values():
            url = stack.enter_context(serve_pages(_documents(folder, size)))
            works["pouch"] = _pouch_turns(rival, f"{url}/operations.json")
    return next(iter(absent.values()), "")


def _documents(folder: str, size: int) -> Path:
    named: dict[str, Any] = {"at": NOW, "staff": "s-an", "store": "s", "saved_minor": 75, "currency": "TWD"}
    ids = Ids(HeldClock())
    operations = [
        RedeemCoupon(op_id=ids.new(), coupon_id=f"k{n}", campaign_id="c", member_id=f"m{n}", **named)
        for n in range(size)
    ]
    datas = [encode_entry(one, "d", 1, n, FIRST_HASH).data for n, one in enumerate(operations, 1)]
    documents = [{"_id": one.op_id, **json.loads(data)} for one, data in zip(operations, datas, strict=True)]
    (Path(folder) / "operations.json").write_text(json.dumps(documents))
    return Path(folder)


def _pouch_turns(rival: Talker, url: str) -> Callable[[int], Work]:
    turns = count(1)

    def ready(_calls: int) -> Work:
        rival.ask("collect", url=url, turn=next(turns))
        return lambda: rival.ask("push")

    return ready


def _check(conn: Connection, size: int, rounds: int) -> None:
    """Nobody is measured who left something out."""
    ((kept,),) = conn.execute(b"select count(*) from operation where outcome = 'applied'").fetchall()
    ((used,),) = conn.execute(b"select count(*) from coupon where revision = 2").fetchall()
    assert kept == used == (2 * size + min(size, LOOP_MOST)) * rounds, (kept, used, size, rounds)
