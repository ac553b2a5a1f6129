"""What the sample's stores have done by themselves, at their real desks: orders on their way, tags, past purchases.

Everything is asked for as a person would; what was done before is refused there, so that once more changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from store_agent.demo.sample import products as known
from store_agent.demo.sample.orders import COURSES, Course, order_no
from store_agent.demo.sample.stories import PEOPLE, Person
from store_agent.desk import pickups, tags
from store_agent.desk.counter import Counter
from store_agent.domain.members import Member
from store_agent.domain.operation import Refusal
from store_agent.domain.pickups import IdentityCheck, Pickup, PickupState, RejectReason
from store_agent.domain.products import Product
from store_agent.domain.purchases import PurchaseLine, RecordPurchase

PAST: tuple[tuple[int, tuple[tuple[str, int], ...]], ...] = (
    (93, ((known.CREAM, 1), (known.LOTION, 1))),
    (41, ((known.LATTE, 2), (known.CHIPS, 3))),
    (12, ((known.MASK, 1), (known.BISCUITS, 2), (known.SOAP, 1))),
)
"""Days ago, and what was bought then."""
SHELF = "P3"


def progress(counter: Counter) -> list[Refusal]:
    """Bring a store that has just got its first rows to the middle of a working day; returns what was refused: nothing."""
    refused: list[Refusal] = []
    for course in COURSES:
        order: Pickup | None = pickups.find(counter, order_no(counter.store_id, course))
        # Only what nobody has touched: someone may have begun to work with the sample.
        if order is not None and order.state is PickupState.PLACED:
            refused += [refusal for refusal in _move(counter, order, course) if refusal]
    for person in PEOPLE:
        if person.home_store == counter.store_id:
            _remember(counter, person)
    return refused


def _move(counter: Counter, order: Pickup, course: Course) -> Iterator[Refusal | None]:
    if course in (Course.PLACED, Course.PLACED_UNPAID, Course.PLACED_FOR_PROXY):
        return
    if course is Course.REJECTED:
        yield pickups.reject(counter, order.id, RejectReason.DAMAGED)
        return
    yield pickups.accept(counter, order.id)
    if course is Course.ACCEPTED:
        return
    yield pickups.start_picking(counter, order.id)
    yield from _pick(counter, order, course)
    if course is Course.PICKING:
        return
    yield pickups.mark_ready(counter, order.id, SHELF)
    if course is Course.HANDED_OVER:
        yield pickups.hand_over(counter, order.id, IdentityCheck.CODE)
    if course in (Course.EXPIRED, Course.RETURNED):
        yield pickups.expire(counter, order.id)
    if course is Course.RETURNED:
        yield pickups.return_to_shelf(counter, order.id)


def _pick(counter: Counter, order: Pickup, course: Course) -> Iterator[Refusal | None]:
    """All of it; or one line short, one replaced, and while it is being picked the last one still open."""
    has_gaps = course in (Course.PICKING, Course.READY_IN_PART)
    for place, line in enumerate(order.lines):
        if has_gaps and place == 0:
            yield pickups.pick(counter, order.id, line.no, picked=line.quantity - 1, short=1)
        elif has_gaps and place == 1:
            yield _replace(counter, order, line.no, line.quantity)
        elif course is not Course.PICKING or place < len(order.lines) - 1:
            yield pickups.pick(counter, order.id, line.no, picked=line.quantity)


def _replace(counter: Counter, order: Pickup, line_no: int, quantity: int) -> Refusal | None:
    other: Product | None = counter.replica.view.get("product", known.BISCUITS)
    return pickups.pick(
        counter,
        order.id,
        line_no,
        replaced=quantity,
        substitute_gtin=known.BISCUITS,
        substitute_name=other.name if other else {},
        substitute_quantity=quantity,
        note="已電話告知",
    )


def _remember(counter: Counter, person: Person) -> None:
    """What staff know of somebody, and what they bought here before there was a Store Agent."""
    member: Member | None = counter.replica.view.get("member", person.id)
    if member is None:
        return
    for word in person.tags:
        tags.add(counter, person.id, word)
    if not person.has_bought:
        return
    for place, (days, wanted) in enumerate(PAST):
        _record(counter, person, place, days, wanted)


def _record(counter: Counter, person: Person, place: int, days: int, wanted: tuple[tuple[str, int], ...]) -> None:
    lines: list[PurchaseLine] = []
    for gtin, quantity in wanted:
        product: Product | None = counter.replica.view.get("product", gtin)
        if product is not None:
            lines.append(PurchaseLine(gtin, product.name["zh-TW"], quantity, product.price_minor["TWD"]))
    total_minor = sum(line.quantity * line.unit_minor for line in lines)
    named = counter.named() | {"at": counter.now() - timedelta(days=days + person.number)}
    purchase_id = f"{person.id}-before-{place}"
    counter.accept(
        RecordPurchase(
            **named,
            purchase_id=purchase_id,
            member_id=person.id,
            currency="TWD",
            total_minor=total_minor,
            paid_minor=total_minor,
            lines=tuple(lines),
        )
    )
