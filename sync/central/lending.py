"""Rights that a store asks for while somebody stands at its counter, and those that the centre asks back."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from msgspec import json
from psycopg.sql import SQL, Identifier

from store_agent.domain.coupons import Coupon, refuse_coupon, with_held
from store_agent.domain.points import Account
from store_agent.domain.points_rights import give_back, set_aside
from store_agent.domain.rights import Right
from store_agent.domain.stores import Store
from sync import wire
from sync.central import audience, cover, feed, ledger, rows
from sync.central.cover import Line
from sync.central.devices import Device
from sync.central.endpoints import Declined
from sync.central.ground import Connection, Pool
from sync.central.own import in_transaction

TABLES = (Coupon.table, Account.table)


async def acquire(pool: Pool, device: Device, request: wire.AcquireRequest, now: datetime) -> wire.AcquireReply:
    """Set aside for this store what it asks for, as far as nobody holds it; what others hold is asked back."""

    async def work(conn: Connection) -> wire.AcquireReply:
        return await _acquire(conn, device, request, now)

    return await in_transaction(pool, work)


async def _acquire(conn: Connection, device: Device, request: wire.AcquireRequest, now: datetime) -> wire.AcquireReply:
    if request.table not in TABLES:
        raise Declined(422, "malformed", "A right is to a coupon or to points.")
    right_id = f"{device.id}/{request.id}"
    keys = [(request.table, request.subject), (Right.table, right_id), (Store.table, device.store)]
    known = await rows.load(conn, keys[:2], lock=True)
    store = (await rows.load(conn, keys[2:], lock=False)).get(keys[2])
    asked = known.get((Right.table, right_id))
    if asked is not None:
        # Its answer was lost: the same again.
        return wire.AcquireReply(asked.row.amount, False, await _position(conn, device.store))
    before = known.get((request.table, request.subject))
    if before is None:
        return wire.AcquireReply(0, False, await _position(conn, device.store))
    after, amount = _set_aside(before.row, device.store, request.amount, now)
    changes: list[Any] = []
    if amount:
        dares = await cover.rule(conn, store.row.currency if store else "TWD")
        due_at = now + timedelta(minutes=dares.lent_minutes)
        lent = Right(id=right_id, store=device.store, of_table=request.table, subject=request.subject, amount=amount)
        changes = [after, replace(lent, due_at=due_at)]
        await cover.enter(conn, [Line("grant", device.store, _name(request), amount, right_id, device.id)], now)
    missing = request.amount - amount
    recalls = await _recall(conn, after, device.store, missing, now) if missing > 0 else []
    if changes or recalls:
        member = audience.member_of(after)
        serves = [(member, device.store)] if member else []
        await ledger.write_own(conn, [*changes, *recalls], now, known, serves, sets_aside=False)
    return wire.AcquireReply(amount, bool(recalls), await _position(conn, device.store))


def _name(request: wire.AcquireRequest) -> str:
    return f"{request.table}/{request.subject}"


def _set_aside(row: Any, store: str, amount: int, now: datetime) -> tuple[Any, int]:
    """The row with so much more of it as this store's right, and how much that was."""
    if isinstance(row, Coupon):
        usable = refuse_coupon(row, now, row.member_id) is None
        uses = max(0, min(amount, row.available)) if usable else 0
        return replace(row, held=with_held(row.held, store, uses)), uses
    after = set_aside(row, store, amount, now)
    return after, after.held_by(store, now) - row.held_by(store, now)


async def _recall(conn: Connection, row: Any, store: str, missing: int, now: datetime) -> list[Right]:
    """Ask those that hold it to give it back, each once; nothing is taken from them."""
    holders = {one.store: one.uses for one in row.held} if isinstance(row, Coupon) else _holders(row)
    holders.pop(store, None)
    found = await conn.execute(
        "select body ->> 'store' from store_right where subject = %s and state = 'recalled'", [row.id]
    )
    asked = {one[0] for one in await found.fetchall()}
    recalls = []
    for holder, amount in sorted(holders.items()):
        part = min(amount, missing)
        missing -= part
        if part and holder not in asked:
            recalls.append(
                Right(
                    id=uuid.uuid4().hex, store=holder, of_table=row.table, subject=row.id, amount=part, state="recalled"
                )
            )
    return recalls


def _holders(account: Account) -> dict[str, int]:
    held: dict[str, int] = {}
    for batch in account.batches:
        if batch.held_by:
            held[batch.held_by] = held.get(batch.held_by, 0) + batch.left
    return held


async def _position(conn: Connection, store: str) -> int:
    """Where the store's stream ends with this transaction: once it has read so far, it holds what it was given."""
    stream = wire.stream_of(store)
    return (await feed.heads(conn, [stream])).get(stream, 0)


async def held_rows(conn: Connection, store: str) -> list[tuple[str, str]]:
    """Every row of which this store holds a part. Reads all of them: for the rare loss of a store's machine."""
    keys: list[tuple[str, str]] = []
    for table, holders in ((Coupon.table, "held"), (Account.table, "batches")):
        name = "store" if table == Coupon.table else "held_by"
        query = SQL("select id from {} where body -> %s @> %s::jsonb order by id").format(Identifier(table))
        found = await conn.execute(query, [holders, json.encode([{name: store}]).decode()])
        keys += [(table, row[0]) for row in await found.fetchall()]
    return keys


async def write_off(conn: Connection, store: str, subjects: Iterable[tuple[str, str]], now: datetime, by: str) -> int:
    """A person takes back what a lost store holds, without its word: it counts as risk until the store is heard of.

    Returns how many rows were freed. What that store has spent of it meanwhile becomes a case when it comes.
    """
    known = await rows.load(conn, [key for key in subjects if key[0] in TABLES], lock=True)
    changes: list[Any] = []
    lines = []
    for (table, id_), kept in sorted(known.items()):
        amount = cover.held_of(kept.row, store)
        if not amount:
            continue
        changes.append(_without(kept.row, store))
        lines.append(Line("write_off", store, f"{table}/{id_}", amount, by))
    await cover.enter(conn, lines, now)
    if changes:
        await ledger.write_own(conn, changes, now, known, sets_aside=False)
    return len(changes)


def _without(row: Any, store: str) -> Any:
    if isinstance(row, Coupon):
        return replace(row, held=tuple(one for one in row.held if one.store != store))
    return give_back(row, store, cover.held_of(row, store))
