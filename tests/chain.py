"""A whole chain for tests: the real centre on a real ledger, and stores with real replicas at the ends of cables."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from random import Random
from typing import Any

import httpx
from starlette.applications import Starlette

from store_agent.clock import Ids
from store_agent.desk.counter import Counter
from store_agent.domain.proofs import SpendingProof
from store_agent.domain.stores import Store
from store_agent.replica import Replica
from sync import wire
from sync.central import devices, ledger, rows
from sync.central.app import Centre, make_app
from sync.central.ground import Connection
from sync.central.office.sealing import Sealing
from sync.client import Client
from sync.in_step import Contact, InStep
from sync.session import Session
from sync.snapshot import Bootstrap
from tests.cable import Cable
from tests.standing_clock import StandingClock

ADMIN_TOKEN = "of the head office"
URL = "http://centre"


SEALING = Sealing((b"\x05" * 32,))


@dataclass
class StoreAtEnd:
    """One store: what a person does goes through `counter`, what the line does through `push` and `pull`."""

    id: str
    folder: Path
    key: bytes
    replica: Replica
    counter: Counter
    cable: Cable
    client: Client
    session: Session
    in_step: InStep
    secret: str
    batch_most: int
    page_rows: int
    snapshot_rows: int | None = None
    """Takes a snapshot where as many rows are to come; None: never."""

    async def push(self) -> None:
        """One push, if there is something to send or to ask."""
        if self.has_to_say():
            await self.in_step.push_once()

    async def pull(self) -> None:
        """One pull, which the centre does not hold."""
        self.in_step.contact = Contact()
        await self.in_step.pull_once()

    async def settle(self) -> None:
        """Push and pull until there is nothing more to say."""
        for _turn in range(10_000):
            has_to_say = self.has_to_say()
            if has_to_say:
                await self.push()
            before = self.session.cursors()
            await self.pull()
            if not has_to_say and not self.has_to_say() and self.session.cursors() == before:
                return
        raise AssertionError("the store never comes to rest")

    def has_to_say(self) -> bool:
        """Whether a push would say anything."""
        return bool(self.replica.outbox(1)) or self.session.needs_epoch()

    def row(self, table: str, id_: str) -> Any:
        """A row as this store shows it."""
        return self.replica.view.get(table, id_)


@dataclass
class Chain:
    """The centre, its ledger, and the stores enrolled so far."""

    app: Starlette
    clock: StandingClock
    folder: Path
    stores: dict[str, StoreAtEnd] = field(default_factory=dict)

    @property
    def centre(self) -> Centre:
        centre: Centre = self.app.state.centre
        return centre

    @asynccontextmanager
    async def ledger(self) -> AsyncIterator[Connection]:
        """One transaction on the ledger."""
        async with self.centre.pool.connection() as conn, conn.transaction():
            yield conn

    async def write(self, *changes: Any) -> None:
        """Rows that the head office makes or changes."""
        async with self.ledger() as conn:
            known = await rows.load(conn, [(row.table, row.id) for row in changes], lock=True)
            await ledger.write_own(conn, changes, self.clock.now(), known)

    async def row(self, table: str, id_: str) -> Any:
        """A row of the ledger, or None."""
        async with self.ledger() as conn:
            kept = await rows.load(conn, [(table, id_)], lock=False)
            return kept[table, id_].row if kept else None

    async def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What the ledger answers to a query."""
        async with self.ledger() as conn:
            return await (await conn.execute(query.encode(), values)).fetchall()

    async def cases(self) -> list[tuple[Any, ...]]:
        """(kind, store, amount) of every case."""
        return await self.ask("select kind, store, (body ->> 'amount_minor')::bigint from cases order by kind, store")

    def http(self) -> httpx.AsyncClient:
        """The head office's line to the admin API."""
        headers = {"authorization": f"Bearer {ADMIN_TOKEN}"}
        return httpx.AsyncClient(base_url=URL, transport=httpx.ASGITransport(self.app), headers=headers)

    async def store(
        self,
        store_id: str,
        *,
        row: Store | None = None,
        batch_most: int = 500,
        page_rows: int = 500,
        snapshot_rows: int | None = None,
    ) -> StoreAtEnd:
        """Enrol a device for a store and open its counter."""
        await self.write(row or Store(id=store_id, name={"en": store_id.title()}, spending_proof=SpendingProof.ANY))
        async with self.ledger() as conn:
            code = await devices.make_code(conn, store_id, self.clock.now(), timedelta(hours=1))
        secret, public = wire.make_key()
        async with Client(URL, transport=httpx.ASGITransport(self.app)) as client:
            reply = await client.enrol(wire.EnrolRequest(code, public))
        folder = self.folder / f"{store_id}-{len(self.stores)}"
        folder.mkdir()
        key = secrets.token_bytes(32)
        replica = Replica(folder, key)
        replica.journal.keep(device=reply.device, store=reply.store, epoch=str(reply.epoch), secret=secret)
        cable = Cable(httpx.ASGITransport(self.app))
        store = self._put_together(store_id, folder, key, replica, cable, secret, batch_most, page_rows, snapshot_rows)
        self.stores[store_id] = store
        return store

    def _put_together(
        self,
        store_id: str,
        folder: Path,
        key: bytes,
        replica: Replica,
        cable: Cable,
        secret: str,
        batch_most: int,
        page_rows: int,
        snapshot_rows: int | None,
    ) -> StoreAtEnd:
        counter = Counter(replica, self.clock, Ids(self.clock), staff="amy")
        session = Session(replica, batch_most=batch_most, page_rows=page_rows)
        client = Client(URL, device=replica.device, secret=secret, transport=cable)
        bootstrap = None
        if snapshot_rows is not None:
            bootstrap = Bootstrap(session, client, self.clock, rows_least=snapshot_rows)
        in_step = InStep(session, client, self.clock, Random(1), long_poll_s=0, bootstrap=bootstrap)
        return StoreAtEnd(
            store_id,
            folder,
            key,
            replica,
            counter,
            cable,
            client,
            session,
            in_step,
            secret,
            batch_most,
            page_rows,
            snapshot_rows,
        )

    def restart(self, store_id: str, *, without_cache: bool = False) -> StoreAtEnd:
        """The store's process ends and begins again; its disk stays, but perhaps for the cache."""
        old = self.stores[store_id]
        old.replica.close()
        if without_cache:
            for file in old.folder.glob("cache.db*"):
                file.unlink()
        replica = Replica(old.folder, old.key)
        self.stores[store_id] = self._put_together(
            store_id,
            old.folder,
            old.key,
            replica,
            old.cable,
            old.secret,
            old.batch_most,
            old.page_rows,
            old.snapshot_rows,
        )
        return self.stores[store_id]

    async def settle(self, stores: Sequence[str] = ()) -> None:
        """Let every store come to rest, twice: what one pushes, another pulls."""
        for _turn in range(2):
            for store_id in stores or list(self.stores):
                await self.stores[store_id].settle()

    def close(self) -> None:
        for store in self.stores.values():
            store.replica.close()


@asynccontextmanager
async def open_chain(database_url: str, clock: StandingClock, folder: Path) -> AsyncIterator[Chain]:
    """A centre in this process."""
    app = make_app(database_url, admin_token=ADMIN_TOKEN, sealing=SEALING, now=clock.now)
    async with app.router.lifespan_context(app):
        chain = Chain(app, clock, folder)
        try:
            yield chain
        finally:
            chain.close()
