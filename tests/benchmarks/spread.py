"""`spread`: points given at store A until store B, where that member is on the screen, has put its new overview together.

Two stores and the centre, each a process of its own, over TCP: journal, push, judge, ledger, stream, held pull, cache,
overview. The plain programs do what anyone would write first: A keeps a row in SQLite and posts it, a server on the
same PostgreSQL keeps it and answers the request that B has waiting, B keeps it in SQLite and reads it back. PouchDB
keeps two databases live with an express-pouchdb server. Each line to and from the processes is part of the time.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg

from store_agent.codec import encode_row
from store_agent.domain.members import Member
from store_agent.domain.stores import Store
from store_agent.replica.cache import Absorbed, Arrival
from tests.benchmarks.harness import Effort, Row, Work, in_turns
from tests.benchmarks.node import open_all
from tests.benchmarks.processes import Talker, open_centre, open_ledger, started, talking
from tests.benchmarks.seeding import Device, open_replica, put_followers, put_rows, put_stores
from tests.counter_fixture import NOW

NAME = "spread"
PLAIN_GOAL = 3.0
POUCH_GOAL = 1.0
STORES = ("a", "b")


def measure(sizes: Sequence[int], effort: Effort) -> list[Row]:
    """Rows for each number of members whom both stores hold."""
    return [row for size in sizes for row in _measure_size(size, effort)]


def _measure_size(size: int, effort: Effort) -> list[Row]:
    absent = ""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="store-agent-bench-")))
        database_url = stack.enter_context(open_ledger())
        works = {"ours": _ours(stack, folder, database_url, size), "plain": _plain(stack, folder, database_url)}
        if effort.rivals:
            absent = _pouch(stack, works, str(folder))
        timed = in_turns(effort, works)
    ours, plain = timed["ours"], timed["plain"]
    what = f"points given at A to the overview at B, {size:,} members"
    more: dict[str, Any] = {"rival": "two plain programs and a server", "name": NAME}
    rows = [
        Row(what=f"{what}, p50", ours=ours.p50, theirs=plain.p50, ratio=ours.ratio(plain), goal=PLAIN_GOAL, **more),
        Row(what=f"{what}, p99", ours=ours.p99, theirs=plain.p99, ratio=ours.p99 / plain.p99, **more),
    ]
    if "pouch" in timed:
        pouch = timed["pouch"]
        more = {"rival": "PouchDB live", "name": NAME, "goal": POUCH_GOAL}
        rows.append(Row(what=f"{what}, p50", ours=ours.p50, theirs=pouch.p50, ratio=ours.ratio(pouch), **more))
    elif absent:
        rows.append(Row(what=f"{what}, p50", ours=ours.p50, rival=f"absent: PouchDB ({absent})", name=NAME))
    return rows


def _between(a: Talker, b: Talker, ids: Callable[[], str]) -> Callable[[int], Work]:
    """A call lets A give points, and waits until B has seen it."""

    def ready(_calls: int) -> Work:
        def work() -> None:
            a.say("give", id=ids())
            b.hear()

        return work

    return ready


def _ours(stack: ExitStack, folder: Path, database_url: str, size: int) -> Callable[[int], Work]:
    centre = stack.enter_context(open_centre(database_url))
    people = [
        Member(id=f"m{number}", phone=f"+8869{number:08d}", name="王小明", home_store="a") for number in range(size)
    ]
    with psycopg.connect(database_url, autocommit=True) as conn:
        devices = put_stores(conn, STORES)
        put_rows(conn, people)
        put_followers(conn, ((person.id, store) for person in people for store in STORES))
        conn.execute("analyze")
    ends = [_end(stack, folder / device.store, device, people, centre.said) for device in devices]
    numbers = count()
    return _between(ends[0], ends[1], lambda: people[next(numbers) % size].id)


def _end(stack: ExitStack, folder: Path, device: Device, people: Sequence[Member], url: str) -> Talker:
    with open_replica(folder, device) as replica:
        held: list[Any] = [Store(id=device.store, name={"en": device.store}), *people]
        arrivals = [Arrival(row.table, row.id, 1, encode_row(row).decode()) for row in held]
        replica.cache.absorb(Absorbed(rows=arrivals))
    program = [sys.executable, "-m", "tests.benchmarks.spread_store"]
    end = stack.enter_context(talking([*program, str(folder), url, device.store]))
    end.ask("begin")
    return end


def _plain(stack: ExitStack, folder: Path, database_url: str) -> Callable[[int], Work]:
    program = [sys.executable, "-m", "tests.benchmarks.spread_plain"]
    server = stack.enter_context(started([*program, "server", database_url], wanted=r"http://[\w.]+:\d+"))
    ends = [
        stack.enter_context(talking([*program, name, str(folder / f"plain-{name}.db"), server.said])) for name in STORES
    ]
    for end in ends:
        end.ask("begin")
    numbers = count()
    return _between(ends[0], ends[1], lambda: f"p{next(numbers)}")


def _pouch(stack: ExitStack, works: dict[str, Callable[[int], Work]], folder: str) -> str:
    servers, absent = open_all(stack, ["pouchserver"], folder)
    for server in servers.values():
        live, absent = open_all(stack, ["pouchlive"], folder, server.said["url"])
        for rival in live.values():
            works["pouch"] = _live(rival)
    return next(iter(absent.values()), "")


def _live(rival: Talker) -> Callable[[int], Work]:
    numbers = count()
    return lambda _calls: lambda: rival.ask("give", id=f"p{next(numbers)}", at=str(NOW))
