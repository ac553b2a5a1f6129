"""Who a member is: joining, links, corrections, and what is refused with which reason first."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store_agent.domain.members import (
    ChangeMember,
    Consent,
    Link,
    LinkMember,
    Member,
    MemberReason,
    RegisterMember,
)

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
NAMED: dict[str, Any] = {"op_id": "o1", "at": NOW, "store": "s1", "staff": "amy", "member_id": "m1"}
WANG = Member(id="m1", phone="+886912345678", name="王小明", email="wang@example.tw")
LINE = Link("provider-1", "U1")


def joins(**changes: Any) -> RegisterMember:
    return RegisterMember(**{**NAMED, "phone": "+886912345678", "name": "王小明", **changes})


def reason_of(refusal: Any) -> MemberReason | None:
    return refusal.reason if refusal else None


def test_who_joins_has_this_store_as_home() -> None:
    member = joins(consent=Consent(True, NOW)).effect(None)
    assert member == Member(
        id="m1", phone="+886912345678", name="王小明", consent=Consent(True, NOW), home_store="s1", joined_at=NOW
    )


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"phone": "0912345678"}, MemberReason.PHONE_INVALID),
        ({"phone": "+0912345678"}, MemberReason.PHONE_INVALID),
        ({"phone": "+886912345678\n"}, MemberReason.PHONE_INVALID),
        ({"phone": "+" + "8" * 16}, MemberReason.PHONE_INVALID),
        ({"phone": "+８８６９１２３４５６７８"}, MemberReason.PHONE_INVALID),
        ({"phone": "", "name": ""}, MemberReason.PHONE_INVALID),
        ({"name": " \u3000"}, MemberReason.NAME_MISSING),
        ({"name": "王" * 81}, MemberReason.NAME_LONG),
        ({"name": "王" * 80}, None),
        ({"email": "wang"}, MemberReason.EMAIL_INVALID),
        ({"email": "wang@tw"}, MemberReason.EMAIL_INVALID),
        ({"email": "a b@c.tw"}, MemberReason.EMAIL_INVALID),
        ({"email": "王@例子.tw"}, None),
    ],
)
def test_what_no_member_can_have_is_refused(changes: dict[str, Any], reason: MemberReason | None) -> None:
    assert reason_of(joins(**changes).judge(None)) == reason


def test_joining_twice_under_one_id_changes_nothing() -> None:
    again = joins(name="another")
    assert reason_of(again.judge(WANG)) is MemberReason.ALREADY_THERE
    assert again.effect(WANG) is WANG


def test_a_link_is_kept_once_and_a_merged_member_takes_none() -> None:
    link = LinkMember(**NAMED, link=LINE)
    linked = link.effect(WANG)
    assert linked is not None
    assert linked.links == (LINE,)
    assert link.effect(linked) == linked
    assert reason_of(link.judge(WANG)) is None
    assert reason_of(link.judge(linked)) is MemberReason.LINK_THERE
    assert reason_of(link.judge(None)) is MemberReason.UNKNOWN
    assert reason_of(link.judge(Member(id="m1", phone="", name="", alias_of="m2"))) is MemberReason.MERGED
    assert link.effect(None) is None
    other = LinkMember(**NAMED, link=Link("provider-2", "U1")).effect(linked)
    assert other is not None
    assert len(other.links) == 2, "the same id at another provider is somebody else's"


def test_a_correction_changes_what_it_names_and_nothing_else() -> None:
    change = ChangeMember(**NAMED, name="王大明")
    assert change.effect(WANG) == Member(id="m1", phone=WANG.phone, name="王大明", email=WANG.email)
    assert reason_of(ChangeMember(**NAMED, name="").judge(WANG)) is MemberReason.NAME_MISSING
    assert reason_of(ChangeMember(**NAMED, email="no").judge(WANG)) is MemberReason.EMAIL_INVALID
    assert reason_of(ChangeMember(**NAMED, email="").judge(WANG)) is None
    assert reason_of(change.judge(None)) is MemberReason.UNKNOWN


@given(st.text(), st.text(), st.text(), st.sampled_from([None, WANG]))
def test_no_text_makes_a_rule_crash(phone: str, name: str, email: str, before: Member | None) -> None:
    for operation in (joins(phone=phone, name=name, email=email), ChangeMember(**NAMED, name=name, email=email)):
        operation.judge(before)
        operation.effect(before)
