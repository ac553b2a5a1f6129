"""Records in any number into the ledger: in sets, some hundred a transaction, with a report of what was not taken.

What a record means is its table's business. Here is only: read on, check, compare, write what differs, tell.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Coroutine, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from msgspec import Struct

from sync.central import own
from sync.central.ground import Connection, Pool
from sync.central.office.columns import Columns, columns_of
from sync.central.office.sheets import Record
from sync.central.office.strict import Malformed, convert_strictly
from sync.central.own import Own
from sync.central.rows import Key

CHUNK = 500
"""Records in one transaction."""
ERRORS_MOST = 100
"""Errors in one report; of more, only the number is told."""


class RowError(Struct, frozen=True):
    """Why one record was not taken. The column is empty where it is the whole record."""

    row: int
    column: str
    why: str


class Report(Struct, frozen=True):
    """What became of all records."""

    taken: int
    unchanged: int
    refused: int
    errors: list[RowError]
    errors_left_out: int


class Sieve:
    """What one chunk of records needs to know of others, and what each of them does. One for each chunk and pass."""

    async def prepare(self, conn: Connection, records: list[Any]) -> None:
        """Look up whatever else is needed, in sets."""

    def keys(self, record: Any) -> Iterable[Key]:
        """The rows that the record may change or must see; raises Malformed."""
        raise NotImplementedError

    def take(self, work: Own, record: Any) -> None:
        """Put what follows from the record; raises Malformed before it has put anything."""
        raise NotImplementedError


@dataclass(frozen=True, slots=True)
class Table:
    """One kind of records that can be sent."""

    name: str
    record: type[Any]
    sieve: Callable[[], Sieve]

    @property
    def columns(self) -> Columns:
        """The columns of a sheet of these records."""
        return columns_of(self.record)


class Tally:
    """The report as it grows."""

    def __init__(self) -> None:
        self.taken = self.unchanged = self.refused = 0
        self.errors: list[RowError] = []

    def refuse(self, row: int, error: Malformed) -> None:
        """One record was not taken."""
        self.refused += 1
        if len(self.errors) < ERRORS_MOST:
            self.errors.append(RowError(row, error.column, error.why))

    def report(self) -> Report:
        """What became of all so far, errors in the order of their rows."""
        errors = sorted(self.errors, key=lambda error: error.row)
        return Report(self.taken, self.unchanged, self.refused, errors, self.refused - len(errors))


async def take_records(pool: Pool, table: Table, records: AsyncIterator[Record], now: Callable[[], datetime]) -> Report:
    """Take all records of a file."""
    tally = Tally()
    chunk: list[tuple[int, Any]] = []
    async for record in records:
        try:
            if record.values is None:
                raise Malformed(record.column, record.why)
            chunk.append((record.row, convert_strictly(record.values, table.record)))
        except Malformed as error:
            tally.refuse(record.row, error)
        if len(chunk) >= CHUNK:
            await take_chunk(pool, table, chunk, tally, now())
            chunk = []
    if chunk:
        await take_chunk(pool, table, chunk, tally, now())
    return tally.report()


async def take_chunk(pool: Pool, table: Table, chunk: list[tuple[int, Any]], tally: Tally, now: datetime) -> None:
    """Take some records in one transaction."""

    def work(conn: Connection) -> Coroutine[Any, Any, tuple[int, list[tuple[int, Malformed]]]]:
        return _write(conn, table, chunk, now)

    taken, refused = await own.in_transaction(pool, work)
    tally.taken += taken
    tally.unchanged += len(chunk) - taken - len(refused)
    for row, error in refused:
        tally.refuse(row, error)


async def _write(
    conn: Connection, table: Table, chunk: list[tuple[int, Any]], now: datetime
) -> tuple[int, list[tuple[int, Malformed]]]:
    # A first pass without locks finds what differs: what did not change costs one look and no write.
    work, touching, refused = await _pass(conn, table, chunk, now, lock=False)
    if not touching:
        return 0, refused
    if not work.batch.known:
        # All are new: there is nothing to lock, and if another brings one of them meanwhile, this is tried again.
        await work.finish()
        return len(touching), refused
    work, touching, refused_late = await _pass(conn, table, touching, now, lock=True)
    await work.finish()
    return len(touching), refused + refused_late


async def _pass(
    conn: Connection, table: Table, chunk: list[tuple[int, Any]], now: datetime, *, lock: bool
) -> tuple[Own, list[tuple[int, Any]], list[tuple[int, Malformed]]]:
    """The work with what of the chunk changes something, and what is refused."""
    sieve = table.sieve()
    await sieve.prepare(conn, [record for _row, record in chunk])
    refused: list[tuple[int, Malformed]] = []
    keys: list[Key] = []
    rest: list[tuple[int, Any]] = []
    for row, record in chunk:
        try:
            keys += sieve.keys(record)
            rest.append((row, record))
        except Malformed as error:
            refused.append((row, error))
    work = await own.begin(conn, keys, now, lock=lock)
    touching: list[tuple[int, Any]] = []
    for row, record in rest:
        before = work.touches
        try:
            sieve.take(work, record)
        except Malformed as error:
            refused.append((row, error))
        if work.touches > before:
            touching.append((row, record))
    return work, touching, refused
