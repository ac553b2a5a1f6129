"""The people whom the tour, the pictures and the README know by name, and what they come to the store with."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from store_agent.demo.sample.numbers import member_code
from store_agent.demo.sample.shops import TAICHUNG, TAIPEI
from store_agent.domain.members import Consent, Link, Member, Tier

LINE_PROVIDER = "line:2000026"
PIN = "2468"
"""Of everybody of whom a story is told."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody of whom a story is told. `number` counts the sample's members from 0: the persons come first."""

    number: int
    word: str
    """What their pictures are called."""
    name: str
    phone: str
    """E.164."""
    home_store: str
    tier: Tier = Tier.BASIC
    email: str = ""
    points: tuple[tuple[int, int], ...] = ()
    """Batches: so many points, which expire in so many days."""
    campaigns: tuple[str, ...] = ()
    """Of each a coupon."""
    segments: tuple[str, ...] = ()
    """Tags that marketing gave."""
    tags: tuple[str, ...] = ()
    """Tags that staff gave (`progress.py`)."""
    has_bought: bool = True
    has_line: bool = False

    @property
    def id(self) -> str:
        """Of the member."""
        return member_id(self.number)

    @property
    def code(self) -> str:
        """The text of the member's card."""
        return member_code(self.number)

    @property
    def typed_phone(self) -> str:
        """The phone as they say it at the counter."""
        return "0" + self.phone[4:] if self.phone.startswith("+886") else self.phone[4:]

    def member(self, now: datetime) -> Member:
        """Their row."""
        joined_at = now - timedelta(days=400 + 7 * self.number)
        user_id = f"U{0x2026_0000_0000 + self.number:032x}"
        return Member(
            id=self.id,
            phone=self.phone,
            name=self.name,
            email=self.email,
            tier=self.tier,
            code=self.code,
            links=(Link(LINE_PROVIDER, user_id),) if self.has_line else (),
            consent=Consent(marketing=self.has_line, at=joined_at),
            home_store=self.home_store,
            joined_at=joined_at,
        )


def member_id(number: int) -> str:
    """The id of the sample's member with this number, from 0."""
    return f"m{number:07d}"


WANG = Person(
    number=0,
    word="wang",
    name="王小明",
    phone="+886912345678",
    home_store=TAIPEI,
    tier=Tier.SILVER,
    email="ming@example.com",
    points=((120, 40), (200, 300)),
    campaigns=(
        "member-85", "spend-400-500", "coffee-bogo", "skin-set", "sample-gift", "free-shipping", "sensitive-80",
        "weekend-90", "gold-88", "web-300-600", "limited-50", "snacks-3",
    ),
    segments=("coffee",),
    tags=("no-bag",),
    has_line=True,
)  # fmt: skip
"""320 points, a coupon of nearly every kind, and an order that is ready in Taipei."""

CHEUNG = Person(
    number=1,
    word="cheung",
    name="張美玲",
    phone="+886922333444",
    home_store=TAIPEI,
    tier=Tier.GOLD,
    points=((85, 20), (640, 200)),
    campaigns=("member-85", "skin-set", "gold-88"),
    segments=("japan-snacks",),
    has_line=True,
)
"""Collects her web order at the store, and then buys three things more."""

WONG = Person(
    number=2,
    word="wong",
    name="黃志明 Wong Chi Ming",
    phone="+85291234567",
    home_store=TAICHUNG,
    points=((45, 120),),
    campaigns=("web-300-600", "free-shipping", "spend-400-500"),
    tags=("english",),
)
"""Has a Hong Kong phone, and coupons that are for the web only."""

LEE = Person(
    number=3,
    word="lee",
    name="李佳穎",
    phone="+886933222111",
    home_store=TAICHUNG,
    tier=Tier.SILVER,
    points=((210, 90),),
    campaigns=("sensitive-80", "member-85", "coffee-bogo"),
    segments=("sensitive-skin",),
    tags=("vip",),
    has_line=True,
)
"""Sensitive skin: bought her cream online three months ago."""

CONAN = Person(
    number=4,
    word="conan",
    name="O'Brien, Conan",
    phone="+886955000111",
    home_store=TAIPEI,
    tier=Tier.PLATINUM,
    email="conan.o'brien@example.com",
    points=((1500, 365),),
    campaigns=("gold-88", "coffee-bogo", "limited-50"),
    tags=("english",),
)

LIN = Person(
    number=5,
    word="lin",
    name="林美惠",
    phone="+886966777888",
    home_store=TAICHUNG,
    points=((30, 5), (60, 250)),
    campaigns=("member-85", "taipei-90", "first-100", "lapsed-150"),
    segments=("lapsed",),
    has_bought=False,
)
"""Joined and never bought; one of her coupons is for the other store, one has ended."""

NEWCOMER_NAME = "何穎琳"
NEWCOMER_PHONE = "+886978123456"
NEWCOMER_EMAIL = "ho.winglam@example.com"
"""Ms Ho is no member yet: she joins at the counter for her $20."""

PEOPLE = (WANG, CHEUNG, WONG, LEE, CONAN, LIN)
RESERVED_PHONES = frozenset({person.phone for person in PEOPLE} | {NEWCOMER_PHONE})
