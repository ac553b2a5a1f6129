"""The whole sample in one value: what is small is made at once, what is as many as its members one by one."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice

from store_agent.demo.sample.offers import make_bearer_coupons, make_campaigns
from store_agent.demo.sample.orders import WebOrder, make_orders
from store_agent.demo.sample.people import TAGGED_WITHIN, Holding, make_holdings
from store_agent.demo.sample.products import make_products
from store_agent.demo.sample.shelves import make_stock
from store_agent.demo.sample.shops import make_staff, make_stores, make_tag_words
from store_agent.demo.sample.stories import PEOPLE
from store_agent.domain.campaigns import Campaign
from store_agent.domain.coupons import Coupon
from store_agent.domain.members import Member
from store_agent.domain.products import Product
from store_agent.domain.stock import Stock
from store_agent.domain.stores import Staff, Store
from store_agent.domain.tags import TagWord


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A chain as its head office and its web shop know it."""

    now: datetime
    seed: int
    member_count: int
    stores: tuple[Store, ...]
    staff: tuple[Staff, ...]
    tag_words: tuple[TagWord, ...]
    products: tuple[Product, ...]
    campaigns: tuple[Campaign, ...]
    orders: tuple[WebOrder, ...]

    def holdings(self) -> Iterator[Holding]:
        """Each member with what is theirs; the same each time."""
        return make_holdings(self.member_count, self.now, self.seed)

    def members(self) -> Iterator[Member]:
        """The members, the stories' people first."""
        return (holding.member for holding in self.holdings())

    def coupons(self) -> Iterator[Coupon]:
        """What members hold, then leaflets."""
        for holding in self.holdings():
            yield from holding.coupons
        yield from self.bearer_coupons()

    def bearer_coupons(self) -> Iterator[Coupon]:
        """Leaflets, of whoever shows one."""
        return make_bearer_coupons(self.now)

    def segments(self) -> Iterator[tuple[str, tuple[str, ...]]]:
        """The members whom marketing has tagged, with their tags."""
        first = islice(self.holdings(), TAGGED_WITHIN)
        return ((holding.member.id, holding.segments) for holding in first if holding.segments)

    def stock(self) -> Iterator[Stock]:
        """A row for each product and store."""
        return make_stock(self.products, self.seed)


def make_sample(members: int = 20_000, *, now: datetime, seed: int = 2026) -> Sample:
    """The chain as of `now`, aware and UTC. The people of the stories are always among its members."""
    return Sample(
        now=now,
        seed=seed,
        member_count=max(members, len(PEOPLE)),
        stores=make_stores(),
        staff=make_staff(),
        tag_words=make_tag_words(),
        products=make_products(seed),
        campaigns=make_campaigns(now),
        orders=tuple(make_orders(now)),
    )
