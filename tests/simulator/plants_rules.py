"""Bugs of the rules themselves, which store and centre share: only sums over all that happened can show them."""

from __future__ import annotations

from store_agent.domain.coupons import Coupon
from store_agent.domain.points import EarnPoints, RedeemPoints
from store_agent.domain.stock import CountStock, MoveStock
from tests.simulator.planting import Plant, instead, rewritten

RULE_PLANTS: dict[str, Plant] = {
    "count overwrites": Plant(
        "a count sets the number, and what was sold while somebody counted is back",
        rewritten(CountStock, "effect", "row.on_hand + self.counted - self.seen_on_hand", "self.counted"),
    ),
    "never below nothing": Plant(
        "stock stops at nought, so that what comes next is counted from there",
        rewritten(MoveStock, "effect", "on_hand=row.on_hand + self.delta", "on_hand=max(0, row.on_hand + self.delta)"),
    ),
    "debts forgiven": Plant(
        "what was spent beyond the balance is not owed",
        rewritten(RedeemPoints, "effect", "replace(account, movements", "replace(account, owed=0, movements"),
    ),
    "earned twice": Plant(
        "points that were taken back are added without looking what had been owed",
        rewritten(EarnPoints, "effect", "account = put_in(account, ", "account = put_in(replace(account, owed=0), "),
    ),
    "one use more": Plant(
        "a coupon has one use more left than it has",
        instead(Coupon, "uses_left", property(lambda self: self.uses_limit + 1 - len(self.standing))),
    ),
}
