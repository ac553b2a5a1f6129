"""The sample's web orders: for each store one of every course that an order can take, for the stories' people first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from store_agent.demo.sample.numbers import pickup_code
from store_agent.demo.sample.products import (
    AMERICANO,
    BISCUITS,
    CHIPS,
    CREAM,
    DRINK,
    GIFT_CARD,
    LATTE,
    MASK,
    OTHER_DRINK,
    OTHER_SNACK,
    SNACK,
    SOAP,
    TUMBLER,
)
from store_agent.demo.sample.shops import STORES, TAIPEI
from store_agent.demo.sample.stories import CHEUNG, CONAN, LEE, LIN, WANG, WONG
from store_agent.domain.pickups import Hold, HoldClock, HoldUnit


class Course(StrEnum):
    """How far an order of the sample is brought, by its customer or its store (`progress.py`), in the order of the numbers."""

    READY = "ready"
    READY_UNPAID = "ready-unpaid"
    READY_IN_PART = "ready-in-part"
    PLACED = "placed"
    PLACED_UNPAID = "placed-unpaid"
    PLACED_FOR_PROXY = "placed-for-proxy"
    ACCEPTED = "accepted"
    PICKING = "picking"
    HANDED_OVER = "handed-over"
    REJECTED = "rejected"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    RETURNED = "returned"


COURSES = tuple(Course)
AT_ONCE = Hold(clock=HoldClock.ORDER, unit=HoldUnit.HOURS, amount=0)
"""Nobody waits for a week in a demo: such an order may be expired as soon as it is ready."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WebOrder:
    """An order as the web shop sends it."""

    order_no: str
    store: str
    member_id: str
    code: str
    lines: tuple[tuple[str, int], ...]
    """GTIN and quantity."""
    placed_at: datetime
    promised_at: datetime
    paid: bool = True
    proxy_name: str = ""
    is_cancelled: bool = False
    """The customer thought better of it before the store had begun."""
    hold: Hold | None = None
    """None: as the chain usually keeps an order."""


_BASKETS: dict[Course, tuple[tuple[str, int], ...]] = {
    Course.READY: ((CREAM, 1), (MASK, 2)),
    Course.READY_UNPAID: ((CHIPS, 3), (BISCUITS, 1)),
    Course.READY_IN_PART: ((DRINK, 2), (SNACK, 1), (TUMBLER, 1)),
    Course.PLACED: ((LATTE, 2),),
    Course.PLACED_UNPAID: ((SOAP, 4), (CHIPS, 2)),
    Course.PLACED_FOR_PROXY: ((TUMBLER, 1),),
    Course.ACCEPTED: ((AMERICANO, 1), (LATTE, 1)),
    Course.PICKING: ((OTHER_DRINK, 2), (OTHER_SNACK, 2), (MASK, 1), (SOAP, 1)),
    Course.HANDED_OVER: ((BISCUITS, 2),),
    Course.REJECTED: ((TUMBLER, 2),),
    Course.CANCELLED: ((MASK, 1), (GIFT_CARD, 1)),
    Course.EXPIRED: ((SOAP, 1),),
    Course.RETURNED: ((CHIPS, 1), (BISCUITS, 1)),
}
_TAIPEI = (WANG, CHEUNG, CONAN)
_TAICHUNG = (LEE, WONG, LIN)


def order_no(store: str, course: Course) -> str:
    """The number of the store's order of that course, as the customer knows it."""
    return f"W2026-{STORES.index(store) * 100 + COURSES.index(course) + 101}"


def order_code(store: str, course: Course) -> str:
    """What the customer shows to collect it."""
    return pickup_code(STORES.index(store) * 100 + COURSES.index(course) + 101)


def make_orders(now: datetime) -> Iterator[WebOrder]:
    """All of them, as they were placed."""
    for store in STORES:
        people = _TAIPEI if store == TAIPEI else _TAICHUNG
        for place, course in enumerate(COURSES):
            ends_unseen = course in (Course.EXPIRED, Course.RETURNED)
            yield WebOrder(
                order_no=order_no(store, course),
                store=store,
                member_id=people[place % len(people)].id,
                code=order_code(store, course),
                lines=_BASKETS[course],
                placed_at=now - timedelta(hours=6, minutes=-20 * place),
                promised_at=now + timedelta(minutes=30 + 15 * place),
                paid="unpaid" not in course,
                proxy_name="王大華" if course is Course.PLACED_FOR_PROXY else "",
                is_cancelled=course is Course.CANCELLED,
                hold=AT_ONCE if ends_unseen else None,
            )
