"""The sample's members and what each of them has: coupons and points. Made one by one, never all at once."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import count
from random import Random

from store_agent.demo.sample.names import HARD, draw_hong_kong_name, draw_name
from store_agent.demo.sample.numbers import coupon_code, hong_kong_phone, member_code, taiwan_phone
from store_agent.demo.sample.offers import HANDS
from store_agent.demo.sample.shops import STORES
from store_agent.demo.sample.stories import LINE_PROVIDER, PEOPLE, PIN, RESERVED_PHONES, Person, member_id
from store_agent.domain.coupons import Coupon
from store_agent.domain.members import Consent, Link, Member, Tier

COUPON_DAYS = 60
HARD_EVERY = 97
TAGGED_EVERY, TAGGED_WITHIN = 10, 1_000
"""Marketing's tags are set one member at a time, so they are on some of the first members only."""
SEGMENTS = ("japan-snacks", "coffee", "baby", "sensitive-skin", "lapsed", "vip", "allergy")
HONG_KONG_SHARE = 0.04


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """Points that a member got; the id is the sender's own."""

    id: str
    member_id: str
    points: int
    expires_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Holding:
    """One member with all that is theirs."""

    member: Member
    coupons: tuple[Coupon, ...] = ()
    points: tuple[Grant, ...] = ()
    segments: tuple[str, ...] = ()
    """Tags that marketing gave."""
    pin: str = ""


def make_holdings(count_wanted: int, now: datetime, seed: int) -> Iterator[Holding]:
    """So many members: first those of the stories, then people drawn by the seed, the same every time."""
    for person in PEOPLE:
        yield _of_story(person, now)
    random = Random(f"{seed}/members")
    phones = _phones(random)
    for number in range(len(PEOPLE), count_wanted):
        yield _drawn(number, random, phones, now)


def _of_story(person: Person, now: datetime) -> Holding:
    return Holding(
        member=person.member(now),
        coupons=_coupons(person.number, person.campaigns, now),
        points=_grants(person.number, person.points, now),
        segments=person.segments,
        pin=PIN,
    )


def _phones(random: Random) -> Iterator[str]:
    """Valid mobiles, none twice and none of a story's."""
    places = count()
    while True:
        make = hong_kong_phone if random.random() < HONG_KONG_SHARE else taiwan_phone
        phone = make(next(places))
        if phone not in RESERVED_PHONES:
            yield phone


def _drawn(number: int, random: Random, phones: Iterator[str], now: datetime) -> Holding:
    phone = next(phones)
    joined_at = now - timedelta(days=random.randrange(1, 1500), seconds=random.randrange(86_400))
    hard = number % HARD_EVERY == 0
    drawn = draw_hong_kong_name(random) if phone.startswith("+852") else draw_name(random)
    user_id = f"U{random.getrandbits(128):032x}"
    has_line = random.random() < 0.6
    member = Member(
        id=member_id(number),
        phone=phone,
        name=HARD[number // HARD_EVERY % len(HARD)] if hard else drawn,
        email=f"m{number}@example.com" if random.random() < 0.4 else "",
        tier=random.choices(tuple(Tier), (70, 20, 8, 2))[0],
        code=member_code(number),
        card_no=f"9{number:09d}" if random.random() < 0.1 else "",
        links=(Link(LINE_PROVIDER, user_id),) if has_line else (),
        consent=Consent(marketing=has_line and random.random() < 0.7, at=joined_at),
        home_store=STORES[random.random() < 0.45],
        joined_at=joined_at,
    )
    batches = [
        (random.randrange(1, 400), random.randrange(3, 365)) for _ in range(random.choices((0, 1, 2), (3, 6, 1))[0])
    ]
    is_tagged = number < TAGGED_WITHIN and number % TAGGED_EVERY == 0
    segments = random.sample(SEGMENTS, random.choice((1, 1, 2))) if is_tagged else ()
    return Holding(
        member=member,
        coupons=_coupons(number, HANDS[number % len(HANDS)], now),
        points=_grants(number, batches, now),
        segments=tuple(segments),
    )


def _coupons(number: int, campaigns: tuple[str, ...], now: datetime) -> tuple[Coupon, ...]:
    return tuple(
        Coupon(
            id=f"{campaign}/{member_id(number)}",
            campaign_id=campaign,
            member_id=member_id(number),
            code=coupon_code(number, slot),
            valid_until=now + timedelta(days=COUPON_DAYS),
        )
        for slot, campaign in enumerate(campaigns)
    )


def _grants(number: int, batches: Sequence[tuple[int, int]], now: datetime) -> tuple[Grant, ...]:
    id_ = member_id(number)
    return tuple(
        Grant(id=f"opening-{id_}-{place}", member_id=id_, points=points, expires_at=now + timedelta(days=days))
        for place, (points, days) in enumerate(batches)
    )
