"""What was bought: recorded once, never undone, and never for less than nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from store_agent.domain.purchases import Purchase, PurchaseLine, PurchaseReason, RecordPurchase

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
LINE = PurchaseLine("04710000000011", "咖啡", 2, 50, 15)


def record(**changes: Any) -> RecordPurchase:
    values = {"op_id": "o1", "at": NOW, "store": "s1", "staff": "amy", "purchase_id": "p1", "member_id": "m1"}
    paid = {"currency": "TWD", "total_minor": 100, "paid_minor": 85, "lines": (LINE,)}
    return RecordPurchase(**{**values, **paid, **changes})


def test_a_purchase_tells_all_that_the_operation_knew() -> None:
    operation = record(coupon_ids=("k1",), points_used=3, points_earned=8)
    assert operation.judge(None) is None
    assert operation.effect(None) == Purchase(
        id="p1",
        member_id="m1",
        at=NOW,
        store="s1",
        total_minor=100,
        paid_minor=85,
        lines=(LINE,),
        coupon_ids=("k1",),
        points_used=3,
        points_earned=8,
        staff="amy",
    )


def test_a_second_press_is_harmless_and_says_who_did_it_and_when() -> None:
    first = record().effect(None)
    again = record(op_id="o2", staff="bob", paid_minor=1)
    refusal = again.judge(first)
    assert refusal is not None
    assert (refusal.reason, refusal.facts) == (PurchaseReason.ALREADY_THERE, {"since_at": NOW, "staff": "amy"})
    assert again.effect(first) is first


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"total_minor": 0, "paid_minor": 0, "lines": ()}, PurchaseReason.EMPTY),
        ({"total_minor": 0, "paid_minor": 0}, None),
        ({"paid_minor": -1}, PurchaseReason.NEGATIVE),
        ({"paid_minor": 101}, PurchaseReason.NEGATIVE),
        ({"paid_minor": 0}, None),
        ({"lines": ()}, None),
    ],
)
def test_nothing_is_bought_for_less_than_nothing(changes: dict[str, Any], reason: PurchaseReason | None) -> None:
    refusal = record(**changes).judge(None)
    assert (refusal.reason if refusal else None) == reason
    assert record(**changes).effect(None).id == "p1", "what happened at a counter is kept all the same"
