"""New chains for devices that cannot go on with theirs: a journal that was put back, a copied disk, a restored ledger.

The old chain is closed where the centre holds it. Its numbers are never used again, whoever used them.
"""

from __future__ import annotations

import logging
from datetime import datetime, timedelta

from sync import wire
from sync.central import devices, feed, ground
from sync.central.devices import FIRST_HASH, Device
from sync.central.endpoints import Declined
from sync.central.ground import Connection, Pool

log = logging.getLogger(__name__)

HOUR = timedelta(hours=1)
PER_HOUR_MOST = 12
"""Two living copies of a device take its epoch from each other for ever; a person has to end one of them."""


async def begin(pool: Pool, device: Device, request: wire.EpochRequest, now: datetime) -> wire.EpochReply:
    """Close the device's chain and give it the next. Each request gives one: a reply that was lost leaves it empty."""
    async with pool.connection() as conn, conn.transaction():
        device = await devices.lock(conn, device)
        found = await conn.execute(
            "select count(*) from epoch where device = %s and closed_at > %s", [device.id, now - HOUR]
        )
        row = await found.fetchone()
        if row and row[0] >= PER_HOUR_MOST:
            log.error("device %s asks for too many epochs: is its disk in two machines?", device.id)
            raise Declined(429, "epochs-too-many", "This device was given too many epochs. Is there a copy of it?")
        await _close(conn, device, request, now)
        # A restored ledger may have forgotten epochs that it gave: what the device has used is past as well.
        epoch = max(device.epoch, request.epoch) + 1
        await conn.execute(
            "update device set epoch = %s, seq = 0, last_hash = %s, heard_at = %s where id = %s",
            [epoch, FIRST_HASH, now, device.id],
        )
        streams = (wire.CHAIN, wire.stream_of(device.store))
        heads = {stream: 0 for stream in streams} | await feed.heads(conn, streams)
        log.warning("device %s writes in epoch %s from now on: %s", device.id, epoch, request.reason)
        return wire.EpochReply(epoch, await ground.incarnation(conn), heads, now)


async def _close(conn: Connection, device: Device, request: wire.EpochRequest, now: datetime) -> None:
    claimed = [request.epoch, request.seq, request.hash]
    await conn.execute(
        "insert into epoch (device, epoch, seq, last_hash, closed_at, reason, claimed_epoch, claimed_seq, claimed_hash)"
        " values (%s, %s, %s, %s, %s, %s, %s, %s, %s)",
        [device.id, device.epoch, device.seq, device.last_hash, now, request.reason, *claimed],
    )


async def end_of(conn: Connection, device: Device, epoch: int) -> wire.Held | None:
    """Where a closed chain ended; None where this ledger never closed one of that number."""
    found = await conn.execute(
        "select seq, last_hash from epoch where device = %s and epoch = %s and seq > 0", [device.id, epoch]
    )
    row = await found.fetchone()
    return wire.Held(epoch, row[0], row[1]) if row else None
