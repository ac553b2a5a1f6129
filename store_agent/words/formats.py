"""Money, moments and ages as a person at this store writes them. How much and when are never worked out here."""

from __future__ import annotations

from datetime import date, datetime, tzinfo
from zoneinfo import ZoneInfo

from store_agent.domain.money import EXPONENTS
from store_agent.words import _, language, later, ngettext

SIGNS = {"TWD": "NT$", "HKD": "HK$"}
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
DAYS = {"zh-TW": "{0.year}/{0.month}/{0.day}", "zh-HK": "{0.year}年{0.month}月{0.day}日"}
WEEKDAYS = (
    later("Monday"),
    later("Tuesday"),
    later("Wednesday"),
    later("Thursday"),
    later("Friday"),
    later("Saturday"),
    later("Sunday"),
)

MINUTE_S = 60
HOUR_S = 60 * MINUTE_S
DAY_S = 24 * HOUR_S

_zone: tzinfo = ZoneInfo("Asia/Taipei")
_currency = "TWD"


def use_store(zone: str, currency: str) -> None:
    """From now on moments are shown in this IANA zone, and money without a currency of its own is of this one."""
    global _zone, _currency
    _zone = ZoneInfo(zone)
    _currency = currency


def money(amount_minor: int, currency: str = "") -> str:
    """`NT$1,640` or `HK$16.40`; a currency that we do not know stands before the figure: `EUR 16.40`."""
    currency = currency or _currency
    exponent = EXPONENTS.get(currency, 2)
    whole, rest = divmod(abs(amount_minor), 10**exponent)
    figure = f"{whole:,}.{rest:0{exponent}d}" if exponent else f"{whole:,}"
    return f"{'-' if amount_minor < 0 else ''}{SIGNS.get(currency, currency + ' ')}{figure}"


def day(on: date) -> str:
    """`2026/11/21`, `2026年11月21日` or `21 Nov 2026`."""
    if (form := DAYS.get(language())) is not None:
        return form.format(on)
    return f"{on.day} {MONTHS[on.month - 1]} {on.year}"


def moment(at: datetime, now: datetime | None = None) -> str:
    """The moment on this store's clock: `2026/11/21 20:35`; of the same day as `now` only `20:35`."""
    local = at.astimezone(_zone)
    clock = f"{local:%H:%M}"
    if now is not None and now.astimezone(_zone).date() == local.date():
        return clock
    return f"{day(local.date())} {clock}"


def weekday(on: date) -> str:
    """`Monday` to `Sunday`."""
    return _(WEEKDAYS[on.weekday()])


def age(age_s: float) -> str:
    """How long ago: `just now`, `3 minutes ago`, `2 hours ago`, `5 days ago`. What lies ahead counts as now."""
    if age_s < MINUTE_S:
        return _("just now")
    if age_s < HOUR_S:
        count = int(age_s // MINUTE_S)
        return ngettext("{count} minute ago", "{count} minutes ago", count).format(count=count)
    if age_s < DAY_S:
        count = int(age_s // HOUR_S)
        return ngettext("{count} hour ago", "{count} hours ago", count).format(count=count)
    count = int(age_s // DAY_S)
    return ngettext("{count} day ago", "{count} days ago", count).format(count=count)
