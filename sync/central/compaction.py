"""Shortening streams: rows that every store has read long ago are dropped, and who is further behind takes a snapshot.

A row is dropped once it is older than twice the longest time that a store may be offline. Streams carry no times, so
where they end is marked now and then; a mark that is old enough becomes the floor.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Iterable
from datetime import datetime, timedelta

import psycopg

from sync.central import snapshots
from sync.central.ground import Connection, LedgerDown, Pool, translated

log = logging.getLogger(__name__)

EVERY_S = 3600.0
MARKED_EVERY = timedelta(days=1)
OFFLINE_TIMES = 2
ROWS_AT_ONCE = 20_000
"""So many rows are dropped in one transaction, so that nobody waits for it."""


async def floors(conn: Connection, streams: Iterable[str]) -> dict[str, int]:
    """Up to where each of these streams is gone; 0 where it is whole."""
    wanted = list(streams)
    found = await conn.execute("select stream, position from feed_floor where stream = any(%s)", [wanted])
    return dict.fromkeys(wanted, 0) | {row[0]: int(row[1]) for row in await found.fetchall()}


async def compact(pool: Pool, now: datetime, offline: timedelta) -> int:
    """Mark where the streams end, raise their floors, and drop what lies at or below them; returns how many rows."""
    async with pool.connection() as conn, conn.transaction():
        await conn.execute(
            "insert into feed_mark select stream, position, %s from head where position > 0 and not exists"
            " (select 1 from feed_mark where feed_mark.stream = head.stream and at > %s) on conflict do nothing",
            [now, now - MARKED_EVERY],
        )
        old_at = now - OFFLINE_TIMES * offline
        # The floor first and in a transaction of its own: a pull that still finds rows below it may have them.
        await conn.execute(
            "insert into feed_floor select stream, max(position) from feed_mark where at <= %s group by stream"
            " on conflict (stream) do update set position = greatest(feed_floor.position, excluded.position)",
            [old_at],
        )
        await conn.execute(
            "delete from feed_mark using feed_floor as floor"
            " where feed_mark.stream = floor.stream and feed_mark.position < floor.position"
        )
    return await _drop(pool)


async def _drop(pool: Pool) -> int:
    dropped = 0
    while True:
        async with pool.connection() as conn, conn.transaction():
            done = await conn.execute(
                "delete from feed where (stream, position) in (select feed.stream, feed.position from feed_floor as floor"
                " join feed on feed.stream = floor.stream and feed.position <= floor.position limit %s)",
                [ROWS_AT_ONCE],
            )
        dropped += done.rowcount
        if done.rowcount < ROWS_AT_ONCE:
            return dropped


async def keep_short(pool: Pool, now: Callable[[], datetime], offline: timedelta, every_s: float) -> None:
    """Do so again and again, and drop old snapshots, for as long as the process lives."""
    while True:
        await asyncio.sleep(every_s)
        try:
            with translated():
                dropped = await compact(pool, now(), offline)
                await snapshots.sweep(pool, now())
            if dropped:
                log.info("%s rows of streams were older than any store needs, and are gone", dropped)
        except (LedgerDown, psycopg.Error) as error:
            log.warning("streams were not shortened: %s", error)
