"""Streams: positions in the order of commits, pages that end where a transaction ended."""

from __future__ import annotations

import asyncio

import pytest

from store_agent.domain.stores import Store
from store_agent.trouble import Trouble
from sync.central import exchange, feed, ground
from sync.central.feed import publish
from sync.wire import CHAIN, PullReply
from tests.chain import Chain
from tests.plants import PLANTS


def entry(name: str) -> tuple[str, str, int, str]:
    return ("store", name, 1, f'{{"id":"{name}","name":{{}}}}')


async def two_writers_at_once(chain: Chain) -> list[PullReply]:
    """One takes its positions and is slow to commit; another comes after it. What a reader sees in between and after."""
    seen = []
    pool = chain.centre.pool
    async with pool.connection() as slow, pool.connection() as fast:
        await slow.execute("begin")
        await publish(slow, {CHAIN: [entry("slow")]})

        async def write_fast() -> None:
            async with fast.transaction():
                await publish(fast, {CHAIN: [entry("fast")]})

        writing = asyncio.create_task(write_fast())
        # Either it is done (nothing made it wait), or PostgreSQL says that it waits for the slow one.
        while not writing.done() and not await is_waiting(chain, fast.info.backend_pid):
            await asyncio.sleep(0.01)
        seen.append(await exchange.pull(pool, {CHAIN: 0}, 100))
        await slow.execute("commit")
        await writing
    cursor = seen[0].streams[CHAIN].position
    seen.append(await exchange.pull(pool, {CHAIN: cursor}, 100))
    return seen


async def is_waiting(chain: Chain, pid: int) -> bool:
    return bool((await chain.ask("select cardinality(pg_blocking_pids(%s)) > 0", pid))[0][0])


def positions(replies: list[PullReply]) -> list[int]:
    return [row.position for reply in replies for row in reply.streams[CHAIN].rows]


async def test_a_reader_between_two_writers_misses_nothing(chain: Chain) -> None:
    assert positions(await two_writers_at_once(chain)) == [1, 2]


async def test_the_test_finds_the_planted_sequence(chain: Chain) -> None:
    async with chain.ledger() as conn:
        await conn.execute("create sequence planted")
    with PLANTS["a sequence instead of head rows"]():
        assert positions(await two_writers_at_once(chain)) == [2], "the first writer's row is never seen"


async def test_a_page_ends_where_a_transaction_ended(chain: Chain) -> None:
    await chain.write(*[Store(id=f"s{n}", name={}) for n in range(5)])
    await chain.write(Store(id="later", name={}))
    pool = chain.centre.pool
    first = (await exchange.pull(pool, {CHAIN: 0}, 1)).streams[CHAIN]
    assert (len(first.rows), first.position, first.head) == (5, 5, 6)
    second = (await exchange.pull(pool, {CHAIN: 5}, 1)).streams[CHAIN]
    assert [row.id for row in second.rows] == ["later"]


async def test_two_processes_may_bring_up_the_schema_at_once(fresh_database) -> None:  # type: ignore[no-untyped-def]
    url = fresh_database()

    async def bring_up() -> str:
        async with ground.open_pool(url, size=1) as pool, pool.connection() as conn:
            return await ground.incarnation(conn)

    names = await asyncio.gather(*(bring_up() for _n in range(4)))
    assert len(set(names)) == 1
    assert names[0]


@pytest.mark.parametrize("cursor", [0, 3])
async def test_a_ledger_of_a_newer_version_is_left_alone(chain: Chain, cursor: int) -> None:
    await chain.ask("insert into migration values ('9999_future.sql', now()) returning name")
    with pytest.raises(Trouble, match="newer"):
        async with chain.centre.pool.connection() as conn:
            await ground.migrate(conn)


async def test_what_one_transaction_publishes_twice_is_one_group(chain: Chain) -> None:
    async with chain.ledger() as conn:
        await feed.publish(conn, {"chain": [("member", "a", 1, "{}"), ("member", "b", 1, "{}")]})
    async with chain.ledger() as conn:
        await feed.publish(conn, {"chain": [("member", "c", 1, "{}")]})
        async with conn.transaction():
            await feed.publish(conn, {"chain": [("member", "d", 1, "{}")]})
        await feed.publish(conn, {"chain": [("member", "e", 1, "{}")]})
    async with chain.ledger() as conn:
        first = await feed.read_page(conn, "chain", 0, 1)
        second = await feed.read_page(conn, "chain", first.position, 1)
    assert [row.id for row in first.rows] == ["a", "b"]
    assert [row.id for row in second.rows] == ["c", "d", "e"]
