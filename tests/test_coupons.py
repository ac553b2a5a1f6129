"""A coupon in somebody's hand: issued, used, used up, restored, and who may use it."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store_agent.domain.coupons import Coupon, CouponReason, IssueCoupon, LineSaving, RedeemCoupon, RestoreCoupon, Use

AT = datetime(2026, 3, 7, 4, tzinfo=UTC)
DAY = timedelta(days=1)
COUPON = Coupon(id="k1", campaign_id="c1", member_id="m1", valid_from=AT - DAY, valid_until=AT + DAY)
USED = replace(COUPON, used=(Use(op_id="earlier", at=AT - DAY, store="tpe-2", staff="mei", purchase_id="p0"),))


def redeem(op_id: str = "op1", at: datetime = AT, member_id: str = "m1") -> RedeemCoupon:
    return RedeemCoupon(
        op_id=op_id,
        at=at,
        store="tpe-1",
        staff="lin",
        coupon_id="k1",
        campaign_id="c1",
        member_id=member_id,
        purchase_id="p1",
        saved_minor=30,
        currency="TWD",
        lines=(LineSaving(gtin="04006381333931", saved_minor=30),),
    )


def restore(use_op_id: str = "op1") -> RestoreCoupon:
    return RestoreCoupon(op_id="op9", at=AT, store="tpe-1", staff="lin", coupon_id="k1", use_op_id=use_op_id)


def issue() -> IssueCoupon:
    return IssueCoupon(
        op_id="op0",
        at=AT,
        store="tpe-1",
        staff="lin",
        coupon_id="k1",
        campaign_id="c1",
        member_id="m1",
        code="WELCOME-1",
    )


@pytest.mark.parametrize(
    ("before", "operation", "reason"),
    [
        (None, redeem(), CouponReason.UNKNOWN),
        (COUPON, redeem(at=AT - 2 * DAY), CouponReason.NOT_YET),
        (COUPON, redeem(at=AT - DAY), None),
        (COUPON, redeem(at=AT + DAY - timedelta(seconds=1)), None),
        (COUPON, redeem(at=AT + DAY), CouponReason.EXPIRED),
        (USED, redeem(at=AT + DAY), CouponReason.EXPIRED),
        (USED, redeem(), CouponReason.USED_UP),
        (USED, redeem(member_id="m2"), CouponReason.USED_UP),
        (COUPON, redeem(member_id="m2"), CouponReason.OTHER_MEMBER),
        (COUPON, redeem(member_id=""), CouponReason.OTHER_MEMBER),
        (replace(COUPON, member_id=""), redeem(member_id="m2"), None),
        (replace(COUPON, member_id=""), redeem(member_id=""), None),
        (replace(USED, uses_limit=2), redeem(), None),
        (COUPON, redeem(), None),
    ],
)
def test_a_coupon_is_refused_for_the_first_reason_that_holds(
    before: Coupon | None, operation: RedeemCoupon, reason: CouponReason | None
) -> None:
    refusal = operation.judge(before)

    assert (refusal.reason if refusal else None) == reason


def test_a_used_coupon_says_who_used_it_where_and_when() -> None:
    refusal = redeem().judge(USED)

    assert refusal is not None
    facts = {"uses_limit": 1, "used_at": AT - DAY, "store": "tpe-2", "staff": "mei", "purchase_id": "p0"}
    assert refusal.facts == facts


def test_a_use_remembers_the_purchase_and_what_came_off_which_line() -> None:
    (use,) = redeem().effect(COUPON).used

    assert (use.op_id, use.store, use.staff, use.purchase_id, use.saved_minor) == ("op1", "tpe-1", "lin", "p1", 30)
    assert use.lines == (LineSaving(gtin="04006381333931", saved_minor=30),)


def test_the_same_operation_twice_is_one_use_and_no_refusal() -> None:
    once = redeem().effect(COUPON)

    assert redeem().judge(once) is None
    assert redeem().effect(once) == once


def test_a_use_beyond_the_limit_is_kept_as_a_fact() -> None:
    twice = redeem().effect(USED)

    assert [use.op_id for use in twice.used] == ["earlier", "op1"]
    assert twice.uses_left == 0


def test_a_use_of_a_coupon_that_nobody_here_knows_is_kept() -> None:
    row = redeem().effect(None)

    assert (row.id, row.campaign_id, len(row.used)) == ("k1", "c1", 1)


def test_a_coupon_given_back_can_be_used_again_and_its_history_stays() -> None:
    once = redeem().effect(COUPON)

    assert restore().judge(once) is None
    back = restore().effect(once)
    assert back is not None
    assert back.used[0].restored_at == AT
    assert redeem("op2").judge(back) is None
    # The first use, sent again after the return, is not a new one.
    assert redeem().effect(back) == back


def test_only_a_use_that_stands_can_be_given_back() -> None:
    once = redeem().effect(COUPON)
    back = restore().effect(once)

    for row in (COUPON, back, redeem("op2").effect(COUPON)):
        refusal = restore().judge(row)
        assert refusal is not None
        assert refusal.reason is CouponReason.NOT_USED
        assert restore().effect(row) == row
    unknown = restore().judge(None)
    assert unknown is not None
    assert unknown.reason is CouponReason.UNKNOWN
    assert restore().effect(None) is None


def test_a_second_return_does_not_move_the_first() -> None:
    back = restore().effect(redeem().effect(COUPON))

    assert replace(restore(), at=AT + DAY).effect(back) == back


def test_a_welcome_coupon_is_issued_once() -> None:
    assert issue().judge(None) is None
    coupon = issue().effect(None)
    assert (coupon.member_id, coupon.code, coupon.issued_at, coupon.issued_store) == ("m1", "WELCOME-1", AT, "tpe-1")

    refusal = issue().judge(coupon)
    assert refusal is not None
    assert refusal.reason is CouponReason.ALREADY_ISSUED
    assert (refusal.facts["issued_at"], refusal.facts["store"]) == (AT, "tpe-1")
    assert issue().effect(coupon) == coupon


@given(st.lists(st.tuples(st.sampled_from("ur"), st.sampled_from("abc")), max_size=12), st.integers(0, 3))
def test_no_use_is_ever_lost_and_none_counts_twice(steps: list[tuple[str, str]], uses_limit: int) -> None:
    row = replace(COUPON, uses_limit=uses_limit)
    for what, op_id in steps:
        after = (redeem(op_id) if what == "u" else restore(op_id)).effect(row)
        assert after is not None
        row = after
    used = {op_id for what, op_id in steps if what == "u"}
    assert sorted(use.op_id for use in row.used) == sorted(used)
    assert len(row.standing) + sum(use.restored_at is not None for use in row.used) == len(used)
    assert 0 <= row.uses_left <= uses_limit
