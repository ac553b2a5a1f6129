"""Two stores, disks and a ledger that are put back at any moment, and a bad network: seeded stories, VIEW after each step."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from contextlib import suppress
from pathlib import Path
from random import Random

import httpx
import pytest

from store_agent.codec import decode_entry
from store_agent.domain.stock import stock_id
from store_agent.replica.standing import Frozen
from store_agent.trouble import Trouble
from sync.central import audit
from tests.cable import Fate
from tests.chain import Chain, StoreAtEnd
from tests.invariants import check_converged, check_view
from tests.postgres_fixture import FreshDatabase
from tests.restoring import Centres, check_bytes, earn, keep_disk, put_back
from tests.standing_clock import StandingClock
from tests.test_incarnation import GTIN, begin, sell

STEPS = 50
FATES = (Fate.ARRIVES, Fate.ARRIVES, Fate.ARRIVES, Fate.REQUEST_LOST, Fate.REPLY_LOST)


class Story:
    """One seed. Disks are put back whole, without the anchor, the journal alone, or both without the cache."""

    def __init__(self, centres: Centres, chain: Chain, seed: int) -> None:
        self.random = Random(seed)
        self.centres = centres
        self.chain = chain
        self.kept: dict[str, Path] = {}
        self.backup = ""
        self.done: list[str] = []

    async def step(self) -> None:
        store = self.chain.stores[self.random.choice(sorted(self.chain.stores))]
        steps = [self.accept] * 8 + [self.push] * 6 + [self.pull] * 6
        step = self.random.choice([*steps, self.keep, self.put_back, self.restart, self.back_up, self.restore])
        self.done.append(f"{step.__name__} {store.id}")
        await step(store)
        for one in self.chain.stores.values():
            check_view(one)

    async def accept(self, store: StoreAtEnd) -> None:
        with suppress(Frozen):
            if self.random.random() < 0.5:
                earn(store, 1)
            else:
                sell(store)

    async def push(self, store: StoreAtEnd) -> None:
        await self.with_fate(store, "push")

    async def pull(self, store: StoreAtEnd) -> None:
        await self.with_fate(store, "pull")

    async def with_fate(self, store: StoreAtEnd, what: str) -> None:
        fate = self.random.choice(FATES)

        def decide(_request: httpx.Request) -> Fate:
            return fate

        store.cable.fate = decide
        with suppress(Trouble):
            await (store.push() if what == "push" else store.pull())
        store.cable.fate = lambda request: Fate.ARRIVES

    async def keep(self, store: StoreAtEnd) -> None:
        self.kept[store.id] = keep_disk(self.chain, store.id)

    async def put_back(self, store: StoreAtEnd) -> None:
        if store.id in self.kept:
            names = self.random.choice([(), ("journal.db", "cache.db"), ("journal.db",), ("journal.db", "anchor")])
            put_back(self.chain, store.id, self.kept[store.id], *names)

    async def restart(self, store: StoreAtEnd) -> None:
        self.chain.restart(store.id)

    async def back_up(self, _store: StoreAtEnd) -> None:
        self.backup = await self.centres.back_up()

    async def restore(self, _store: StoreAtEnd) -> None:
        if self.backup:
            await self.centres.restore(self.backup)
            self.backup = ""

    async def settle(self) -> None:
        self.chain.clock.move(hours=2)
        for _turn in range(400):
            quiet = True
            for store in self.chain.stores.values():
                quiet = quiet and not store.has_to_say()
                before = store.session.cursors()
                with suppress(Trouble):
                    await store.push()
                await store.pull()
                check_view(store)
                quiet = quiet and store.session.cursors() == before
            if quiet:
                return
        raise AssertionError("CONVERGE: it never comes to rest")

    async def check(self) -> None:
        for store in self.chain.stores.values():
            assert store.replica.standing.frozen == ""
            assert store.replica.view.waiting_count() == 0
            assert store.replica.floor() == store.replica.journal.last()
            await check_bytes(self.chain, store)
        await check_converged(self.chain)
        held = [decode_entry(bytes(data)).operation for (data,) in await self.chain.ask("select data from operation")]
        assert len({operation.op_id for operation in held}) == len(held)
        points = sum(getattr(operation, "points", 0) for operation in held)
        account = await self.chain.row("account", "m1")
        assert account.balance(self.chain.clock.now()) == points, "ONCE"
        for store_id in self.chain.stores:
            moved = sum(getattr(operation, "delta", 0) for operation in held if operation.store == store_id)
            assert (await self.chain.row("stock", stock_id(store_id, GTIN))).on_hand == moved, "ONCE"
        async with self.chain.centre.pool.connection() as conn:
            report = await audit.verify(conn, lambda count: None)
        assert report.findings == [], "AUDIT"


@pytest.fixture
async def centres(fresh_database: FreshDatabase, clock: StandingClock, tmp_path: Path) -> AsyncIterator[Centres]:
    """A centre that can be stopped, and started on a copy of its ledger."""
    centres = Centres(fresh_database, clock, tmp_path)
    yield centres
    await centres.close()
    shutil.rmtree(tmp_path)


@pytest.mark.parametrize("seed", range(5))
async def test_whatever_is_put_back_nothing_is_counted_twice_and_nothing_wedges(centres: Centres, seed: int) -> None:
    story = Story(centres, await begin(centres), seed)
    try:
        for _step in range(STEPS):
            await story.step()
        story.done.append("settle")
        await story.settle()
        await story.check()
    except AssertionError as error:
        error.add_note("\n".join(story.done))
        raise
