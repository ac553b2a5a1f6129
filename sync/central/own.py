"""What the centre does itself: head office and web shop, judged by the same rules and written down like any operation.

A transaction's work is collected in memory and written once at its end, so that it is one group in every stream.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, TypeVar

import psycopg

from store_agent.clock import Ids, SystemClock
from store_agent.domain.cases import ResolveCase
from store_agent.domain.operation import Operation, Refusal
from store_agent.domain.overshoots import case_of
from sync.central import cases, judging, ledger, own_chain, rows
from sync.central.ground import Connection, Pool
from sync.central.judging import Batch, Judged
from sync.central.rows import Key

DEVICE = own_chain.DEVICE
UNDOES = ledger.UNDOES

new_id = Ids(SystemClock()).new
T = TypeVar("T")


@dataclass(slots=True)
class Own:
    """Rows and operations of the centre in one transaction."""

    conn: Connection
    batch: Batch
    touches: int = 0
    """How often something changed; tells whether one record of many changed anything."""
    done: list[tuple[Operation, str, str]] = field(default_factory=list)
    """Operations with outcome and case."""
    serves: set[tuple[str, str]] = field(default_factory=set)
    """Members and the stores that will serve them."""

    @property
    def now(self) -> datetime:
        """The moment of this transaction."""
        return self.batch.now

    def row(self, table: str, id_: str) -> Any:
        """A row as it is by now, or None. Only rows that were asked for when the work began are known."""
        return self.batch.row((table, id_))

    def put(self, row: Any) -> None:
        """A row as it is from now on; the same as before changes nothing."""
        key = (row.table, row.id)
        if row != self.batch.row(key):
            self.batch.put(key, row)
            self.touches += 1

    def do(self, operation: Operation) -> Refusal | None:
        """Let an operation happen; where it is refused nothing happens, for the centre asks before it acts."""
        key = (operation.table, operation.subject)
        before = self.batch.row(key)
        if refusal := operation.judge(before):
            return refusal
        after = operation.effect(before)
        kind = case_of(operation, None, before, after)
        if kind:
            self.batch.cases.append(cases.open_case(kind, operation, None, before, after, self.now))
        self.batch.put(key, after)
        self.done.append((operation, "applied_with_case" if kind else "applied", kind or ""))
        self.touches += 1
        if isinstance(operation, ResolveCase):
            for undone in judging.follow(self.batch, operation, before, after):
                self.done.append((undone, "applied", ""))
        return None

    async def finish(self) -> None:
        """Write everything down and publish it; the last thing in the transaction."""
        await ledger.join_members(self.conn, self.batch)
        changed = [self.batch.current[key] for key in self.batch.dirty]
        if self.done:
            changed += await cases.not_yet_open(self.conn, self.batch.cases)
            await self._remember()
        if changed:
            await ledger.write_own(self.conn, changed, self.now, self.batch.known, sorted(self.serves))

    async def _remember(self) -> None:
        entries = await own_chain.write(self.conn, [operation for operation, _outcome, _case in self.done])
        for entry, (operation, outcome, case) in zip(entries, self.done, strict=True):
            self.batch.judged.append(Judged(entry, operation, outcome, case))
        await ledger.remember(self.conn, self.batch)


async def begin(conn: Connection, keys: Iterable[Key], now: datetime, *, lock: bool = True) -> Own:
    """Begin work on these rows, and on new ones."""
    return Own(conn, Batch(await rows.load(conn, keys, lock=lock), now))


async def in_transaction(pool: Pool, work: Callable[[Connection], Awaitable[T]]) -> T:
    """Do something in one transaction, again where somebody else was there at the same moment."""
    for attempt in range(ledger.TRIES + 1):
        try:
            async with pool.connection() as conn, conn.transaction():
                return await work(conn)
        except psycopg.Error as error:
            if not ledger.is_worth_another_try(error, attempt):
                raise
    raise AssertionError("the last try returns or raises")
