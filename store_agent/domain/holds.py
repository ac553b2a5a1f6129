"""Until when an order is held: two clocks (from order, from ready), by hours or to closing time of the last day.

Only time lives here; what happens to an order whose time is up is an operation (`ExpirePickup`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from store_agent.domain.pickups import HoldClock, HoldUnit, Pickup

WEEKDAYS = "1234567"
"""The keys of closing times: ISO weekday numbers, Monday first. A day that is not named is closed."""

CLOSING = re.compile(r"([0-3][0-9]):([0-5][0-9])")


def check_hours(zone: str, closing: Mapping[str, str]) -> None:
    """ValueError if there is no such zone, or a closing time is not ISO weekday to "HH:MM".

    Hours above 24 are the small hours of the next morning ("26:00" is 02:00), as opening hours are written in Taiwan.
    """
    try:
        ZoneInfo(zone)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"unknown time zone {zone!r}") from error
    for weekday, closes in closing.items():
        if weekday not in tuple(WEEKDAYS) or not CLOSING.fullmatch(closes):
            raise ValueError(f'closing times are like 1 = "21:30" (Monday), not {weekday} = {closes!r}')


def expires_at(pickup: Pickup, zone: str, closing: Mapping[str, str]) -> datetime | None:
    """The moment (UTC) from which an order need no longer be kept; None if it never comes or cannot be known yet.

    `closing` is ISO weekday to closing time in the store's zone; with no hours at all a day ends at midnight.
    """
    hold = pickup.hold
    if hold is None:
        return None
    start_at = pickup.placed_at if hold.clock is HoldClock.ORDER else pickup.ready_at
    if start_at is None:
        return None
    here = ZoneInfo(zone)
    try:
        if hold.unit is HoldUnit.HOURS:
            # Hours run through a change of the clocks; added days keep the time of day that the customer was told.
            end = (start_at.astimezone(UTC) + timedelta(hours=hold.amount)).astimezone(here)
            if not hold.extra_days:
                return end.astimezone(UTC)
            return _in_utc((end + timedelta(days=hold.extra_days)).replace(tzinfo=None), here)
        last_day = start_at.astimezone(here).date() + timedelta(days=hold.amount + hold.extra_days)
        return _closing_from(last_day, start_at, here, closing)
    except OverflowError:  # A moment at the end of the calendar: as good as never.
        return None


def _closing_from(day: date, start_at: datetime, here: ZoneInfo, closing: Mapping[str, str]) -> datetime | None:
    """Closing time of `day`, or of the next open day: nobody can collect from a closed store, or before the start."""
    for _ in range(2 * len(WEEKDAYS)):
        closes = closing.get(str(day.isoweekday()), "" if closing else "24:00")
        if closes:
            hour, minute = closes.split(":")
            end = datetime.combine(day, time()) + timedelta(hours=int(hour), minutes=int(minute))
            end_at = _in_utc(end, here)
            if end_at > start_at:
                return end_at
        day += timedelta(days=1)
    return None


def _in_utc(local: datetime, here: ZoneInfo) -> datetime:
    """A wall-clock time as UTC. Where the clocks make it happen twice or never, the later: in the customer's favour."""
    return max(local.replace(tzinfo=here, fold=fold).astimezone(UTC) for fold in (0, 1))
