"""A coupon: what one member (or whoever bears it) holds of a campaign, and each time that it was used.

Whether the campaign runs here and now is `campaigns.py`; what it saves is `quotes.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from store_agent.domain.operation import Fact, Operation, Refusal


class CouponReason(StrEnum):
    """Why a coupon may not be used, issued or given back, in order of precedence."""

    UNKNOWN = "coupon-unknown"
    NOT_YET = "coupon-not-yet"
    EXPIRED = "coupon-expired"
    USED_UP = "coupon-used-up"
    OTHER_MEMBER = "coupon-other-member"
    ALREADY_ISSUED = "coupon-already-issued"
    NOT_USED = "coupon-not-used"


@dataclass(frozen=True, slots=True, kw_only=True)
class LineSaving:
    """What came off one line of the basket; the GTIN is empty where only a total was known."""

    gtin: str
    saved_minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Use:
    """One use of a coupon, kept also after it was given back."""

    op_id: str
    at: datetime
    store: str
    staff: str = ""
    purchase_id: str = ""
    saved_minor: int = 0
    currency: str = ""
    lines: tuple[LineSaving, ...] = ()
    restored_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Coupon:
    """A coupon in someone's hands. Without a member it belongs to whoever shows it."""

    table: ClassVar[str] = "coupon"
    id: str
    campaign_id: str
    member_id: str = ""
    code: str = ""
    """The text that is scanned."""
    uses_limit: int = 1
    used: tuple[Use, ...] = ()
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    """The first moment at which it is over."""
    issued_at: datetime | None = None
    issued_store: str = ""
    issued_channel: str = ""

    @property
    def standing(self) -> tuple[Use, ...]:
        """The uses that were not given back."""
        return tuple(use for use in self.used if use.restored_at is None)

    @property
    def uses_left(self) -> int:
        """Never less than none, also where it was used once too often."""
        return max(0, self.uses_limit - len(self.standing))


def refuse_coupon(coupon: Coupon | None, at: datetime, member_id: str) -> Refusal | None:
    """Why this coupon may not be used then, by that member. One rule for the quote, the counter and the centre."""
    if coupon is None:
        return Refusal(CouponReason.UNKNOWN)
    if coupon.valid_from and at < coupon.valid_from:
        return Refusal(CouponReason.NOT_YET, {"from_at": coupon.valid_from})
    if coupon.valid_until and at >= coupon.valid_until:
        return Refusal(CouponReason.EXPIRED, {"expired_at": coupon.valid_until})
    if not coupon.uses_left:
        return Refusal(CouponReason.USED_UP, _last_use(coupon))
    if coupon.member_id and coupon.member_id != member_id:
        return Refusal(CouponReason.OTHER_MEMBER)
    return None


def _last_use(coupon: Coupon) -> dict[str, Fact]:
    facts: dict[str, Fact] = {"uses_limit": coupon.uses_limit}
    if coupon.standing:
        last = max(coupon.standing, key=lambda use: use.at)
        facts |= {"used_at": last.at, "store": last.store, "staff": last.staff, "purchase_id": last.purchase_id}
    return facts


@dataclass(frozen=True, slots=True, kw_only=True)
class IssueCoupon(Operation):
    """A member got a coupon at this store: a welcome at registration, a reward. Its id is made by who issues it."""

    kind: ClassVar[str] = "issue-coupon"
    table: ClassVar[str] = Coupon.table
    coupon_id: str
    campaign_id: str
    member_id: str = ""
    code: str = ""
    uses_limit: int = 1
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    channel: str = "store"

    @property
    def subject(self) -> str:
        return self.coupon_id

    def judge(self, before: Coupon | None) -> Refusal | None:
        if before is None:
            return None
        facts: dict[str, Fact] = {"store": before.issued_store}
        if before.issued_at:
            facts["issued_at"] = before.issued_at
        return Refusal(CouponReason.ALREADY_ISSUED, facts)

    def effect(self, before: Coupon | None) -> Coupon:
        return before or Coupon(
            id=self.coupon_id,
            campaign_id=self.campaign_id,
            member_id=self.member_id,
            code=self.code,
            uses_limit=self.uses_limit,
            valid_from=self.valid_from,
            valid_until=self.valid_until,
            issued_at=self.at,
            issued_store=self.store,
            issued_channel=self.channel,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class RedeemCoupon(Operation):
    """A coupon was used on a purchase. The member is who paid, also where the coupon belongs to whoever shows it."""

    kind: ClassVar[str] = "redeem-coupon"
    table: ClassVar[str] = Coupon.table
    coupon_id: str
    campaign_id: str
    member_id: str = ""
    purchase_id: str = ""
    saved_minor: int = 0
    currency: str = ""
    lines: tuple[LineSaving, ...] = ()
    proof: str = ""
    """How it was known who spends (`proofs.py`)."""

    @property
    def subject(self) -> str:
        return self.coupon_id

    def judge(self, before: Coupon | None) -> Refusal | None:
        if before and self._is_in(before):
            return None
        return refuse_coupon(before, self.at, self.member_id)

    def effect(self, before: Coupon | None) -> Coupon:
        # Of a coupon that nobody here knows, the use is kept all the same: goods have left the store for it.
        coupon = before or Coupon(id=self.coupon_id, campaign_id=self.campaign_id)
        if self._is_in(coupon):
            return coupon
        use = Use(
            op_id=self.op_id,
            at=self.at,
            store=self.store,
            staff=self.staff,
            purchase_id=self.purchase_id,
            saved_minor=self.saved_minor,
            currency=self.currency,
            lines=self.lines,
        )
        return replace(coupon, used=(*coupon.used, use))

    def _is_in(self, coupon: Coupon) -> bool:
        return any(use.op_id == self.op_id for use in coupon.used)


@dataclass(frozen=True, slots=True, kw_only=True)
class RestoreCoupon(Operation):
    """A use was taken back (a return, a slip of the hand), and the coupon may be used again."""

    kind: ClassVar[str] = "restore-coupon"
    table: ClassVar[str] = Coupon.table
    coupon_id: str
    use_op_id: str
    """The operation that used it."""

    @property
    def subject(self) -> str:
        return self.coupon_id

    def judge(self, before: Coupon | None) -> Refusal | None:
        if before is None:
            return Refusal(CouponReason.UNKNOWN)
        if not any(use.op_id == self.use_op_id for use in before.standing):
            return Refusal(CouponReason.NOT_USED)
        return None

    def effect(self, before: Coupon | None) -> Coupon | None:
        if before is None or self.judge(before):
            return before
        used = tuple(replace(use, restored_at=self.at) if use.op_id == self.use_op_id else use for use in before.used)
        return replace(before, used=used)
