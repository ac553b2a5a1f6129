"""Orders of the web shop that are collected at a store: placed, cancelled, looked at.

A number names one order for ever: the same again is answered the same, for a shop that lost the reply.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, Meta, Struct, UnsetType

from store_agent.domain.pickup_endings import Asker, CancelPickup
from store_agent.domain.pickup_stock import Draft, drafts_for_cancelling, drafts_for_placing
from store_agent.domain.pickups import Hold, Line, Pickup, PickupState
from store_agent.domain.stock import Stock, stock_id
from store_agent.safe_text import safe_text
from store_agent.scan.kinds import ScanKind
from store_agent.scan.plain_codes import NUMBERS, make_code
from store_agent.words.refusals import say, say_instead
from sync.central import own, rows
from sync.central.endpoints import Declined
from sync.central.ground import Connection, Pool
from sync.central.office.catalogue import known_stores, read_gtin
from sync.central.office.people import Recipients
from sync.central.office.records import Amount, Code, Currency, Gtin, Id, Incoming, Moment, Names, Phone, StoreId, Text
from sync.central.office.strict import Malformed
from sync.central.own import Own


class OrderLine(Incoming, frozen=True, kw_only=True):
    """So many of one product."""

    gtin: Gtin
    quantity: Annotated[int, Meta(ge=1, le=10_000)]
    unit_minor: Amount = 0
    name: Names | UnsetType = UNSET


class OrderRequest(Incoming, frozen=True, kw_only=True):
    """A web order to be collected at a store. The member is named by id or phone, or not at all."""

    order_no: Id
    store: StoreId
    lines: Annotated[list[OrderLine], Meta(min_length=1, max_length=200)]
    member_id: Id | UnsetType = UNSET
    phone: Phone | UnsetType = UNSET
    code: Code = ""
    """What the customer shows; made by the centre where it is empty."""
    channel: Annotated[str, Meta(max_length=40)] = "online"
    placed_at: Moment | None = None
    promised_at: Moment | None = None
    paid: bool = True
    total_minor: Amount = 0
    currency: Currency = "TWD"
    receiver_name: Text = ""
    proxy_name: Text = ""
    hold: Hold | None = Hold()
    """How long it is kept; null: until somebody decides."""


class OrderPlaced(Struct, frozen=True):
    """What the shop tells the customer."""

    order_no: str
    pickup_id: str
    store: str
    code: str
    placed_at: datetime


class CancelRequest(Incoming, frozen=True, kw_only=True):
    """Who wants an order no more, and why."""

    asked_by: Literal["customer", "shop"] = "shop"
    note: Text = ""
    at_our_risk: bool = False
    """Do not wait for the store's word: if it was handed over meanwhile, that is a case."""


class OrderStanding(Struct, frozen=True):
    """Where an order stands. With `cancel_requested` the store still has to let it go."""

    order_no: str
    state: PickupState
    cancel_requested: bool


@dataclass(frozen=True, slots=True)
class _Actor:
    """Who does something to an order, and when."""

    staff: str
    now: datetime
    group: str


async def place(pool: Pool, request: OrderRequest, now: datetime) -> OrderPlaced:
    """Write an order down for its store and promise its pieces."""

    async def work(conn: Connection) -> OrderPlaced:
        return await _place(conn, request, now)

    return await own.in_transaction(pool, work)


async def _place(conn: Connection, request: OrderRequest, now: datetime) -> OrderPlaced:
    content_hash = sha256(msgspec.json.encode(request, order="deterministic")).hexdigest()
    query = "select content_hash, reply from web_order where order_no = %s"
    known = await (await conn.execute(query, [request.order_no])).fetchone()
    if known:
        if known[0] != content_hash:
            raise Declined(409, "order-differs", "Another order has this number. Cancel that one, or use a new number.")
        return msgspec.json.decode(known[1], type=OrderPlaced)
    pickup = await _pickup(conn, request, now)
    reply = OrderPlaced(request.order_no, pickup.id, pickup.store, pickup.code, pickup.placed_at)
    # Of two at once the second fails here, tries again, and finds the first.
    await conn.execute(
        "insert into web_order (order_no, pickup_id, content_hash, reply, placed_at) values (%s, %s, %s, %s, %s)",
        [request.order_no, pickup.id, content_hash, msgspec.json.encode(reply).decode(), now],
    )
    # Only now: before the insert, an order found here might be the first one's, written since the look above.
    if await rows.find(conn, Pickup.table, "order_no", [request.order_no]):
        raise Declined(409, "order-differs", "This number is that of an order which another system brought.")
    work = await own.begin(conn, _keys(pickup), now)
    work.put(pickup)
    if pickup.member_id:
        work.serves.add((pickup.member_id, pickup.store))
    _do(work, pickup, drafts_for_placing(pickup), _Actor("", now, own.new_id()))
    await work.finish()
    return reply


async def _pickup(conn: Connection, request: OrderRequest, now: datetime) -> Pickup:
    if request.store not in await known_stores(conn):
        raise Declined(422, "malformed", f"There is no store “{request.store}”.")
    recipients = Recipients()
    await recipients.look_up(conn, [request])
    try:
        member_id = recipients.find(request)
        lines = tuple(_line(no, line) for no, line in enumerate(request.lines, 1))
    except Malformed as error:
        raise Declined(422, "malformed", str(error)) from error
    return Pickup(
        id=own.new_id(),
        order_no=request.order_no,
        store=request.store,
        member_id=member_id,
        code=request.code or make_code(ScanKind.PICKUP_CODE, secrets.randbelow(NUMBERS)),
        channel=safe_text(request.channel),
        lines=lines,
        placed_at=request.placed_at or now,
        promised_at=request.promised_at,
        paid=request.paid,
        total_minor=request.total_minor,
        currency=request.currency,
        receiver_name=safe_text(request.receiver_name),
        proxy_name=safe_text(request.proxy_name),
        hold=request.hold,
    )


def _line(no: int, line: OrderLine) -> Line:
    name: dict[str, str] = {}
    for language, text in line.name.items() if line.name else ():
        name[language] = safe_text(text)
    return Line(no=no, gtin=read_gtin(line.gtin), quantity=line.quantity, unit_minor=line.unit_minor, name=name)


async def cancel(pool: Pool, order_no: str, request: CancelRequest, now: datetime) -> OrderStanding:
    """Cancel an order; from ready on that is a request to the store, which may have handed it over already."""

    async def work(conn: Connection) -> OrderStanding:
        return await _cancel(conn, order_no, request, now)

    return await own.in_transaction(pool, work)


async def _cancel(conn: Connection, order_no: str, request: CancelRequest, now: datetime) -> OrderStanding:
    seen = await find(conn, order_no)
    work = await own.begin(conn, _keys(seen), now)
    before: Pickup = work.row(Pickup.table, seen.id)
    actor = _Actor(request.asked_by, now, own.new_id())
    cancels = CancelPickup(
        op_id=own.new_id(),
        at=now,
        store="",
        staff=actor.staff,
        group=actor.group,
        pickup_id=before.id,
        asked_by=Asker(request.asked_by),
        note=safe_text(request.note),
        at_our_risk=request.at_our_risk,
    )
    refusal = work.do(cancels)
    if refusal and refusal.reason not in CancelPickup.repeats:
        raise Declined(409, str(refusal.reason), f"{say(refusal)} {say_instead(refusal)}")
    after: Pickup = work.row(Pickup.table, seen.id)
    if not refusal and after.state is PickupState.CANCELLED:
        _do(work, before, drafts_for_cancelling(before), actor)
    await work.finish()
    return OrderStanding(after.order_no, after.state, after.cancel_requested)


async def find(conn: Connection, order_no: str) -> Pickup:
    """The order of this number; Declined where there is none."""
    found = await rows.find(conn, Pickup.table, "order_no", [order_no])
    if not found:
        raise Declined(404, "order-unknown", "There is no order of this number.")
    pickup: Pickup = found[0].row
    return pickup


def _keys(pickup: Pickup) -> list[rows.Key]:
    return [(Pickup.table, pickup.id), *((Stock.table, stock_id(pickup.store, line.gtin)) for line in pickup.lines)]


def _do(work: Own, pickup: Pickup, drafts: tuple[Draft, ...], actor: _Actor) -> None:
    for draft in drafts:
        make: Callable[..., Any] = draft.operation
        named = {"op_id": own.new_id(), "at": actor.now, "store": pickup.store, "staff": actor.staff}
        work.do(make(**draft.fields, **named, group=actor.group, reference=pickup.order_no))
