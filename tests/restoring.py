"""Disks and ledgers that are put back to what they were: files copied aside, databases copied with `template`."""

from __future__ import annotations

import shutil
from contextlib import AsyncExitStack
from pathlib import Path

import httpx

from store_agent.codec import hash_of
from store_agent.domain.points import EarnPoints
from store_agent.replica.journal import Place
from sync.central.app import make_app
from sync.central.ground import renew_incarnation
from tests.chain import ADMIN_TOKEN, Chain, StoreAtEnd
from tests.postgres_fixture import FreshDatabase
from tests.standing_clock import StandingClock

FIRST = Place(0, 0)


def keep_disk(chain: Chain, store_id: str) -> Path:
    """A copy of a store's folder as it is now."""
    store = chain.stores[store_id]
    store.replica.close()
    kept = store.folder.with_name(f"{store.folder.name}.kept")
    shutil.copytree(store.folder, kept, dirs_exist_ok=True)
    chain.restart(store_id)
    return kept


def put_back(chain: Chain, store_id: str, kept: Path, *names: str) -> StoreAtEnd:
    """These files as they were, with what belongs to them; without names, the whole disk."""
    store = chain.stores[store_id]
    store.replica.close()
    for folder in (store.folder, kept):
        for file in list(folder.iterdir()):
            if not names or file.name.startswith(names):
                if folder is store.folder:
                    file.unlink()
                else:
                    shutil.copy(file, store.folder / file.name)
    return chain.restart(store_id)


def earn(store: StoreAtEnd, points: int, member: str = "m1") -> str:
    """One operation is accepted; its id."""
    operation = EarnPoints(**store.counter.named(), member_id=member, points=points)
    assert store.counter.accept(operation) is None
    return operation.op_id


async def check_bytes(chain: Chain, store: StoreAtEnd) -> None:
    """DURABLE, ONCE: the ledger holds every operation of the journal once, as the bytes and under the numbers it has."""
    ledger = {
        op_id: (epoch, seq, hash, bytes(data))
        for op_id, epoch, seq, hash, data in await chain.ask(
            "select op_id, epoch, seq, hash, data from operation where device = %s", store.replica.device
        )
    }
    for entry in store.replica.journal.after(FIRST):
        held = ledger.get(entry.operation.op_id)
        assert held == (entry.epoch, entry.seq, hash_of(entry.data), entry.data), f"DURABLE: {entry.epoch}.{entry.seq}"
    kept = [op_id for _place, op_id in store.replica.journal.op_ids_after(FIRST, 9999)]
    assert len(kept) == len(set(kept))


async def points_of(chain: Chain, member: str = "m1") -> int:
    """What the centre says that a member has."""
    account = await chain.row("account", member)
    return int(account.balance(chain.clock.now())) if account else 0


class Centres:
    """The centre of a chain, which can end, and begin again on another ledger."""

    def __init__(self, make: FreshDatabase, clock: StandingClock, folder: Path) -> None:
        self._make = make
        self._clock = clock
        self._folder = folder
        self._stack = AsyncExitStack()
        self.chain: Chain | None = None
        self.url = ""

    async def start(self, url: str = "") -> Chain:
        """A centre on this ledger, or on a fresh one; every store's cable leads to it."""
        self.url = url or self._make()
        app = make_app(self.url, admin_token=ADMIN_TOKEN, now=self._clock.now)
        await self._stack.enter_async_context(app.router.lifespan_context(app))
        if self.chain is None:
            self.chain = Chain(app, self._clock, self._folder)
        self.chain.app = app
        for store in self.chain.stores.values():
            store.cable.inner = httpx.ASGITransport(app)
        return self.chain

    async def back_up(self) -> str:
        """A copy of the ledger as it is now; the centre goes on behind it."""
        await self._stack.aclose()
        copy = self._make(template=self.url.rpartition("/")[2].partition("?")[0])
        await self.start(self.url)
        return copy

    async def restore(self, copy: str, *, is_said: bool = True) -> None:
        """The centre goes on with a copy; `is_said`: the operator says so, as the manual asks."""
        await self._stack.aclose()
        chain = await self.start(copy)
        if is_said:
            async with chain.centre.pool.connection() as conn:
                await renew_incarnation(conn)

    async def close(self) -> None:
        await self._stack.aclose()
        if self.chain:
            self.chain.close()
