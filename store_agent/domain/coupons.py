"""A coupon: what one member (or whoever bears it) holds of a campaign, and each time that it was used.

Whether the campaign runs here and now is `campaigns.py`; what it saves is `quotes.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from store_agent.domain.operation import Fact, Operation, Refusal
from store_agent.domain.rights import Cover, CoverReason


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
    cover: Cover = Cover.OPEN


@dataclass(frozen=True, slots=True)
class Held:
    """So many uses of a coupon are one store's right: nobody else can spend them."""

    store: str
    uses: int = 1


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
    held: tuple[Held, ...] = ()
    """Uses that are one store's right."""
    risked_at: tuple[str, ...] = ()
    """The stores that may use it on allowance, where its campaign names some."""

    def held_by(self, store: str) -> int:
        """Uses that only this store can spend."""
        return sum(held.uses for held in self.held if held.store == store)

    @property
    def available(self) -> int:
        """Uses that no store holds: what the centre can still set aside."""
        return max(0, self.uses_left - sum(held.uses for held in self.held))

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


def with_held(held: tuple[Held, ...], store: str, uses: int) -> tuple[Held, ...]:
    """So many more uses in a store's right, or fewer; never fewer than none."""
    left = {one.store: one.uses for one in held}
    left[store] = left.get(store, 0) + uses
    return tuple(Held(of, count) for of, count in left.items() if count > 0)


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
            # Nobody else can know of it yet.
            held=(Held(self.store, self.uses_limit),) if self.store else (),
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
    cover: Cover = Cover.OPEN

    @property
    def subject(self) -> str:
        return self.coupon_id

    def judge(self, before: Coupon | None) -> Refusal | None:
        if before and self._is_in(before):
            return None
        if refusal := refuse_coupon(before, self.at, self.member_id):
            return refusal
        if self.cover is Cover.RIGHT and before and not before.held_by(self.store):
            return Refusal(CoverReason.NOT_HELD)
        return None

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
            cover=self.cover,
        )
        # Without a cover it is spent like any other; what this store holds goes first all the same.
        held = coupon.held if self.cover is Cover.ALLOWANCE else with_held(coupon.held, self.store, -1)
        return replace(coupon, used=(*coupon.used, use), held=held)

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
        use = next(use for use in before.used if use.op_id == self.use_op_id)
        # What was used by right is that store's again, and may be used there once more with the cable out.
        is_right = use.cover is Cover.RIGHT and use.store == self.store
        return replace(before, used=used, held=with_held(before.held, self.store, 1) if is_right else before.held)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnCoupon(Operation):
    """The store gives back a right to use a coupon that it does not need, or that the centre asked for."""

    kind: ClassVar[str] = "return-coupon"
    table: ClassVar[str] = Coupon.table
    coupon_id: str
    uses: int = 1
    right_id: str = ""

    @property
    def subject(self) -> str:
        return self.coupon_id

    def judge(self, before: Coupon | None) -> Refusal | None:
        held = before.held_by(self.store) if before else 0
        return Refusal(CoverReason.NOTHING_TO_RETURN) if self.uses < 1 or held < self.uses else None

    def effect(self, before: Coupon | None) -> Coupon | None:
        if before is None:
            return None
        return replace(before, held=with_held(before.held, self.store, -max(0, self.uses)))
