"""Cases: what went over and no more, decided in parts that add up, opened once, also on a retry, and closed by events."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from store_agent.domain.cases import (
    OF_HEAD_OFFICE,
    REMEDIES,
    Case,
    CaseKind,
    CaseReason,
    CaseState,
    Remedy,
    ResolveCase,
)
from store_agent.domain.coupons import Coupon, RedeemCoupon
from store_agent.domain.operation import Operation
from store_agent.domain.overshoots import OVER, case_of, evidence, overshoot, undo
from store_agent.domain.pickup_handover import HandOver
from store_agent.domain.pickups import IdentityCheck, Line, Pickup, PickupState
from store_agent.domain.points import Account, Batch, RedeemPoints
from store_agent.domain.quotas import Quota, UseQuota
from store_agent.domain.stock import MoveReason, MoveStock, Stock
from store_agent.domain.stores import Role

AT = datetime(2026, 11, 21, 6, 0, tzinfo=UTC)
NAMED: dict[str, Any] = {"op_id": "op-1", "at": AT, "store": "s1", "staff": "amy"}
OPEN = Case(
    id="c1",
    kind=CaseKind.POINTS_OVERDRAWN,
    store="s1",
    opened_at=AT,
    amount_minor=30,
    currency="TWD",
    op_ids=("op-1",),
    subject="account/m1",
    found={OVER: 30},
)


def over(operation: Operation, before: Any) -> tuple[int, str]:
    return overshoot(operation, before, operation.effect(before))


def points(amount: int, value_minor: int | None = None) -> RedeemPoints:
    value_minor = amount if value_minor is None else value_minor
    return RedeemPoints(**NAMED, member_id="m1", points=amount, value_minor=value_minor, currency="TWD")


def holding(left: int, owed: int = 0) -> Account:
    return Account(id="m1", batches=(Batch("b1", left),), owed=owed)


def test_of_80_points_spent_where_50_were_the_overshoot_is_what_30_pay() -> None:
    assert over(points(80), holding(50)) == (30, "TWD")
    assert over(points(80, 800), holding(50)) == (300, "TWD")
    assert over(points(50), holding(50)) == (0, "TWD")
    assert over(points(80), None) == (80, "TWD")
    assert over(points(80), holding(0, owed=20)) == (80, "TWD"), "what was owed before is an earlier case"
    assert evidence(points(80), points(80).judge(holding(50)), holding(50), points(80).effect(holding(50)))[1] == {
        "balance": 50,
        "points": 80,
        OVER: 30,
    }


@given(st.integers(0, 500), st.lists(st.integers(1, 200), min_size=1, max_size=8))
def test_overshoots_of_many_redemptions_are_together_what_the_account_owes(left: int, spent: list[int]) -> None:
    account = holding(left)
    total = 0
    for n, amount in enumerate(spent):
        operation = replace(points(amount), op_id=f"op-{n}")
        after = operation.effect(account)
        if case_of(operation, operation.judge(account), account, after):
            total += overshoot(operation, account, after)[0]
        account = after
    assert total == account.owed == max(0, sum(spent) - left)


def test_a_coupon_over_is_what_that_one_use_saved() -> None:
    use = RedeemCoupon(**NAMED, coupon_id="k", campaign_id="c", member_id="m1", saved_minor=90, currency="TWD")
    assert over(use, Coupon(id="k", campaign_id="c", member_id="m1", uses_limit=0)) == (90, "TWD")


def test_uses_of_a_campaign_have_no_price_of_their_own_and_are_counted() -> None:
    use = UseQuota(**NAMED, quota_id="q", campaign_id="c", member_id="m1", limit=1, quantity=3)
    before = Quota(id="q", campaign_id="c", member_id="m1", limit=2, used=1)
    assert over(use, before) == (0, "")
    assert evidence(use, use.judge(before), before, use.effect(before))[1][OVER] == 2


def order(**more: Any) -> Pickup:
    lines = (
        Line(no=1, gtin="1", quantity=2, unit_minor=100, picked=2),
        Line(no=2, gtin="2", quantity=1, unit_minor=200, picked=1),
    )
    fields: dict[str, Any] = {"state": PickupState.READY, "lines": lines, "total_minor": 400, "currency": "TWD"}
    return Pickup(id="o1", order_no="A1", store="s1", placed_at=AT, **fields | more)


def test_an_order_handed_over_after_it_was_cancelled_is_worth_what_was_handed_over() -> None:
    hand_over = HandOver(**NAMED, pickup_id="o1", identity=IdentityCheck.CODE)
    assert over(hand_over, order()) == (0, "TWD"), "all was ready"
    assert over(hand_over, order(state=PickupState.CANCELLED)) == (400, "TWD")
    assert over(hand_over, order(state=PickupState.CANCELLED, total_minor=300)) == (300, "TWD"), "less its discount"
    assert over(hand_over, order(paid=False)) == (400, "TWD")
    assert over(hand_over, order(cancel_requested=True)) == (400, "TWD")


def test_stock_below_zero_counts_pieces() -> None:
    sell = MoveStock(**NAMED, gtin="1", delta=-3, reason=MoveReason.SELL)
    before = Stock(id="s1/1", store="s1", gtin="1", on_hand=1)
    assert over(sell, before) == (0, "")
    assert evidence(sell, None, before, sell.effect(before)) == ({"moved": -3}, {"on_hand": -2, OVER: 2})


def decide(remedy: Remedy, amount_minor: int = 0, **more: Any) -> ResolveCase:
    named = NAMED | {"op_id": f"d-{remedy}-{amount_minor}", "case_id": "c1", "role": Role.LEAD} | more
    return ResolveCase(**named, remedy=remedy, amount_minor=amount_minor)


def reason_of(operation: ResolveCase, before: Case | None) -> str:
    refusal = operation.judge(before)
    return str(refusal.reason) if refusal else ""


def test_a_case_may_be_recovered_in_part_and_the_rest_written_off() -> None:
    part = decide(Remedy.RECOVER, 10).effect(OPEN)
    assert part is not None
    assert (part.state, part.open_minor) == (CaseState.OPEN, 20)
    whole = decide(Remedy.WRITE_OFF, 20).effect(part)
    assert whole is not None
    assert (whole.state, whole.recovered_minor, whole.written_off_minor, whole.resolved_at) == (
        CaseState.RESOLVED,
        10,
        20,
        AT,
    )
    assert [one.remedy for one in whole.resolutions] == [Remedy.RECOVER, Remedy.WRITE_OFF]


def test_who_may_decide_what() -> None:
    assert reason_of(decide(Remedy.RECOVER, 30), None) == CaseReason.UNKNOWN
    assert reason_of(decide(Remedy.RECOVER, 30, store="s2"), OPEN) == CaseReason.ELSEWHERE
    assert reason_of(decide(Remedy.RECOVER, 30, role=Role.CASHIER), OPEN) == CaseReason.ROLE
    assert reason_of(decide(Remedy.RECOVER, 30, role=Role.CASHIER, store=""), OPEN) == ""
    assert reason_of(decide(Remedy.MERGE), OPEN) == CaseReason.NO_REMEDY
    assert reason_of(decide(Remedy.REASSIGN), OPEN) == CaseReason.NO_RECEIVER
    assert reason_of(decide(Remedy.RECOVER, 30, note="x" * 501), OPEN) == CaseReason.NOTE_LONG
    assert reason_of(decide(Remedy.RECOVER), OPEN) == CaseReason.BAD_AMOUNT
    assert reason_of(decide(Remedy.RECOVER, 31), OPEN) == CaseReason.MORE_THAN_OPEN
    parked = replace(OPEN, kind=CaseKind.PARKED_OPERATION)
    assert reason_of(decide(Remedy.WRITE_OFF, 30), parked) == CaseReason.HEAD_OFFICE
    closed = decide(Remedy.RECOVER, 30).effect(OPEN)
    assert reason_of(decide(Remedy.RECOVER, 30), closed) == CaseReason.CLOSED


def test_a_case_that_was_given_to_another_store_is_theirs_and_both_may_decide() -> None:
    given_away = decide(Remedy.REASSIGN, to_store="s2", to_person="bob").effect(OPEN)
    assert given_away is not None
    assert (given_away.at_store, given_away.at_person, given_away.stores) == ("s2", "bob", ("s1", "s2"))
    assert given_away.state is CaseState.OPEN
    assert reason_of(decide(Remedy.RECOVER, 30, store="s2"), given_away) == ""


decisions = st.builds(
    lambda n, remedy, amount, role, store: decide(
        remedy, amount, op_id=f"d-{n}", role=role, store=store, to_store="s2" if remedy is Remedy.REASSIGN else ""
    ),
    st.integers(),
    st.sampled_from(Remedy),
    st.integers(-5, 60),
    st.sampled_from(Role),
    st.sampled_from(["", "s1", "s2"]),
)


@given(st.sampled_from(CaseKind), st.integers(0, 50), st.lists(decisions, max_size=12))
def test_open_recovered_reversed_and_written_off_are_always_the_overshoot(
    kind: CaseKind, amount_minor: int, decided: list[ResolveCase]
) -> None:
    case = replace(OPEN, kind=kind, amount_minor=amount_minor)
    for decision in decided:
        before = case
        after = decision.effect(case)
        assert after is not None
        case = after
        sums = (case.open_minor, case.recovered_minor, case.reversed_minor, case.written_off_minor)
        assert min(sums) >= 0
        assert sum(sums) == amount_minor
        assert sum(one.amount_minor for one in case.resolutions) == amount_minor - case.open_minor
        assert before.state is CaseState.OPEN or case == before, "a case that is resolved is never changed"
        assert case.state is CaseState.OPEN or case.open_minor == 0
        if case != before and decision.store:
            assert decision.role in (Role.LEAD, Role.MANAGER)
            assert kind not in OF_HEAD_OFFICE


def test_every_kind_has_a_way_out() -> None:
    assert set(REMEDIES) == set(CaseKind)
    assert all(Remedy.WRITE_OFF in ways and Remedy.REASSIGN in ways for ways in REMEDIES.values())


@given(st.integers(1, 40), st.lists(st.integers(1, 15), min_size=1, max_size=6))
def test_reversed_in_parts_gives_back_as_many_points_as_at_once(amount_minor: int, parts: list[int]) -> None:
    case = replace(OPEN, amount_minor=amount_minor, found={OVER: 30})
    account: Account | None = points(80).effect(holding(50))
    for n, part in enumerate(parts):
        decision = decide(Remedy.REVERSE, min(part, case.open_minor), op_id=f"d-{n}")
        after = decision.effect(case)
        assert after is not None
        undone = undo(case, after, decision, account, f"u-{n}")
        account = undone.effect(account) if undone else account
        case = after
    assert account is not None
    given_back = 30 * case.reversed_minor // amount_minor
    assert account.balance(AT) == -30 + given_back
