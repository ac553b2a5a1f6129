"""One seed from its beginning to its end: a chain is opened, works under all faults, is healed, and is looked at."""

from __future__ import annotations

import asyncio
import gc
import logging
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx
import psycopg
from nacl.signing import SigningKey

from store_agent.replica import Replica
from sync import wire
from sync.central.ground import open_pool
from sync.client import Client
from tests.chain import ADMIN_TOKEN, URL
from tests.simulator import loop
from tests.simulator.checks import ask, check_all, is_quiet
from tests.simulator.faults import heal, misfortune
from tests.simulator.jobs import person, receive
from tests.simulator.office import Office
from tests.simulator.poison import poisonous
from tests.simulator.store import LONG_POLL_S, Store, Terminal
from tests.simulator.world import World

STORES = {"s1": 2, "s2": 1, "s3": 1}
"""By store: how many terminals."""
CONVERGE_S = 120
STUCK_S = 10
ROOM_BYTES = 512 * 1024 * 1024
ENDED_AFTER_S = 900
OPERATIONS = 500


@dataclass(frozen=True, slots=True)
class Story:
    """What became of one seed."""

    seed: int
    hash: str
    operations: int
    failure: str = ""
    lines: tuple[str, ...] = ()
    happened: dict[str, int] = field(default_factory=dict)
    passed_s: float = 0.0
    waits: int = 0


async def _enrol(world: World, office: Office, id_: str) -> Store:
    chance = world.random(f"keys {id_}")
    signing = SigningKey(chance.randbytes(32))
    secret, public = bytes(signing).hex(), bytes(signing.verify_key).hex()
    answer = world.servers()[0].answer(_code_request(id_))
    code = (await answer).json()["code"]
    async with Client(URL, transport=office.line) as client:
        reply = await client.enrol(wire.EnrolRequest(code, public))
    folder = world.folder / id_
    folder.mkdir()
    key = chance.randbytes(32)
    with Replica(folder, key) as replica:
        replica.journal.keep(device=reply.device, store=reply.store, epoch=str(reply.epoch), secret=secret)
    world.devices[reply.device] = wire.stream_of(id_)
    return Store(world, id_, folder, reply.device, key, secret)


def _code_request(store: str) -> httpx.Request:
    headers = {"authorization": f"Bearer {ADMIN_TOKEN}"}
    return httpx.Request("POST", f"{URL}/v1/admin/enrolment-codes", headers=headers, json={"store": store})


async def _play(world: World, operations: int) -> dict[str, Store]:
    for name in ("centre A", "centre B"):
        await world.start_centre(name)
    office = Office(world, list(STORES))
    await office.open_chain()
    stores = {id_: await _enrol(world, office, id_) for id_ in STORES}
    for store in stores.values():
        store.terminals = [Terminal(store, number, person) for number in range(STORES[store.id])]
        for terminal in store.terminals:
            terminal.start()
    work = [asyncio.create_task(office.work()), asyncio.create_task(misfortune(world, stores))]
    running = asyncio.get_running_loop()
    while not world.failure and sum(len(store.model.journal) for store in stores.values()) < operations:
        await asyncio.sleep(0.5)
        if running.time() > ENDED_AFTER_S:
            world.fail("NOBLOCK: the stores do not get their work done")
        for task in work:
            if task.done():
                task.result()
    world.is_over = True
    for task in work:
        await task
    await heal(world, stores)
    await _come_to_rest(world, stores)
    if not world.failure:
        await _stick(world, stores, office)
    if not world.failure and (wrong := check_all(world, stores)):
        world.fail(wrong)
    for store in stores.values():
        for terminal in store.terminals:
            await terminal.stop()
    for centre in world.centres.values():
        await centre.die()
    return stores


async def _come_to_rest(world: World, stores: dict[str, Store]) -> None:
    """CONVERGE: with everything working again, nothing waits after a while."""
    running = asyncio.get_running_loop()
    until = running.time() + CONVERGE_S
    while not world.failure and not is_quiet(world, stores):
        await asyncio.sleep(0.5)
        if running.time() > until:
            world.fail(f"CONVERGE: after {CONVERGE_S} s something still waits: {_standing(world, stores)}")


async def _stick(world: World, stores: dict[str, Store], office: Office) -> None:
    """NOBLOCK: a store that cannot send still hears of every price."""
    store = stores["s1"]
    store.line.weather.stuck = "/v1/push"
    terminal = store.terminals[0]
    terminal.job("receive", lambda: receive(terminal))
    # A pull that was held already when the outbox stuck would bring the news whatever the store does.
    await asyncio.sleep(2 * LONG_POLL_S)
    await office.prices()
    heads = world.truth.heads()
    await asyncio.sleep(STUCK_S)
    behind = [stream for stream, head in heads.items() if store.model.cursors.get(stream, head) < head]
    if behind or not store.model.waiting():
        world.fail(f"NOBLOCK: with its outbox stuck, {store.id} is behind in {behind}")
    store.line.weather.stuck = ""
    await _come_to_rest(world, stores)


def _standing(world: World, stores: dict[str, Store]) -> str:
    said = [
        f"{store.id}: {len(store.model.waiting())} wait, cursors {store.model.cursors}" for store in stores.values()
    ]
    return f"{'; '.join(said)}; heads {world.truth.heads()}"


def _end(world: World, stores: dict[str, Store]) -> None:
    for store in stores.values():
        for entry in store.model.journal:
            world.hash.update(entry.data)
    # Of the heads no more: they also name transactions, which a server counts over all its databases.
    heads = "select stream, position from head order by stream"
    queries = [f"select * from {table} order by {key}" for table, key in (("operation", "op_id"), ("cases", "id"))]
    for query in (*queries, heads, "select * from device order by id"):
        for row in ask(world, query):
            world.hash.update(repr(row).encode())


@contextmanager
def _folder() -> Iterator[Path]:
    memory = Path("/dev/shm")
    # Stores refuse work where a disk is nearly full, and that must not depend on the machine.
    is_roomy = memory.is_dir() and shutil.disk_usage(memory).free > ROOM_BYTES
    folder = Path(tempfile.mkdtemp(dir=memory if is_roomy else None, prefix="simulator"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def play(url: str, seed: int, operations: int) -> Story:
    """One seed on an empty ledger with its schema."""
    passed_s = 0.0
    with _folder() as folder:
        world = World(seed, url, folder)
        try:
            with world.held_still(), poisonous():

                async def whole() -> float:
                    stores = await _play(world, operations)
                    _end(world, stores)
                    world.count("operations")
                    world.happened["operations"] = sum(len(store.model.journal) for store in stores.values())
                    return asyncio.get_running_loop().time()

                passed_s = loop.run(whole(), world.random("loop"))
        except Exception:
            # What could not even begin has been told already.
            if not world.failure:
                raise
        finally:
            for centre in world.centres.values():
                if centre.pool:
                    centre.pool.die()
            world.ground.close()
    done = world.happened.pop("operations", 0)
    waits = world.ground.waits
    return Story(seed, world.hash.hexdigest(), done, world.failure, tuple(world.lines), world.happened, passed_s, waits)


class Stage:
    """One ledger that is emptied before each seed."""

    def __init__(self, url: str) -> None:
        self.url = url
        asyncio.run(_bring_up(url))
        with psycopg.connect(url, autocommit=True) as conn:
            conn.execute("create sequence planted")  # For the bug of that name.
            found = conn.execute("select tablename from pg_tables where schemaname = 'public' order by 1").fetchall()
        self._tables = [table for (table,) in found if table != "migration"]

    def clear(self) -> None:
        """As it was before the first seed, by names that do not change."""
        with psycopg.connect(self.url, autocommit=True) as conn:
            conn.execute(f"truncate {', '.join(self._tables)} restart identity".encode())
            conn.execute("insert into own_chain values ('centre', 0, repeat('0', 64))")
            conn.execute("insert into setting values ('incarnation', 'simulated'), ('chain', '5a5a5a')")
            conn.execute("alter sequence planted restart")

    def play(self, seed: int, operations: int = OPERATIONS) -> Story:
        """One seed, whatever was played here before."""
        self.clear()
        gc.collect()
        logging.disable(logging.CRITICAL)
        try:
            return play(self.url, seed, operations)
        finally:
            logging.disable(logging.NOTSET)


async def _bring_up(url: str) -> None:
    async with open_pool(url, size=1):
        pass
