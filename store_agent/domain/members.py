"""Who a customer is to the chain: phone, name, links to other identities, consent. Points, coupons and tags live apart."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from store_agent.domain.operation import Operation, Refusal

E164 = re.compile(r"\+[1-9][0-9]{6,14}")
"""ITU-T E.164: a plus, then 7 to 15 digits. What a person types is brought to it where it enters."""
NAME_MOST = 80


class MemberReason(StrEnum):
    """Why something may not happen to a member, in order of precedence."""

    UNKNOWN = "member-unknown"
    ALREADY_THERE = "member-already-there"
    PHONE_INVALID = "member-phone-invalid"
    PHONE_TAKEN = "member-phone-taken"
    NAME_MISSING = "member-name-missing"
    NAME_LONG = "member-name-long"
    EMAIL_INVALID = "member-email-invalid"
    LINK_THERE = "member-link-there"
    MERGED = "member-merged"


class Tier(StrEnum):
    """What a member has reached, lowest first. A chain names them as it likes; the rules compare only these."""

    BASIC = "basic"
    SILVER = "silver"
    GOLD = "gold"
    PLATINUM = "platinum"


@dataclass(frozen=True, slots=True)
class Link:
    """The same person elsewhere. A LINE userId differs per provider, so the provider is part of it (LINE developers)."""

    provider: str
    user_id: str


@dataclass(frozen=True, slots=True)
class Consent:
    """What a member agreed to, and when: marketing needs a tick of its own."""

    marketing: bool = False
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Member:
    """One person as the chain knows them. `alias_of` is set for ever once two registrations turned out to be one."""

    table: ClassVar[str] = "member"
    id: str
    phone: str
    name: str
    email: str = ""
    tier: Tier = Tier.BASIC
    code: str = ""
    """The text of the member's card code."""
    card_no: str = ""
    links: tuple[Link, ...] = ()
    consent: Consent = Consent()
    home_store: str = ""
    joined_at: datetime | None = None
    alias_of: str = ""


def check_person(phone: str, name: str, email: str) -> Refusal | None:
    """Whether these three could be a member's; the phone is E.164 already."""
    if not E164.fullmatch(phone):
        return Refusal(MemberReason.PHONE_INVALID)
    if not name.strip():
        return Refusal(MemberReason.NAME_MISSING)
    if len(name) > NAME_MOST:
        return Refusal(MemberReason.NAME_LONG, {"most": NAME_MOST})
    if email and not re.fullmatch(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+", email):
        return Refusal(MemberReason.EMAIL_INVALID)
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisterMember(Operation):
    """Someone joined at a counter, with an id made there, so that it works with the cable out."""

    kind: ClassVar[str] = "register-member"
    table: ClassVar[str] = Member.table
    member_id: str
    phone: str
    name: str
    email: str = ""
    code: str = ""
    consent: Consent = Consent()

    @property
    def subject(self) -> str:
        return self.member_id

    def judge(self, before: Member | None) -> Refusal | None:
        if before is not None:
            return Refusal(MemberReason.ALREADY_THERE)
        return check_person(self.phone, self.name, self.email)

    def effect(self, before: Member | None) -> Member:
        if before is not None:
            return before
        return Member(
            id=self.member_id,
            phone=self.phone,
            name=self.name,
            email=self.email,
            code=self.code,
            consent=self.consent,
            home_store=self.store,
            joined_at=self.at,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class LinkMember(Operation):
    """A member showed that another identity (LINE, a card) is theirs too."""

    kind: ClassVar[str] = "link-member"
    table: ClassVar[str] = Member.table
    member_id: str
    link: Link

    @property
    def subject(self) -> str:
        return self.member_id

    def judge(self, before: Member | None) -> Refusal | None:
        if before is None:
            return Refusal(MemberReason.UNKNOWN)
        if before.alias_of:
            return Refusal(MemberReason.MERGED)
        if self.link in before.links:
            return Refusal(MemberReason.LINK_THERE)
        return None

    def effect(self, before: Member | None) -> Member | None:
        if before is None or self.link in before.links:
            return before
        return replace(before, links=(*before.links, self.link))


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangeMember(Operation):
    """A member's name, mail or consent was corrected at a counter. What is None stays as it is."""

    kind: ClassVar[str] = "change-member"
    table: ClassVar[str] = Member.table
    member_id: str
    name: str | None = None
    email: str | None = None
    consent: Consent | None = None

    @property
    def subject(self) -> str:
        return self.member_id

    def judge(self, before: Member | None) -> Refusal | None:
        if before is None:
            return Refusal(MemberReason.UNKNOWN)
        if before.alias_of:
            return Refusal(MemberReason.MERGED)
        after = self.effect(before)
        assert after is not None
        return check_person(after.phone, after.name, after.email)

    def effect(self, before: Member | None) -> Member | None:
        if before is None:
            return None
        return replace(
            before,
            name=before.name if self.name is None else self.name,
            email=before.email if self.email is None else self.email,
            consent=before.consent if self.consent is None else self.consent,
        )
