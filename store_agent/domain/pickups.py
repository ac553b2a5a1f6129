"""A web order that a customer collects: its row, its lines, its history, and every reason why a step may not happen.

No operation lives here: the way to ready is in `pickup_steps`, the counter in `pickup_handover`, other endings in
`pickup_endings`, what all this does to the shelf in `pickup_stock`, how long an order is kept in `holds`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from store_agent.domain.operation import Fact, Refusal


class PickupState(StrEnum):
    """Where an order stands. Nothing is ever "completed" because it is merely ready."""

    PLACED = "placed"
    ACCEPTED = "accepted"
    PICKING = "picking"
    READY = "ready"
    HANDED_OVER = "handed_over"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    """Nobody came while it was held; it still lies on the pickup shelf."""
    RETURNED = "returned"
    """Back among the goods for sale."""


WORK = (PickupState.PLACED, PickupState.ACCEPTED, PickupState.PICKING)
"""The states in which the store still has work to do before the customer may come."""


class PickupStep(StrEnum):
    """What was done, as the history tells it."""

    ACCEPTED = "accepted"
    PICKING = "picking"
    LINE_PICKED = "line_picked"
    LINE_PUT_BACK = "line_put_back"
    READY = "ready"
    HANDED_OVER = "handed_over"
    REJECTED = "rejected"
    CANCEL_REQUESTED = "cancel_requested"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    RETURNED = "returned"
    EXTENDED = "extended"


class RejectReason(StrEnum):
    """Why the store cannot give what was ordered; decides what the shelf learns from it (`stock_consequence`)."""

    NOT_IN_STOCK = "not_in_stock"
    DAMAGED = "damaged"
    STORE_CLOSED = "store_closed"
    OTHER = "other"


class IdentityCheck(StrEnum):
    """How the staff saw that it is the right person. No number of a document is kept: collect least."""

    CODE = "code"
    DOCUMENT = "document"
    PHONE_DIGITS = "phone_digits"
    MEMBER_PASS = "member_pass"
    NONE = "none"


class PickupReason(StrEnum):
    """Why a step may not happen, in order of precedence. Each sentence also says what to do instead."""

    UNKNOWN = "pickup-unknown"
    ELSEWHERE = "pickup-elsewhere"
    ALREADY_HANDED_OVER = "pickup-already-handed-over"
    ALREADY_REJECTED = "pickup-already-rejected"
    ALREADY_CANCELLED = "pickup-already-cancelled"
    ALREADY_RETURNED = "pickup-already-returned"
    ALREADY_EXPIRED = "pickup-already-expired"
    ALREADY_ACCEPTED = "pickup-already-accepted"
    ALREADY_PICKING = "pickup-already-picking"
    ALREADY_READY = "pickup-already-ready"
    ALREADY_CANCEL_REQUESTED = "pickup-already-cancel-requested"
    ALREADY_PICKED = "pickup-already-picked"
    ALREADY_EXTENDED = "pickup-already-extended"
    CANCEL_REQUESTED = "pickup-cancel-requested"
    NO_CANCEL_REQUEST = "pickup-no-cancel-request"
    NOT_ACCEPTED = "pickup-not-accepted"
    NOT_READY = "pickup-not-ready"
    STILL_HELD = "pickup-still-held"
    NO_SUCH_LINE = "pickup-no-such-line"
    BAD_QUANTITY = "pickup-bad-quantity"
    BAD_SUBSTITUTE = "pickup-bad-substitute"
    MORE_THAN_ORDERED = "pickup-more-than-ordered"
    MORE_THAN_WAITING = "pickup-more-than-waiting"
    LINES_OPEN = "pickup-lines-open"
    NOTHING_PICKED = "pickup-nothing-picked"
    NOTHING_TO_RETURN = "pickup-nothing-to-return"
    UNPAID = "pickup-unpaid"
    IDENTITY_UNCHECKED = "pickup-identity-unchecked"
    PROXY_NOT_NAMED = "pickup-proxy-not-named"
    NO_EXPIRY = "pickup-no-expiry"
    NOT_EXPIRED = "pickup-not-expired"
    BAD_DAYS = "pickup-bad-days"


class HoldClock(StrEnum):
    """From when an order is held."""

    ORDER = "order"
    READY = "ready"


class HoldUnit(StrEnum):
    """How a hold is counted: plain hours, or whole days until closing time on the last one."""

    HOURS = "hours"
    DAYS = "days"


LONGEST_HOLD = {HoldUnit.HOURS: 366 * 24, HoldUnit.DAYS: 366}
LONGEST_EXTENSION_DAYS = 366


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """How long an order is kept: seven days from ready unless the shop says otherwise. ValueError beyond a year."""

    clock: HoldClock = HoldClock.READY
    unit: HoldUnit = HoldUnit.DAYS
    amount: int = 7
    extra_days: int = 0
    """Days added since, for a typhoon or a kind word."""

    def __post_init__(self) -> None:
        if not 0 <= self.amount <= LONGEST_HOLD[self.unit]:
            raise ValueError(f"a hold is 0 to {LONGEST_HOLD[self.unit]} {self.unit}")
        if not 0 <= self.extra_days <= LONGEST_EXTENSION_DAYS:
            raise ValueError(f"a hold is extended by 0 to {LONGEST_EXTENSION_DAYS} days")


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One line of an order and what has become of its pieces."""

    no: int
    """The line's number in its order: two lines may well have the same GTIN, at different prices."""
    gtin: str
    name: dict[str, str] = field(default_factory=dict)
    """Language to text, as it was when ordered."""
    quantity: int
    unit_minor: int = 0
    picked: int = 0
    short: int = 0
    """Ordered pieces that will not come."""
    substitute_gtin: str = ""
    substitute_name: dict[str, str] = field(default_factory=dict)
    substitute_quantity: int = 0
    """Pieces of the other product."""
    replaced: int = 0
    """Ordered pieces that they stand for: two small ones may replace one large."""
    note: str = ""
    handed: int = 0
    handed_substitute: int = 0

    @property
    def open_quantity(self) -> int:
        """Ordered pieces about which nothing is decided yet."""
        return max(0, self.quantity - self.picked - self.short - self.replaced)

    @property
    def waiting(self) -> int:
        """Ordered pieces that were taken for the customer and are still here."""
        return max(0, self.picked - self.handed)

    @property
    def waiting_substitute(self) -> int:
        """Pieces of the other product that are still here."""
        return max(0, self.substitute_quantity - self.handed_substitute)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that was done with an order."""

    step: PickupStep
    at: datetime
    staff: str = ""
    op_id: str = ""
    store: str = ""
    line_no: int = 0
    note: str = ""
    conflict: str = ""
    """The reason for which it should not have happened, where it happened all the same: work for a person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pickup:
    """An order to be collected at one store."""

    table: ClassVar[str] = "pickup"

    id: str
    order_no: str
    store: str
    member_id: str = ""
    code: str = ""
    """What the customer shows or says."""
    channel: str = ""
    state: PickupState = PickupState.PLACED
    lines: tuple[Line, ...] = ()
    placed_at: datetime
    promised_at: datetime | None = None
    ready_at: datetime | None = None
    handed_over_at: datetime | None = None
    """The last hand-over: the customer's days to return the goods begin here."""
    paid: bool = True
    total_minor: int = 0
    currency: str = "TWD"
    proxy_name: str = ""
    """Who else may collect it, named by the customer."""
    receiver_name: str = ""
    identity: IdentityCheck = IdentityCheck.NONE
    shelf: str = ""
    """The place where it lies ready."""
    hold: Hold | None = Hold()
    """None: kept until somebody decides."""
    cancel_requested: bool = False
    reject_reason: RejectReason | None = None
    history: tuple[Step, ...] = ()

    @property
    def is_waiting(self) -> bool:
        """Whether pieces that were taken for the customer are still here."""
        if self.state is PickupState.RETURNED:
            return False
        return any(line.waiting or line.waiting_substitute for line in self.lines)


CLOSED = {
    PickupState.HANDED_OVER: (PickupReason.ALREADY_HANDED_OVER, PickupStep.HANDED_OVER),
    PickupState.REJECTED: (PickupReason.ALREADY_REJECTED, PickupStep.REJECTED),
    PickupState.CANCELLED: (PickupReason.ALREADY_CANCELLED, PickupStep.CANCELLED),
    PickupState.RETURNED: (PickupReason.ALREADY_RETURNED, PickupStep.RETURNED),
    PickupState.EXPIRED: (PickupReason.ALREADY_EXPIRED, PickupStep.EXPIRED),
}
"""The states that end an order, each with the reason that every later step gets and the step that led there."""


def find_line(pickup: Pickup, no: int) -> Line | None:
    """The line with this number."""
    return next((line for line in pickup.lines if line.no == no), None)


def next_line(pickup: Pickup, gtin: str) -> Line | None:
    """The line that a scanned product belongs to: the first of its GTIN with something undecided, else the first."""
    lines = [line for line in pickup.lines if line.gtin == gtin]
    return next((line for line in lines if line.open_quantity), lines[0] if lines else None)


def refuse(pickup: Pickup, reason: PickupReason, **facts: Fact) -> Refusal:
    """A refusal that names the order as the customer knows it, never by its id."""
    return Refusal(reason, {"order_no": pickup.order_no, **facts})


def refuse_repeat(pickup: Pickup, reason: PickupReason, step: PickupStep, line_no: int = 0) -> Refusal:
    """A refusal that says who has already done it (`staff`) and when (`since_at`).

    Orders that another system moved on may have no such step; then the nearest moment that the row knows is said.
    """
    for done in reversed(pickup.history):
        if done.step is step and (not line_no or done.line_no == line_no):
            return refuse(pickup, reason, staff=done.staff or done.store or "—", since_at=done.at)
    moments = {PickupStep.READY: pickup.ready_at, PickupStep.HANDED_OVER: pickup.handed_over_at}
    since_at = moments.get(step) or (pickup.history[-1].at if pickup.history else pickup.placed_at)
    return refuse(pickup, reason, staff="—", since_at=since_at)


def refuse_closed(pickup: Pickup) -> Refusal | None:
    """The refusal that every step gets once an order has ended."""
    ended = CLOSED.get(pickup.state)
    return refuse_repeat(pickup, *ended) if ended else None
