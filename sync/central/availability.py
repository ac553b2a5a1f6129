"""What every store can promise of a product, published to all of them; what changes often is said now and then."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from datetime import datetime

import psycopg

from store_agent.domain.stock import Availability, Stock, StoreStock
from sync.central import own, rows
from sync.central.ground import Connection, LedgerDown, Pool, translated

log = logging.getLogger(__name__)

EVERY_S = 30.0
CHANGES_MOST = 5000
"""Changes of stock that are worked off in one transaction: its end holds the chain's stream for as long as it takes."""
LOCK = 0x41564149
"""The advisory lock under which one process at a time does this."""


async def publish_availability(conn: Connection, now: datetime) -> int:
    """Publish what changed since the last time; returns how many products were said anew."""
    said = 0
    while True:
        async with conn.transaction():
            worked, changed = await _publish(conn, now)
        said += changed
        if worked < CHANGES_MOST:
            return said


async def _publish(conn: Connection, now: datetime) -> tuple[int, int]:
    held = await (await conn.execute("select pg_try_advisory_xact_lock(%s)", [LOCK])).fetchone()
    if not held or not held[0]:
        return 0, 0
    found = await conn.execute(
        "delete from stock_change where id in (select id from stock_change order by id limit %s) returning gtin",
        [CHANGES_MOST],
    )
    changes = [str(row[0]) for row in await found.fetchall()]
    gtins = sorted(set(changes))
    if not gtins:
        return 0, 0
    work = await own.begin(conn, [(Availability.table, gtin) for gtin in gtins], now)
    stocks: dict[str, list[Stock]] = {}
    for kept in await rows.find(conn, Stock.table, "gtin", gtins):
        stocks.setdefault(kept.row.gtin, []).append(kept.row)
    for gtin in gtins:
        promised = tuple(_promise(stock, now) for stock in sorted(stocks.get(gtin, []), key=lambda s: s.store))
        work.put(Availability(id=gtin, stores=promised))
    await work.finish()
    return len(changes), work.touches


def _promise(stock: Stock, now: datetime) -> StoreStock:
    """What a store can promise, as of the last thing that is known to have happened to it."""
    moments = (stock.moved_at, stock.counted_at, stock.refilled_at, stock.shelf_empty_at)
    known = [at for at in moments if at is not None]
    return StoreStock(store=stock.store, sellable=stock.sellable, as_of_at=max(known, default=now))


async def keep_publishing(
    pool: Pool, now: Callable[[], datetime], every_s: float, look: Callable[[], Awaitable[None]]
) -> None:
    """Publish again and again, for as long as the process lives; whoever waits for the chain's stream is woken."""
    while True:
        await asyncio.sleep(every_s)
        try:
            with translated():
                async with pool.connection() as conn:
                    said = await publish_availability(conn, now())
            if said:
                await look()
        except (LedgerDown, psycopg.Error) as error:
            # The changes are still noted: the next round says them.
            log.warning("availability was not published: %s", error)
