"""The chain's two stores, who works in them, and the words that they tag members with."""

from __future__ import annotations

from store_agent.domain.points import PointsRule
from store_agent.domain.stores import Role, Staff, Store
from store_agent.domain.tags import TagWord
from store_agent.scan import ScanKind, make_code

TAIPEI = "xinyi"
TAICHUNG = "taichung"
STORES = (TAIPEI, TAICHUNG)
WELCOME_CAMPAIGN = "welcome-20"
SENSITIVE_SKIN = "sensitive-skin"

_POINTS = PointsRule(currency="TWD", earn_base_minor=10, value_minor=1, value_points=1, valid_months=12)
_STAFF = (
    ("yating", "林雅婷", TAIPEI, Role.MANAGER),
    ("chunhung", "陳俊宏", TAIPEI, Role.LEAD),
    ("yichun", "黃怡君", TAIPEI, Role.CASHIER),
    ("jason", "Jason 張家豪", TAIPEI, Role.CASHIER),
    ("tsunghan", "蔡宗翰", TAICHUNG, Role.MANAGER),
    ("shufen", "許淑芬", TAICHUNG, Role.LEAD),
    ("chengen", "吳承恩", TAICHUNG, Role.CASHIER),
    ("angel", "Angel 鄭安琪", TAICHUNG, Role.CASHIER),
)
_FIRST_BADGE = 7_310_000
STAFF_PIN = "246810"
"""Of everybody who works here."""


def make_stores() -> tuple[Store, ...]:
    """A store in Taipei and one in Taichung: the same money and zone, other closing times."""
    taipei = Store(
        id=TAIPEI,
        name={"zh-TW": "台北信義店", "zh-HK": "台北信義店", "en": "Taipei Xinyi"},
        closing=dict.fromkeys("1234567", "22:00"),
        points=_POINTS,
        welcome_campaign=WELCOME_CAMPAIGN,
    )
    taichung = Store(
        id=TAICHUNG,
        name={"zh-TW": "台中公益店", "zh-HK": "台中公益店", "en": "Taichung Gongyi"},
        closing=dict.fromkeys("12347", "21:30") | dict.fromkeys("56", "22:30"),
        points=_POINTS,
        welcome_campaign=WELCOME_CAMPAIGN,
    )
    return taipei, taichung


def make_staff() -> tuple[Staff, ...]:
    """In each store a manager, a lead and two cashiers, each with a badge."""
    return tuple(
        Staff(id=id_, name=name, store=store, role=role, badge=make_code(ScanKind.STAFF_BADGE, _FIRST_BADGE + number))
        for number, (id_, name, store, role) in enumerate(_STAFF)
    )


def make_tag_words() -> tuple[TagWord, ...]:
    """Ten words; what a member's skin or health says is only for those who lead a store."""
    words = (
        (SENSITIVE_SKIN, "敏感肌", "敏感肌膚", "Sensitive skin"),
        ("japan-snacks", "日本零食愛好者", "日本零食愛好者", "Loves Japanese snacks"),
        ("coffee", "咖啡常客", "咖啡常客", "Coffee regular"),
        ("baby", "家有嬰兒", "家有嬰兒", "Has a baby"),
        ("no-bag", "不需袋子", "不需膠袋", "Needs no bag"),
        ("gift-wrap", "常要包裝", "常要包裝", "Often wants gift wrap"),
        ("english", "以英語接待", "以英語接待", "Speaks English"),
        ("lapsed", "久未來店", "久未光顧", "Has not come for long"),
        ("vip", "VIP", "VIP", "VIP"),
    )
    open_words = tuple(TagWord(id=id_, labels={"zh-TW": tw, "zh-HK": hk, "en": en}) for id_, tw, hk, en in words)
    health = TagWord(
        id="allergy",
        labels={"zh-TW": "過敏史", "zh-HK": "過敏病史", "en": "Has an allergy"},
        sensitive=True,
        roles=(Role.LEAD, Role.MANAGER),
    )
    return (*open_words, health)
