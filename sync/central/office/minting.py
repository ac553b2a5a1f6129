"""Signed codes made by the centre, of what the ledger says now. What a code may say is `store_agent.codes`."""

from __future__ import annotations

import secrets
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Literal

from msgspec import Meta, Struct

from store_agent.codes import SignedCode, write_code
from store_agent.codes.claims import CODE_ID_BYTES, LIST_MOST
from store_agent.domain.coupons import Coupon
from store_agent.domain.keys import CHAIN, CodeKind
from store_agent.domain.members import Member
from store_agent.domain.points import Account
from store_agent.domain.stores import Staff
from store_agent.trouble import Trouble
from sync.central import rows
from sync.central.endpoints import Declined
from sync.central.ground import Connection
from sync.central.office import orders
from sync.central.office.catalogue import check_store, known_stores
from sync.central.office.people import Recipients
from sync.central.office.records import Amount, Currency, Incoming, Moment, StoreId
from sync.central.office.sealing import Sealing
from sync.central.office.signing import Issuer, chain_name, signing_key
from sync.central.office.strict import Malformed

LIVES = {
    CodeKind.MEMBER_CARD: timedelta(days=30),
    CodeKind.MEMBER_PASS: timedelta(minutes=5),
    CodeKind.COUPON: timedelta(days=30),
    CodeKind.PICKUP: timedelta(days=14),
    CodeKind.VOUCHER: timedelta(days=90),
    CodeKind.STAFF_BADGE: timedelta(days=365),
    CodeKind.JOIN: timedelta(days=1),
}
"""How long a code counts if nobody says it."""

Name = Annotated[str, Meta(max_length=80)]


class MintRequest(Incoming, frozen=True, kw_only=True):
    """What a code is to be for. Of the names, those that its kind needs."""

    kind: CodeKind
    member_id: Name = ""
    """Or `phone`: of a card, a pass, a join code."""
    phone: Name = ""
    coupon_id: Name = ""
    order_no: Name = ""
    staff_id: Name = ""
    issuer: Issuer = CHAIN
    """Of a voucher: whose it is."""
    number: Name = ""
    """Of a voucher: the issuer's own."""
    amount_minor: Amount = 0
    currency: Currency = "TWD"
    stores: Annotated[tuple[StoreId, ...], Meta(max_length=LIST_MOST)] = ()
    """Where a coupon, a voucher, a join code counts; everywhere if empty."""
    channels: Annotated[tuple[Literal["store", "online"], ...], Meta(max_length=2)] = ()
    valid_from: Moment | None = None
    """Of a coupon, a voucher; null: now."""
    expires_at: Moment | None = None
    """A pass lives 15 minutes at most."""


class Minted(Struct, frozen=True):
    """A code, to be shown as a QR code. It is kept nowhere."""

    code: str
    kind: CodeKind
    key_id: str
    starts_at: datetime
    expires_at: datetime


async def mint(conn: Connection, request: MintRequest, now: datetime, sealing: Sealing) -> Minted:
    """Make and sign a code."""
    issuer = request.issuer if request.kind is CodeKind.VOUCHER else CHAIN
    code_id = secrets.token_hex(CODE_ID_BYTES[0])
    draft = SignedCode(kind=request.kind, chain=await chain_name(conn), expires_at=now, issuer=issuer, code_id=code_id)
    try:
        stores = await known_stores(conn)
        for store in request.stores:
            check_store(store, stores, "stores")
        code = await DRAFTS[request.kind](conn, request, draft, now)
        key, secret = await signing_key(conn, issuer, request.kind, now, sealing)
        text = write_code(code, secret)
    except Malformed as error:
        raise Declined(422, "malformed", str(error)) from error
    except Trouble as trouble:
        raise Declined(422, "malformed", str(trouble)) from trouble
    return Minted(text, code.kind, key.id, code.starts_at, code.expires_at)


def _lives(code: SignedCode, request: MintRequest, until: datetime | None = None) -> SignedCode:
    return replace(code, expires_at=request.expires_at or until or code.starts_at + LIVES[code.kind])


async def _for_member(conn: Connection, request: MintRequest, draft: SignedCode, now: datetime) -> SignedCode:
    recipients = Recipients()
    await recipients.look_up(conn, [request])
    member_id = recipients.find(request)
    if not member_id:
        raise Malformed("member_id", "Name a member by id or by phone.")
    code = _lives(replace(draft, subject=member_id, issued_at=now), request)
    if request.kind is CodeKind.JOIN:
        return replace(code, stores=request.stores)
    held = await rows.load(conn, [(Member.table, member_id), (Account.table, member_id)], lock=False)
    account = held[Account.table, member_id].row if (Account.table, member_id) in held else None
    # No code says a debt; a store that holds the member knows it.
    points = max(0, account.balance(now)) if account else 0
    return replace(code, tier=held[Member.table, member_id].row.tier.value, points=points)


async def _for_coupon(conn: Connection, request: MintRequest, draft: SignedCode, now: datetime) -> SignedCode:
    found = await rows.find(conn, Coupon.table, "id", [request.coupon_id])
    if not found:
        raise Malformed("coupon_id", "There is no such coupon.")
    coupon: Coupon = found[0].row
    code = replace(
        draft,
        subject=coupon.member_id,
        coupon_id=coupon.id,
        campaign_id=coupon.campaign_id,
        stores=request.stores,
        channels=request.channels,
        valid_from_at=max(request.valid_from or now, coupon.valid_from or now),
    )
    return _lives(code, request, coupon.valid_until)


async def _for_pickup(conn: Connection, request: MintRequest, draft: SignedCode, now: datetime) -> SignedCode:
    pickup = await orders.find(conn, request.order_no)
    code = replace(draft, subject=pickup.id, order_no=pickup.order_no, stores=(pickup.store,), issued_at=now)
    return _lives(code, request)


async def _for_voucher(_conn: Connection, request: MintRequest, draft: SignedCode, now: datetime) -> SignedCode:
    if not request.number or not request.amount_minor:
        raise Malformed("number", "A voucher needs its number and its amount.")
    code = replace(
        draft,
        subject=request.number,
        amount_minor=request.amount_minor,
        currency=request.currency,
        stores=request.stores,
        channels=request.channels,
        valid_from_at=request.valid_from or now,
    )
    return _lives(code, request)


async def _for_staff(conn: Connection, request: MintRequest, draft: SignedCode, now: datetime) -> SignedCode:
    found = await rows.find(conn, Staff.table, "id", [request.staff_id])
    if not found:
        raise Malformed("staff_id", "There is no such person.")
    code = replace(draft, subject=found[0].row.id, stores=(found[0].row.store,), issued_at=now)
    return _lives(code, request)


Draft = Callable[[Connection, MintRequest, SignedCode, datetime], Awaitable[SignedCode]]
DRAFTS: dict[CodeKind, Draft] = {
    CodeKind.MEMBER_CARD: _for_member,
    CodeKind.MEMBER_PASS: _for_member,
    CodeKind.JOIN: _for_member,
    CodeKind.COUPON: _for_coupon,
    CodeKind.PICKUP: _for_pickup,
    CodeKind.VOUCHER: _for_voucher,
    CodeKind.STAFF_BADGE: _for_staff,
}
