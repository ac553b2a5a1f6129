"""A member's points: batches with an expiry each, spent earliest first, and the last movements, to take one back.

A batch that a store holds is a right: set aside for that store alone, so that it can spend it with the cable out. How
rights move between stores is `points_rights.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from store_agent.domain.operation import Operation, Refusal
from store_agent.domain.rights import Cover, CoverReason

MOVEMENTS_KEPT = 30


class PointsReason(StrEnum):
    """Why points may not move, in order of precedence."""

    NO_ACCOUNT = "points-no-account"
    NOTHING = "points-nothing"
    NOT_ENOUGH = "points-not-enough"
    STEP = "points-step"
    ABOVE_TOTAL = "points-above-total"
    UNKNOWN_MOVEMENT = "points-unknown-movement"
    ALREADY_REVERSED = "points-already-reversed"


class MovementKind(StrEnum):
    """What moved the points."""

    EARN = "earn"
    REDEEM = "redeem"


@dataclass(frozen=True, slots=True)
class PointsRule:
    """What a chain's points are worth. NT$10 = 1 point with the remainder dropped is Burger King Taiwan's."""

    currency: str = "TWD"
    earn_base_minor: int = 10
    """One point for each whole one of these that was paid."""
    value_minor: int = 1
    """What `value_points` points are worth when redeemed."""
    value_points: int = 1
    valid_months: int = 12

    def earned(self, paid_minor: int) -> int:
        """Points for what was paid after all discounts; the remainder is dropped, never carried over."""
        return max(0, paid_minor) // self.earn_base_minor

    def worth(self, points: int) -> int:
        """What so many points pay, in minor units. Only whole steps pay."""
        return points // self.value_points * self.value_minor

    def most_for(self, total_minor: int, balance: int) -> int:
        """The most points that can be used on this total: whole steps, never more than it costs."""
        steps = min(balance // self.value_points, total_minor // self.value_minor)
        return max(0, steps * self.value_points)


@dataclass(frozen=True, slots=True)
class Batch:
    """Points earned together, which expire together. The id is that of the operation that made it.

    Where a store holds a part of them as its right, that part is a batch of its own, with the same id.
    """

    id: str
    left: int
    expires_at: datetime | None = None
    held_by: str = ""
    """The store whose right these are; empty: available to all."""


@dataclass(frozen=True, slots=True)
class Movement:
    """One earning or redeeming, kept so that it can be shown and reversed. `parts` are (batch id, points)."""

    op_id: str
    kind: MovementKind
    points: int
    at: datetime
    store: str
    parts: tuple[tuple[str, int], ...] = ()
    reversed: int = 0
    risked: int = 0
    """Of the points, those that were spent on allowance."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A member's points. `owed` is what was spent beyond what there was; the next points earned pay it first."""

    table: ClassVar[str] = "account"
    id: str
    batches: tuple[Batch, ...] = ()
    owed: int = 0
    movements: tuple[Movement, ...] = ()

    def balance(self, at: datetime) -> int:
        """Points that can be spent at that moment; negative where more was spent than there was."""
        return sum(batch.left for batch in self.batches if is_live(batch, at)) - self.owed

    def expiring(self, at: datetime) -> Batch | None:
        """The batch that goes first, if it has an end."""
        live = [batch for batch in self.batches if batch.left and batch.expires_at and is_live(batch, at)]
        first = min(live, key=lambda batch: (batch.expires_at, batch.id), default=None)
        if first is None:
            return None
        return replace(first, left=sum(batch.left for batch in live if batch.id == first.id), held_by="")

    def held_by(self, store: str, at: datetime) -> int:
        """Points that only this store can spend at that moment."""
        return sum(batch.left for batch in self.batches if batch.held_by == store and is_live(batch, at))

    def available(self, at: datetime) -> int:
        """Points that no store holds, less what is owed: what the centre can still set aside."""
        return self.held_by("", at) - self.owed


def is_live(batch: Batch, at: datetime) -> bool:
    """Whether a batch can still be spent at that moment."""
    return batch.expires_at is None or at < batch.expires_at


def in_spending_order(batches: tuple[Batch, ...]) -> list[Batch]:
    """Earliest expiring first, those without an end last."""
    return sorted(
        batches,
        key=lambda b: (b.expires_at is None, b.expires_at.timestamp() if b.expires_at else 0, b.id, b.held_by),
    )


def find_movement(account: Account, op_id: str) -> Movement | None:
    """The movement that an operation made, if it is still kept."""
    return next((movement for movement in account.movements if movement.op_id == op_id), None)


def _remember(account: Account, movement: Movement) -> tuple[Movement, ...]:
    return (*account.movements, movement)[-MOVEMENTS_KEPT:]


def put_in(account: Account, batch: Batch) -> Account:
    """Put points in: what is owed is paid first."""
    pays = min(account.owed, batch.left)
    return join(replace(account, owed=account.owed - pays), replace(batch, left=batch.left - pays))


def join(account: Account, batch: Batch) -> Account:
    """Put a part of a batch beside the rest of it, whatever is owed."""
    batches = {(b.id, b.held_by): b for b in account.batches if b.left > 0}
    if batch.left > 0:
        twin = batches.get((batch.id, batch.held_by))
        batches[batch.id, batch.held_by] = replace(twin, left=twin.left + batch.left) if twin else batch
    return replace(account, batches=tuple(batches.values()))


def take_out(
    account: Account, points: int, at: datetime, held_by: str | None = None
) -> tuple[Account, tuple[tuple[str, int], ...], int]:
    """Take live points out, earliest expiring first; returns what is left, the parts, and how many were missing.

    `held_by` narrows it to what one store holds, or to what nobody does (empty).
    """
    parts: list[tuple[str, int]] = []
    missing = points
    left = {(batch.id, batch.held_by): batch.left for batch in account.batches}
    for batch in in_spending_order(account.batches):
        fits = is_live(batch, at) and held_by in (None, batch.held_by)
        part = min(missing, batch.left) if fits else 0
        if part:
            parts.append((batch.id, part))
            left[batch.id, batch.held_by] -= part
            missing -= part
    kept = ((batch, left[batch.id, batch.held_by]) for batch in account.batches)
    batches = tuple(batch if batch.left == rest else replace(batch, left=rest) for batch, rest in kept if rest > 0)
    return replace(account, batches=batches), tuple(parts), missing


def _take(account: Account, points: int, at: datetime) -> tuple[Account, tuple[tuple[str, int], ...]]:
    """Take points out, wherever they are; what is not there becomes owed."""
    account, parts, missing = take_out(account, points, at)
    return replace(account, owed=account.owed + missing), parts


@dataclass(frozen=True, slots=True, kw_only=True)
class EarnPoints(Operation):
    """A member earned points; the account comes into being with the first of them."""

    kind: ClassVar[str] = "earn-points"
    table: ClassVar[str] = Account.table
    member_id: str
    points: int
    expires_at: datetime | None = None
    purchase_id: str = ""
    reason: str = "purchase"

    @property
    def subject(self) -> str:
        return self.member_id

    def judge(self, before: Account | None) -> Refusal | None:
        return Refusal(PointsReason.NOTHING) if self.points <= 0 else None

    def effect(self, before: Account | None) -> Account:
        account = before or Account(id=self.member_id)
        if self.points <= 0 or find_movement(account, self.op_id):
            return account
        movement = Movement(self.op_id, MovementKind.EARN, self.points, self.at, self.store)
        account = put_in(account, Batch(self.op_id, self.points, self.expires_at))
        return replace(account, movements=_remember(account, movement))


@dataclass(frozen=True, slots=True, kw_only=True)
class RedeemPoints(Operation):
    """A member paid with points. `value_minor` is what they were worth at that moment."""

    kind: ClassVar[str] = "redeem-points"
    table: ClassVar[str] = Account.table
    member_id: str
    points: int
    value_minor: int
    currency: str
    purchase_id: str = ""
    proof: str = ""
    """How it was known who spends (`proofs.py`)."""
    cover: Cover = Cover.OPEN
    risked: int = 0
    """Of the points, those that no right of this store covers: spent on allowance."""

    @property
    def subject(self) -> str:
        return self.member_id

    def judge(self, before: Account | None) -> Refusal | None:
        if self.points <= 0 or self.value_minor <= 0:
            return Refusal(PointsReason.NOTHING)
        if before is None:
            return Refusal(PointsReason.NO_ACCOUNT)
        balance = before.balance(self.at)
        if self.points > balance:
            return Refusal(PointsReason.NOT_ENOUGH, {"balance": balance, "points": self.points})
        held = before.held_by(self.store, self.at)
        if self.cover is not Cover.OPEN and self.points - self._risked > held:
            return Refusal(CoverReason.NOT_HELD)
        return None

    def effect(self, before: Account | None) -> Account:
        account = before or Account(id=self.member_id)
        if self.points <= 0 or find_movement(account, self.op_id):
            return account
        if self.cover is Cover.OPEN:
            account, parts = _take(account, self.points, self.at)
        else:
            account, parts = self._spend(account)
        movement = Movement(
            self.op_id, MovementKind.REDEEM, self.points, self.at, self.store, parts, risked=self._risked
        )
        return replace(account, movements=_remember(account, movement))

    @property
    def _risked(self) -> int:
        return max(0, min(self.risked, self.points))

    def _spend(self, account: Account) -> tuple[Account, tuple[tuple[str, int], ...]]:
        """By right out of what this store holds, on allowance out of what nobody does; another store's right is its own."""
        account, own, missing = take_out(account, self.points - self._risked, self.at, self.store)
        account, free, short = take_out(account, self._risked + missing, self.at, "")
        return replace(account, owed=account.owed + short), (*own, *free)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReversePoints(Operation):
    """Some or all of one earlier movement is taken back: goods returned, a wrong press.

    Redeemed points come back with the expiry that their batches had where those still exist, else with `expires_at`.
    """

    kind: ClassVar[str] = "reverse-points"
    table: ClassVar[str] = Account.table
    member_id: str
    reverses: str
    points: int
    expires_at: datetime | None = None

    @property
    def subject(self) -> str:
        return self.member_id

    def judge(self, before: Account | None) -> Refusal | None:
        if before is None:
            return Refusal(PointsReason.NO_ACCOUNT)
        if self.points <= 0:
            return Refusal(PointsReason.NOTHING)
        movement = find_movement(before, self.reverses)
        if movement is None:
            return Refusal(PointsReason.UNKNOWN_MOVEMENT)
        if movement.reversed + self.points > movement.points:
            return Refusal(PointsReason.ALREADY_REVERSED, {"left": movement.points - movement.reversed})
        return None

    def effect(self, before: Account | None) -> Account | None:
        movement = find_movement(before, self.reverses) if before else None
        if before is None or movement is None:
            return before
        points = max(0, min(self.points, movement.points - movement.reversed))
        if not points:
            return before
        if movement.kind is MovementKind.EARN:
            account = self._unearn(before, movement, points)
        else:
            account = self._refund(before, movement, points)
        marked = tuple(
            replace(m, reversed=m.reversed + points) if m.op_id == movement.op_id else m for m in account.movements
        )
        return replace(account, movements=marked)

    def _unearn(self, account: Account, movement: Movement, points: int) -> Account:
        """Out of the batch that was earned first, then out of what else there is."""
        own = next((b for b in account.batches if b.id == movement.op_id and not b.held_by), None)
        part = min(points, own.left) if own else 0
        batches = tuple(replace(b, left=b.left - part) if b is own else b for b in account.batches)
        account = replace(account, batches=tuple(b for b in batches if b.left > 0))
        # A store's right stays what it is: what is taken back beyond what is free is owed.
        account, _parts, missing = take_out(account, points - part, self.at, "")
        return replace(account, owed=account.owed + missing)

    def _refund(self, account: Account, movement: Movement, points: int) -> Account:
        """Back into the batches they came from, the latest expiring first; what was owed is owed no more."""
        expiries = {batch.id: batch.expires_at for batch in account.batches}
        skip, rest = movement.reversed, points
        for batch_id, part in reversed(movement.parts):
            skipped = min(skip, part)
            skip -= skipped
            back = min(rest, part - skipped)
            if not back:
                continue
            rest -= back
            if batch_id in expiries:
                # An expired batch stays expired: what comes back to it pays nothing.
                account = join(account, Batch(batch_id, back, expiries[batch_id]))
            else:
                account = put_in(account, Batch(batch_id, back, self.expires_at))
                expiries[batch_id] = self.expires_at
        return put_in(account, Batch(self.op_id, rest, self.expires_at)) if rest else account
