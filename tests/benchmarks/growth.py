"""`growth`: what must not cost more where there is more. Theirs is ours at the smallest size.

Pull: the same number of changed members into stores that hold ever more. Centre: one member is changed, in a chain of
ever more stores, each with a stream and a device, one of which serves that member. Accept: points are given beside a
journal of ever more operations that are answered.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, ExitStack
from dataclasses import replace
from itertools import count
from typing import Any

import psycopg

from store_agent.domain.members import Member
from store_agent.domain.points import EarnPoints
from store_agent.domain.stores import Store
from store_agent.replica import Replica
from sync.central import ground, ledger, rows
from tests.benchmarks import pull
from tests.benchmarks.harness import Effort, Row, Timed, Work, in_turns, make_store
from tests.benchmarks.processes import open_ledger, tell
from tests.benchmarks.seeding import put_followers, put_rows, put_stores
from tests.counter_fixture import NOW, STORE, absorb, counter_at

NAME = "growth"
GOAL = 1.5
HELD_EACH = 10
"""Members whom each store serves, in the chain."""
STORES_LESS = 10
"""In the chain there are so many times fewer stores than there are members in a store."""
JOURNAL_MORE = 10
"""In the journal there are so many times more operations."""
WAYS = ("pull", "change", "accept")


def measure(sizes: Sequence[int], effort: Effort) -> list[Row]:
    """Rows for each number of members in a store; of stores there are a tenth, of operations ten times as many."""
    with ExitStack() as stack:
        works: dict[str, Callable[[int], Work]] = {}
        for size in sizes:
            tell(f"growth: {size:,} members")
            works[f"pull/{size}"] = _pull(stack, size, sizes[0])
            stores = max(1, size // STORES_LESS)
            tell(f"growth: {stores:,} stores")
            works[f"change/{size}"] = _change(stack, stores)
            operations = size * JOURNAL_MORE
            tell(f"growth: {operations:,} operations")
            works[f"accept/{size}"] = _accept(stack, operations)
        once = {name: work for name, work in works.items() if name.startswith("pull/")}
        timed = in_turns(replace(effort, calls=1), once)
        timed |= in_turns(effort, {name: work for name, work in works.items() if name not in once})
    return [row for way in WAYS for row in _rows(way, sizes, timed)]


def _rows(way: str, sizes: Sequence[int], timed: dict[str, Timed]) -> list[Row]:
    first = timed[f"{way}/{sizes[0]}"]
    named: dict[str, Callable[[int], str]] = {
        "pull": lambda size: f"pull of {min(pull.CHANGED, sizes[0]):,} changes, {size:,} members held",
        "change": lambda size: f"change of one member at the centre, {max(1, size // STORES_LESS):,} stores",
        "accept": lambda size: f"accept, {size * JOURNAL_MORE:,} operations in the journal",
    }
    what = named[way]
    found = [Row(name=NAME, what=what(sizes[0]), ours=first.p50)]
    for size in sizes[1:]:
        ours = timed[f"{way}/{size}"]
        # Only the last says whether it stays flat; what lies between shows how it goes.
        goal = GOAL if size == sizes[-1] else None
        more: dict[str, Any] = {"theirs": first.p50, "ratio": ours.ratio(first), "rival": "ours at the first size"}
        found.append(Row(name=NAME, what=what(size), ours=ours.p50, goal=goal, **more))
    return found


def _pull(stack: ExitStack, size: int, least: int) -> Callable[[int], Work]:
    bench = stack.enter_context(pull.open_bench(size))
    ours = pull.Ours(stack.enter_context(make_store()), bench, size, min(pull.CHANGED, least))
    stack.callback(ours.close)
    return ours.pull


def _change(stack: ExitStack, stores: int) -> Callable[[int], Work]:
    """A chain on a ledger of its own; a call changes one member there, in one transaction."""
    database_url = stack.enter_context(open_ledger())
    runner = stack.enter_context(asyncio.Runner())
    opened = AsyncExitStack()
    pool = runner.run(opened.enter_async_context(ground.open_pool(database_url, size=1)))
    stack.callback(lambda: runner.run(opened.aclose()))
    with psycopg.connect(database_url, autocommit=True) as conn:
        names = [f"s{number:06d}" for number in range(stores)]
        put_stores(conn, names)
        people = [
            Member(id=f"{store}-m{number}", phone=f"+8869{number}{store[1:]}", name="王小明", home_store=store)
            for store in names
            for number in range(HELD_EACH)
        ]
        put_rows(conn, people)
        put_followers(conn, ((person.id, person.home_store) for person in people))
        conn.execute("analyze")
    numbers = count(1)

    async def change() -> None:
        number = next(numbers)
        member = people[number * 7919 % len(people)]
        async with pool.connection() as conn, conn.transaction():
            key = ("member", member.id)
            known = await rows.load(conn, [key], lock=True)
            await ledger.write_own(conn, [replace(member, email=f"{number}@example.com")], NOW, known)

    return _in_loop(runner, change)


def _in_loop(runner: asyncio.Runner, step: Callable[[], Awaitable[None]]) -> Callable[[int], Work]:
    async def once() -> None:
        await step()

    return lambda _calls: lambda: runner.run(once())


def _accept(stack: ExitStack, operations: int) -> Callable[[int], Work]:
    replica = stack.enter_context(make_store())
    absorb(replica, [Store(id=STORE, name={"en": "Bench"})])
    _lengthen(replica, operations)
    counter = counter_at(replica)
    numbers = count(1)

    def accept() -> None:
        named = counter.named()
        assert counter.accept(EarnPoints(**named, member_id=f"m{next(numbers):07d}", points=1)) is None

    return lambda _calls: accept


def _lengthen(replica: Replica, operations: int) -> None:
    """A journal as it is after years, all of it answered. What lies in it is never read again, so it is one copied entry."""
    counter = counter_at(replica)
    with replica.journal.transaction():
        entry = replica.journal.append([EarnPoints(**counter.named(), member_id="m0", points=1)], replica.device, 1)[0]
        replica.journal.db.conn.execute(
            "with recursive n (n) as (select 2 union all select n + 1 from n where n < ?)"
            " insert into operation (epoch, seq, op_id, kind, hash, data)"
            " select 1, n, printf('%036d', n), ?, ?, ? from n",
            [max(2, operations), entry.operation.kind, entry.hash, entry.data],
        )
    with replica.cache.transaction():
        place = f"1.{max(2, operations)}"
        values = [("floor", place), ("received", place)]
        replica.cache.db.conn.executemany("insert or replace into setting values (?, ?)", values)
