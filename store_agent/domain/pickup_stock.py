"""What a step of an order does to the shelf: which stock operations go with it, in the same group.

Goods leave the stock when they are picked, not when the customer comes. These are drafts: the desk that appends the
step names each of them (id, time, staff, store, group).
"""

from __future__ import annotations

from dataclasses import dataclass, field

from store_agent.domain.pickup_endings import RejectPickup, ReturnToShelf
from store_agent.domain.pickup_handover import Pieces, all_waiting
from store_agent.domain.pickup_steps import PickLine, PutBackLine
from store_agent.domain.pickups import Line, Pickup, RejectReason, find_line
from store_agent.domain.stock import HoldStock, MarkShelfEmpty, MoveReason, MoveStock, ReleaseHold, StockOperation


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A stock operation without its name: `draft.operation(**draft.fields, reference=…, op_id=…, …)`."""

    operation: type[StockOperation]
    fields: dict[str, str | int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class StockConsequence:
    """What the shelf learns when ordered pieces are not given."""

    is_shelf_empty: bool = False
    is_written_off: bool = False


def stock_consequence(reason: RejectReason) -> StockConsequence:
    """What a reason says about the pieces that were not picked; whatever the reason, they are promised no longer."""
    return StockConsequence(
        is_shelf_empty=reason is RejectReason.NOT_IN_STOCK, is_written_off=reason is RejectReason.DAMAGED
    )


def drafts_for_placing(pickup: Pickup) -> tuple[Draft, ...]:
    """A new order: its pieces are promised."""
    return tuple(
        Draft(operation=HoldStock, fields={"gtin": line.gtin, "quantity": line.quantity})
        for line in pickup.lines
        if line.quantity > 0
    )


def drafts_for_pick(before: Pickup, picking: PickLine) -> tuple[Draft, ...]:
    """Picked pieces go and are promised no longer; what is short or replaced follows its reason."""
    line = find_line(before, picking.line_no)
    if line is None:
        return ()
    drafts: tuple[Draft, ...] = ()
    if picking.picked:
        drafts += (_move(line.gtin, -picking.picked, MoveReason.PICK, held_delta=-picking.picked),)
    if missing := picking.short + picking.replaced:
        drafts += _not_given(line.gtin, missing, stock_consequence(picking.why))
    if picking.substitute_quantity:
        drafts += (_move(picking.substitute_gtin, -picking.substitute_quantity, MoveReason.PICK),)
    return drafts


def drafts_for_put_back(before: Pickup, putting_back: PutBackLine) -> tuple[Draft, ...]:
    """What was picked for the line is back and promised again. An empty or written-off shelf is not made good by it."""
    line = find_line(before, putting_back.line_no)
    if line is None:
        return ()
    drafts: tuple[Draft, ...] = ()
    if line.waiting:
        drafts += (_move(line.gtin, line.waiting, MoveReason.BACK_TO_SHELF, held_delta=line.waiting),)
    if line.waiting_substitute:
        drafts += (_move(line.substitute_gtin, line.waiting_substitute, MoveReason.BACK_TO_SHELF),)
    if promised := line.short + (0 if line.handed_substitute else line.replaced):
        drafts += (Draft(operation=HoldStock, fields={"gtin": line.gtin, "quantity": promised}),)
    return drafts


def drafts_for_rejecting(before: Pickup, rejecting: RejectPickup) -> tuple[Draft, ...]:
    """Pieces not picked yet are promised no longer; of the lines that the reason is about, the shelf learns more.

    Pieces already picked are not touched: they wait for `ReturnToShelf`.
    """
    drafts: tuple[Draft, ...] = ()
    for line in before.lines:
        is_meant = not rejecting.line_nos or line.no in rejecting.line_nos
        consequence = stock_consequence(rejecting.reason) if is_meant else StockConsequence()
        drafts += _not_given(line.gtin, line.open_quantity, consequence)
    return drafts


def drafts_for_cancelling(before: Pickup) -> tuple[Draft, ...]:
    """A cancelled order: what was not picked yet is promised no longer."""
    return tuple(draft for line in before.lines for draft in _not_given(line.gtin, line.open_quantity))


def drafts_for_return(before: Pickup, returning: ReturnToShelf) -> tuple[Draft, ...]:
    """What was picked and never collected is on the shelf again."""
    pieces = all_waiting(before) if returning.pieces is None else returning.pieces
    return tuple(draft for piece in pieces for draft in _put_on_shelf(find_line(before, piece.line_no), piece))


def _put_on_shelf(line: Line | None, piece: Pieces) -> tuple[Draft, ...]:
    if line is None:
        return ()
    pairs = ((line.gtin, piece.quantity), (line.substitute_gtin, piece.substitute_quantity))
    return tuple(_move(gtin, quantity, MoveReason.BACK_TO_SHELF) for gtin, quantity in pairs if gtin and quantity)


def _not_given(gtin: str, quantity: int, consequence: StockConsequence = StockConsequence()) -> tuple[Draft, ...]:
    """So many promised pieces will not be given. Nothing promised, nothing learned."""
    if quantity <= 0:
        return ()
    if consequence.is_written_off:
        return (_move(gtin, -quantity, MoveReason.ADJUST_DAMAGED, held_delta=-quantity),)
    release = Draft(operation=ReleaseHold, fields={"gtin": gtin, "quantity": quantity})
    if consequence.is_shelf_empty:
        return (release, Draft(operation=MarkShelfEmpty, fields={"gtin": gtin}))
    return (release,)


def _move(gtin: str, delta: int, reason: MoveReason, held_delta: int = 0) -> Draft:
    fields: dict[str, str | int] = {"gtin": gtin, "delta": delta, "held_delta": held_delta, "reason": reason}
    return Draft(operation=MoveStock, fields=fields)
