"""Cases in the small store of `counter_fixture`, as the centre would have opened them."""

from __future__ import annotations

from datetime import timedelta

from store_agent.domain.cases import Case, CaseKind
from store_agent.replica import Replica
from tests.counter_fixture import COFFEE, HOSTILE_NAME, LI, NOW, STORE, WANG, absorb


def some_cases() -> list[Case]:
    """One of each sort that a person meets, the oldest last."""
    points = Case(
        id="points_overdrawn.1",
        kind=CaseKind.POINTS_OVERDRAWN,
        store=STORE,
        opened_at=NOW - timedelta(minutes=25),
        happened_at=NOW - timedelta(hours=3),
        amount_minor=30,
        currency="TWD",
        op_ids=("op-1",),
        subject=f"account/{WANG}",
        member_id=WANG,
        staff="s-an",
        approved_by="s-mei",
        reason="points-not-enough",
        assumed={"points": 80},
        found={"balance": 50, "points": 80, "over": 30},
    )
    coupon = Case(
        id="coupon_over.2",
        kind=CaseKind.COUPON_OVER,
        store=STORE,
        opened_at=NOW - timedelta(days=2),
        amount_minor=150,
        currency="TWD",
        op_ids=("op-2",),
        subject="coupon/k-c85",
        member_id=LI,
        staff="s-mei",
        assumed={"uses": 1},
        found={"uses_limit": 1, "uses": 2, "over": 1, "store": HOSTILE_NAME},
    )
    stock = Case(
        id="stock_negative.3",
        kind=CaseKind.STOCK_NEGATIVE,
        store=STORE,
        opened_at=NOW - timedelta(days=9),
        op_ids=("op-3",),
        subject=f"stock/{STORE}/{COFFEE}",
        staff=HOSTILE_NAME,
        assumed={"moved": -3},
        found={"on_hand": -2, "over": 2},
    )
    parked = Case(
        id="parked_operation.4",
        kind=CaseKind.PARKED_OPERATION,
        store=STORE,
        opened_at=NOW - timedelta(hours=1),
        op_ids=("op-4",),
        staff="s-an",
        reason="ZeroDivisionError",
        found={"error": "ZeroDivisionError"},
    )
    return [points, coupon, stock, parked]


def bring_cases(replica: Replica) -> list[Case]:
    """They come from the centre."""
    came = some_cases()
    absorb(replica, came, revision=2)
    return came
