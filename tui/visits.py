"""Whom and what the counter serves at this moment, and all that follows from it, frozen, for the screen."""

from __future__ import annotations

from dataclasses import dataclass, replace

from store_agent.codes import SignedCode
from store_agent.desk import baskets, cases, checkout, overviews
from store_agent.desk.counter import Counter
from store_agent.domain import bills
from store_agent.domain.baskets import Basket
from store_agent.domain.coupons import Coupon
from store_agent.domain.pickups import Pickup, PickupState
from store_agent.domain.proofs import NO_PROOF, Proof
from store_agent.domain.quotes import Quote, VerdictKind
from store_agent.words import language
from tui.naming import spoken, with_names


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """One customer at the counter. The purchase is named when its basket begins, so that pressing twice is one."""

    purchase_id: str
    basket: Basket
    member_id: str = ""
    shown: tuple[Coupon, ...] = ()
    """Coupons that were shown."""
    proof: Proof = NO_PROOF
    """How it is known who it is."""
    card: SignedCode | None = None
    """The card of a member whom this store does not hold."""

    @property
    def is_blank(self) -> bool:
        """Whether nobody is served."""
        return not (self.member_id or self.basket.lines or self.shown)


@dataclass(frozen=True, slots=True, kw_only=True)
class CounterOverview:
    """All that the counter shows."""

    visit: Visit
    of_member: overviews.MemberOverview | None
    chosen: tuple[str, ...]
    """The best combination of coupons."""
    bill: bills.Bill | None
    earns: int
    names: dict[str, str]
    """By GTIN: the products of the basket."""
    line: overviews.LineOverview
    is_store_known: bool
    has_cases: bool = False
    """Whether something waits for a lead to decide."""

    @property
    def quote(self) -> Quote | None:
        """Every coupon against the basket; None without a member."""
        return self.of_member.quote if self.of_member else None

    @property
    def to_pay_minor(self) -> int:
        """After the best coupons, before any points."""
        return self.bill.total_minor if self.bill else self.visit.basket.total_minor

    @property
    def ready(self) -> tuple[Pickup, ...]:
        """The member's orders that can be handed over now."""
        orders = self.of_member.pickups if self.of_member else ()
        return tuple(order for order in orders if order.state is PickupState.READY)

    @property
    def possible(self) -> frozenset[str]:
        """The actions that make sense now; the line of keys shows these and no others."""
        of_member, can = self.of_member, {"help", "stock", "pickups", "cases", "language", "quit"}
        if self.visit.is_blank:
            can |= {"register"}
        else:
            can |= {"clear", "back"}
        if of_member is None:
            return frozenset(can | {"register"})
        if of_member.card is None:
            can |= {"tag", "edit", "show_code"}
        usable = any(verdict.kind is VerdictKind.USABLE for verdict in of_member.quote.verdicts)
        if usable or self.visit.basket.total_minor:
            can |= {"redeem"}
        if of_member.points.worth_minor > 0 and self.to_pay_minor > 0:
            can |= {"points"}
        if self.ready:
            can |= {"hand_over"}
        return frozenset(can)


def begin(counter: Counter) -> Visit:
    """Nobody yet."""
    return Visit(purchase_id=counter.ids.new(), basket=baskets.empty(counter))


def look(counter: Counter, visit: Visit) -> CounterOverview:
    """Everything about a visit, as of now, in one moment of the replica."""
    view = counter.replica.view
    with view.moment():
        seen = overviews.member(counter, visit.member_id, visit.basket, language(), visit.card)
        if seen and visit.shown:
            quote = checkout.quote_for(counter, seen.member, visit.basket, visit.shown)
            seen = replace(seen, quote=quote)
        if seen:
            seen = replace(seen, quote=_with_names(counter, seen.quote))
        chosen = bills.best(seen.quote) if seen else ()
        bill = bills.apply(seen.quote, chosen) if seen else None
        to_pay_minor = bill.total_minor if bill else visit.basket.total_minor
        names = {line.gtin: product_name(counter, line.gtin) for line in visit.basket.lines if line.gtin}
        return CounterOverview(
            visit=visit,
            of_member=seen,
            chosen=chosen,
            bill=bill,
            earns=counter.store.points.earned(to_pay_minor) if seen else 0,
            names=names,
            line=overviews.line(counter),
            is_store_known=view.get("store", counter.store_id) is not None,
            has_cases=cases.has_open(counter),
        )


def _with_names(counter: Counter, quote: Quote) -> Quote:
    """Refusals name people and stores as people call them."""
    verdicts = tuple(
        replace(verdict, refusal=with_names(counter, verdict.refusal)) if verdict.refusal else verdict
        for verdict in quote.verdicts
    )
    return replace(quote, verdicts=verdicts)


def product_name(counter: Counter, gtin: str) -> str:
    """A product as a person calls it; its number where this store does not know it."""
    product = counter.replica.view.get("product", gtin)
    return spoken(product.name, gtin) if product else gtin.lstrip("0")
