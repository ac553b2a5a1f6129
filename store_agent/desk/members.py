"""Finding a member by anything, and signing up a new one."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from store_agent.codes import SignedCode
from store_agent.desk import scans
from store_agent.desk.counter import Counter
from store_agent.domain.coupons import IssueCoupon
from store_agent.domain.members import (
    ChangeMember,
    Consent,
    Link,
    LinkMember,
    Member,
    MemberReason,
    RegisterMember,
    Tier,
)
from store_agent.domain.operation import Operation, Refusal
from store_agent.safe_text import safe_text
from store_agent.scan import Scan, ScanKind, read_scan
from store_agent.scan.phones import read_phone

HITS_MOST = 20
WELCOME_DAYS = 30


def find(counter: Counter, text: str, most: int = HITS_MOST) -> list[Member]:
    """Members by a whole phone number, a card, the end of a number, or any part of a name. Best first, no alias."""
    text = text.strip()
    if not text:
        return []
    view = counter.replica.view
    with view.moment():
        exact = look_up(counter, text)
        if exact:
            return [exact]
        hits = view.search("member", text, most + 1)
        staying = {view.canonical(member.id): None for member in hits}
        return [member for id_ in list(staying)[:most] if (member := view.get("member", id_))]


def look_up(counter: Counter, text: str) -> Member | None:
    """The one member whom a phone number, a member code or a card number names; None where this store holds none."""
    scan = read_scan(text, region=counter.store.region)
    if scan.kind is ScanKind.PHONE:
        return by_field(counter, "phone", scan.value)
    if scan.kind is ScanKind.MEMBER_CODE:
        return by_field(counter, "code", scan.value)
    return by_field(counter, "card_no", text) if len(text) >= 6 else None


def by_code(counter: Counter, scan: Scan) -> Member | None:
    """The member who stays, by a card's code, plain or signed."""
    with counter.replica.view.moment():
        member: Member | None = scans.row_of(counter, "member", scan)
        return by_id(counter, member.id) if member else None


def by_id(counter: Counter, member_id: str) -> Member | None:
    """The member whom this id stands for."""
    member: Member | None = counter.replica.view.get("member", counter.replica.view.canonical(member_id))
    return member


def of_card(card: SignedCode) -> Member:
    """A member of whom this store knows only what a signed card says: enough to serve them, and to earn."""
    tier = Tier(card.tier) if card.tier in list(Tier) else Tier.BASIC
    return Member(id=card.member_id, phone="", name="", tier=tier)


def by_field(counter: Counter, column: str, value: str) -> Member | None:
    """The member who stays, by a field that is searched by."""
    view = counter.replica.view
    with view.moment():
        found = view.find("member", column, value) if value else []
        staying = [member for member in found if not member.alias_of] or found
        if not staying:
            return None
        member: Member | None = view.get("member", view.canonical(staying[0].id))
        return member


def register(
    counter: Counter, phone: str, name: str, email: str = "", *, marketing: bool = False, code: str = ""
) -> Member | Refusal:
    """Sign someone up, with the cable out too. The welcome coupon comes with it and is usable at once."""
    number = read_phone(phone, counter.store.region)
    if number is None:
        return Refusal(MemberReason.PHONE_INVALID)
    there = by_field(counter, "phone", number)
    if there:
        return Refusal(MemberReason.PHONE_TAKEN, {"name": there.name, "member_id": there.id})
    member_id = counter.ids.new()
    consent = Consent(marketing, counter.now() if marketing else None)
    joins = RegisterMember(
        **counter.named(group=member_id),
        member_id=member_id,
        phone=number,
        name=safe_text(name).strip(),
        email=safe_text(email).strip(),
        code=code,
        consent=consent,
    )
    refusal = counter.accept(joins, *_welcome(counter, member_id))
    return refusal or joins.effect(None)


def _welcome(counter: Counter, member_id: str) -> list[Operation]:
    campaign_id = counter.store.welcome_campaign
    campaign: Any = counter.replica.view.get("campaign", campaign_id) if campaign_id else None
    if campaign is None:
        return []
    until = counter.now() + timedelta(days=WELCOME_DAYS)
    return [
        IssueCoupon(
            **counter.named(group=member_id),
            # Made of the member's id, so that a second registration of the same person is the same coupon.
            coupon_id=f"welcome/{campaign_id}/{member_id}",
            campaign_id=campaign_id,
            member_id=member_id,
            valid_from=counter.now(),
            valid_until=min(until, campaign.valid_until) if campaign.valid_until else until,
        )
    ]


def change(
    counter: Counter,
    member_id: str,
    *,
    name: str | None = None,
    email: str | None = None,
    marketing: bool | None = None,
) -> Refusal | None:
    """Correct a member's name, mail or consent."""
    consent = None if marketing is None else Consent(marketing, counter.now())
    name = None if name is None else safe_text(name).strip()
    email = None if email is None else safe_text(email).strip()
    return counter.accept(ChangeMember(**counter.named(), member_id=member_id, name=name, email=email, consent=consent))


def link(counter: Counter, member_id: str, provider: str, user_id: str) -> Refusal | None:
    """The member showed that another identity is theirs too."""
    return counter.accept(LinkMember(**counter.named(), member_id=member_id, link=Link(provider, user_id)))
