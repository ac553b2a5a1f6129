"""What stores are covered for: points and coupons that one store holds, and the budget for the rest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store_agent.domain.allowances import Allowance, Risked, UseAllowance
from store_agent.domain.benefits import Benefit, BenefitKind, Step
from store_agent.domain.coupons import Coupon, Held, IssueCoupon, RedeemCoupon, RestoreCoupon, ReturnCoupon
from store_agent.domain.points import Account, Batch, EarnPoints, RedeemPoints
from store_agent.domain.points_rights import ReturnPoints, give_back, home_share, set_aside
from store_agent.domain.rights import Cover, CoverReason, CoverRule, Policy, Right, policy_by_value, rule_for

NOW = datetime(2026, 11, 14, 6, 0, tzinfo=UTC)
LATER = NOW + timedelta(days=30)


def named(number: int = 1, store: str = "s1", **more: object) -> dict[str, object]:
    return {"op_id": f"{number:036d}", "at": NOW, "store": store, "staff": "a"} | more


def redeem(points: int, store: str, risked: int = 0, number: int = 1) -> RedeemPoints:
    cover = Cover.ALLOWANCE if risked else Cover.RIGHT
    return RedeemPoints(
        **named(number, store),  # type: ignore[arg-type]
        member_id="m", points=points, value_minor=points, currency="TWD", cover=cover, risked=risked,
    )  # fmt: skip


def test_points_that_a_store_holds_are_spent_by_nobody_else() -> None:
    account = set_aside(Account(id="m", batches=(Batch("b", 100),)), "s1", 60, NOW)
    assert (account.balance(NOW), account.held_by("s1", NOW), account.available(NOW)) == (100, 60, 40)
    refusal = redeem(41, "s2").judge(account)
    assert refusal is not None
    assert refusal.reason is CoverReason.NOT_HELD
    risked = redeem(50, "s2", risked=50).effect(account)
    assert risked.held_by("s1", NOW) == 60
    assert (risked.owed, risked.balance(NOW)) == (10, 50)


def test_what_is_spent_by_right_never_becomes_owed() -> None:
    account = set_aside(Account(id="m", batches=(Batch("b", 100),)), "s1", 60, NOW)
    after = redeem(60, "s1").effect(redeem(40, "s2", risked=40, number=2).effect(account))
    assert (after.owed, after.balance(NOW)) == (0, 0)


def test_points_that_expire_in_a_stores_hands_are_its_right_no_longer() -> None:
    account = set_aside(Account(id="m", batches=(Batch("b", 100, LATER),)), "s1", 60, NOW)
    assert account.held_by("s1", LATER) == 0
    assert account.balance(LATER) == 0


def test_two_stores_cannot_hold_the_same_points_after_some_expired() -> None:
    batches = (Batch("old", 30, LATER), Batch("new", 30))
    account = set_aside(set_aside(Account(id="m", batches=batches), "s1", 30, NOW), "s2", 30, NOW)
    held = account.held_by("s1", LATER) + account.held_by("s2", LATER)
    assert held == account.balance(LATER) == 30


def test_no_more_is_set_aside_than_is_available_and_not_owed() -> None:
    account = Account(id="m", batches=(Batch("b", 50),), owed=20)
    assert set_aside(account, "s1", 50, NOW).held_by("s1", NOW) == 30


def test_what_is_given_back_pays_what_is_owed() -> None:
    account = set_aside(Account(id="m", batches=(Batch("b", 100),)), "s1", 100, NOW)
    account = redeem(30, "s2", risked=30).effect(account)
    assert (account.owed, account.balance(NOW)) == (30, 70)
    back = ReturnPoints(**named(), member_id="m", points=100).effect(account)  # type: ignore[arg-type]
    assert back is not None
    assert (back.owed, back.balance(NOW), back.available(NOW)) == (0, 70, 70)


def test_the_home_store_holds_a_share_and_never_more_than_is_free() -> None:
    rule = CoverRule(home_points_most=300, home_points_percent=30)
    assert home_share(Account(id="m", batches=(Batch("b", 500),)), "s1", rule, NOW) == 150
    assert home_share(Account(id="m", batches=(Batch("b", 5000),)), "s1", rule, NOW) == 300
    held = set_aside(Account(id="m", batches=(Batch("b", 500),)), "s2", 400, NOW)
    assert home_share(held, "s1", rule, NOW) == 100


steps = st.lists(
    st.tuples(
        st.sampled_from(["earn", "hold", "back", "right", "risk"]), st.sampled_from(["s1", "s2"]), st.integers(1, 40)
    ),
    max_size=30,
)


@given(steps)
def test_points_come_from_nowhere_and_go_nowhere_whoever_holds_them(played: list[tuple[str, str, int]]) -> None:
    account, total = Account(id="m"), 0
    for number, (step, store, points) in enumerate(played):
        before = account
        match step:
            case "earn":
                account = EarnPoints(**named(number, store), member_id="m", points=points).effect(account)  # type: ignore[arg-type]
                total += points
            case "hold":
                account = set_aside(account, store, points, NOW)
            case "back":
                account = give_back(account, store, points)
            case "right" if points <= account.held_by(store, NOW):
                account = redeem(points, store, number=number).effect(account)
                total -= points
                assert account.owed == before.owed, "RIGHTS: what is spent by right never overshoots"
            case "risk":
                account = redeem(points, store, risked=points, number=number).effect(account)
                total -= points
        assert account.balance(NOW) == total, "CONSERVE"
        assert all(batch.left > 0 for batch in account.batches)
        if step == "risk":
            assert account.held_by("s1", NOW) == before.held_by("s1", NOW)
            assert account.held_by("s2", NOW) == before.held_by("s2", NOW)


def use_coupon(store: str, cover: Cover, number: int = 1) -> RedeemCoupon:
    return RedeemCoupon(**named(number, store), coupon_id="k", campaign_id="c", member_id="m", cover=cover)  # type: ignore[arg-type]


def test_a_coupon_that_a_store_holds_is_used_there_by_right() -> None:
    coupon = Coupon(id="k", campaign_id="c", member_id="m", held=(Held("s1"),))
    assert use_coupon("s1", Cover.RIGHT).judge(coupon) is None
    refusal = use_coupon("s2", Cover.RIGHT).judge(coupon)
    assert refusal is not None
    assert refusal.reason is CoverReason.NOT_HELD
    used = use_coupon("s1", Cover.RIGHT).effect(coupon)
    assert (used.held, used.available, used.uses_left) == ((), 0, 0)


def test_a_use_on_allowance_leaves_the_other_stores_right_alone() -> None:
    coupon = Coupon(id="k", campaign_id="c", member_id="m", held=(Held("s1"),))
    used = use_coupon("s2", Cover.ALLOWANCE).effect(coupon)
    assert used.held == (Held("s1"),)
    assert used.available == 0


def test_a_coupon_taken_back_is_the_same_stores_right_again() -> None:
    coupon = Coupon(id="k", campaign_id="c", member_id="m", held=(Held("s1"),))
    used = use_coupon("s1", Cover.RIGHT).effect(coupon)
    back = RestoreCoupon(**named(2), coupon_id="k", use_op_id=used.used[0].op_id).effect(used)  # type: ignore[arg-type]
    assert back is not None
    assert back.held == (Held("s1"),)


def test_who_issues_a_coupon_offline_may_use_it_at_once() -> None:
    issued = IssueCoupon(**named(), coupon_id="k", campaign_id="c", member_id="m").effect(None)  # type: ignore[arg-type]
    assert use_coupon("s1", Cover.RIGHT, 2).judge(issued) is None


def test_a_store_gives_back_no_more_than_it_holds() -> None:
    coupon = Coupon(id="k", campaign_id="c", uses_limit=3, held=(Held("s1", 2),))
    one = ReturnCoupon(**named(), coupon_id="k", uses=1)  # type: ignore[arg-type]
    assert one.judge(coupon) is None
    after = one.effect(coupon)
    assert after is not None
    assert (after.held, after.available) == ((Held("s1", 1),), 2)
    refusal = ReturnCoupon(**named(), coupon_id="k", uses=3).judge(coupon)  # type: ignore[arg-type]
    assert refusal is not None
    assert refusal.reason is CoverReason.NOTHING_TO_RETURN


ALLOWANCE = Allowance(
    id="d", store="s1", granted_minor=2000, target_minor=2000, transaction_minor=1000, points_day_minor=100,
    coupons_day_minor=1500,
)  # fmt: skip


def risk(amount: int, number: int = 1, what: Risked = Risked.COUPON, **more: object) -> UseAllowance:
    fields = named(number) | {"group": f"g{number}"} | more
    return UseAllowance(
        **{"day": "2026-11-14", "member_id": "m"} | fields,  # type: ignore[arg-type]
        device_id="d", spent_by="", what=what, amount_minor=amount, currency="TWD",
    )  # fmt: skip


def test_an_allowance_runs_out_by_arithmetic() -> None:
    first = risk(1000).effect(ALLOWANCE)
    second = risk(1000, 2, member_id="n").effect(first)
    assert second.left_minor == 0
    refusal = risk(1, 3, member_id="o").judge(second)
    assert refusal is not None
    assert refusal.reason is CoverReason.SPENT


def test_a_manager_lifts_the_caps_and_never_the_budget() -> None:
    too_much = risk(1001)
    refusal = too_much.judge(ALLOWANCE)
    assert refusal is not None
    assert refusal.reason is CoverReason.ABOVE_TRANSACTION
    assert risk(1001, approved_by="boss").judge(ALLOWANCE) is None
    refusal = risk(2001, approved_by="boss").judge(ALLOWANCE)
    assert refusal is not None
    assert refusal.reason is CoverReason.SPENT


def test_nobody_lifts_a_cap_for_themselves() -> None:
    refusal = risk(1200, approved_by="amy", staff="amy").judge(ALLOWANCE)
    assert refusal is not None
    assert refusal.reason is CoverReason.ABOVE_TRANSACTION
    assert risk(1200, approved_by="amy", staff="bob").judge(ALLOWANCE) is None


def test_one_checkout_counts_as_a_whole_against_the_cap() -> None:
    first = risk(600, group="g").effect(ALLOWANCE)
    refusal = risk(600, 2, group="g", member_id="n").judge(first)
    assert refusal is not None
    assert refusal.reason is CoverReason.ABOVE_TRANSACTION
    assert risk(600, 2, group="h", member_id="n").judge(first) is None


def test_a_member_has_a_cap_a_day_for_points() -> None:
    spent = risk(80, what=Risked.POINTS).effect(ALLOWANCE)
    refusal = risk(30, 2, Risked.POINTS).judge(spent)
    assert refusal is not None
    assert (refusal.reason, refusal.facts["left_minor"]) == (CoverReason.ABOVE_DAY, 20)
    assert risk(30, 2, Risked.POINTS, day="2026-11-15").judge(spent) is None
    assert risk(30, 2, Risked.POINTS, member_id="n").judge(spent) is None


def test_a_clock_that_is_set_back_does_not_begin_the_day_anew() -> None:
    spent = risk(80, what=Risked.POINTS).effect(ALLOWANCE)
    back = risk(10, 2, Risked.POINTS, day="2026-11-13").effect(spent)
    assert back.day == "2026-11-14"
    assert back.spent == {"points/m": 90}
    refusal = risk(30, 2, Risked.POINTS, day="2026-11-13").judge(spent)
    assert refusal is not None
    assert (refusal.reason, refusal.facts["left_minor"]) == (CoverReason.ABOVE_DAY, 20)


def test_another_currency_is_not_covered() -> None:
    refusal = risk(1).judge(Allowance(id="d", store="s1", currency="HKD", granted_minor=50_000))
    assert refusal is not None
    assert refusal.reason is CoverReason.NONE
    refusal = risk(1).judge(None)
    assert refusal is not None
    assert refusal.reason is CoverReason.NONE


@pytest.mark.parametrize(
    ("benefit", "policy"),
    [
        (Benefit(kind=BenefitKind.AMOUNT, off_minor=100), Policy.GROUP),
        (Benefit(kind=BenefitKind.AMOUNT, off_minor=101), Policy.HOME),
        (Benefit(kind=BenefitKind.AMOUNT, off_minor=1001), Policy.ONLINE_ONLY),
        (Benefit(kind=BenefitKind.PERCENT, pay_percent=90), Policy.HOME),
        (Benefit(kind=BenefitKind.THRESHOLD, steps=(Step(at_least_minor=500, off_minor=50),)), Policy.GROUP),
    ],
)
def test_a_campaign_that_names_no_policy_gets_one_by_what_it_is_worth(benefit: Benefit, policy: Policy) -> None:
    assert policy_by_value(benefit, rule_for("TWD")) is policy


def test_a_lent_right_goes_back_when_it_is_due_and_a_recalled_one_at_once() -> None:
    lent = Right(id="r", store="s1", of_table="coupon", subject="k", due_at=LATER)
    assert not lent.is_due(NOW)
    assert lent.is_due(LATER)
    assert Right(id="r", store="s1", of_table="coupon", subject="k", state="recalled").is_due(NOW)
    assert not Right(id="r", store="s1", of_table="coupon", subject="k", state="done", due_at=NOW).is_due(LATER)
