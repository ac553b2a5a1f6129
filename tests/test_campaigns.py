"""Where, when and to whom a campaign gives something, and the reason where it does not."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest

from store_agent.domain.baskets import Basket
from store_agent.domain.benefits import Benefit, BenefitKind, Step
from store_agent.domain.campaigns import Campaign, CampaignReason, Situation, refuse_campaign, refuse_moment
from store_agent.domain.products import ProductSet

CAMPAIGN = Campaign(id="c1", benefit=Benefit(kind=BenefitKind.PERCENT, pay_percent=85))
SATURDAY_NOON = datetime(2026, 3, 7, 4, tzinfo=UTC)
"""Noon of a Saturday in Taipei."""
HERE = Situation(store="tpe-1", zone="Asia/Taipei", at=SATURDAY_NOON, member_id="m1", tier="gold", tags=("tea",))
BASKET = Basket.of_total("TWD", 500)


def at(day: int, hour: int, minute: int = 0) -> datetime:
    """A moment of March 2026 (the first is a Sunday), in UTC."""
    return datetime(2026, 3, day, hour, minute, tzinfo=UTC)


def reason(campaign: Campaign, situation: Situation = HERE) -> CampaignReason | None:
    refusal = refuse_campaign(campaign, BASKET, situation)
    return CampaignReason(refusal.reason) if refusal else None


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ({}, None),
        ({"stores": ("tpe-1", "tpe-2")}, None),
        ({"stores": ("tpe-2",)}, CampaignReason.OTHER_STORE),
        ({"channels": ("store",)}, None),
        ({"channels": ("online",)}, CampaignReason.OTHER_CHANNEL),
        ({"stores": ("tpe-2",), "channels": ("online",)}, CampaignReason.OTHER_STORE),
        ({"valid_from": SATURDAY_NOON}, None),
        ({"valid_from": at(8, 0)}, CampaignReason.NOT_YET),
        ({"valid_until": SATURDAY_NOON}, CampaignReason.ENDED),
        ({"valid_until": at(8, 0)}, None),
        ({"weekdays": (6, 7)}, None),
        ({"weekdays": (1, 3)}, CampaignReason.WEEKDAY),
        ({"from_time": "12:00", "until_time": "12:01"}, None),
        ({"from_time": "11:00", "until_time": "12:00"}, CampaignReason.HOUR),
        ({"currency": "TWD"}, None),
        ({"currency": "HKD"}, CampaignReason.CURRENCY),
        ({"tiers": ("gold", "black")}, None),
        ({"tiers": ("black",)}, CampaignReason.TIER),
        ({"required_tag": "tea"}, None),
        ({"required_tag": "日本零食愛好者"}, CampaignReason.TAG),
        ({"first_purchase": True}, CampaignReason.FIRST_PURCHASE),
        ({"weekdays": (1,), "tiers": ("black",)}, CampaignReason.WEEKDAY),
    ],
)
def test_a_campaign_says_the_first_reason_why_it_gives_nothing(
    limits: dict[str, Any], expected: CampaignReason | None
) -> None:
    assert reason(replace(CAMPAIGN, **limits)) == expected


@pytest.mark.parametrize(
    "limits", [{"tiers": ("gold",)}, {"required_tag": "tea"}, {"first_purchase": True}, {"per_member": 1}]
)
def test_what_depends_on_the_member_asks_who_it_is(limits: dict[str, Any]) -> None:
    nobody = replace(HERE, member_id="", tier="", tags=())

    assert reason(replace(CAMPAIGN, **limits), nobody) is CampaignReason.MEMBER_NEEDED


def test_free_shipping_is_never_usable_at_a_counter() -> None:
    shipping = replace(CAMPAIGN, benefit=Benefit(kind=BenefitKind.FREE_SHIPPING), stores=("tpe-2",))

    assert reason(shipping) is CampaignReason.ONLINE_ONLY
    assert reason(replace(shipping, stores=()), replace(HERE, channel="online")) is None


@pytest.mark.parametrize(
    ("moment", "expected"),
    [
        (at(6, 13, 59), CampaignReason.HOUR),  # Friday 21:59
        (at(6, 14), None),  # Friday 22:00
        (at(6, 17, 59), None),  # Saturday 01:59, which Friday began
        (at(6, 18), CampaignReason.WEEKDAY),  # Saturday 02:00
        (at(7, 14), CampaignReason.WEEKDAY),  # Saturday 22:00
        (at(5, 17), CampaignReason.WEEKDAY),  # Friday 01:00, which Thursday began
    ],
)
def test_the_hours_after_midnight_belong_to_the_day_on_which_they_began(
    moment: datetime, expected: CampaignReason | None
) -> None:
    friday_night = replace(CAMPAIGN, weekdays=(5,), from_time="22:00", until_time="02:00")
    refusal = refuse_moment(friday_night, "Asia/Taipei", moment)

    assert (refusal.reason if refusal else None) == expected


def test_the_weekday_is_that_of_the_stores_clock_and_not_of_utc() -> None:
    saturday = replace(CAMPAIGN, weekdays=(6,))

    assert refuse_moment(saturday, "Asia/Taipei", at(6, 16)) is None
    assert refuse_moment(saturday, "Asia/Taipei", at(7, 16)) is not None
    assert refuse_moment(saturday, "Europe/London", at(6, 16)) is not None


def test_a_refused_day_says_which_days_and_hours_it_is_for() -> None:
    refusal = refuse_moment(replace(CAMPAIGN, weekdays=(3, 1), from_time="14:30"), "Asia/Taipei", SATURDAY_NOON)

    assert refusal is not None
    assert refusal.facts == {"weekdays": "1,3", "from_time": "14:30", "until_time": "24:00"}


def test_a_campaign_with_everything_in_it_survives_being_written_down() -> None:
    full = replace(
        CAMPAIGN,
        name={"zh-TW": "滿額折", "en": "Spend and save"},
        benefit=Benefit(
            kind=BenefitKind.THRESHOLD,
            steps=(Step(at_least_minor=400, pay_percent=95), Step(at_least_minor=500, off_minor=60)),
            parts=(ProductSet(gtins=("04006381333931",)), ProductSet(categories=("drinks",))),
            together_minor=99,
        ),
        valid_from=SATURDAY_NOON,
        weekdays=(6, 7),
        instead={"zh-TW": "改用門市組合優惠"},
    )

    assert msgspec.json.decode(msgspec.json.encode(full), type=Campaign) == full
