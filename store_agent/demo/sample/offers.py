"""The chain's campaigns: every kind of benefit, and every way in which one can be limited."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from store_agent.demo.sample.numbers import bearer_code
from store_agent.demo.sample.products import AMERICANO, CREAM, GIFT_CARD, LOTION, MASK, SAMPLE_SET
from store_agent.demo.sample.shops import SENSITIVE_SKIN, TAIPEI, WELCOME_CAMPAIGN
from store_agent.domain.benefits import Benefit, BenefitKind, Step
from store_agent.domain.campaigns import Campaign, Stacking
from store_agent.domain.coupons import Coupon
from store_agent.domain.products import ProductSet

NO_CARDS = ProductSet(categories=("gift-cards",))
"""Money is not sold at a discount."""
BEARER_COUNT = 6
LEAFLET_CODES = tuple(bearer_code(number) for number in range(BEARER_COUNT))
"""Coupons on a leaflet: of whoever shows one."""

HANDS: tuple[tuple[str, ...], ...] = (
    ("member-85",),
    ("spend-400-500",),
    ("coffee-bogo",),
    ("web-300-600",),
    ("skin-set", "free-shipping"),
    ("weekend-90",),
    ("snacks-3",),
    ("member-85", "gold-88", "sensitive-80"),
    ("limited-50",),
    ("taipei-90", "sample-gift"),
    ("afternoon-88",),
    ("first-100",),
)
"""What coupons the people of the sample hold, one hand after the other."""


def make_campaigns(now: datetime) -> tuple[Campaign, ...]:
    """All of them, as of `now`: one has ended and one has not begun."""
    return (*_on_the_basket(now), *_on_pieces(), *_for_some(now), *_online(), *_of_other_days(now))


def make_bearer_coupons(now: datetime) -> Iterator[Coupon]:
    """Leaflets that were handed out in the street."""
    for number, code in enumerate(LEAFLET_CODES):
        yield Coupon(
            id=f"leaflet-{number + 1:03d}",
            campaign_id="leaflet-50",
            code=code,
            valid_until=now + timedelta(days=14),
        )


def _name(taiwan: str, hong_kong: str, english: str) -> dict[str, str]:
    return {"zh-TW": taiwan, "zh-HK": hong_kong, "en": english}


def _percent(pay_percent: int) -> Benefit:
    return Benefit(kind=BenefitKind.PERCENT, pay_percent=pay_percent)


def _amount(off_minor: int) -> Benefit:
    return Benefit(kind=BenefitKind.AMOUNT, off_minor=off_minor)


def _threshold(*steps: tuple[int, int]) -> Benefit:
    made = tuple(Step(at_least_minor=least, pay_percent=percent) for least, percent in steps)
    return Benefit(kind=BenefitKind.THRESHOLD, steps=made)


def _on_the_basket(now: datetime) -> tuple[Campaign, ...]:
    return (
        Campaign(
            id=WELCOME_CAMPAIGN,
            name=_name("入會禮 $20 折抵", "入會禮 $20 現金券", "Welcome: $20 off"),
            benefit=_amount(20),
            currency="TWD",
            per_member=1,
            stacking=Stacking.STACKS,
        ),
        Campaign(
            id="member-85",
            name=_name("會員 85 折券", "會員 85 折券", "Members pay 85 %"),
            benefit=_percent(85),
            excluded=NO_CARDS,
            stacking=Stacking.BEST_ONE,
        ),
        Campaign(
            id="spend-400-500",
            name=_name(
                "滿 400 享 95 折,滿 500 享 9 折", "滿 400 享 95 折,滿 500 享 9 折", "5 % off from 400, 10 % from 500"
            ),
            benefit=_threshold((400, 95), (500, 90)),
            currency="TWD",
            excluded=NO_CARDS,
            stacking=Stacking.BEST_ONE,
        ),
        Campaign(
            id="limited-50",
            name=_name("限量 500 名折 50", "限量 500 名減 50", "50 off, 500 times in all"),
            benefit=_amount(50),
            currency="TWD",
            minimum_minor=300,
            total=500,
            per_member=1,
            stacking=Stacking.STACKS,
        ),
        Campaign(
            id="leaflet-50",
            name=_name("傳單折價券 50 元", "傳單現金券 50 元", "Leaflet: 50 off"),
            benefit=_amount(50),
            currency="TWD",
            minimum_minor=200,
            valid_until=now + timedelta(days=14),
            stacking=Stacking.BEST_ONE,
        ),
    )


def _on_pieces() -> tuple[Campaign, ...]:
    return (
        Campaign(
            id="coffee-bogo",
            name=_name("咖啡買一送一", "咖啡買一送一", "Coffee: buy one, get one"),
            benefit=Benefit(kind=BenefitKind.BOGO, at_most=1),
            included=ProductSet(categories=("cafe",)),
            channels=("store",),
            per_member_day=1,
            stacking=Stacking.STACKS,
        ),
        Campaign(
            id="skin-set",
            name=_name(
                "門市限定:化妝水+面膜組合價 399", "門市限定:爽膚水+面膜組合價 399", "In store: toner and masks for 399"
            ),
            benefit=Benefit(
                kind=BenefitKind.BUNDLE,
                parts=(ProductSet(gtins=(LOTION,)), ProductSet(gtins=(MASK,))),
                together_minor=399,
                at_most=2,
            ),
            currency="TWD",
            channels=("store",),
            stacking=Stacking.STACKS,
        ),
        Campaign(
            id="sample-gift",
            name=_name("旅行體驗組兌換券", "旅行試用裝換領券", "Voucher for a travel sample set"),
            benefit=Benefit(kind=BenefitKind.GIFT, free=ProductSet(gtins=(SAMPLE_SET,)), quantity=1),
            channels=("store",),
            per_member=1,
            stacking=Stacking.STACKS,
        ),
        Campaign(
            id="snacks-3",
            name=_name("日本零食任選 3 件 85 折", "日本零食任選 3 件 85 折", "Any 3 Japanese snacks: pay 85 %"),
            benefit=_percent(85),
            included=ProductSet(categories=("japan-snacks",)),
            minimum_quantity=3,
            stacking=Stacking.BEST_ONE,
        ),
    )


def _for_some(now: datetime) -> tuple[Campaign, ...]:
    return (
        Campaign(
            id="sensitive-80",
            name=_name("敏感肌專屬 8 折", "敏感肌膚專屬 8 折", "For sensitive skin: pay 80 %"),
            benefit=_percent(80),
            required_tag=SENSITIVE_SKIN,
            included=ProductSet(categories=("sensitive",), gtins=(CREAM,)),
            stacking=Stacking.BEST_ONE,
        ),
        Campaign(
            id="gold-88",
            name=_name("金卡會員 88 折", "金卡會員 88 折", "Gold and platinum pay 88 %"),
            benefit=_percent(88),
            tiers=("gold", "platinum"),
            excluded=ProductSet(gtins=(GIFT_CARD,), categories=NO_CARDS.categories),
            stacking=Stacking.ALONE,
        ),
        Campaign(
            id="first-100",
            name=_name("首購滿 600 折 100", "首次購物滿 600 減 100", "First purchase: 100 off from 600"),
            benefit=_amount(100),
            currency="TWD",
            minimum_minor=600,
            first_purchase=True,
            stacking=Stacking.ALONE,
        ),
        Campaign(
            id="taipei-90",
            name=_name("台北信義店限定 9 折", "台北信義店限定 9 折", "Taipei Xinyi only: pay 90 %"),
            benefit=_percent(90),
            stores=(TAIPEI,),
            stacking=Stacking.BEST_ONE,
        ),
        Campaign(
            id="lapsed-150",
            name=_name("好久不見:折 150", "好久不見:減 150", "We missed you: 150 off"),
            benefit=_amount(150),
            currency="TWD",
            minimum_minor=800,
            valid_from=now - timedelta(days=60),
            valid_until=now - timedelta(days=1),
        ),
    )


def _online() -> tuple[Campaign, ...]:
    return (
        Campaign(
            id="free-shipping",
            name=_name("網購免運券", "網購免運費券", "Free shipping online"),
            benefit=Benefit(kind=BenefitKind.FREE_SHIPPING),
            channels=("online",),
            instead=_name(
                "門市不能使用;可協助在網路商店下單免運配送到府。",
                "門市不適用;可協助在網店下單免運費送上門。",
                "Not at the till: offer to order online, delivered free of charge.",
            ),
        ),
        Campaign(
            id="web-300-600",
            name=_name(
                "網購滿 300 享 95 折,滿 600 享 9 折",
                "網購滿 300 享 95 折,滿 600 享 9 折",
                "Online: 5 % off from 300, 10 % from 600",
            ),
            benefit=_threshold((300, 95), (600, 90)),
            currency="TWD",
            channels=("online",),
            instead=_name(
                "門市請推薦化妝水+面膜組合價。",
                "門市請推薦爽膚水+面膜組合價。",
                "In the store, offer the toner and mask set.",
            ),
            instead_campaign="skin-set",
        ),
    )


def _of_other_days(now: datetime) -> tuple[Campaign, ...]:
    return (
        Campaign(
            id="weekend-90",
            name=_name("週末門市 9 折", "週末門市 9 折", "Weekends in store: pay 90 %"),
            benefit=_percent(90),
            channels=("store",),
            weekdays=(6, 7),
            excluded=NO_CARDS,
            stacking=Stacking.BEST_ONE,
        ),
        Campaign(
            id="afternoon-88",
            name=_name("平日下午茶 88 折", "平日下午茶 88 折", "Weekday afternoons: pay 88 %"),
            benefit=_percent(88),
            weekdays=(1, 2, 3, 4, 5),
            from_time="14:00",
            until_time="17:00",
            included=ProductSet(categories=("cafe", "snacks"), gtins=(AMERICANO,)),
            stacking=Stacking.BEST_ONE,
        ),
        Campaign(
            id="next-month",
            name=_name("下月會員日 8 折", "下月會員日 8 折", "Next month's members' day: pay 80 %"),
            benefit=_percent(80),
            valid_from=now + timedelta(days=30),
            valid_until=now + timedelta(days=31),
            stacking=Stacking.ALONE,
        ),
    )
