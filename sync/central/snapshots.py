"""Snapshots: all rows of a store as of one moment of the ledger, in a file that is made once and never changes.

The file lies in the ledger, in parts: so every process of the centre can serve it, a balancer needs to know nothing,
and a process that ends takes nothing with it. A part is a frame (`wire.Frame`), so both ends hold one frame in memory.
"""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256
from typing import Any

import msgspec
from psycopg.sql import SQL, Identifier

from store_agent.codec import NOUN_OF, decode_row, encode_row
from sync import wire
from sync.central import feed, ground
from sync.central.figures import scope_of
from sync.central.ground import Connection, Pool

FRAME_ROWS = 1000
GOOD_FOR = timedelta(hours=1)
"""So long it is handed out to whoever asks; the tail behind it is pulled."""
KEPT_FOR = timedelta(days=2)
"""So long a download may go on, over however bad a line."""


@dataclass(frozen=True, slots=True)
class Snapshot:
    """One that can be had."""

    id: str
    store: str
    incarnation: str
    positions: dict[str, int]
    included: dict[str, list[wire.Included]]
    """By device of the store."""
    row_count: int
    size: int
    sha256: str


COLUMNS = "id, store, incarnation, positions, included, row_count, size, sha256"


async def newest(conn: Connection, store: str, now: datetime) -> Snapshot | None:
    """The newest of a store, if it is new enough to begin with."""
    # One of before a chain was closed knows nothing of what is left of it.
    query = (
        f"select {COLUMNS} from snapshot where store = %s and made_at > %s and not exists (select 1 from epoch join device"
        " on device.id = epoch.device where device.store = snapshot.store and closed_at >= made_at)"
        " order by made_at desc limit 1"
    )
    row = await (await conn.execute(query.encode(), [store, now - GOOD_FOR])).fetchone()
    return _as_snapshot(row) if row else None


async def get(conn: Connection, snapshot_id: str) -> Snapshot | None:
    """One by its id, for as long as it is kept."""
    query = f"select {COLUMNS} from snapshot where id = %s"
    row = await (await conn.execute(query.encode(), [snapshot_id])).fetchone()
    return _as_snapshot(row) if row else None


def _as_snapshot(row: tuple[Any, ...]) -> Snapshot:
    id_, store, incarnation, positions, included, *rest = row
    return Snapshot(
        id_,
        store,
        incarnation,
        msgspec.json.decode(positions, type=dict[str, int]),
        msgspec.json.decode(included, type=dict[str, list[wire.Included]]),
        *rest,
    )


async def make(pool: Pool, store: str, now: datetime) -> Snapshot | None:
    """Make one of this moment; None where another process is making one of this store just now."""
    async with pool.connection() as conn:
        # A lock of the session: a transaction that waited for one would go on with the moment at which it began to wait.
        await conn.set_autocommit(True)
        try:
            lock = await (await conn.execute("select pg_try_advisory_lock(hashtext(%s))", [_lock(store)])).fetchone()
            if lock is None or not lock[0]:
                return None
            try:
                async with conn.transaction():
                    return await _make(conn, store, now)
            finally:
                await conn.execute("select pg_advisory_unlock(hashtext(%s))", [_lock(store)])
        finally:
            await conn.set_autocommit(False)


def _lock(store: str) -> str:
    return f"snapshot/{store}"


async def _make(conn: Connection, store: str, now: datetime) -> Snapshot:
    # One moment for the heads, the included operations and every row: what commits meanwhile is in the tail.
    await conn.execute("set transaction isolation level repeatable read")
    streams = (wire.CHAIN, wire.stream_of(store))
    ends = await feed.heads(conn, streams)
    positions = {stream: ends.get(stream, 0) for stream in streams}
    included = await _included(conn, store)
    id_, life = uuid.uuid4().hex, await ground.incarnation(conn)
    await conn.execute(
        "insert into snapshot (id, store, incarnation, positions, included, row_count, size, sha256, made_at)"
        " values (%s, %s, %s, %s, %s, 0, 0, '', %s)",
        [id_, store, life, wire.encode(positions).decode(), wire.encode(included).decode(), now],
    )
    row_count, size, hash = 0, 0, sha256()
    for table in NOUN_OF:
        async for rows in _rows_of(conn, table, store):
            part = wire.pack_frame(wire.Frame(table, rows))
            await conn.execute("insert into snapshot_part values (%s, %s, %s, %b)", [id_, size, len(part), part])
            hash.update(part)
            row_count, size = row_count + len(rows), size + len(part)
    query = "update snapshot set row_count = %s, size = %s, sha256 = %s where id = %s"
    await conn.execute(query, [row_count, size, hash.hexdigest(), id_])
    return Snapshot(id_, store, life, positions, included, row_count, size, hash.hexdigest())


async def _rows_of(conn: Connection, table: str, store: str) -> AsyncIterator[list[wire.FrameRow]]:
    """A table's rows in scope by id, some at a time: a store that writes them in this order writes fastest."""
    query = SQL("select id, revision, body::text from {} where ").format(Identifier(table)) + scope_of(table)
    async with conn.cursor(f"snapshot_{table}") as cursor:
        await cursor.execute(query + SQL(' order by id collate "C"'), {"store": store})
        while found := await cursor.fetchmany(FRAME_ROWS):
            # As streams carry them, so that a row is the same text whichever way it came.
            yield [(id_, rev, msgspec.Raw(encode_row(decode_row(table, body)))) for id_, rev, body in found]


async def _included(conn: Connection, store: str) -> dict[str, list[wire.Included]]:
    """By device of the store: which of its operations are in the rows. Parked ones are not, until they are answered."""
    found = await conn.execute(
        "select device, operation.epoch, max(operation.seq), count(*),"
        " coalesce(array_agg(operation.seq) filter (where outcome = 'parked'), '{}'),"
        " case when operation.epoch < device.epoch"
        " then coalesce(array_agg(op_id order by op_id) filter (where outcome <> 'parked'), '{}') end"
        " from operation join device on device.id = operation.device where device.store = %s"
        " group by device, operation.epoch, device.epoch order by device, operation.epoch",
        [store],
    )
    included: dict[str, list[wire.Included]] = {}
    for device, epoch, seq, held, parked, op_ids in await found.fetchall():
        missing = set(parked)
        if held < seq and op_ids is None:
            missing |= await _gaps(conn, device, epoch, seq)
        included.setdefault(device, []).append(wire.Included(epoch, seq, sorted(missing), op_ids))
    return included


async def _gaps(conn: Connection, device: str, epoch: int, seq: int) -> set[int]:
    """Numbers that never came: a device's chain has none but where an old epoch was cut off."""
    found = await conn.execute(
        "select n from generate_series(1, %s::bigint) as n where not exists"
        " (select 1 from operation where device = %s and epoch = %s and seq = n)",
        [seq, device, epoch],
    )
    return {int(row[0]) for row in await found.fetchall()}


async def read(pool: Pool, snapshot: Snapshot, first: int, end: int) -> AsyncIterator[bytes]:
    """Its bytes from `first` to before `end`, part by part; ends early where it was swept away meanwhile."""
    query = (
        "select start, data from snapshot_part where snapshot_id = %s and start <= %s and start + size > %s"
        " order by start desc limit 1"
    )
    while first < end:
        # No connection is held while a slow line takes a part.
        async with pool.connection() as conn:
            row = await (await conn.execute(query, [snapshot.id, first, first], binary=True)).fetchone()
        if row is None:
            return
        start, data = row
        piece = bytes(data)[first - start : end - start]
        yield piece
        first += len(piece)


async def sweep(pool: Pool, now: datetime) -> None:
    """Drop snapshots that nobody is downloading any more: of each store, one that is newer and old enough is there."""
    async with pool.connection() as conn, conn.transaction():
        await conn.execute("delete from snapshot where made_at < %s", [now - KEPT_FOR])


async def behind(conn: Connection, cursors: Mapping[str, int]) -> int:
    """How many rows a pull from these cursors would bring."""
    ends = await feed.heads(conn, cursors)
    return sum(max(0, ends.get(stream, 0) - cursor) for stream, cursor in cursors.items())
