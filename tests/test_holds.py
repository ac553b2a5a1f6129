"""How long an order is kept: the vectors of real chains, both clocks, and the days on which the clocks change."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store_agent.domain.holds import check_hours, expires_at
from store_agent.domain.pickups import Hold, HoldClock, HoldUnit, Pickup

TAIPEI = "Asia/Taipei"
NEW_YORK = "America/New_York"
EVERY_DAY = dict.fromkeys("1234567", "21:30")
FIVE_DAYS_FROM_ORDER = Hold(clock=HoldClock.ORDER, unit=HoldUnit.DAYS, amount=5)


def local(text: str, zone: str = TAIPEI) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZoneInfo(zone)).astimezone(UTC)


def order(placed_at: datetime, hold: Hold | None, ready_at: datetime | None = None) -> Pickup:
    return Pickup(id="p1", order_no="A1", store="s1", placed_at=placed_at, ready_at=ready_at, hold=hold)


@pytest.mark.parametrize("hour", ["10:00", "19:00"])
def test_five_full_days_after_the_order_day_until_closing_time(hour: str) -> None:
    """Tuesday morning or evening: until Sunday's closing time (the rule of one large cosmetics chain)."""
    closing = {**EVERY_DAY, "7": "20:00"}
    placed_at = local(f"2026-08-11T{hour}")
    assert expires_at(order(placed_at, FIVE_DAYS_FROM_ORDER), TAIPEI, closing) == local("2026-08-16T20:00")


def test_hours_run_from_ready() -> None:
    hold = Hold(clock=HoldClock.READY, unit=HoldUnit.HOURS, amount=72)
    ready_at = local("2026-08-11T15:20")
    assert expires_at(order(local("2026-08-10T09:00"), hold, ready_at), TAIPEI, EVERY_DAY) == local("2026-08-14T15:20")


def test_a_hold_from_ready_has_no_end_before_it_is_ready() -> None:
    assert expires_at(order(local("2026-08-10T09:00"), Hold()), TAIPEI, EVERY_DAY) is None


def test_an_order_without_a_hold_never_expires() -> None:
    placed_at = local("2026-08-10T09:00")
    assert expires_at(order(placed_at, None, placed_at), TAIPEI, EVERY_DAY) is None


def test_the_day_is_the_stores_day_not_the_day_in_utc() -> None:
    """01:00 on Wednesday in Taipei is still Tuesday in UTC."""
    hold = Hold(clock=HoldClock.ORDER, amount=1)
    assert expires_at(order(local("2026-08-12T01:00"), hold), TAIPEI, EVERY_DAY) == local("2026-08-13T21:30")


def test_a_last_day_on_which_the_store_is_closed_ends_on_the_next_open_one() -> None:
    closing = {day: closes for day, closes in EVERY_DAY.items() if day != "7"}
    placed_at = local("2026-08-11T10:00")
    assert expires_at(order(placed_at, FIVE_DAYS_FROM_ORDER), TAIPEI, closing) == local("2026-08-17T21:30")


def test_an_order_after_closing_for_the_same_day_is_kept_until_the_next_closing() -> None:
    hold = Hold(clock=HoldClock.ORDER, amount=0)
    assert expires_at(order(local("2026-08-11T23:00"), hold), TAIPEI, EVERY_DAY) == local("2026-08-12T21:30")


def test_a_store_that_closes_after_midnight_closes_on_the_next_morning() -> None:
    hold = Hold(clock=HoldClock.ORDER, amount=1)
    closing = dict.fromkeys("1234567", "26:00")
    assert expires_at(order(local("2026-08-11T10:00"), hold), TAIPEI, closing) == local("2026-08-13T02:00")


def test_without_hours_a_day_ends_at_midnight() -> None:
    hold = Hold(clock=HoldClock.ORDER, amount=1)
    assert expires_at(order(local("2026-08-11T10:00"), hold), TAIPEI, {}) == local("2026-08-13T00:00")


def test_a_typhoon_adds_days_to_both_kinds_of_hold() -> None:
    placed_at = local("2026-08-11T10:00")
    by_day = Hold(clock=HoldClock.ORDER, unit=HoldUnit.DAYS, amount=5, extra_days=2)
    by_hour = Hold(clock=HoldClock.ORDER, unit=HoldUnit.HOURS, amount=24, extra_days=2)
    assert expires_at(order(placed_at, by_day), TAIPEI, EVERY_DAY) == local("2026-08-18T21:30")
    assert expires_at(order(placed_at, by_hour), TAIPEI, EVERY_DAY) == local("2026-08-14T10:00")


def test_hours_run_through_a_change_of_the_clocks() -> None:
    """New York, 8 March 2026: 02:00 becomes 03:00, so 24 hours later it is an hour later on the wall."""
    hold = Hold(clock=HoldClock.ORDER, unit=HoldUnit.HOURS, amount=24)
    end_at = expires_at(order(local("2026-03-07T12:00", NEW_YORK), hold), NEW_YORK, EVERY_DAY)
    assert end_at == local("2026-03-08T13:00", NEW_YORK)


def test_closing_time_stays_on_the_wall_through_a_change_of_the_clocks() -> None:
    hold = Hold(clock=HoldClock.ORDER, amount=1)
    end_at = expires_at(order(local("2026-03-07T12:00", NEW_YORK), hold), NEW_YORK, EVERY_DAY)
    assert end_at == local("2026-03-08T21:30", NEW_YORK)
    assert end_at == datetime(2026, 3, 9, 1, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("placed", "expected"),
    [
        ("2026-10-31T12:00", datetime(2026, 11, 1, 6, 30, tzinfo=UTC)),  # 01:30 happens twice: the later.
        ("2026-03-07T12:00", datetime(2026, 3, 8, 6, 30, tzinfo=UTC)),
    ],
)
def test_a_closing_time_that_happens_twice_is_the_later_one(placed: str, expected: datetime) -> None:
    hold = Hold(clock=HoldClock.ORDER, amount=0)
    closing = dict.fromkeys("1234567", "25:30")
    assert expires_at(order(local(placed, NEW_YORK), hold), NEW_YORK, closing) == expected


def test_the_end_of_the_calendar_is_as_good_as_never() -> None:
    placed_at = datetime(9999, 12, 30, tzinfo=UTC)
    assert expires_at(order(placed_at, FIVE_DAYS_FROM_ORDER), TAIPEI, EVERY_DAY) is None


@pytest.mark.parametrize(
    ("zone", "closing"),
    [
        ("Asia/Nowhere", EVERY_DAY),
        ("", EVERY_DAY),
        ("../etc/passwd", EVERY_DAY),
        (TAIPEI, {"mon": "21:30"}),
        (TAIPEI, {"12": "21:30"}),
        (TAIPEI, {"": "21:30"}),
        (TAIPEI, {"1": "9:30"}),
        (TAIPEI, {"1": "21:60"}),
        (TAIPEI, {"1": "21:30\n"}),
    ],
)
def test_hours_that_are_none_are_noticed_where_they_enter(zone: str, closing: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=r"zone|closing"):
        check_hours(zone, closing)


@pytest.mark.parametrize(("amount", "extra_days"), [(-1, 0), (367, 0), (7, -1), (7, 9999)])
def test_a_hold_of_more_than_a_year_is_noticed_where_it_enters(amount: int, extra_days: int) -> None:
    with pytest.raises(ValueError, match="hold"):
        Hold(amount=amount, extra_days=extra_days)


@given(
    placed_at=st.datetimes(min_value=datetime(2020, 1, 1), max_value=datetime(2035, 1, 1), timezones=st.just(UTC)),
    days=st.integers(0, 30),
    extra_days=st.integers(0, 30),
    zone=st.sampled_from([TAIPEI, "Asia/Hong_Kong", NEW_YORK, "Australia/Lord_Howe"]),
    closing=st.dictionaries(st.sampled_from("1234567"), st.sampled_from(["02:30", "18:00", "21:30", "24:00", "25:30"])),
)
def test_an_order_is_kept_at_least_the_days_that_were_promised(
    placed_at: datetime, days: int, extra_days: int, zone: str, closing: dict[str, str]
) -> None:
    hold = Hold(clock=HoldClock.ORDER, amount=days, extra_days=extra_days)
    end_at = expires_at(order(placed_at, hold), zone, closing)
    assert end_at is not None
    assert end_at > placed_at
    here = ZoneInfo(zone)
    promised = placed_at.astimezone(here).date() + timedelta(days=days + extra_days)
    assert end_at.astimezone(here).date() >= promised
