"""How an order ends without its customer: rejected, cancelled, expired, back on the shelf; and how that is put off."""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar

from store_agent.domain.holds import check_hours, expires_at
from store_agent.domain.operation import Refusal
from store_agent.domain.pickup_handover import Pieces, judge_pieces
from store_agent.domain.pickup_steps import PickupOperation
from store_agent.domain.pickups import (
    CLOSED,
    LONGEST_EXTENSION_DAYS,
    Pickup,
    PickupReason,
    PickupState,
    PickupStep,
    RejectReason,
    Step,
    find_line,
    refuse,
    refuse_closed,
    refuse_repeat,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectPickup(PickupOperation):
    """The store cannot serve this order. It stays this store's: nothing is routed elsewhere by itself."""

    kind: ClassVar[str] = "reject-pickup"
    step: ClassVar[PickupStep] = PickupStep.REJECTED
    repeats: ClassVar[frozenset[PickupReason]] = frozenset({PickupReason.ALREADY_REJECTED})

    reason: RejectReason
    line_nos: tuple[int, ...] = ()
    """The lines that the reason is about; none named: all of them."""
    note: str = ""

    def judge_step(self, before: Pickup) -> Refusal | None:
        if refusal := refuse_closed(before):
            return refusal
        for no in self.line_nos:
            if find_line(before, no) is None:
                return refuse(before, PickupReason.NO_SUCH_LINE, line=no)
        return None

    def change(self, before: Pickup) -> Pickup:
        return _close(before, PickupState.REJECTED, reject_reason=self.reason)

    def describe(self, before: Pickup) -> Step:
        return replace(PickupOperation.describe(self, before), note=self.note or str(self.reason))


class Asker(StrEnum):
    """Who wants an order cancelled."""

    CUSTOMER = "customer"
    SHOP = "shop"
    CENTRE = "centre"
    STORE = "store"


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelPickup(PickupOperation):
    """Somebody wants the order no more.

    From ready on the right to hand over lives at the store, so a cancel from elsewhere is then a request only, until
    the store releases the order: it may be in the customer's hands already.
    """

    kind: ClassVar[str] = "cancel-pickup"
    repeats: ClassVar[frozenset[PickupReason]] = frozenset(
        {PickupReason.ALREADY_CANCELLED, PickupReason.ALREADY_CANCEL_REQUESTED}
    )

    asked_by: Asker
    note: str = ""
    at_our_risk: bool = False
    """The centre cancels without waiting for the store's word: if it was handed over meanwhile, that is a case."""

    @property
    def is_of_store(self) -> bool:
        return self.asked_by is Asker.STORE

    def judge_step(self, before: Pickup) -> Refusal | None:
        if refusal := refuse_closed(before):
            return refusal
        if before.cancel_requested and self._is_request(before):
            return refuse_repeat(before, PickupReason.ALREADY_CANCEL_REQUESTED, PickupStep.CANCEL_REQUESTED)
        return None

    def change(self, before: Pickup) -> Pickup:
        if self._is_request(before):
            return replace(before, cancel_requested=True)
        return _close(before, PickupState.CANCELLED)

    def describe(self, before: Pickup) -> Step:
        step = PickupStep.CANCEL_REQUESTED if self._is_request(before) else PickupStep.CANCELLED
        done = Step(step=step, at=self.at, staff=self.staff, op_id=self.op_id, store=self.store)
        return replace(done, note=self.note or str(self.asked_by))

    def _is_request(self, before: Pickup) -> bool:
        if before.state is not PickupState.READY or self.at_our_risk:
            return False
        return not (self.is_of_store and self.store == before.store)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseCancelled(PickupOperation):
    """The store gives the right to hand over back: the order is still here, the money may be returned."""

    kind: ClassVar[str] = "release-cancelled"
    step: ClassVar[PickupStep] = PickupStep.CANCELLED
    repeats: ClassVar[frozenset[PickupReason]] = frozenset({PickupReason.ALREADY_CANCELLED})

    def judge_step(self, before: Pickup) -> Refusal | None:
        if refusal := refuse_closed(before):
            return refusal
        return None if before.cancel_requested else refuse(before, PickupReason.NO_CANCEL_REQUEST)

    def change(self, before: Pickup) -> Pickup:
        return _close(before, PickupState.CANCELLED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpirePickup(PickupOperation):
    """Nobody came in time. Only the store says so: it alone knows that the order is still on its shelf.

    The hours travel with it, so that the centre judges by the same closing time; ValueError if they are none.
    """

    kind: ClassVar[str] = "expire-pickup"
    step: ClassVar[PickupStep] = PickupStep.EXPIRED
    repeats: ClassVar[frozenset[PickupReason]] = frozenset({PickupReason.ALREADY_EXPIRED})

    zone: str
    closing: dict[str, str]

    def __post_init__(self) -> None:
        check_hours(self.zone, self.closing)

    def judge_step(self, before: Pickup) -> Refusal | None:
        if refusal := refuse_closed(before):
            return refusal
        if before.cancel_requested:
            return refuse_repeat(before, PickupReason.CANCEL_REQUESTED, PickupStep.CANCEL_REQUESTED)
        if before.state is not PickupState.READY:
            return refuse(before, PickupReason.NOT_READY)
        end_at = expires_at(before, self.zone, self.closing)
        if end_at is None:
            return refuse(before, PickupReason.NO_EXPIRY)
        return refuse(before, PickupReason.NOT_EXPIRED, expires_at=end_at) if self.at < end_at else None

    def change(self, before: Pickup) -> Pickup:
        return _close(before, PickupState.EXPIRED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnToShelf(PickupOperation):
    """What was taken for an order that has ended is for sale again."""

    kind: ClassVar[str] = "return-to-shelf"
    step: ClassVar[PickupStep] = PickupStep.RETURNED
    repeats: ClassVar[frozenset[PickupReason]] = frozenset({PickupReason.ALREADY_RETURNED})

    pieces: tuple[Pieces, ...] | None = None
    """None: all that is waiting. What is not named is damaged or gone: it left the stock when it was picked."""

    def judge_step(self, before: Pickup) -> Refusal | None:
        if before.state in (PickupState.RETURNED, PickupState.HANDED_OVER):
            return refuse_closed(before)
        if before.state not in CLOSED:
            return refuse(before, PickupReason.STILL_HELD)
        if not before.is_waiting:
            return refuse(before, PickupReason.NOTHING_TO_RETURN)
        return judge_pieces(before, self.pieces or ())

    def change(self, before: Pickup) -> Pickup:
        if before.state is PickupState.HANDED_OVER:
            return before
        return replace(before, state=PickupState.RETURNED, cancel_requested=False, shelf="")


@dataclass(frozen=True, slots=True, kw_only=True)
class ExtendHold(PickupOperation):
    """The order is kept some days longer; one that has expired but still lies there is ready again.

    With a `cause` ("typhoon 2026-08-12") all orders can be extended twice by mistake and gain the days only once.
    """

    kind: ClassVar[str] = "extend-hold"
    step: ClassVar[PickupStep] = PickupStep.EXTENDED
    repeats: ClassVar[frozenset[PickupReason]] = frozenset({PickupReason.ALREADY_EXTENDED})

    days: int
    cause: str = ""

    @property
    def is_of_store(self) -> bool:
        return False  # Head office extends for a whole city, and a store with a dead link for itself.

    def judge_step(self, before: Pickup) -> Refusal | None:
        if before.state is not PickupState.EXPIRED and (refusal := refuse_closed(before)):
            return refusal
        for done in before.history:
            if self.cause and done.step is PickupStep.EXTENDED and done.note == self.cause:
                staff = done.staff or done.store or "—"
                return refuse(before, PickupReason.ALREADY_EXTENDED, staff=staff, since_at=done.at)
        if before.hold is None:
            return refuse(before, PickupReason.NO_EXPIRY)
        most = LONGEST_EXTENSION_DAYS - before.hold.extra_days
        return None if 1 <= self.days <= most else refuse(before, PickupReason.BAD_DAYS, days=self.days, most=most)

    def change(self, before: Pickup) -> Pickup:
        state = PickupState.READY if before.state is PickupState.EXPIRED else before.state
        if before.hold is None:
            return replace(before, state=state)
        days = min(LONGEST_EXTENSION_DAYS, before.hold.extra_days + max(0, self.days))
        return replace(before, state=state, hold=replace(before.hold, extra_days=days))

    def describe(self, before: Pickup) -> Step:
        return replace(PickupOperation.describe(self, before), note=self.cause)


def _close(before: Pickup, state: PickupState, reject_reason: RejectReason | None = None) -> Pickup:
    """An order that has ended keeps the end it had: what came later is in its history."""
    if before.state in CLOSED:
        return before
    return replace(before, state=state, cancel_requested=False, reject_reason=reject_reason)
