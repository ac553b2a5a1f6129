"""Points under every order of what can happen to them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store_agent.domain.points import (
    Account,
    Batch,
    EarnPoints,
    PointsReason,
    PointsRule,
    RedeemPoints,
    ReversePoints,
    find_movement,
    in_spending_order,
)

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
SOON, LATER = NOW + timedelta(days=1), NOW + timedelta(days=30)
expiries = st.sampled_from([None, SOON, LATER, NOW + timedelta(days=400)])
Step = tuple[str, int, datetime | None, int]
steps = st.lists(
    st.tuples(st.sampled_from(["earn", "redeem", "reverse"]), st.integers(1, 50), expiries, st.integers(0, 9)),
    max_size=20,
)


def named(op_id: str, at: datetime = NOW) -> dict[str, object]:
    return {"op_id": op_id, "at": at, "store": "s1", "staff": "amy", "member_id": "m1"}


def earn(op_id: str, points: int, expires_at: datetime | None = None) -> EarnPoints:
    return EarnPoints(**named(op_id), points=points, expires_at=expires_at)  # type: ignore[arg-type]


def redeem(op_id: str, points: int, at: datetime = NOW) -> RedeemPoints:
    return RedeemPoints(**named(op_id, at), points=points, value_minor=points, currency="TWD")  # type: ignore[arg-type]


def reverse(op_id: str, reverses: str, points: int, expires_at: datetime | None = LATER) -> ReversePoints:
    return ReversePoints(**named(op_id), reverses=reverses, points=points, expires_at=expires_at)  # type: ignore[arg-type]


Operation = EarnPoints | RedeemPoints | ReversePoints


def play(many: list[Step]) -> tuple[Account | None, list[Operation]]:
    """Let all of it happen, whether the rule would have allowed it or not: facts are never undone."""
    account: Account | None = None
    done: list[Operation] = []
    for n, (kind, points, expires_at, which) in enumerate(many):
        moved = [one.op_id for one in done if not isinstance(one, ReversePoints)]
        operation: Operation
        if kind == "reverse":
            operation = reverse(f"{n:03}", moved[which % len(moved)] if moved else "none", points)
        else:
            operation = earn(f"{n:03}", points, expires_at) if kind == "earn" else redeem(f"{n:03}", points)
        account = operation.effect(account)
        done.append(operation)
    return account, done


def expected(account: Account | None, done: list[Operation]) -> int:
    """Earned less redeemed, each without what was taken back of it."""
    total = 0
    for operation in done:
        if isinstance(operation, ReversePoints):
            continue
        movement = find_movement(account, operation.op_id) if account else None
        assert movement is not None
        assert 0 <= movement.reversed <= movement.points
        left = operation.points - movement.reversed
        total += left if isinstance(operation, EarnPoints) else -left
    return total


@given(steps)
@settings(max_examples=80, deadline=None)
def test_the_balance_is_what_was_earned_less_what_was_redeemed(many: list[Step]) -> None:
    account, done = play(many)
    assert (account.balance(NOW) if account else 0) == expected(account, done)
    if account:
        assert all(batch.left > 0 for batch in account.batches)
        assert account.owed >= 0


@given(steps, st.permutations(range(20)))
@settings(max_examples=80, deadline=None)
def test_the_balance_is_the_same_in_whatever_order_it_is_heard_of(many: list[Step], order: list[int]) -> None:
    moves = [step for step in many if step[0] != "reverse"]
    turned = [moves[n] for n in order if n < len(moves)]
    balances = {account.balance(NOW) for account, _done in (play(moves), play(turned)) if account}
    assert len(balances) <= 1


@given(steps)
@settings(max_examples=80, deadline=None)
def test_nothing_happens_twice_under_one_id(many: list[Step]) -> None:
    account, done = play(many)
    for operation in done:
        if not isinstance(operation, ReversePoints):
            assert operation.effect(account) == account


@given(steps, st.randoms(use_true_random=False))
@settings(max_examples=80, deadline=None)
def test_taking_everything_back_leaves_nothing(many: list[Step], random: object) -> None:
    account, done = play(many)
    moved = [one for one in done if not isinstance(one, ReversePoints)]
    random.shuffle(moved)  # type: ignore[attr-defined]
    for n, operation in enumerate(moved):
        account = reverse(f"r{n:03}", operation.op_id, operation.points).effect(account)
    assert (account.balance(NOW) if account else 0) == 0
    assert account is None or all(movement.reversed == movement.points for movement in account.movements)


@given(steps, st.integers(1, 60))
@settings(max_examples=80, deadline=None)
def test_the_earliest_expiring_points_go_first(many: list[Step], points: int) -> None:
    before, _done = play([step for step in many if step[0] == "earn"])
    if before is None:
        return
    after = redeem("zzz", points).effect(before)
    left = {batch.id: batch.left for batch in after.batches}
    untouched = False
    for batch in in_spending_order(before.batches):
        assert not (untouched and left.get(batch.id, 0) < batch.left), "a later one was taken before an earlier one"
        untouched = untouched or left.get(batch.id, 0) > 0
    spent = sum(batch.left for batch in before.batches) - sum(left.values())
    assert spent + after.owed - before.owed == points


@given(steps, st.integers(1, 60))
@settings(max_examples=60, deadline=None)
def test_what_the_rule_allows_never_overdraws(many: list[Step], points: int) -> None:
    account, _done = play(many)
    operation = redeem("zzz", points)
    refusal = operation.judge(account)
    if refusal is None:
        assert operation.effect(account).balance(NOW) >= 0
    else:
        assert refusal.reason in (PointsReason.NO_ACCOUNT, PointsReason.NOT_ENOUGH)


def test_redeemed_points_come_back_with_the_expiry_that_they_had() -> None:
    account = earn("b", 5, LATER).effect(earn("a", 5, SOON).effect(None))
    account = redeem("c", 7).effect(account)
    back = reverse("d", "c", 7, expires_at=None).effect(account)
    assert back is not None
    assert back.balance(NOW) == 10
    assert back.balance(LATER) == 5, "of a batch that was spent whole the expiry is the reversal's"
    assert back.balance(SOON) == 10


def test_points_that_expired_are_neither_spent_nor_counted() -> None:
    account = Account(id="m1", batches=(Batch("a", 5, SOON), Batch("b", 2, None)))
    assert (account.balance(NOW), account.balance(SOON)) == (7, 2)
    after = redeem("c", 3, at=SOON).effect(account)
    assert (after.owed, after.balance(SOON)) == (1, -1)
    refusal = redeem("d", 3, at=SOON).judge(account)
    assert refusal is not None
    assert refusal.reason is PointsReason.NOT_ENOUGH


@pytest.mark.parametrize(("paid", "points"), [(0, 0), (9, 0), (10, 1), (19, 1), (1234, 123), (-50, 0)])
def test_the_remainder_is_dropped(paid: int, points: int) -> None:
    assert PointsRule().earned(paid) == points


@given(st.integers(0, 10**6), st.integers(-100, 10**6), st.integers(1, 50), st.integers(1, 500))
def test_points_never_pay_more_than_it_costs(total: int, balance: int, value_minor: int, value_points: int) -> None:
    rule = PointsRule(value_minor=value_minor, value_points=value_points)
    most = rule.most_for(total, balance)
    assert most % value_points == 0
    assert 0 <= rule.worth(most) <= total
    assert most <= max(balance, 0)
