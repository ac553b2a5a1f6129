"""Handing out snapshots: which one a store gets, and its bytes from wherever a download was cut."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Callable
from datetime import datetime

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from sync import wire
from sync.central import compaction, ground, snapshots
from sync.central.devices import Device
from sync.central.endpoints import Declined
from sync.central.ground import Pool
from sync.central.snapshots import Snapshot

log = logging.getLogger(__name__)

WAIT_S = 4.0
"""So long a store waits for one that is being made, before it is told to ask again."""
RANGE = re.compile(r"bytes=(\d{1,15})-(\d{0,15})")


class Making:
    """Snapshots that this process is making: one at a time for each store, whoever asked and however often."""

    def __init__(self, pool: Pool, now: Callable[[], datetime], wait_s: float = WAIT_S) -> None:
        self._pool = pool
        self._now = now
        self._wait_s = wait_s
        self._tasks: dict[str, asyncio.Task[Snapshot | None]] = {}

    async def make(self, store: str) -> Snapshot | None:
        """One of this moment; None where that takes longer: then it goes on, and who asks later finds it."""
        task = self._tasks.get(store)
        if task is None:
            task = self._tasks[store] = asyncio.create_task(snapshots.make(self._pool, store, self._now()))
            task.add_done_callback(lambda task: self._made(store, task))
        done, _waiting = await asyncio.wait((task,), timeout=self._wait_s)
        return task.result() if done else None

    def _made(self, store: str, task: asyncio.Task[Snapshot | None]) -> None:
        del self._tasks[store]
        if not task.cancelled() and (error := task.exception()):
            # Whoever waits is told; but perhaps nobody waits any more.
            log.warning("the snapshot of %s was not made: %s", store, error)

    async def close(self) -> None:
        """Whatever is not finished is not there: it is one transaction."""
        tasks = list(self._tasks.values())
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def offer(
    pool: Pool, making: Making, device: Device, asked: wire.SnapshotRequest, now: datetime
) -> wire.SnapshotReply:
    """What a device had best begin with. It must not be older than what it holds, nor than the rows that streams still have."""
    streams = {wire.CHAIN, wire.stream_of(device.store)}
    if set(asked.cursors) != streams:
        raise Declined(403, "other-stream", "A snapshot is asked for with the cursors of this store's two streams.")
    async with pool.connection() as conn, conn.transaction():
        floors = await compaction.floors(conn, streams)
        life = await ground.incarnation(conn)
        is_gone = any(asked.cursors[stream] < floors[stream] for stream in streams)
        if not is_gone and await snapshots.behind(conn, asked.cursors) < asked.rows_least:
            return wire.SnapshotReply("pull", life)
        found = await snapshots.newest(conn, device.store, now)
    least = {stream: max(asked.cursors[stream], floors[stream]) for stream in streams}
    if found is None or found.incarnation != life or any(found.positions[s] < least[s] for s in streams):
        found = await making.make(device.store)
    if found is None:
        return wire.SnapshotReply("making", life)
    included = found.included.get(device.id, [])
    return wire.SnapshotReply(
        "ready", found.incarnation, found.id, found.size, found.sha256, found.row_count, found.positions, included
    )


async def serve(pool: Pool, device: Device, snapshot_id: str, request: Request) -> Response:
    """The file, or a range of it (RFC 9110): it never changes, so half of it today and half tomorrow make one."""
    async with pool.connection() as conn:
        found = await snapshots.get(conn, snapshot_id)
    if found is None:
        raise Declined(404, "snapshot-unknown", "There is no such snapshot any more. Ask for another.")
    if found.store != device.store:
        raise Declined(403, "other-store", "This snapshot is another store's.")
    tag = f'"{found.sha256}"'
    headers = {"etag": tag, "accept-ranges": "bytes", "cache-control": "private, immutable, no-transform"}
    first, end, status = 0, found.size, 200
    asked = RANGE.fullmatch(request.headers.get("range", ""))
    if asked and request.headers.get("if-range", tag) == tag:
        first, status = int(asked[1]), 206
        end = min(int(asked[2]) + 1, found.size) if asked[2] else found.size
        if first >= end:
            headers["content-range"] = f"bytes */{found.size}"
            return Response(status_code=416, headers=headers)
        headers["content-range"] = f"bytes {first}-{end - 1}/{found.size}"
    headers["content-length"] = str(end - first)
    pieces = snapshots.read(pool, found, first, end)
    return StreamingResponse(pieces, status, headers, media_type="application/octet-stream")
