"""Members as head office and other systems send them: who they are, and points that they are given."""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Any

from phonenumbers import SUPPORTED_REGIONS

from store_agent.codec import decode_entry
from store_agent.domain.members import Consent, Link, Member, MemberReason, check_person
from store_agent.domain.operation import Operation
from store_agent.domain.pins import MEMBER_DIGITS, MemberPin
from store_agent.domain.points import Account, EarnPoints
from store_agent.scan.phones import read_phone
from store_agent.words.refusals import say
from sync.central import own
from sync.central.ground import Connection
from sync.central.office import records
from sync.central.office.catalogue import check_store, hash_of_pin, known_stores
from sync.central.office.imports import Sieve
from sync.central.office.records import merge, need, safe_names, said
from sync.central.office.strict import Malformed
from sync.central.own import Own
from sync.central.rows import Key

HOME_REGION = "TW"
"""Where phones without a country code are from if neither record nor home store says it."""
NAMES = uuid.UUID("6f2d9a52-3c1b-5a0e-9a55-7d1c52f0b6aa")
"""The namespace of operation ids that are made of a sender's own id (RFC 9562, version 5)."""
COLUMN_OF = {
    MemberReason.PHONE_INVALID: "phone",
    MemberReason.NAME_MISSING: "name",
    MemberReason.NAME_LONG: "name",
    MemberReason.EMAIL_INVALID: "email",
}

# Each record is looked at twice (without and with locks), and the same file comes every night.
parse_phone = lru_cache(maxsize=4096)(read_phone)


class Members(Sieve):
    """Who they are. A phone number is one member's."""

    def __init__(self) -> None:
        self._stores: dict[str, str] = {}
        self._holders: dict[str, str] = {}
        self._known: set[str] = set()

    def keys(self, record: records.MemberRecord) -> list[Key]:
        pin: list[Key] = [(MemberPin.table, record.id)] if record.pin else []
        return [(Member.table, record.id), (Account.table, record.id), *pin]

    async def prepare(self, conn: Connection, records: list[Any]) -> None:
        self._stores = await known_stores(conn)
        written = {record.phone for record in records if record.phone}
        self._holders = await phone_holders(conn, written)
        self._known = set(self._holders)
        phones = [self._phone(record) or "" for record in records if record.phone]
        self._holders |= await phone_holders(conn, set(phones) - self._known)

    def take(self, work: Own, record: records.MemberRecord) -> None:
        values = safe_names(record, "name")
        before: Member | None = work.row(Member.table, record.id)
        if before is None:
            need(values, "phone", "name")
        elif before.alias_of:
            raise Malformed("id", f"This member was merged into “{before.alias_of}”.")
        if "home_store" in values:
            check_store(values["home_store"], self._stores, "home_store")
        if "phone" in values:
            values["phone"] = self._phone(record)
            if values["phone"] is None:
                raise Malformed("phone", "No such telephone number can be assigned. Write it as +886912345678.")
        member = merge(before or Member(id=record.id, phone="", name="", joined_at=work.now), values)
        member = replace(member, links=_linked(member, record), consent=_consent(member, record, work.now))
        if refusal := check_person(member.phone, member.name, member.email):
            column = COLUMN_OF.get(MemberReason(refusal.reason), "")
            raise Malformed(column, say(refusal))
        holder = self._holders.setdefault(member.phone, member.id)
        if holder != member.id:
            raise Malformed("phone", f"Member “{holder}” has this phone number already.")
        pin = _pin(work, record)
        work.put(member)
        if pin:
            work.put(pin)
        self._open_account(work, member, record)

    def _phone(self, record: records.MemberRecord) -> str | None:
        text = str(record.phone)
        if text in self._known:
            return text
        region = record.region or self._stores.get(str(record.home_store)) or HOME_REGION
        if region not in SUPPORTED_REGIONS:
            return None
        return parse_phone(text, region)

    def _open_account(self, work: Own, member: Member, record: records.MemberRecord) -> None:
        if not record.points or work.row(Account.table, member.id) is not None:
            return
        opening = EarnPoints(
            op_id=f"opening/{member.id}",
            at=work.now,
            store=member.home_store,
            staff=own.DEVICE,
            member_id=member.id,
            points=record.points,
            expires_at=record.points_expire_at or None,
            reason="opening",
        )
        work.put(opening.effect(None))


def _pin(work: Own, record: records.MemberRecord) -> MemberPin | None:
    if not record.pin:
        return None
    held: MemberPin | None = work.row(MemberPin.table, record.id)
    pin_hash = hash_of_pin(record.pin, MEMBER_DIGITS, held.pin_hash if held else "")
    if held and held.pin_hash == pin_hash:
        return held
    return MemberPin(id=record.id, member_id=record.id, pin_hash=pin_hash, set_at=work.now)


def _linked(member: Member, record: records.MemberRecord) -> tuple[Link, ...]:
    if bool(record.line_user) is not bool(record.line_provider):
        raise Malformed("line_user", "A LINE user needs both line_provider and line_user.")
    if not record.line_user or not record.line_provider:
        return member.links
    link = Link(record.line_provider, record.line_user)
    return member.links if link in member.links else (*member.links, link)


def _consent(member: Member, record: records.MemberRecord, now: datetime) -> Consent:
    known, values = member.consent, said(record)
    agrees = values.get("marketing", known.marketing)
    return Consent(agrees, values.get("marketing_at", known.at if agrees == known.marketing else now))


async def phone_holders(conn: Connection, phones: Iterable[str]) -> dict[str, str]:
    """By phone number: the member who has it."""
    found = await conn.execute("select phone, id from member where phone = any(%s) and alias_of = ''", [sorted(phones)])
    return {row[0]: row[1] for row in await found.fetchall()}


class Recipients:
    """Members that records name by id or by phone: who they are for good."""

    def __init__(self) -> None:
        self._by_phone: dict[str, str] = {}
        self._by_id: dict[str, str] = {}

    async def look_up(self, conn: Connection, records: list[Any]) -> None:
        """Find all of them at once."""
        phones = {parse_phone(record.phone, HOME_REGION) or "" for record in records if record.phone}
        ids = sorted({record.member_id for record in records if record.member_id})
        self._by_phone = await phone_holders(conn, phones)
        found = await conn.execute("select id, alias_of from member where id = any(%s)", [ids])
        self._by_id = {row[0]: row[1] or row[0] for row in await found.fetchall()}

    def find(self, record: Any) -> str:
        """The member, or empty where the record names none; raises Malformed where there is no such member."""
        if record.member_id and record.phone:
            raise Malformed("phone", "Name the member by id or by phone, not both.")
        if record.member_id:
            if record.member_id not in self._by_id:
                raise Malformed("member_id", f"There is no member “{record.member_id}”.")
            return self._by_id[record.member_id]
        if record.phone:
            member_id = self._by_phone.get(parse_phone(record.phone, HOME_REGION) or "")
            if member_id is None:
                raise Malformed("phone", "No member has this phone number.")
            return member_id
        return ""


class Grants(Sieve):
    """Points given to members."""

    def __init__(self) -> None:
        self._recipients = Recipients()
        self._granted: dict[str, Operation] = {}

    def keys(self, record: records.PointsRecord) -> list[Key]:
        member_id = self._recipients.find(record)
        if not member_id:
            raise Malformed("member_id", "Name a member by id or by phone.")
        return [(Account.table, member_id)]

    async def prepare(self, conn: Connection, records: list[Any]) -> None:
        await self._recipients.look_up(conn, records)
        found = await conn.execute(
            "select op_id, data from operation where op_id = any(%s)", [[_op_id(record) for record in records]]
        )
        self._granted = {row[0]: decode_entry(bytes(row[1])).operation for row in await found.fetchall()}

    def take(self, work: Own, record: records.PointsRecord) -> None:
        earns = EarnPoints(
            op_id=_op_id(record),
            at=work.now,
            store="",
            staff=own.DEVICE,
            member_id=self._recipients.find(record),
            points=record.points,
            expires_at=record.expires_at,
            reason=record.reason,
        )
        before = self._granted.get(earns.op_id)
        if before is not None:
            if replace(earns, at=before.at) != before:
                raise Malformed("id", f"“{record.id}” was granted already, with other content.")
            return
        if refusal := work.do(earns):
            raise Malformed("points", say(refusal))
        self._granted[earns.op_id] = earns


def _op_id(record: records.PointsRecord) -> str:
    return str(uuid.uuid5(NAMES, record.id))
