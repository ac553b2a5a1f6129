"""What head office and web shop may send of each kind of row: fields, limits and forms. What follows is elsewhere.

Everything but the key may be left out: then a row that is there keeps what it has.
"""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import datetime
from typing import Annotated, Any, Literal, TypeVar

from msgspec import UNSET, Meta, Struct, UnsetType

from store_agent.domain.members import Tier
from store_agent.domain.proofs import SpendingProof
from store_agent.domain.stores import Role
from store_agent.safe_text import safe_text
from sync.central.office.strict import Malformed

# In Python `$` also stands before a last line break; what follows it forbids that, here and in JSON Schema alike.
StoreId = Annotated[str, Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,39}$(?!\n)")]
# Without a slash: ids are made of others with slashes between them.
Id = Annotated[str, Meta(pattern=r"^[A-Za-z0-9_][A-Za-z0-9._:@+-]{0,79}$(?!\n)")]
Code = Annotated[str, Meta(pattern=r"^[!-~]{0,120}$(?!\n)")]
"""What a scanner reads. Visible ASCII."""
Gtin = Annotated[str, Meta(min_length=8, max_length=14)]
Phone = Annotated[str, Meta(min_length=1, max_length=40)]
Text = Annotated[str, Meta(max_length=400)]
Clock = Annotated[str, Meta(pattern=r"^[0-3][0-9]:[0-5][0-9]$(?!\n)")]
Moment = Annotated[datetime, Meta(tz=True)]
Amount = Annotated[int, Meta(ge=0, le=10**12)]
"""In minor units."""
Count = Annotated[int, Meta(ge=0, le=10**9)]
Positive = Annotated[int, Meta(ge=1, le=10**9)]
Pin = Annotated[str, Meta(pattern=r"^[0-9]{4,12}$(?!\n)")]
Currency = Literal["TWD", "HKD"]
Names = dict[Literal["zh-TW", "zh-HK", "en"], Text]
Weekday = Literal["1", "2", "3", "4", "5", "6", "7"]


class Incoming(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A record as it was sent."""


class PointsRuleRecord(Incoming, frozen=True, kw_only=True):
    """What a store's points are worth."""

    currency: Currency | UnsetType = UNSET
    earn_base_minor: Positive | UnsetType = UNSET
    value_minor: Positive | UnsetType = UNSET
    value_points: Positive | UnsetType = UNSET
    valid_months: Annotated[int, Meta(ge=1, le=1200)] | UnsetType = UNSET


class StoreRecord(Incoming, frozen=True, kw_only=True):
    """A shop. A new one needs a name; closing times are by ISO weekday."""

    id: StoreId
    name: Names | UnsetType = UNSET
    region: Annotated[str, Meta(pattern="^[A-Z]{2}$")] | UnsetType = UNSET
    zone: Text | UnsetType = UNSET
    currency: Currency | UnsetType = UNSET
    closing: dict[Weekday, Clock] | UnsetType = UNSET
    points: PointsRuleRecord | UnsetType = UNSET
    welcome_campaign: Annotated[str, Meta(max_length=80)] | UnsetType = UNSET
    spending_proof: SpendingProof | UnsetType = UNSET
    """What is asked for before a member's points and coupons are spent."""


class StaffRecord(Incoming, frozen=True, kw_only=True):
    """Someone who works in a store. A new one needs name and store."""

    id: Id
    name: Text | UnsetType = UNSET
    store: StoreId | UnsetType = UNSET
    role: Role | UnsetType = UNSET
    badge: Code | UnsetType = UNSET
    pin: Pin | UnsetType = UNSET
    """Six digits or more. Only its hash is kept."""


class ProductRecord(Incoming, frozen=True, kw_only=True):
    """An article. A new one needs a name in some language; prices are in minor units by currency."""

    gtin: Gtin
    name: Names | UnsetType = UNSET
    price_minor: dict[Currency, Amount] | UnsetType = UNSET
    categories: tuple[Annotated[str, Meta(min_length=1, max_length=80)], ...] | UnsetType = UNSET
    shelf: Text | UnsetType = UNSET
    life_days: Annotated[int, Meta(ge=0, le=36500)] | UnsetType = UNSET


class PriceRecord(Incoming, frozen=True, kw_only=True):
    """One price of an article that is known."""

    gtin: Gtin
    currency: Currency
    price_minor: Amount


class StockRecord(Incoming, frozen=True, kw_only=True):
    """How much a store has, as another system counts it, and what is kept back from promises."""

    store: StoreId
    gtin: Gtin
    on_hand: Count | UnsetType = UNSET
    safety: Count | UnsetType = UNSET


class MemberRecord(Incoming, frozen=True, kw_only=True):
    """A member. A new one needs phone and name; `points` count only where there is no account yet."""

    id: Id
    phone: Phone | UnsetType = UNSET
    region: Annotated[str, Meta(pattern="^[A-Z]{2}$")] | UnsetType = UNSET
    """Where a phone without a country code is from; else the home store's."""
    name: Text | UnsetType = UNSET
    email: Annotated[str, Meta(max_length=254)] | UnsetType = UNSET
    tier: Tier | UnsetType = UNSET
    code: Code | UnsetType = UNSET
    card_no: Code | UnsetType = UNSET
    home_store: StoreId | UnsetType = UNSET
    joined_at: Moment | UnsetType = UNSET
    marketing: bool | UnsetType = UNSET
    """Whether they agreed to hear of offers."""
    marketing_at: Moment | UnsetType = UNSET
    line_provider: Code | UnsetType = UNSET
    line_user: Code | UnsetType = UNSET
    points: Count | UnsetType = UNSET
    points_expire_at: Moment | UnsetType = UNSET
    """Without it the opening points do not expire."""
    pin: Pin | UnsetType = UNSET
    """Four to six digits. Only its hash is kept."""


class TagWordRecord(Incoming, frozen=True, kw_only=True):
    """A word of the vocabulary of tags."""

    id: Annotated[str, Meta(min_length=1, max_length=64)]
    labels: Names | UnsetType = UNSET
    sensitive: bool | UnsetType = UNSET
    roles: tuple[Role, ...] | UnsetType = UNSET


class CouponRecord(Incoming, frozen=True, kw_only=True):
    """A coupon for a member, named by id or phone, or for whoever bears its code. The same again does nothing."""

    campaign_id: Id
    id: Annotated[str, Meta(max_length=200)] | UnsetType = UNSET
    """Else made of campaign and member or code: so that one member gets one, however often it is sent."""
    member_id: Id | UnsetType = UNSET
    phone: Phone | UnsetType = UNSET
    code: Code = ""
    uses_limit: Annotated[int, Meta(ge=1, le=10**6)] = 1
    valid_from: Moment | None = None
    valid_until: Moment | None = None


class PointsRecord(Incoming, frozen=True, kw_only=True):
    """Points for a member, named by id or phone. `id` is the sender's own: the same again does nothing."""

    id: Id
    member_id: Id | UnsetType = UNSET
    phone: Phone | UnsetType = UNSET
    points: Annotated[int, Meta(ge=1, le=10**7)]
    expires_at: Moment | None = None
    reason: Text = "grant"


Row = TypeVar("Row")


def said(record: Struct) -> dict[str, Any]:
    """The fields of a record that say something."""
    return {name: value for name in record.__struct_fields__ if (value := getattr(record, name)) is not UNSET}


def merge(before: Row, changes: dict[str, Any]) -> Row:
    """A row with what was said of it: texts by language and the like are put together, all else is replaced."""
    known = {field.name for field in fields(before)}  # type: ignore[arg-type]
    merged: dict[str, Any] = {}
    for name, value in changes.items():
        if name in known:
            old = getattr(before, name)
            merged[name] = {**old, **value} if isinstance(old, dict) else value
    return replace(before, **merged)  # type: ignore[type-var]


def safe_names(record: Struct, *columns: str) -> dict[str, Any]:
    """What a record says, with these fields made harmless to show; raises Malformed where nothing is left of one."""
    values = said(record)
    for column in columns:
        value = values.get(column)
        if isinstance(value, dict):
            values[column] = {key: _safe(f"{column}.{key}", text) for key, text in value.items()}
        elif isinstance(value, tuple):
            values[column] = tuple(_safe(column, text) for text in value)
        elif isinstance(value, str):
            values[column] = _safe(column, value)
    return values


def _safe(column: str, text: str) -> str:
    safe = safe_text(text)
    if text.strip() and not safe:
        raise Malformed(column, "Nothing of this text can be shown.")
    return safe


def need(values: dict[str, Any], *columns: str) -> None:
    """A new row cannot be without these; raises Malformed."""
    for column in columns:
        if not values.get(column):
            raise Malformed(column, "A new row needs it.")
