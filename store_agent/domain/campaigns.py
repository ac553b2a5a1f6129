"""A campaign: what it gives, and where, when and to whom. The head office's rows; stores only read them.

How much it takes off a basket is `savings.py`; what a member holds is a coupon.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar
from zoneinfo import ZoneInfo

from store_agent.domain.baskets import Basket
from store_agent.domain.benefits import Benefit, BenefitKind, Measured
from store_agent.domain.operation import Fact, Refusal
from store_agent.domain.products import NO_PRODUCTS, ProductSet
from store_agent.domain.rights import Policy


class CampaignReason(StrEnum):
    """Why a campaign gives nothing here and now, in order of precedence."""

    UNKNOWN = "campaign-unknown"
    ONLINE_ONLY = "campaign-online-only"
    OTHER_STORE = "campaign-other-store"
    OTHER_CHANNEL = "campaign-other-channel"
    NOT_YET = "campaign-not-yet"
    ENDED = "campaign-ended"
    WEEKDAY = "campaign-weekday"
    HOUR = "campaign-hour"
    CURRENCY = "campaign-currency"
    MEMBER_NEEDED = "campaign-member-needed"
    TIER = "campaign-tier"
    TAG = "campaign-tag"
    FIRST_PURCHASE = "campaign-first-purchase"


class Stacking(StrEnum):
    """What a coupon of this campaign goes together with."""

    ALONE = "alone"
    """With no other coupon (不得與其他優惠併用)."""
    BEST_ONE = "best-one"
    """Of these only one, together with all that stack."""
    STACKS = "stacks"
    """With every other that stacks."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Campaign:
    """One offer of the chain. What is left empty does not limit it."""

    table: ClassVar[str] = "campaign"
    id: str
    name: dict[str, str] = field(default_factory=dict)
    """By language: `zh-TW`, `zh-HK`, `en`."""
    benefit: Benefit
    stores: tuple[str, ...] = ()
    channels: tuple[str, ...] = ()
    """`store`, `online`."""
    weekdays: tuple[int, ...] = ()
    """ISO: 1 is Monday. The hours after midnight belong to the day on which they began."""
    from_time: str = "00:00"
    """HH:MM on the store's clock, included. Later than `until_time`: over midnight. The same: all day."""
    until_time: str = "24:00"
    """HH:MM on the store's clock, not included."""
    valid_from: datetime | None = None
    valid_until: datetime | None = None
    """The first moment at which it is over."""
    tiers: tuple[str, ...] = ()
    required_tag: str = ""
    first_purchase: bool = False
    included: ProductSet = NO_PRODUCTS
    """All products if empty. Bundle: `benefit.parts` say it already."""
    excluded: ProductSet = NO_PRODUCTS
    minimum_minor: int = 0
    """Of the products that it is for."""
    minimum_quantity: int = 0
    measured: Measured = Measured.BEFORE
    currency: str = ""
    """Of every amount in it; without amounts it may be any."""
    per_member: int = 0
    """Uses by one member, ever; 0 is without limit."""
    per_member_day: int = 0
    """Uses by one member on one day of the store's calendar; 0 is without limit."""
    total: int = 0
    """Uses in the whole chain, shared out to the stores as quota rows; 0 is without limit."""
    stacking: Stacking = Stacking.ALONE
    policy: Policy = Policy.BY_VALUE
    """What its coupons are worth with the cable out."""
    risked_at: tuple[str, ...] = ()
    """Policy `group`: the stores that may use them on allowance; empty: those that hold the member, at most k."""
    instead: dict[str, str] = field(default_factory=dict)
    """What staff may offer where this is not usable, by language."""
    instead_campaign: str = ""
    """The nearest offer that is usable in a store (a web-only threshold's store bundle)."""

    @property
    def is_for_members(self) -> bool:
        """Whether it must be known who buys."""
        limited = self.per_member or self.per_member_day or self.first_purchase
        return bool(self.tiers or self.required_tag or limited)


@dataclass(frozen=True, slots=True, kw_only=True)
class Situation:
    """Where and when a basket is paid for, and who pays, as far as this store knows."""

    store: str
    zone: str
    """IANA name, `Asia/Taipei`."""
    at: datetime
    """Aware and UTC."""
    channel: str = "store"
    member_id: str = ""
    """Empty where nobody was identified."""
    tier: str = ""
    tags: tuple[str, ...] = ()
    first_purchase: bool = False
    """Whether the member never bought before, in any channel."""

    @property
    def local_day(self) -> str:
        """The day on the store's calendar, YYYY-MM-DD."""
        return self.at.astimezone(ZoneInfo(self.zone)).date().isoformat()


def refuse_campaign(campaign: Campaign, basket: Basket, situation: Situation) -> Refusal | None:
    """Why the campaign gives nothing here and now, whatever is in the basket."""
    return (
        _refuse_place(campaign, situation)
        or refuse_moment(campaign, situation.zone, situation.at)
        or _refuse_currency(campaign, basket)
        or _refuse_member(campaign, situation)
    )


def refuse_moment(campaign: Campaign, zone: str, at: datetime) -> Refusal | None:
    """Why the campaign does not run at that moment in a store of that time zone; also for "tomorrow's offers"."""
    if campaign.valid_from and at < campaign.valid_from:
        return Refusal(CampaignReason.NOT_YET, {"from_at": campaign.valid_from})
    if campaign.valid_until and at >= campaign.valid_until:
        return Refusal(CampaignReason.ENDED, {"ended_at": campaign.valid_until})
    local = at.astimezone(ZoneInfo(zone))
    clock = f"{local:%H:%M}"
    starts, ends = campaign.from_time, campaign.until_time
    over_midnight = starts > ends
    began = local - timedelta(days=1) if over_midnight and clock < ends else local
    hours: dict[str, Fact] = {"from_time": starts, "until_time": ends}
    if campaign.weekdays and began.isoweekday() not in campaign.weekdays:
        days = ",".join(str(day) for day in sorted(campaign.weekdays))
        return Refusal(CampaignReason.WEEKDAY, {"weekdays": days, **hours})
    is_open = (clock >= starts or clock < ends) if over_midnight else (starts == ends or starts <= clock < ends)
    return None if is_open else Refusal(CampaignReason.HOUR, hours)


def _refuse_place(campaign: Campaign, situation: Situation) -> Refusal | None:
    if campaign.benefit.kind is BenefitKind.FREE_SHIPPING and situation.channel != "online":
        return Refusal(CampaignReason.ONLINE_ONLY)
    if campaign.stores and situation.store not in campaign.stores:
        return Refusal(CampaignReason.OTHER_STORE, {"stores": ",".join(campaign.stores), "store": situation.store})
    if campaign.channels and situation.channel not in campaign.channels:
        return Refusal(CampaignReason.OTHER_CHANNEL, {"channels": ",".join(campaign.channels)})
    return None


def _refuse_currency(campaign: Campaign, basket: Basket) -> Refusal | None:
    if campaign.currency and campaign.currency != basket.currency:
        return Refusal(CampaignReason.CURRENCY, {"currency": campaign.currency, "basket_currency": basket.currency})
    return None


def _refuse_member(campaign: Campaign, situation: Situation) -> Refusal | None:
    if campaign.is_for_members and not situation.member_id:
        return Refusal(CampaignReason.MEMBER_NEEDED)
    if campaign.tiers and situation.tier not in campaign.tiers:
        return Refusal(CampaignReason.TIER, {"tiers": ",".join(campaign.tiers), "tier": situation.tier})
    if campaign.required_tag and campaign.required_tag not in situation.tags:
        return Refusal(CampaignReason.TAG, {"tag": campaign.required_tag})
    if campaign.first_purchase and not situation.first_purchase:
        return Refusal(CampaignReason.FIRST_PURCHASE)
    return None
