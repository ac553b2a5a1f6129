"""How often a campaign may be used by a member, on a day, and in all."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from store_agent.domain.benefits import Benefit, BenefitKind
from store_agent.domain.campaigns import Campaign, Situation
from store_agent.domain.quotas import GiveBackQuota, Quota, QuotaReason, UseQuota, blank_quotas

AT = datetime(2026, 3, 7, 18, tzinfo=UTC)
"""Two in the morning of the eighth in Taipei."""
HERE = Situation(store="tpe-1", zone="Asia/Taipei", at=AT, member_id="m1")
CAMPAIGN = Campaign(id="c1", benefit=Benefit(kind=BenefitKind.PERCENT, pay_percent=85))
SHARE = Quota(id="c1/store/tpe-1", campaign_id="c1", store="tpe-1", limit=3)


def use(quantity: int = 1, limit: int = 0, member_id: str = "") -> UseQuota:
    return UseQuota(
        op_id="op",
        at=AT,
        store="tpe-1",
        staff="s1",
        quota_id=SHARE.id,
        campaign_id="c1",
        member_id=member_id,
        limit=limit,
        quantity=quantity,
    )


def give_back(quantity: int = 1) -> GiveBackQuota:
    return GiveBackQuota(op_id="op2", at=AT, store="tpe-1", staff="s1", quota_id=SHARE.id, quantity=quantity)


def test_a_campaign_without_limits_counts_on_nothing() -> None:
    assert blank_quotas(CAMPAIGN, HERE) == ()


def test_a_use_counts_on_the_member_the_day_of_the_stores_calendar_and_the_stores_share() -> None:
    limited = replace(CAMPAIGN, per_member=5, per_member_day=1, total=1000)

    assert tuple(row.id for row in blank_quotas(limited, HERE)) == (
        "c1/member/m1",
        "c1/member/m1/2026-03-08",
        "c1/store/tpe-1",
    )
    assert [row.limit for row in blank_quotas(limited, HERE)] == [5, 1, 0]


def test_the_last_use_of_a_share_is_allowed_and_the_next_is_not() -> None:
    last = replace(SHARE, used=2)

    assert use().judge(last) is None
    refusal = use().judge(use().effect(last))
    assert refusal is not None
    assert (refusal.reason, refusal.facts["limit"], refusal.facts["left"]) == (QuotaReason.EXHAUSTED, 3, 0)


def test_a_store_without_a_share_is_told_so() -> None:
    refusal = use().judge(None)

    assert refusal is not None
    assert refusal.reason is QuotaReason.NO_SHARE


def test_a_members_first_use_makes_their_row_with_the_campaigns_limit() -> None:
    first = use(limit=1, member_id="m1")

    assert first.judge(None) is None
    assert first.effect(None) == Quota(id=SHARE.id, campaign_id="c1", member_id="m1", limit=1, used=1)


def test_what_happened_beyond_the_limit_is_counted_all_the_same() -> None:
    spent = replace(SHARE, used=3)

    assert use().effect(spent).used == 4
    assert use().effect(spent).left == 0


def test_a_use_given_back_can_be_used_again_but_not_more_than_was_used() -> None:
    once = replace(SHARE, used=1)

    assert give_back().judge(once) is None
    back = give_back().effect(once)
    assert back is not None
    assert back.left == 3
    refusal = give_back().judge(back)
    assert refusal is not None
    assert refusal.reason is QuotaReason.NOT_USED
    assert give_back().judge(None) is not None
    assert give_back().effect(None) is None


def test_nothing_and_less_than_nothing_can_be_neither_used_nor_given_back() -> None:
    for quantity in (0, -5):
        for operation in (use(quantity), give_back(quantity)):
            refusal = operation.judge(replace(SHARE, used=2))
            assert refusal is not None
            assert refusal.reason is QuotaReason.NOTHING
            assert operation.effect(replace(SHARE, used=2)) == replace(SHARE, used=2)


@given(st.lists(st.tuples(st.booleans(), st.integers(-2, 5)), max_size=30))
def test_whatever_happens_in_whatever_order_a_share_is_never_larger_than_it_was(steps: list[tuple[bool, int]]) -> None:
    row: Quota | None = SHARE
    for is_use, quantity in steps:
        before = row
        row = (use(quantity) if is_use else give_back(quantity)).effect(row)
        assert row is not None
        assert before is not None
        assert row.used >= before.used
        assert row.given_back >= before.given_back
        assert 0 <= row.left <= row.limit
