"""The centre and its servers: what a COMMIT is worth, who the primary is, and how many may wait. All with real servers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager

import httpx
import psycopg
import pytest

from store_agent.trouble import Trouble
from sync.central import ground
from sync.central.connections import LedgerConnection, to_primary
from sync.central.ground import LedgerDown, OutcomeUnknown, Pool, open_pool
from sync.central.standby import Standby
from tests.chain import Chain
from tests.postgres_fixture import FreshDatabase
from tests.trials import servers
from tests.trials.servers import Pair, open_pair


def has_two_servers() -> bool:
    try:
        return bool(servers.binaries())
    except Trouble:
        return False


@pytest.fixture
def pair() -> Iterator[Pair | None]:
    """A primary and its synchronous standby; nothing where the system has no such servers, and says what to install."""
    if not has_two_servers():
        with pytest.raises(Trouble, match="apt-get install postgresql"):
            servers.binaries()
        yield None
        return
    with open_pair() as pair:
        yield pair


async def until(done: Callable[[], object]) -> None:
    async with asyncio.timeout(30):
        while not await asyncio.to_thread(done):
            await asyncio.sleep(0.02)


async def write(pool: Pool, name: str) -> None:
    async with pool.connection() as conn, conn.transaction():
        await conn.execute("insert into setting values (%s, '')", [name])


async def written(pool: Pool, name: str) -> bool:
    async with pool.connection() as conn:
        found = await conn.execute("select 1 from setting where name = %s", [name])
        return await found.fetchone() is not None


def is_waiting(pair: Pair) -> bool:
    return bool(pair.primary.ask("select 1 from pg_stat_activity where wait_event = 'SyncRep'"))


@asynccontextmanager
async def waiting_commit(pair: Pair, pool: Pool, name: str) -> AsyncIterator[asyncio.Task[None]]:
    """A transaction whose COMMIT waits for a standby that nothing reaches."""
    with pair.primary.frozen_line():
        task = asyncio.create_task(write(pool, name))
        await until(lambda: is_waiting(pair))
        yield task


async def test_a_commit_that_the_standby_does_not_have_is_neither_answered_nor_read(pair: Pair | None) -> None:
    if pair is None:
        return
    async with open_pool(pair.url, size=4) as pool:
        standby = Standby(pool)
        async with waiting_commit(pair, pool, "cancelled") as task:
            assert not await written(pool, "cancelled"), "usually nobody sees it before the standby has it"
            await until(pair.primary.cancel_waiting)
            with pytest.raises(OutcomeUnknown, match="did not confirm"):
                await task
            assert await written(pool, "cancelled"), "this is the trap: it looks done"
            reading = asyncio.create_task(standby.reached())
            await until(lambda: is_waiting(pair))
            assert not reading.done(), "so a reader waits"
        await reading
        # Of a request that ends before its COMMIT does (a client that hung up, a process that stops), none is cancelled.
        async with waiting_commit(pair, pool, "cut off") as task:
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            assert is_waiting(pair), "the server goes on waiting by itself"
            assert not await written(pool, "cut off")
        async with asyncio.timeout(30):
            while not await written(pool, "cut off"):
                await asyncio.sleep(0.02)


async def test_only_a_primary_is_worked_on_and_the_next_one_is_found(pair: Pair | None) -> None:
    if pair is None:
        return
    async with open_pool(pair.url, size=4) as pool:
        with pytest.raises(psycopg.OperationalError, match="read-only"):
            await LedgerConnection.connect(to_primary(pair.standby.url))
        await write(pool, "before")
        await asyncio.to_thread(pair.fail_over)
        async with asyncio.timeout(30):
            while True:
                try:
                    with ground.translated():
                        await write(pool, "after")
                    break
                except LedgerDown:
                    await asyncio.sleep(0.02)
        assert await written(pool, "before")


async def test_no_timeout_that_somebody_set_for_the_role_ends_a_commit(fresh_database: FreshDatabase) -> None:
    url = fresh_database()
    with psycopg.connect(url, autocommit=True) as conn:
        conn.execute(f"alter database {conn.info.dbname} set statement_timeout = '7s'".encode())
    async with open_pool(url, size=1) as pool, pool.connection() as conn:
        assert await (await conn.execute("show statement_timeout")).fetchone() == ("0",)


@pytest.mark.parametrize("asked", ["", "?target_session_attrs=any", "?target_session_attrs=standby"])
def test_no_url_leads_to_a_standby(asked: str) -> None:
    assert "target_session_attrs=read-write" in to_primary(f"postgresql://u@h1:1,h2:2/db{asked}")


async def test_a_url_that_is_none_is_said() -> None:
    with pytest.raises(Trouble, match="cannot be read"):
        async with open_pool("postgresql://h/db?no_such_thing=1"):
            pass


async def test_more_requests_than_can_be_served_are_sent_away_at_once_with_a_time(chain: Chain) -> None:
    pool = chain.centre.pool
    held = [await pool.getconn() for _n in range(pool.max_size)]
    pool.max_waiting = 3
    async with chain.http() as line:
        asking = [asyncio.create_task(line.get("/v1/health")) for _n in range(10)]
        done, waiting = await asyncio.wait(asking, return_when=asyncio.FIRST_COMPLETED)
        while len(done) < 7:
            done, waiting = await asyncio.wait(asking, timeout=0.01)
        for task in done:
            answer: httpx.Response = task.result()
            assert (answer.status_code, answer.json()["error"]) == (503, "busy")
            assert int(answer.headers["retry-after"]) > 0
        for conn in held:
            await pool.putconn(conn)
        assert [task.result().status_code for task in (await asyncio.wait(waiting))[0]] == [200] * 3
