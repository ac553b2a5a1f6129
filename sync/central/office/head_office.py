"""What head office looks at and decides: a member as a whole, segment tags, enrolment codes, devices, stores."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated, Any

from msgspec import Meta, Struct

from store_agent.domain.coupons import Coupon
from store_agent.domain.members import Member
from store_agent.domain.points import Account
from store_agent.domain.purchases import Purchase
from store_agent.domain.tags import LONGEST_TAG, MemberTags, Tag
from store_agent.safe_text import safe_text
from sync.central import devices, own, rows
from sync.central.endpoints import Declined
from sync.central.ground import Connection
from sync.central.office.catalogue import known_stores
from sync.central.office.people import HOME_REGION, parse_phone
from sync.central.office.records import Incoming, Moment, StoreId

SEGMENTS = "maac"
"""The source of tags that the marketing platform gives."""


class MemberView(Struct, frozen=True):
    """All that the ledger knows of a member. Asked by the id of someone who was merged, it is the one who stays."""

    member: Member
    points: int
    account: Account | None
    coupons: list[Coupon]
    tags: MemberTags | None
    purchases: list[Purchase]
    stores: list[str]
    """The stores that hold their rows."""


class TagsRequest(Incoming, frozen=True, kw_only=True):
    """All segment tags of a member; those that are not named any more are taken away. Staff's own are not touched."""

    tags: Annotated[list[Annotated[str, Meta(min_length=1, max_length=LONGEST_TAG)]], Meta(max_length=200)]
    expires_at: Moment | None = None


class CodeRequest(Incoming, frozen=True, kw_only=True):
    """For which store, and for how long, a device may be enrolled."""

    store: StoreId
    hours: Annotated[int, Meta(ge=1, le=720)] = 24


class CodeReply(Struct, frozen=True):
    """A one-time code. It is told only now: what is kept is its hash."""

    code: str
    store: str
    expires_at: datetime


class DeviceView(Struct, frozen=True):
    """A store's replica as the centre knows it."""

    id: str
    name: str
    enrolled_at: datetime
    heard_at: datetime | None
    revoked_at: datetime | None
    operations: int
    """How many of its operations the centre holds."""
    epoch: int = 1
    """Greater than 1: its journal was put back or copied, or the ledger was restored."""


class StoreView(Struct, frozen=True):
    """How a store stands with the centre."""

    store: str
    name: dict[str, str]
    devices: list[DeviceView]
    heard_at: datetime | None
    operations: int
    parked: int
    open_cases: int
    members: int
    """How many members it holds."""


async def see_member(conn: Connection, now: datetime, *, id_: str = "", phone: str = "") -> MemberView:
    """A member by id or by phone."""
    member = await _member(conn, id_=id_, phone=phone)
    held = [kept.row for kept in await rows.of_member(conn, [member.id])]
    account = next((row for row in held if isinstance(row, Account)), None)
    followed = await conn.execute("select store from follow where member_id = %s order by store", [member.id])
    return MemberView(
        member=member,
        points=account.balance(now) if account else 0,
        account=account,
        coupons=[row for row in held if isinstance(row, Coupon)],
        tags=next((row for row in held if isinstance(row, MemberTags)), None),
        purchases=sorted((row for row in held if isinstance(row, Purchase)), key=lambda p: p.at, reverse=True),
        stores=[row[0] for row in await followed.fetchall()],
    )


async def _member(conn: Connection, *, id_: str, phone: str) -> Member:
    if phone:
        found = await rows.find(conn, Member.table, "phone", [parse_phone(phone, HOME_REGION) or ""])
    else:
        found = await rows.find(conn, Member.table, "id", [id_])
        if found and found[0].row.alias_of:
            found = await rows.find(conn, Member.table, "id", [found[0].row.alias_of])
    standing = [kept.row for kept in found if not kept.row.alias_of]
    if not standing:
        raise Declined(404, "member-unknown", "There is no such member.")
    member: Member = standing[0]
    return member


async def put_tags(conn: Connection, id_: str, request: TagsRequest, now: datetime) -> MemberTags:
    """Set a member's segment tags; one that stays keeps the moment since when it holds."""
    for name in request.tags:
        if safe_text(name) != name:
            raise Declined(422, "malformed", "A tag holds characters that cannot be shown.")
    member = await _member(conn, id_=id_, phone="")
    work = await own.begin(conn, [(MemberTags.table, member.id)], now)
    row: MemberTags = work.row(MemberTags.table, member.id) or MemberTags(id=member.id)
    since = {tag.name: tag.at for tag in row.tags if tag.source == SEGMENTS}
    named = [
        Tag(name=name, source=SEGMENTS, author=SEGMENTS, at=since.get(name, now), expires_at=request.expires_at)
        for name in sorted(set(request.tags))
    ]
    rest = [tag for tag in row.tags if tag.source != SEGMENTS]
    after = replace(row, tags=tuple(sorted([*rest, *named], key=lambda tag: (tag.name, tag.source))))
    if after.tags or row.tags:
        work.put(after)
    await work.finish()
    return after


async def make_enrolment_code(conn: Connection, request: CodeRequest, now: datetime) -> CodeReply:
    """A code with which one device becomes this store's."""
    if request.store not in await known_stores(conn):
        raise Declined(404, "store-unknown", "There is no such store.")
    lives = timedelta(hours=request.hours)
    return CodeReply(await devices.make_code(conn, request.store, now, lives), request.store, now + lives)


async def revoke_device(conn: Connection, id_: str, now: datetime) -> DeviceView:
    """From now on nothing of this device is taken; revoking it again changes nothing."""
    await conn.execute("update device set revoked_at = %s where id = %s and revoked_at is null", [now, id_])
    found = [view for _store, view in await _devices(conn, "where id = %s", [id_])]
    if not found:
        raise Declined(404, "device-unknown", "There is no such device.")
    return found[0]


async def _devices(conn: Connection, where: str = "", values: list[Any] | None = None) -> list[tuple[str, DeviceView]]:
    query = (
        "select store, id, name, enrolled_at, heard_at, revoked_at,"
        " (select count(*) from operation where operation.device = device.id), epoch"
        " from device " + where + " order by store, enrolled_at, id"
    )
    found = await conn.execute(query.encode(), values or [])
    return [(row[0], DeviceView(*row[1:])) for row in await found.fetchall()]


async def list_stores(conn: Connection) -> list[StoreView]:
    """How every store stands."""
    by_store: dict[str, list[DeviceView]] = {}
    for store, view in await _devices(conn):
        by_store.setdefault(store, []).append(view)
    parked = await _count(
        conn,
        "select device.store, count(*) from operation join device on device.id = operation.device"
        " where outcome = 'parked' group by device.store",
    )
    cases = await _count(conn, "select store, count(*) from cases where state = 'open' group by store")
    members = await _count(conn, "select store, count(*) from follow group by store")
    stores = await (await conn.execute("select id, body -> 'name' from store order by id")).fetchall()
    return [
        StoreView(
            store=id_,
            name=name,
            devices=by_store.get(id_, []),
            heard_at=max((view.heard_at for view in by_store.get(id_, []) if view.heard_at), default=None),
            operations=sum(view.operations for view in by_store.get(id_, [])),
            parked=parked.get(id_, 0),
            open_cases=cases.get(id_, 0),
            members=members.get(id_, 0),
        )
        for id_, name in stores
    ]


async def _count(conn: Connection, query: str) -> dict[str, int]:
    return {row[0]: row[1] for row in await (await conn.execute(query.encode())).fetchall()}
