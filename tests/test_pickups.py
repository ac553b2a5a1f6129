"""Web orders to collect: each step once, every second press harmless, nothing handed over twice, no piece lost."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store_agent.domain import pickup_stock
from store_agent.domain.operation import Refusal
from store_agent.domain.pickup_endings import (
    Asker,
    CancelPickup,
    ExpirePickup,
    ExtendHold,
    RejectPickup,
    ReleaseCancelled,
    ReturnToShelf,
)
from store_agent.domain.pickup_handover import HandOver, Pieces, all_waiting
from store_agent.domain.pickup_steps import (
    AcceptPickup,
    MarkReady,
    PickLine,
    PickupOperation,
    PutBackLine,
    StartPicking,
)
from store_agent.domain.pickup_stock import Draft, stock_consequence
from store_agent.domain.pickups import (
    Hold,
    IdentityCheck,
    Line,
    Pickup,
    PickupReason,
    PickupState,
    PickupStep,
    RejectReason,
    Step,
    next_line,
)
from store_agent.domain.stock import MarkShelfEmpty, MoveStock, ReleaseHold, Stock

NOON = datetime(2026, 8, 11, 4, 0, tzinfo=UTC)
TEA, SOAP, OTHER_SOAP = "04710000000013", "04710000000020", "04710000000037"
CLOSING = dict.fromkeys("1234567", "21:30")
PLACED = Pickup(
    id="p1",
    order_no="W-1001",
    store="s1",
    member_id="m1",
    placed_at=NOON,
    total_minor=300,
    lines=(Line(no=1, gtin=TEA, quantity=2, unit_minor=100), Line(no=2, gtin=SOAP, quantity=1, unit_minor=100)),
)


def named(minute: int = 0, staff: str = "amy", store: str = "s1") -> dict[str, Any]:
    at = NOON + timedelta(minutes=minute)
    return {"op_id": f"op-{minute}-{staff}", "at": at, "store": store, "staff": staff, "pickup_id": "p1"}


def accept(minute: int = 1, staff: str = "amy") -> AcceptPickup:
    return AcceptPickup(**named(minute, staff))


def start(minute: int = 2, staff: str = "amy") -> StartPicking:
    return StartPicking(**named(minute, staff))


def pick(line_no: int, picked: int, minute: int = 3, **more: Any) -> PickLine:
    return PickLine(**named(minute), line_no=line_no, picked=picked, **more)


def make_ready(minute: int = 6, staff: str = "amy") -> MarkReady:
    return MarkReady(**named(minute, staff), shelf="B3")


def hand_over(minute: int = 10, staff: str = "ben", store: str = "s1", **more: Any) -> HandOver:
    return HandOver(**named(minute, staff, store), **{"identity": IdentityCheck.CODE, **more})


def reject(
    why: RejectReason = RejectReason.NOT_IN_STOCK, minute: int = 7, line_nos: tuple[int, ...] = ()
) -> RejectPickup:
    return RejectPickup(**named(minute), reason=why, line_nos=line_nos)


def cancel(by: Asker = Asker.SHOP, minute: int = 8) -> CancelPickup:
    store, staff = ("s1", "amy") if by is Asker.STORE else ("", "")
    return CancelPickup(**named(minute, staff, store), asked_by=by)


def release(minute: int = 9) -> ReleaseCancelled:
    return ReleaseCancelled(**named(minute))


def expire(minute: int = 60 * 24 * 9) -> ExpirePickup:
    return ExpirePickup(**named(minute), zone="Asia/Taipei", closing=CLOSING)


def put_away(minute: int = 60 * 24 * 10, pieces: tuple[Pieces, ...] | None = None) -> ReturnToShelf:
    return ReturnToShelf(**named(minute), pieces=pieces)


def extend(days: int = 2, minute: int = 20, cause: str = "") -> ExtendHold:
    return ExtendHold(**named(minute), days=days, cause=cause)


def after(*done: PickupOperation, row: Pickup = PLACED) -> Pickup:
    """The order after these, each of which must be allowed."""
    for operation in done:
        assert operation.judge(row) is None, operation
        row = operation.effect(row)
    return row


def reason(refusal: Refusal | None) -> PickupReason | None:
    return None if refusal is None else PickupReason(refusal.reason)


TO_READY: tuple[PickupOperation, ...] = (accept(), start(), pick(1, 2, 3), pick(2, 1, 4), make_ready())
ACCEPTED, PICKING = after(accept()), after(accept(), start())
READY = after(*TO_READY)
SWAP = pick(2, 0, 4, replaced=1, substitute_gtin=OTHER_SOAP, substitute_quantity=2, note="two small for one large")
TO_READY_WITH_SWAP = (accept(), start(), pick(1, 1, 3, short=1), SWAP, make_ready())
REQUESTED = after(cancel(), row=READY)
HANDED = after(hand_over(), row=READY)
REJECTED, CANCELLED = after(reject()), after(cancel())
EXPIRED = after(expire(), row=READY)
RETURNED = after(put_away(), row=EXPIRED)
ALL = (PLACED, ACCEPTED, PICKING, READY, REQUESTED, HANDED, REJECTED, CANCELLED, EXPIRED, RETURNED)


def test_the_way_of_an_order_from_the_web_to_the_customer() -> None:
    states = []
    row = PLACED
    for operation in (*TO_READY, hand_over()):
        row = after(operation, row=row)
        states.append(row.state)
    assert states == ["accepted", "picking", "picking", "picking", "ready", "handed_over"]
    assert (READY.shelf, READY.ready_at) == ("B3", NOON + timedelta(minutes=6))
    assert row.handed_over_at == NOON + timedelta(minutes=10)
    assert [line.handed for line in row.lines] == [2, 1]
    assert [done.step for done in row.history][-1] is PickupStep.HANDED_OVER
    assert not any(done.conflict for done in row.history)


SECOND_PRESSES: Sequence[tuple[Pickup, PickupOperation, str, str, int]] = [
    (ACCEPTED, accept(30, "ben"), "pickup-already-accepted", "amy", 1),
    (READY, accept(30, "ben"), "pickup-already-accepted", "amy", 1),
    (PICKING, start(30, "ben"), "pickup-already-picking", "amy", 2),
    (READY, make_ready(30, "ben"), "pickup-already-ready", "amy", 6),
    (HANDED, hand_over(30, "chen"), "pickup-already-handed-over", "ben", 10),
    (REJECTED, reject(minute=30), "pickup-already-rejected", "amy", 7),
    (REQUESTED, cancel(minute=30), "pickup-already-cancel-requested", "—", 8),
    (CANCELLED, cancel(minute=30), "pickup-already-cancelled", "—", 8),
    (EXPIRED, expire(60 * 24 * 20), "pickup-already-expired", "amy", 60 * 24 * 9),
    (RETURNED, put_away(60 * 24 * 20), "pickup-already-returned", "amy", 60 * 24 * 10),
]


@pytest.mark.parametrize(("row", "operation", "why", "staff", "minute"), SECOND_PRESSES)
def test_a_second_press_is_harmless_and_says_who_did_it_when(
    row: Pickup, operation: PickupOperation, why: str, staff: str, minute: int
) -> None:
    since_at = NOON + timedelta(minutes=minute)
    assert operation.judge(row) == Refusal(
        PickupReason(why), {"order_no": "W-1001", "staff": staff, "since_at": since_at}
    )
    assert replace(operation.effect(row), history=(), handed_over_at=None) == replace(
        row, history=(), handed_over_at=None
    )


def test_a_second_hand_over_that_happened_all_the_same_is_in_the_history() -> None:
    twice = hand_over(30, "chen").effect(HANDED)
    assert (twice.history[-1].staff, twice.history[-1].conflict) == ("chen", "pickup-already-handed-over")
    assert [line.handed for line in twice.lines] == [2, 1]


@pytest.mark.parametrize(
    ("row", "operation", "expected"),
    [
        (PLACED, start(), PickupReason.NOT_ACCEPTED),
        (PLACED, pick(1, 1), PickupReason.NOT_ACCEPTED),
        (PLACED, make_ready(), PickupReason.NOT_ACCEPTED),
        (PLACED, hand_over(), PickupReason.NOT_READY),
        (PICKING, hand_over(), PickupReason.NOT_READY),
        (PICKING, make_ready(), PickupReason.LINES_OPEN),
        (PICKING, expire(), PickupReason.NOT_READY),
        (PICKING, put_away(), PickupReason.STILL_HELD),
        (PICKING, PutBackLine(**named(), line_no=1), PickupReason.NOTHING_TO_RETURN),
        (READY, put_away(), PickupReason.STILL_HELD),
        (READY, pick(1, 1), PickupReason.ALREADY_READY),
        (READY, release(), PickupReason.NO_CANCEL_REQUEST),
        (READY, expire(minute=60), PickupReason.NOT_EXPIRED),
        (replace(READY, hold=None), expire(), PickupReason.NO_EXPIRY),
        (REQUESTED, hand_over(), PickupReason.CANCEL_REQUESTED),
        (REQUESTED, expire(), PickupReason.CANCEL_REQUESTED),
        (CANCELLED, hand_over(), PickupReason.ALREADY_CANCELLED),
        (CANCELLED, put_away(), PickupReason.NOTHING_TO_RETURN),
        (EXPIRED, hand_over(), PickupReason.ALREADY_EXPIRED),
        (HANDED, cancel(), PickupReason.ALREADY_HANDED_OVER),
        (HANDED, put_away(), PickupReason.ALREADY_HANDED_OVER),
        (HANDED, extend(), PickupReason.ALREADY_HANDED_OVER),
        (READY, hand_over(store="s2"), PickupReason.ELSEWHERE),
        (PLACED, reject(line_nos=(9,)), PickupReason.NO_SUCH_LINE),
        (PICKING, pick(9, 1), PickupReason.NO_SUCH_LINE),
        (PICKING, pick(1, 0), PickupReason.BAD_QUANTITY),
        (PICKING, pick(1, -1), PickupReason.BAD_QUANTITY),
        (PICKING, pick(1, 3), PickupReason.MORE_THAN_ORDERED),
        (after(pick(1, 2), row=PICKING), pick(1, 1, 30), PickupReason.ALREADY_PICKED),
        (PICKING, pick(1, 0, replaced=1), PickupReason.BAD_SUBSTITUTE),
        (PICKING, pick(1, 1, substitute_quantity=1, substitute_gtin=SOAP), PickupReason.BAD_SUBSTITUTE),
        (PICKING, pick(1, 0, replaced=1, substitute_quantity=1, substitute_gtin=TEA), PickupReason.BAD_SUBSTITUTE),
        (READY, hand_over(identity=IdentityCheck.NONE), PickupReason.IDENTITY_UNCHECKED),
        (READY, hand_over(pieces=()), PickupReason.BAD_QUANTITY),
        (READY, hand_over(pieces=(Pieces(line_no=9, quantity=1),)), PickupReason.NO_SUCH_LINE),
        (READY, hand_over(pieces=(Pieces(line_no=1, quantity=3),)), PickupReason.MORE_THAN_WAITING),
        (READY, hand_over(pieces=(Pieces(line_no=1, quantity=2),) * 2), PickupReason.MORE_THAN_WAITING),
        (READY, hand_over(pieces=(Pieces(line_no=2, substitute_quantity=1),)), PickupReason.MORE_THAN_WAITING),
        (replace(READY, paid=False), hand_over(), PickupReason.UNPAID),
        (READY, extend(days=0), PickupReason.BAD_DAYS),
        (READY, extend(days=367), PickupReason.BAD_DAYS),
        (replace(READY, hold=None), extend(), PickupReason.NO_EXPIRY),
    ],
)
def test_a_wrong_order_of_steps_has_its_own_reason(
    row: Pickup, operation: PickupOperation, expected: PickupReason
) -> None:
    refusal = operation.judge(row)
    assert reason(refusal) is expected
    assert refusal is not None
    assert refusal.facts["order_no"] == "W-1001"


def test_an_unknown_order_is_refused_and_stays_unknown() -> None:
    assert reason(hand_over().judge(None)) is PickupReason.UNKNOWN
    assert hand_over().effect(None) is None


def test_pieces_may_be_scanned_one_by_one_and_start_the_picking() -> None:
    row = after(pick(1, 1, 3), pick(1, 1, 4), row=ACCEPTED)
    assert (row.state, row.lines[0].picked, row.lines[0].open_quantity) == (PickupState.PICKING, 2, 0)
    assert next_line(row, SOAP) == row.lines[1]
    assert next_line(row, "04719999999999") is None


def test_of_two_lines_of_one_product_a_scan_goes_to_the_open_one() -> None:
    first, second = Line(no=1, gtin=TEA, quantity=1, picked=1), Line(no=2, gtin=TEA, quantity=1)
    assert next_line(replace(PICKING, lines=(first, second)), TEA) == second
    assert next_line(replace(PICKING, lines=(first,)), TEA) == first


def test_short_and_substituted_lines_are_decided_too() -> None:
    row = after(*TO_READY_WITH_SWAP)
    assert row.state is PickupState.READY
    assert row.lines[1].substitute_gtin == OTHER_SOAP
    handed = after(hand_over(), row=row)
    assert [(line.handed, line.handed_substitute) for line in handed.lines] == [(1, 0), (0, 2)]


def test_an_order_of_which_nothing_was_found_is_not_ready() -> None:
    row = after(pick(1, 0, 3, short=2), pick(2, 0, 4, short=1), row=PICKING)
    assert reason(make_ready().judge(row)) is PickupReason.NOTHING_PICKED


def test_a_line_decided_wrongly_can_be_put_back() -> None:
    row = after(pick(1, 1, 3, short=1), PutBackLine(**named(4), line_no=1), row=PICKING)
    assert row.lines == PLACED.lines


def test_what_is_not_handed_over_stays_ready() -> None:
    part = after(hand_over(pieces=(Pieces(line_no=1, quantity=1),)), row=READY)
    assert part.state is PickupState.READY
    assert all_waiting(part) == (Pieces(line_no=1, quantity=1), Pieces(line_no=2, quantity=1))
    rest = after(hand_over(minute=11, pieces=all_waiting(part)), row=part)
    assert rest.state is PickupState.HANDED_OVER


def test_an_unpaid_order_is_handed_over_once_it_was_paid_here() -> None:
    unpaid = replace(READY, paid=False)
    refusal = hand_over().judge(unpaid)
    assert refusal is not None
    assert (refusal.facts["total_minor"], refusal.facts["currency"]) == (300, "TWD")
    assert after(hand_over(paid_here=True), row=unpaid).paid


def test_somebody_else_must_have_been_named_or_be_approved() -> None:
    named_one = replace(READY, proxy_name="Chan Tai Man")
    comes: dict[str, Any] = {"is_proxy": True, "receiver_name": " chan tai man "}
    assert hand_over(**comes).judge(named_one) is None
    assert reason(hand_over(**comes).judge(READY)) is PickupReason.PROXY_NOT_NAMED
    assert reason(hand_over(is_proxy=True).judge(READY)) is PickupReason.PROXY_NOT_NAMED
    assert hand_over(**comes, approved_by="lead").judge(READY) is None
    assert hand_over(**comes).effect(named_one).receiver_name == " chan tai man "


def test_from_ready_on_a_cancel_is_a_request_until_the_store_releases_the_order() -> None:
    assert (REQUESTED.state, REQUESTED.cancel_requested) == (PickupState.READY, True)
    released = after(release(), row=REQUESTED)
    assert (released.state, released.cancel_requested) == (PickupState.CANCELLED, False)
    assert reason(release(10).judge(released)) is PickupReason.ALREADY_CANCELLED
    assert after(put_away(), row=released).state is PickupState.RETURNED


def test_the_store_itself_cancels_what_lies_on_its_own_shelf() -> None:
    assert after(cancel(Asker.STORE), row=READY).state is PickupState.CANCELLED
    assert after(cancel(Asker.STORE, 9), row=REQUESTED).state is PickupState.CANCELLED
    elsewhere = CancelPickup(**named(store="s2"), asked_by=Asker.STORE)
    assert reason(elsewhere.judge(READY)) is PickupReason.ELSEWHERE
    assert elsewhere.effect(READY).state is PickupState.READY


def test_goods_that_left_the_house_have_left_it_even_if_the_order_was_cancelled() -> None:
    row = CANCELLED
    for operation in (*TO_READY, hand_over()):
        row = operation.effect(row)
    assert row.state is PickupState.HANDED_OVER
    assert [line.handed for line in row.lines] == [2, 1]
    assert row.history[-1].conflict == "pickup-already-cancelled"


def test_a_late_step_does_not_open_an_order_that_has_ended() -> None:
    for operation in TO_READY:
        assert operation.effect(CANCELLED).state is PickupState.CANCELLED
        assert operation.effect(HANDED).state is PickupState.HANDED_OVER
    assert cancel().effect(HANDED).history[-1].conflict == "pickup-already-handed-over"
    assert accept(40).effect(READY).state is PickupState.READY


def test_an_order_expires_at_closing_time_and_not_before() -> None:
    end_at = datetime(2026, 8, 18, 13, 30, tzinfo=UTC)
    operation = expire()
    early = replace(operation, at=end_at - timedelta(seconds=1)).judge(READY)
    assert early == Refusal(PickupReason.NOT_EXPIRED, {"order_no": "W-1001", "expires_at": end_at})
    assert replace(operation, at=end_at).judge(READY) is None


def test_an_extension_keeps_the_order_and_brings_an_expired_one_back() -> None:
    extended = after(extend(days=7), row=READY)
    assert extended.hold == Hold(extra_days=7)
    assert reason(expire().judge(extended)) is PickupReason.NOT_EXPIRED
    assert after(extend(days=7, minute=60 * 24 * 9 + 1), row=EXPIRED).state is PickupState.READY
    assert extend(days=999).effect(READY).hold == Hold(extra_days=366)


def test_one_typhoon_extends_an_order_once() -> None:
    once = after(extend(cause="typhoon"), row=READY)
    refusal = extend(minute=21, cause="typhoon").judge(once)
    assert refusal == Refusal(
        PickupReason.ALREADY_EXTENDED,
        {"order_no": "W-1001", "staff": "amy", "since_at": NOON + timedelta(minutes=20)},
    )
    assert extend(minute=21, cause="typhoon").effect(once) == once
    assert after(extend(minute=22, cause="second typhoon"), row=once).hold == Hold(extra_days=4)


def test_an_order_that_another_system_moved_on_still_says_since_when() -> None:
    refusal = make_ready().judge(replace(READY, history=()))
    assert refusal is not None
    assert refusal.facts == {"order_no": "W-1001", "staff": "—", "since_at": READY.ready_at}


ANY_OPERATION: Sequence[Callable[[int], PickupOperation]] = [
    accept,
    start,
    lambda minute: pick(1, 1, minute),
    lambda minute: pick(1, 1, minute, short=1),
    lambda minute: pick(1, 2, minute),
    lambda minute: pick(2, 1, minute),
    lambda minute: pick(2, 0, minute, short=1, why=RejectReason.DAMAGED),
    lambda minute: pick(2, 0, minute, replaced=1, substitute_gtin=OTHER_SOAP, substitute_quantity=2),
    lambda minute: pick(7, -3, minute, substitute_quantity=-1),
    lambda minute: PutBackLine(**named(minute), line_no=1),
    lambda minute: PutBackLine(**named(minute), line_no=2),
    make_ready,
    hand_over,
    lambda minute: hand_over(minute, pieces=(Pieces(line_no=1, quantity=1),)),
    lambda minute: hand_over(minute, pieces=(Pieces(line_no=2, quantity=-1, substitute_quantity=9),)),
    lambda minute: reject(RejectReason.NOT_IN_STOCK, minute),
    lambda minute: reject(RejectReason.DAMAGED, minute, (2,)),
    lambda minute: cancel(Asker.SHOP, minute),
    lambda minute: cancel(Asker.STORE, minute),
    release,
    expire,
    lambda minute: expire(minute + 60 * 24 * 30),
    put_away,
    lambda minute: put_away(minute, (Pieces(line_no=1, quantity=1),)),
    lambda minute: extend(2, minute),
    lambda minute: extend(-5, minute, "typhoon"),
]

walks = st.lists(st.sampled_from(ANY_OPERATION), max_size=14)


@given(row=st.sampled_from(ALL), walk=walks)
def test_whatever_happened_is_taken_from_any_state_and_once_only(
    row: Pickup, walk: list[Callable[[int], PickupOperation]]
) -> None:
    for minute, make in enumerate(walk, start=100):
        operation = make(minute)
        assert operation.judge(None) is not None
        operation.judge(row)
        was_handed_over = row.state is PickupState.HANDED_OVER
        row = operation.effect(row)
        assert operation.effect(row) == row
        assert not was_handed_over or row.state is PickupState.HANDED_OVER
        assert all(line.waiting >= 0 and line.open_quantity >= 0 for line in row.lines)


def drafts_for(row: Pickup, operation: PickupOperation) -> tuple[Draft, ...]:
    if isinstance(operation, PickLine):
        return pickup_stock.drafts_for_pick(row, operation)
    if isinstance(operation, PutBackLine):
        return pickup_stock.drafts_for_put_back(row, operation)
    if isinstance(operation, RejectPickup):
        return pickup_stock.drafts_for_rejecting(row, operation)
    if isinstance(operation, CancelPickup):
        return pickup_stock.drafts_for_cancelling(row)
    if isinstance(operation, ReturnToShelf):
        return pickup_stock.drafts_for_return(row, operation)
    return ()


def move(shelf: dict[str, Stock], drafts: Sequence[Draft], lost: Counter[str]) -> None:
    for draft in drafts:
        name = {"op_id": "stock", "at": NOON, "store": "s1", "staff": "amy", "reference": "W-1001"}
        operation = draft.operation(**name, **draft.fields)  # type: ignore[arg-type]
        if isinstance(operation, MarkShelfEmpty) and getattr(shelf.get(operation.gtin), "shelf_empty_at", None):
            continue  # What is known to be empty is not marked again (`desk/pickups.py`).
        assert operation.judge(shelf.get(operation.gtin)) is None
        shelf[operation.gtin] = operation.effect(shelf.get(operation.gtin))
        if isinstance(operation, MoveStock) and operation.reason == "adjust_damaged":
            lost[operation.gtin] -= operation.delta


@given(
    first_steps=st.sampled_from((TO_READY, TO_READY_WITH_SWAP)).flatmap(
        lambda steps: st.integers(0, len(steps)).map(lambda count: steps[:count])
    ),
    walk=walks,
)
def test_every_piece_is_on_the_shelf_or_waiting_or_handed_over_or_written_off(
    first_steps: tuple[PickupOperation, ...], walk: list[Callable[[int], PickupOperation]]
) -> None:
    opening = 5
    gtins = (TEA, SOAP, OTHER_SOAP)
    shelf = {gtin: Stock(id=f"s1/{gtin}", store="s1", gtin=gtin, on_hand=opening) for gtin in gtins}
    lost: Counter[str] = Counter()
    move(shelf, pickup_stock.drafts_for_placing(PLACED), lost)
    row = PLACED
    # Some first steps are given, or few walks would ever come as far as ready.
    for operation in (*first_steps, *(make(minute) for minute, make in enumerate(walk, start=100))):
        if operation.judge(row) is None:
            move(shelf, drafts_for(row, operation), lost)
            if isinstance(operation, ReturnToShelf) and operation.pieces is not None:
                back = {piece.line_no: piece for piece in operation.pieces}
                for waiting in all_waiting(row):
                    line = next(line for line in row.lines if line.no == waiting.line_no)
                    returned = back.get(line.no, Pieces(line_no=line.no))
                    lost[line.gtin] += waiting.quantity - returned.quantity
                    lost[line.substitute_gtin] += waiting.substitute_quantity - returned.substitute_quantity
            row = operation.effect(row)
            assert not row.history[-1].conflict
    here: Counter[str] = Counter()
    for line in row.lines:
        is_returned = row.state is PickupState.RETURNED
        here[line.gtin] += line.handed if is_returned else line.picked
        here[line.substitute_gtin] += line.handed_substitute if is_returned else line.substitute_quantity
    ended = (PickupState.REJECTED, PickupState.CANCELLED, PickupState.RETURNED)
    for gtin in gtins:
        promised = sum(line.open_quantity for line in row.lines if line.gtin == gtin)
        assert shelf[gtin].on_hand + here[gtin] + lost[gtin] == opening
        assert shelf[gtin].held == (0 if row.state in ended else promised)


def test_a_reason_decides_what_the_shelf_learns() -> None:
    not_in_stock = pickup_stock.drafts_for_rejecting(PICKING, reject(RejectReason.NOT_IN_STOCK, line_nos=(2,)))
    assert [(draft.operation, draft.fields["gtin"]) for draft in not_in_stock] == [
        (ReleaseHold, TEA),
        (ReleaseHold, SOAP),
        (MarkShelfEmpty, SOAP),
    ]
    damaged = pickup_stock.drafts_for_rejecting(PICKING, reject(RejectReason.DAMAGED, line_nos=(2,)))
    assert damaged[1].fields == {"gtin": SOAP, "delta": -1, "held_delta": -1, "reason": "adjust_damaged"}
    for why in (RejectReason.STORE_CLOSED, RejectReason.OTHER):
        assert not stock_consequence(why).is_shelf_empty
        assert not stock_consequence(why).is_written_off


def test_stock_falls_when_it_is_picked_and_not_when_the_customer_comes() -> None:
    picked = pickup_stock.drafts_for_pick(PICKING, pick(1, 2))
    assert [draft.fields for draft in picked] == [{"gtin": TEA, "delta": -2, "held_delta": -2, "reason": "pick"}]


def test_a_substitute_leaves_its_own_shelf() -> None:
    swap = pick(2, 0, replaced=1, substitute_gtin=OTHER_SOAP, substitute_quantity=2, why=RejectReason.OTHER)
    release_soap, take_other = pickup_stock.drafts_for_pick(PICKING, swap)
    assert release_soap == Draft(operation=ReleaseHold, fields={"gtin": SOAP, "quantity": 1})
    assert take_other.fields == {"gtin": OTHER_SOAP, "delta": -2, "held_delta": 0, "reason": "pick"}


def test_a_substitute_that_nobody_collected_goes_back_to_its_own_shelf() -> None:
    row = after(expire(), row=after(*TO_READY_WITH_SWAP))
    back = pickup_stock.drafts_for_return(row, put_away())
    assert [(draft.fields["gtin"], draft.fields["delta"]) for draft in back] == [(TEA, 1), (OTHER_SOAP, 2)]
    damaged = pickup_stock.drafts_for_return(row, put_away(pieces=(Pieces(line_no=1, quantity=1),)))
    assert [draft.fields["gtin"] for draft in damaged] == [TEA]


def test_a_line_put_back_is_promised_again() -> None:
    row = after(SWAP, row=PICKING)
    other, soap = pickup_stock.drafts_for_put_back(row, PutBackLine(**named(5), line_no=2))
    assert (other.fields["gtin"], other.fields["delta"]) == (OTHER_SOAP, 2)
    assert soap.fields == {"gtin": SOAP, "quantity": 1}


def test_nothing_waits_in_an_order_that_is_back_on_the_shelf() -> None:
    assert EXPIRED.is_waiting
    assert not RETURNED.is_waiting
    assert all_waiting(RETURNED) == ()
    assert pickup_stock.drafts_for_return(RETURNED, put_away()) == ()


def test_history_tells_each_step_with_its_line() -> None:
    assert READY.history[2] == Step(
        step=PickupStep.LINE_PICKED,
        at=NOON + timedelta(minutes=3),
        staff="amy",
        op_id="op-3-amy",
        store="s1",
        line_no=1,
    )
