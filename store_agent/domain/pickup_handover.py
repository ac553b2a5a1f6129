"""The moment at the counter: which pieces of an order go to whom, in whole or in part."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import ClassVar

from store_agent.domain.operation import Refusal
from store_agent.domain.pickup_steps import PickupOperation
from store_agent.domain.pickups import (
    WORK,
    IdentityCheck,
    Line,
    Pickup,
    PickupReason,
    PickupState,
    PickupStep,
    find_line,
    refuse,
    refuse_closed,
    refuse_repeat,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Pieces:
    """So many pieces of one line, of the product ordered and of its substitute."""

    line_no: int
    quantity: int = 0
    substitute_quantity: int = 0


def all_waiting(pickup: Pickup) -> tuple[Pieces, ...]:
    """Everything of an order that is still here."""
    if not pickup.is_waiting:
        return ()
    return tuple(
        Pieces(line_no=line.no, quantity=line.waiting, substitute_quantity=line.waiting_substitute)
        for line in pickup.lines
        if line.waiting or line.waiting_substitute
    )


def judge_pieces(before: Pickup, pieces: tuple[Pieces, ...]) -> Refusal | None:
    """Whether these pieces are all here. A line that is named twice is counted twice."""
    named: dict[int, Pieces] = {}
    for piece in pieces:
        if min(piece.quantity, piece.substitute_quantity) < 0:
            return refuse(before, PickupReason.BAD_QUANTITY)
        so_far = named.get(piece.line_no, Pieces(line_no=piece.line_no))
        named[piece.line_no] = Pieces(
            line_no=piece.line_no,
            quantity=so_far.quantity + piece.quantity,
            substitute_quantity=so_far.substitute_quantity + piece.substitute_quantity,
        )
    for no, total in named.items():
        line = find_line(before, no)
        if line is None:
            return refuse(before, PickupReason.NO_SUCH_LINE, line=no)
        if total.quantity > line.waiting:
            return refuse(before, PickupReason.MORE_THAN_WAITING, quantity=total.quantity, waiting=line.waiting)
        if total.substitute_quantity > line.waiting_substitute:
            facts = {"quantity": total.substitute_quantity, "waiting": line.waiting_substitute}
            return refuse(before, PickupReason.MORE_THAN_WAITING, **facts)
    return None


@dataclass(frozen=True, slots=True, kw_only=True)
class HandOver(PickupOperation):
    """The customer, or the person whom the customer named, got the order or a part of it.

    What is not handed over stays ready. The time of a hand-over starts a legal clock (returns), so it is kept.
    """

    kind: ClassVar[str] = "hand-over"
    step: ClassVar[PickupStep] = PickupStep.HANDED_OVER

    pieces: tuple[Pieces, ...] | None = None
    """None: all that is waiting."""
    identity: IdentityCheck
    receiver_name: str = ""
    is_proxy: bool = False
    """Somebody else than the customer collects it."""
    paid_here: bool = False
    """It was paid at the till just now."""

    def judge_step(self, before: Pickup) -> Refusal | None:
        if refusal := refuse_closed(before):
            return refusal
        if before.cancel_requested:
            return refuse_repeat(before, PickupReason.CANCEL_REQUESTED, PickupStep.CANCEL_REQUESTED)
        if before.state is not PickupState.READY:
            return refuse(before, PickupReason.NOT_READY)
        pieces = all_waiting(before) if self.pieces is None else self.pieces
        if not any(piece.quantity or piece.substitute_quantity for piece in pieces):
            return refuse(before, PickupReason.BAD_QUANTITY)
        if refusal := judge_pieces(before, pieces):
            return refusal
        if not (before.paid or self.paid_here):
            return refuse(before, PickupReason.UNPAID, total_minor=before.total_minor, currency=before.currency)
        return self._judge_receiver(before)

    def change(self, before: Pickup) -> Pickup:
        after = replace(
            before,
            lines=self._hand(before),
            handed_over_at=self.at,
            paid=before.paid or self.paid_here,
            receiver_name=self.receiver_name or before.receiver_name,
            identity=self.identity,
        )
        # Goods that left the house have left it: even an order that was cancelled has then been handed over.
        is_partial = self.pieces is not None and any(map(_is_outstanding, after.lines))
        stays = before.state in (*WORK, PickupState.READY, PickupState.EXPIRED)
        return after if is_partial and stays else replace(after, state=PickupState.HANDED_OVER)

    def _judge_receiver(self, before: Pickup) -> Refusal | None:
        if self.identity is IdentityCheck.NONE:
            return refuse(before, PickupReason.IDENTITY_UNCHECKED)
        if not self.is_proxy or self.approved_by:
            return None
        named, came = before.proxy_name.strip().casefold(), self.receiver_name.strip().casefold()
        if named and named == came:
            return None
        return refuse(before, PickupReason.PROXY_NOT_NAMED, receiver=self.receiver_name)

    def _hand(self, before: Pickup) -> tuple[Line, ...]:
        lines = {line.no: line for line in before.lines}
        for piece in all_waiting(before) if self.pieces is None else self.pieces:
            if line := lines.get(piece.line_no):
                lines[line.no] = replace(
                    line,
                    handed=line.handed + max(0, piece.quantity),
                    handed_substitute=line.handed_substitute + max(0, piece.substitute_quantity),
                )
        return tuple(lines.get(line.no, line) for line in before.lines)


def _is_outstanding(line: Line) -> bool:
    """Whether the customer is still to get something of this line."""
    return line.quantity - line.short - line.replaced > line.handed or line.waiting_substitute > 0
