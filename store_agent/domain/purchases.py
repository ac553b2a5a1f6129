"""What a member bought, in any channel, and what they paid with. Returns come with the rules for them, not here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from store_agent.domain.operation import Operation, Refusal


class PurchaseReason(StrEnum):
    """Why a purchase may not be recorded, in order of precedence."""

    ALREADY_THERE = "purchase-already-there"
    EMPTY = "purchase-empty"
    NEGATIVE = "purchase-negative"


@dataclass(frozen=True, slots=True)
class PurchaseLine:
    """So many of one product at a unit price, and what came off them."""

    gtin: str
    name: str
    quantity: int
    unit_minor: int
    saved_minor: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Purchase:
    """One sale to one member: `total_minor` before, `paid_minor` after coupons and points."""

    table: ClassVar[str] = "purchase"
    id: str
    member_id: str
    at: datetime
    store: str
    channel: str = "store"
    currency: str = "TWD"
    total_minor: int = 0
    paid_minor: int = 0
    lines: tuple[PurchaseLine, ...] = ()
    coupon_ids: tuple[str, ...] = ()
    points_used: int = 0
    points_earned: int = 0
    staff: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordPurchase(Operation):
    """A member paid at the till; what they bought joins what the chain knows of them."""

    kind: ClassVar[str] = "record-purchase"
    table: ClassVar[str] = Purchase.table
    purchase_id: str
    member_id: str
    currency: str
    total_minor: int
    paid_minor: int
    lines: tuple[PurchaseLine, ...] = ()
    coupon_ids: tuple[str, ...] = ()
    points_used: int = 0
    points_earned: int = 0

    @property
    def subject(self) -> str:
        return self.purchase_id

    def judge(self, before: Purchase | None) -> Refusal | None:
        if before is not None:
            return Refusal(PurchaseReason.ALREADY_THERE, {"since_at": before.at, "staff": before.staff})
        if self.total_minor == 0 and not self.lines:
            return Refusal(PurchaseReason.EMPTY)
        if self.paid_minor < 0 or self.total_minor < self.paid_minor:
            return Refusal(PurchaseReason.NEGATIVE)
        return None

    def effect(self, before: Purchase | None) -> Purchase:
        return before or Purchase(
            id=self.purchase_id,
            member_id=self.member_id,
            at=self.at,
            store=self.store,
            currency=self.currency,
            total_minor=self.total_minor,
            paid_minor=self.paid_minor,
            lines=self.lines,
            coupon_ids=self.coupon_ids,
            points_used=self.points_used,
            points_earned=self.points_earned,
            staff=self.staff,
        )
