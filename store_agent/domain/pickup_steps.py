"""The way of an order to ready: accept, pick, put back, make ready. Each step judges its own order and nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, ClassVar

from store_agent.domain.operation import Operation, Refusal
from store_agent.domain.pickups import (
    WORK,
    Line,
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
class PickupOperation(Operation):
    """What all steps share: they are known by their id, judged here only, and written into the history."""

    table: ClassVar[str] = "pickup"
    step: ClassVar[PickupStep]
    repeats: ClassVar[frozenset[PickupReason]] = frozenset()
    """Refusals that mean "this was done before": such a second press changes nothing, at the centre neither."""

    pickup_id: str

    @property
    def subject(self) -> str:
        return self.pickup_id

    def judge(self, before: Any) -> Refusal | None:
        if before is None:
            return Refusal(PickupReason.UNKNOWN, {"order_no": self.pickup_id})
        if self.is_of_store and self.store != before.store:
            return refuse(before, PickupReason.ELSEWHERE, store=before.store)
        return self.judge_step(before)

    def effect(self, before: Any) -> Any:
        if before is None or any(done.op_id == self.op_id for done in before.history):
            return before
        refusal = self.judge(before)
        if refusal is not None and refusal.reason in self.repeats:
            return before
        done = replace(self.describe(before), conflict="" if refusal is None else str(refusal.reason))
        return replace(self.change(before), history=(*before.history, done))

    @property
    def is_of_store(self) -> bool:
        """Whether only the store where the order lies may do this."""
        return True

    def judge_step(self, before: Pickup) -> Refusal | None:
        """Whether this step may follow on what was done before."""
        raise NotImplementedError

    def change(self, before: Pickup) -> Pickup:
        """The order after this step, without its history. An order that has ended is never opened again by it."""
        raise NotImplementedError

    def describe(self, before: Pickup) -> Step:
        """This step as the history tells it."""
        return Step(step=self.step, at=self.at, staff=self.staff, op_id=self.op_id, store=self.store)


def advance(before: Pickup, state: PickupState) -> PickupState:
    """The state further along of the two. A late step neither sets an order back nor opens one that has ended."""
    order = (*WORK, PickupState.READY)
    if before.state not in order:
        return before.state
    return max(before.state, state, key=order.index)


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptPickup(PickupOperation):
    """The store promises to prepare the order."""

    kind: ClassVar[str] = "accept-pickup"
    step: ClassVar[PickupStep] = PickupStep.ACCEPTED
    repeats: ClassVar[frozenset[PickupReason]] = frozenset({PickupReason.ALREADY_ACCEPTED})

    def judge_step(self, before: Pickup) -> Refusal | None:
        if before.state is PickupState.PLACED:
            return None
        return refuse_closed(before) or refuse_repeat(before, PickupReason.ALREADY_ACCEPTED, PickupStep.ACCEPTED)

    def change(self, before: Pickup) -> Pickup:
        return replace(before, state=advance(before, PickupState.ACCEPTED))


@dataclass(frozen=True, slots=True, kw_only=True)
class StartPicking(PickupOperation):
    """Somebody goes to the shelves, so that nobody else does."""

    kind: ClassVar[str] = "start-picking"
    step: ClassVar[PickupStep] = PickupStep.PICKING
    repeats: ClassVar[frozenset[PickupReason]] = frozenset({PickupReason.ALREADY_PICKING})

    def judge_step(self, before: Pickup) -> Refusal | None:
        if before.state is PickupState.ACCEPTED:
            return None
        if before.state is PickupState.PLACED:
            return refuse(before, PickupReason.NOT_ACCEPTED)
        return refuse_closed(before) or refuse_repeat(before, PickupReason.ALREADY_PICKING, PickupStep.PICKING)

    def change(self, before: Pickup) -> Pickup:
        return replace(before, state=advance(before, PickupState.PICKING))


def judge_picking(before: Pickup) -> Refusal | None:
    """Whether lines of this order may be decided now."""
    if before.state is PickupState.PLACED:
        return refuse(before, PickupReason.NOT_ACCEPTED)
    if before.state is PickupState.READY:
        return refuse_repeat(before, PickupReason.ALREADY_READY, PickupStep.READY)
    return refuse_closed(before)


@dataclass(frozen=True, slots=True, kw_only=True)
class PickLine(PickupOperation):
    """Pieces of one line were taken from the shelf, found missing, or replaced by another product of equal value.

    The numbers are what was done now and add to what was done before: a scan per piece works as well as one entry.
    """

    kind: ClassVar[str] = "pick-line"
    step: ClassVar[PickupStep] = PickupStep.LINE_PICKED

    line_no: int
    picked: int = 0
    short: int = 0
    replaced: int = 0
    """Ordered pieces that the substitute stands for."""
    substitute_gtin: str = ""
    substitute_name: dict[str, str] = field(default_factory=dict)
    substitute_quantity: int = 0
    why: RejectReason = RejectReason.NOT_IN_STOCK
    """Why pieces are short or replaced: the shelf learns from it."""
    note: str = ""

    def judge_step(self, before: Pickup) -> Refusal | None:
        line = find_line(before, self.line_no)
        if refusal := judge_picking(before):
            return refusal
        if line is None:
            return refuse(before, PickupReason.NO_SUCH_LINE, line=self.line_no)
        if min(self.picked, self.short, self.replaced, self.substitute_quantity) < 0 or not self.decided:
            return refuse(before, PickupReason.BAD_QUANTITY)
        if not self._is_substitute_sound(line):
            return refuse(before, PickupReason.BAD_SUBSTITUTE)
        if not line.open_quantity:
            return refuse_repeat(before, PickupReason.ALREADY_PICKED, PickupStep.LINE_PICKED, line.no)
        if self.decided > line.open_quantity:
            return refuse(before, PickupReason.MORE_THAN_ORDERED, quantity=self.decided, open=line.open_quantity)
        return None

    def change(self, before: Pickup) -> Pickup:
        lines = tuple(self._decide(line) if line.no == self.line_no else line for line in before.lines)
        return replace(before, lines=lines, state=advance(before, PickupState.PICKING))

    def describe(self, before: Pickup) -> Step:
        return replace(PickupOperation.describe(self, before), line_no=self.line_no, note=self.note)

    @property
    def decided(self) -> int:
        """Ordered pieces that are settled by this."""
        return self.picked + self.short + self.replaced

    def _is_substitute_sound(self, line: Line) -> bool:
        """A substitute is another product, some of it, for some of what was ordered, and one product per line."""
        if not (self.replaced or self.substitute_quantity or self.substitute_gtin):
            return True
        return (
            self.replaced > 0
            and self.substitute_quantity > 0
            and self.substitute_gtin not in ("", line.gtin)
            and line.substitute_gtin in ("", self.substitute_gtin)
        )

    def _decide(self, line: Line) -> Line:
        return replace(
            line,
            picked=line.picked + max(0, self.picked),
            short=line.short + max(0, self.short),
            replaced=line.replaced + max(0, self.replaced),
            substitute_gtin=self.substitute_gtin or line.substitute_gtin,
            substitute_name=self.substitute_name or line.substitute_name,
            substitute_quantity=line.substitute_quantity + max(0, self.substitute_quantity),
            note=self.note or line.note,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class PutBackLine(PickupOperation):
    """A line was decided wrongly: what was taken for it goes back to the shelf, and the line is open again."""

    kind: ClassVar[str] = "put-back-line"
    step: ClassVar[PickupStep] = PickupStep.LINE_PUT_BACK

    line_no: int

    def judge_step(self, before: Pickup) -> Refusal | None:
        line = find_line(before, self.line_no)
        if refusal := judge_picking(before):
            return refusal
        if line is None:
            return refuse(before, PickupReason.NO_SUCH_LINE, line=self.line_no)
        if not line.picked + line.short + line.replaced:
            return refuse(before, PickupReason.NOTHING_TO_RETURN)
        return None

    def change(self, before: Pickup) -> Pickup:
        return replace(before, lines=tuple(_reopen(line) if line.no == self.line_no else line for line in before.lines))

    def describe(self, before: Pickup) -> Step:
        return replace(PickupOperation.describe(self, before), line_no=self.line_no)


def _reopen(line: Line) -> Line:
    """What has left the house stays picked; only what is still here can go back."""
    gone = line.handed_substitute > 0
    return replace(
        line,
        picked=min(line.picked, line.handed),
        short=0,
        replaced=line.replaced if gone else 0,
        substitute_gtin=line.substitute_gtin if gone else "",
        substitute_name=line.substitute_name if gone else {},
        substitute_quantity=min(line.substitute_quantity, line.handed_substitute),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkReady(PickupOperation):
    """The order lies on its shelf and the customer may come. From here on only this store may hand it over."""

    kind: ClassVar[str] = "mark-ready"
    step: ClassVar[PickupStep] = PickupStep.READY
    repeats: ClassVar[frozenset[PickupReason]] = frozenset({PickupReason.ALREADY_READY})

    shelf: str = ""

    def judge_step(self, before: Pickup) -> Refusal | None:
        if refusal := judge_picking(before):
            return refusal
        if undecided := sum(line.open_quantity > 0 for line in before.lines):
            return refuse(before, PickupReason.LINES_OPEN, open=undecided)
        if not before.is_waiting:
            return refuse(before, PickupReason.NOTHING_PICKED)
        return None

    def change(self, before: Pickup) -> Pickup:
        ready_at = before.ready_at or self.at
        return replace(before, state=advance(before, PickupState.READY), ready_at=ready_at, shelf=self.shelf)
