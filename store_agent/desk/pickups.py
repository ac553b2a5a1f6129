"""Web orders at this store: the board, and every step from accepting to handing over or putting back."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from store_agent.desk import proofs
from store_agent.desk.counter import Counter
from store_agent.domain import holds
from store_agent.domain.operation import Operation, Refusal
from store_agent.domain.pickup_endings import (
    Asker,
    CancelPickup,
    ExpirePickup,
    ExtendHold,
    RejectPickup,
    ReleaseCancelled,
    ReturnToShelf,
)
from store_agent.domain.pickup_handover import HandOver, Pieces
from store_agent.domain.pickup_steps import AcceptPickup, MarkReady, PickLine, PutBackLine, StartPicking
from store_agent.domain.pickup_stock import (
    Draft,
    drafts_for_cancelling,
    drafts_for_pick,
    drafts_for_put_back,
    drafts_for_rejecting,
    drafts_for_return,
)
from store_agent.domain.pickups import WORK, IdentityCheck, Pickup, PickupState, RejectReason
from store_agent.domain.proofs import ShownCode
from store_agent.domain.stock import MarkShelfEmpty, Stock, stock_id

OPEN = (PickupState.READY, PickupState.EXPIRED, *WORK)


def board(counter: Counter) -> list[Pickup]:
    """Orders with something left to do here, the earliest promise first."""
    found: list[Pickup] = []
    view = counter.replica.view
    with view.moment():
        for state in OPEN:
            found += view.find("pickup", "state", str(state))
    return sorted(found, key=lambda order: (order.promised_at or order.placed_at, order.id))


def of_member(counter: Counter, member_id: str) -> list[Pickup]:
    """A member's orders at this store that are not over, those that lie ready first."""
    orders: list[Pickup] = counter.replica.view.of_member("pickup", member_id)
    open_ones = [order for order in orders if order.state in OPEN]
    return sorted(open_ones, key=lambda order: (OPEN.index(order.state), order.placed_at, order.id))


def find(counter: Counter, text: str) -> Pickup | None:
    """An order by its pickup code or its order number."""
    view = counter.replica.view
    with view.moment():
        found = view.find("pickup", "code", text) or view.find("pickup", "order_no", text)
        return found[0] if found else None


def expires_at(counter: Counter, pickup: Pickup) -> datetime | None:
    """Until when the order is kept, by its own rule and this store's closing times."""
    return holds.expires_at(pickup, counter.store.zone, counter.store.closing)


def accept(counter: Counter, pickup_id: str) -> Refusal | None:
    """Promise to prepare the order."""
    return counter.accept(AcceptPickup(**counter.named(), pickup_id=pickup_id))


def start_picking(counter: Counter, pickup_id: str) -> Refusal | None:
    """Go to the shelves."""
    return counter.accept(StartPicking(**counter.named(), pickup_id=pickup_id))


def pick(counter: Counter, pickup_id: str, line_no: int, **what: Any) -> Refusal | None:
    """Take pieces of a line (`picked`), or say that they are short or replaced; the shelf follows."""
    group = counter.ids.new()
    step = PickLine(**counter.named(group), pickup_id=pickup_id, line_no=line_no, **what)
    return _with_stock(counter, step, lambda before: drafts_for_pick(before, step))


def put_back(counter: Counter, pickup_id: str, line_no: int) -> Refusal | None:
    """Undo what was decided on a line."""
    step = PutBackLine(**counter.named(counter.ids.new()), pickup_id=pickup_id, line_no=line_no)
    return _with_stock(counter, step, lambda before: drafts_for_put_back(before, step))


def mark_ready(counter: Counter, pickup_id: str, shelf: str = "") -> Refusal | None:
    """It lies on its shelf; the customer may come."""
    return counter.accept(MarkReady(**counter.named(), pickup_id=pickup_id, shelf=shelf))


def hand_over(
    counter: Counter,
    pickup_id: str,
    identity: IdentityCheck,
    *,
    receiver_name: str = "",
    is_proxy: bool = False,
    pieces: tuple[Pieces, ...] | None = None,
    paid_here: bool = False,
    shown: ShownCode | None = None,
) -> Refusal | None:
    """Give the order, or some pieces of it, to the customer or whom they named. `shown` is the order's signed code."""
    # What is left of an order is collected with the same code, so it is used up with the last piece only.
    used = proofs.use_up(counter, [shown], pickup_id) if shown and pieces is None else []
    return counter.accept(
        HandOver(
            **counter.named(pickup_id if used else ""),
            pickup_id=pickup_id,
            identity=identity,
            receiver_name=receiver_name,
            is_proxy=is_proxy,
            pieces=pieces,
            paid_here=paid_here,
        ),
        *used,
    )


def reject(counter: Counter, pickup_id: str, reason: RejectReason, note: str = "") -> Refusal | None:
    """The store cannot give it; the reason decides what the shelf learns."""
    step = RejectPickup(**counter.named(counter.ids.new()), pickup_id=pickup_id, reason=reason, note=note)
    return _with_stock(counter, step, lambda before: drafts_for_rejecting(before, step))


def cancel(counter: Counter, pickup_id: str, note: str = "") -> Refusal | None:
    """The customer stands here and does not want it any more."""
    named = counter.named(counter.ids.new())
    step = CancelPickup(**named, pickup_id=pickup_id, asked_by=Asker.STORE, note=note)

    def drafts(before: Pickup) -> tuple[Draft, ...]:
        after = step.effect(before)
        return drafts_for_cancelling(before) if after.state is PickupState.CANCELLED else ()

    return _with_stock(counter, step, drafts)


def release_cancelled(counter: Counter, pickup_id: str) -> Refusal | None:
    """Agree to a cancellation that was asked for while the order lay ready."""
    step = ReleaseCancelled(**counter.named(counter.ids.new()), pickup_id=pickup_id)
    return _with_stock(counter, step, drafts_for_cancelling)


def expire(counter: Counter, pickup_id: str) -> Refusal | None:
    """Nobody came while it was held."""
    store = counter.store
    return counter.accept(ExpirePickup(**counter.named(), pickup_id=pickup_id, zone=store.zone, closing=store.closing))


def return_to_shelf(counter: Counter, pickup_id: str) -> Refusal | None:
    """Put what was never collected back among the goods for sale."""
    step = ReturnToShelf(**counter.named(counter.ids.new()), pickup_id=pickup_id)
    return _with_stock(counter, step, lambda before: drafts_for_return(before, step))


def extend_hold(counter: Counter, pickup_id: str, days: int) -> Refusal | None:
    """Keep it for some days more."""
    return counter.accept(ExtendHold(**counter.named(), pickup_id=pickup_id, days=days))


def _with_stock(counter: Counter, step: Operation, drafts: Callable[[Pickup], tuple[Draft, ...]]) -> Refusal | None:
    """A step together with what it does to the shelf, all or nothing."""

    def together() -> list[Operation]:
        before: Pickup | None = counter.replica.view.get(step.table, step.subject)
        moves: list[Operation] = []
        for draft in drafts(before) if before else ():
            if draft.operation is MarkShelfEmpty and _is_known_empty(counter, str(draft.fields["gtin"])):
                continue
            fields = counter.named(step.group) | draft.fields
            moves.append(draft.operation(**fields, reference=before.order_no if before else ""))
        return [step, *moves]

    return counter.accept_drafted(together)


def _is_known_empty(counter: Counter, gtin: str) -> bool:
    """A shelf that somebody has already found empty need not be found so again: that would refuse the whole step."""
    row: Stock | None = counter.replica.view.get(Stock.table, stock_id(counter.store_id, gtin))
    return row is not None and row.shelf_empty_at is not None
