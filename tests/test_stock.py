"""Stock: the quantity is the opening plus what happened, and a promise is never made of what merely is on hand."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store_agent.domain.operation import Refusal
from store_agent.domain.stock import (
    INWARD,
    CountStock,
    HoldStock,
    MarkShelfEmpty,
    MoveReason,
    MoveStock,
    ReleaseHold,
    Stock,
    StockOperation,
    StockReason,
)

NOON = datetime(2026, 8, 11, 4, 0, tzinfo=UTC)
GTIN = "04710000000013"
ROW = Stock(id=f"s1/{GTIN}", store="s1", gtin=GTIN, on_hand=10, held=2, safety=1)


def named(minute: int = 0, staff: str = "amy") -> dict[str, Any]:
    at = NOON + timedelta(minutes=minute)
    return {"op_id": f"op-{minute}", "at": at, "store": "s1", "staff": staff, "gtin": GTIN}


def move(delta: int, why: MoveReason, minute: int = 0, held_delta: int = 0) -> MoveStock:
    return MoveStock(**named(minute), delta=delta, reason=why, held_delta=held_delta)


def count(counted: int, seen: int, minute: int = 0, began_minute: int | None = None) -> CountStock:
    began_at = None if began_minute is None else NOON + timedelta(minutes=began_minute)
    return CountStock(**named(minute), counted=counted, seen_on_hand=seen, began_at=began_at)


def empty(minute: int = 0) -> MarkShelfEmpty:
    return MarkShelfEmpty(**named(minute))


def reason(refusal: Refusal | None) -> StockReason | None:
    return None if refusal is None else StockReason(refusal.reason)


def test_what_may_be_promised_is_less_than_what_is_there() -> None:
    assert ROW.sellable == 7
    assert replace(ROW, held=12).sellable == 0
    assert replace(ROW, shelf_empty_at=NOON).sellable == 0


def test_a_product_that_the_store_never_had_starts_at_nothing() -> None:
    sale = move(-1, MoveReason.SELL)
    assert sale.judge(None) is None
    after = sale.effect(None)
    assert (after.id, after.on_hand, after.sold_since) == (f"s1/{GTIN}", -1, 1)
    assert sale.subject == after.id


def test_real_goods_are_never_refused_because_the_number_is_wrong() -> None:
    sale = move(-50, MoveReason.SELL)
    assert sale.judge(ROW) is None
    assert sale.effect(ROW).is_negative
    assert not ROW.is_negative


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        (move(0, MoveReason.SELL), StockReason.NOTHING_MOVED),
        (move(5, MoveReason.SELL), StockReason.WRONG_DIRECTION),
        (move(-5, MoveReason.RECEIVE), StockReason.WRONG_DIRECTION),
        (move(-5, "eaten"), StockReason.UNKNOWN_REASON),  # type: ignore[arg-type]
        (count(-1, 10), StockReason.BAD_COUNT),
        (HoldStock(**named(), quantity=0), StockReason.NOTHING_MOVED),
        (ReleaseHold(**named(), quantity=-1), StockReason.NOTHING_MOVED),
    ],
)
def test_nonsense_is_refused_and_still_harmless(operation: StockOperation, expected: StockReason) -> None:
    assert reason(operation.judge(ROW)) is expected
    assert reason(operation.judge(None)) is expected
    assert isinstance(operation.effect(None), Stock)


@pytest.mark.parametrize("why", list(MoveReason))
def test_every_reason_has_a_direction(why: MoveReason) -> None:
    delta = 3 if why in INWARD else -3
    assert move(delta, why).judge(ROW) is None
    assert reason(move(-delta, why).judge(ROW)) is StockReason.WRONG_DIRECTION


def test_a_count_is_a_difference_and_keeps_what_was_sold_meanwhile() -> None:
    sold_meanwhile = move(-2, MoveReason.SELL, minute=5).effect(ROW)
    after = count(9, seen=10, minute=10).effect(sold_meanwhile)
    assert after.on_hand == 7
    assert (after.counted_at, after.counted_by, after.sold_since) == (NOON + timedelta(minutes=10), "amy", 0)


def test_a_second_count_from_the_same_screen_is_refused_and_says_who_counted() -> None:
    after = count(8, seen=10, minute=10, began_minute=0).effect(ROW)
    refusal = count(8, seen=10, minute=11, began_minute=0).judge(after)
    assert refusal == Refusal(StockReason.COUNTED_MEANWHILE, {"staff": "amy", "since_at": NOON + timedelta(minutes=10)})
    assert count(8, seen=8, minute=20, began_minute=15).judge(after) is None


def test_sales_are_counted_since_the_last_count() -> None:
    row = count(10, seen=10, minute=10).effect(ROW)
    assert move(-2, MoveReason.SELL, minute=20).effect(row).sold_since == 2
    assert move(-2, MoveReason.SELL, minute=5).effect(row).sold_since == 0
    assert move(-2, MoveReason.ADJUST_LOST, minute=20).effect(row).sold_since == 0


def test_an_empty_shelf_blocks_promises_until_goods_come() -> None:
    row = empty(minute=1).effect(ROW)
    assert (row.sellable, row.on_hand) == (0, 10)
    assert move(-1, MoveReason.SELL, minute=2).effect(row).sellable == 0
    assert move(5, MoveReason.RECEIVE, minute=2).effect(row).sellable == 12
    assert count(4, seen=10, minute=2).effect(row).sellable == 1
    assert count(0, seen=10, minute=2).effect(row).sellable == 0


def test_an_empty_shelf_pressed_twice_says_who_said_so_first() -> None:
    row = empty(minute=1).effect(ROW)
    assert empty(minute=2).judge(row) == Refusal(
        StockReason.ALREADY_EMPTY, {"staff": "amy", "since_at": NOON + timedelta(minutes=1)}
    )
    assert empty(minute=1).effect(row) == row


def test_a_hold_changes_the_promise_and_not_the_goods() -> None:
    held = HoldStock(**named(), quantity=3).effect(ROW)
    assert (held.on_hand, held.held, held.sellable) == (10, 5, 4)
    assert ReleaseHold(**named(), quantity=3).effect(held).sellable == ROW.sellable


minutes = st.integers(0, 4)
happenings = st.one_of(
    st.builds(move, st.integers(1, 9), st.sampled_from(sorted(INWARD)), minutes),
    st.builds(
        move, st.integers(-9, -1), st.sampled_from(sorted(set(MoveReason) - INWARD)), minutes, st.integers(-3, 3)
    ),
    st.builds(count, st.integers(0, 20), st.integers(-5, 20), minutes),
    st.builds(empty, minutes),
    st.builds(lambda quantity: HoldStock(**named(), quantity=quantity), st.integers(-1, 5)),
    st.builds(lambda quantity: ReleaseHold(**named(), quantity=quantity), st.integers(-1, 5)),
)


@given(data=st.data(), done=st.lists(happenings, max_size=12))
def test_the_quantity_is_the_opening_plus_what_happened_in_any_order(
    data: st.DataObject, done: list[StockOperation]
) -> None:
    one, other = fold(done), fold(data.draw(st.permutations(done)))
    moved = sum(operation.delta for operation in done if isinstance(operation, MoveStock))
    counted = sum(o.counted - o.seen_on_hand for o in done if isinstance(o, CountStock))
    assert one.on_hand == ROW.on_hand + moved + counted
    ages = ("on_hand", "held", "sellable", "shelf_empty_at", "refilled_at", "moved_at", "counted_at")
    assert [getattr(one, age) for age in ages] == [getattr(other, age) for age in ages]


def fold(done: list[StockOperation]) -> Stock:
    row = ROW
    for operation in done:
        row = operation.effect(row)
    return row
