"""What a store of a fixture has seen: every kind of operation, as little and as much as it can say, and a plausible day."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

from store_agent.clock import Ids
from store_agent.codec import OPERATION_OF
from store_agent.domain.coupons import Coupon, IssueCoupon, RedeemCoupon, RestoreCoupon
from store_agent.domain.members import ChangeMember, Member, RegisterMember
from store_agent.domain.operation import Operation, Row
from store_agent.domain.pickup_handover import HandOver
from store_agent.domain.pickup_steps import AcceptPickup, MarkReady, PickLine, StartPicking
from store_agent.domain.pickups import IdentityCheck, Line, Pickup
from store_agent.domain.points import EarnPoints, RedeemPoints, ReversePoints
from store_agent.domain.products import Product
from store_agent.domain.purchases import PurchaseLine, RecordPurchase
from store_agent.domain.quotas import Quota, UseQuota
from store_agent.domain.stock import CountStock, MoveReason, MoveStock
from store_agent.domain.stores import Store
from store_agent.domain.tags import AddNote, AddTag
from tests.standing_clock import StandingClock
from tests.test_codec import make

STORE, DEVICE = "s1", "d1"
GTIN = "04710000000011"


def rows_of(clock: StandingClock) -> list[Row]:
    """What the centre had said before the cable was cut."""
    line = Line(no=1, gtin=GTIN, quantity=2, unit_minor=50)
    return [
        Store(id=STORE, name={"zh-TW": "中山店"}),
        Product(id=GTIN, name={"zh-TW": "綠茶"}, price_minor={"TWD": 50}),
        Member(id="m1", phone="+886912345678", name="王小明", home_store=STORE),
        Coupon(id="k1", campaign_id="c1", member_id="m1", uses_limit=2),
        Quota(id="q1", campaign_id="c1", store=STORE, limit=5),
        Pickup(
            id="o1", order_no="A1", store=STORE, member_id="m1", lines=(line,), placed_at=clock.now(), total_minor=100
        ),
    ]


def operations(clock: StandingClock) -> Iterator[Operation]:
    """All that happened since, one second after another, the same each time."""
    ids = Ids(clock, lambda bits: 0)

    def named(group: str = "") -> dict[str, Any]:
        clock.at += timedelta(seconds=1)
        return {"op_id": ids.new(), "at": clock.now(), "store": STORE, "staff": "amy", "group": group}

    yield from _day(named)
    for kind in sorted(OPERATION_OF):
        for only_needed in (True, False):
            operation = make(OPERATION_OF[kind], only_needed=only_needed)
            again: Operation = replace(operation, **(named() if not only_needed else _least(named())))
            yield again


def _least(named: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in named.items() if name != "group"}


def _day(named: Any) -> Iterator[Operation]:
    yield RegisterMember(**named("join"), member_id="m2", phone="+886987654321", name="陳美麗")
    yield IssueCoupon(**named("join"), coupon_id="k2", campaign_id="welcome", member_id="m2")
    yield ChangeMember(**named(), member_id="m1", email="ming@example.com")
    earned = EarnPoints(**named("p1"), member_id="m1", points=120, purchase_id="p1")
    yield earned
    yield RedeemPoints(**named("p1"), member_id="m1", points=20, value_minor=20, currency="TWD", purchase_id="p1")
    used = RedeemCoupon(
        **named("p1"),
        coupon_id="k1",
        campaign_id="c1",
        member_id="m1",
        purchase_id="p1",
        saved_minor=10,
        currency="TWD",
    )
    yield used
    yield UseQuota(**named("p1"), quota_id="q1", campaign_id="c1", limit=5)
    lines = (PurchaseLine(gtin=GTIN, name="綠茶", quantity=2, unit_minor=50, saved_minor=10),)
    paid: dict[str, Any] = {
        "currency": "TWD",
        "total_minor": 100,
        "paid_minor": 70,
        "lines": lines,
        "coupon_ids": ("k1",),
    }
    yield RecordPurchase(**named("p1"), purchase_id="p1", member_id="m1", points_used=20, points_earned=120, **paid)
    yield MoveStock(**named("p1"), gtin=GTIN, delta=-2, reason=MoveReason.SELL)
    yield RestoreCoupon(**named("back"), coupon_id="k1", use_op_id=used.op_id)
    yield ReversePoints(**named("back"), member_id="m1", reverses=earned.op_id, points=60)
    yield AddTag(**named(), member_id="m1", name="茶")
    yield AddNote(**named(), member_id="m1", text="對花生過敏")
    yield CountStock(**named(), gtin=GTIN, counted=11, seen_on_hand=-2)
    yield AcceptPickup(**named(), pickup_id="o1")
    yield StartPicking(**named(), pickup_id="o1")
    yield PickLine(**named(), pickup_id="o1", line_no=1, picked=2)
    yield MarkReady(**named(), pickup_id="o1", shelf="B2")
    yield HandOver(**named(), pickup_id="o1", identity=IdentityCheck.CODE)
