"""Quoting a basket for a member, and redeeming what they choose: coupons, points, and the points they earn by it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from store_agent.desk import proofs, rights
from store_agent.desk.counter import Counter
from store_agent.domain import bills
from store_agent.domain.allowances import Risked
from store_agent.domain.baskets import Basket
from store_agent.domain.campaigns import Campaign, Situation
from store_agent.domain.coupons import Coupon, RedeemCoupon
from store_agent.domain.members import Member, MemberReason
from store_agent.domain.operation import Operation, Refusal
from store_agent.domain.points import Account, EarnPoints, PointsReason, RedeemPoints
from store_agent.domain.proofs import NO_PROOF, Proof
from store_agent.domain.purchases import PurchaseLine, RecordPurchase
from store_agent.domain.quotas import Quota, UseQuota, blank_quotas
from store_agent.domain.quotes import Offer, Quote, quote
from store_agent.domain.rights import Cover
from store_agent.domain.stock import MoveReason, MoveStock
from store_agent.domain.tags import tags_at

DAYS_A_MONTH = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What was just redeemed, for the screen and the slip."""

    purchase_id: str
    bill: bills.Bill
    points_used: int
    points_worth_minor: int
    points_earned: int
    to_pay_minor: int
    balance: int
    currency: str


def situation(counter: Counter, member: Member | None) -> Situation:
    """Where and when, and what this store knows of who pays."""
    view, store, now = counter.replica.view, counter.store, counter.now()
    if member is None:
        return Situation(store=store.id, zone=store.zone, at=now)
    return Situation(
        store=store.id,
        zone=store.zone,
        at=now,
        member_id=member.id,
        tier=str(member.tier),
        tags=tuple(tag.name for tag in tags_at(view.get("tags", member.id), now)),
        # Of a member whom this store knows from a card alone it cannot be said.
        first_purchase=view.get("member", member.id) is not None
        and not view.newest_of_member("purchase", member.id, 1),
    )


def offer(counter: Counter, coupon: Coupon, here: Situation) -> Offer:
    """One coupon with what its quote needs: its campaign, and those of the campaign's counters that this store has."""
    view = counter.replica.view
    campaign: Campaign | None = view.get("campaign", coupon.campaign_id)
    blanks = blank_quotas(campaign, here) if campaign else ()
    quotas: list[Quota] = [row for blank in blanks if (row := view.get("quota", blank.id))]
    return Offer(coupon=coupon, campaign=campaign, quotas=tuple(quotas))


def quote_for(counter: Counter, member: Member, basket: Basket, extra: Sequence[Coupon] = ()) -> Quote:
    """For every coupon of the member (and `extra`, shown by whoever bears it): usable, usable if, or why not."""
    view = counter.replica.view
    with view.moment():
        here = situation(counter, member)
        held: list[Coupon] = view.of_member("coupon", member.id)
        return quote(basket, here, [offer(counter, coupon, here) for coupon in (*held, *extra)])


def most_points(counter: Counter, member: Member, total_minor: int) -> int:
    """The most points that this member can use on so much; with the line down, no more than this store is covered for."""
    account: Account | None = counter.replica.view.get("account", member.id)
    balance = account.balance(counter.now()) if account else 0
    if counter.replica.cache.setting("offline_since"):
        balance = min(balance, rights.points_covered(counter, situation(counter, member)))
    return counter.store.points.most_for(total_minor, balance)


def redeem(
    counter: Counter,
    member: Member | None,
    quoted: Quote,
    chosen: Sequence[str],
    points: int = 0,
    purchase_id: str = "",
    approved_by: str = "",
    proof: Proof = NO_PROOF,
) -> Receipt | Refusal:
    """Use coupons and points on a basket, all or nothing, and record the purchase with what it earned.

    `purchase_id` is made when the basket is begun, so that pressing twice is one purchase. What was quoted is quoted
    once more: an offer may have ended while the screen stood open. `approved_by`: the other person who lifts the caps on
    what may be risked. `proof` is what was shown in this visit.
    """
    if member is None:
        return Refusal(MemberReason.UNKNOWN)
    purchase_id = purchase_id or counter.ids.new()
    if refusal := proofs.refuse(counter, proof, member.id, quoted, chosen, points):
        return refusal
    with counter.replica.view.moment():
        sale = _sell(counter, member, quoted, chosen, points)
        if isinstance(sale, Refusal):
            return sale
        operations = _operations(counter, member, sale, purchase_id, approved_by)
    if isinstance(operations, Refusal):
        return operations
    operations = proofs.carry(counter, proof, operations, purchase_id)
    refusal = counter.accept(*operations) if operations else Refusal(PointsReason.NOTHING)
    if refusal:
        return refusal
    account: Account | None = counter.replica.view.get("account", member.id)
    return Receipt(
        purchase_id=purchase_id,
        bill=sale.bill,
        points_used=sale.points,
        points_worth_minor=sale.worth_minor,
        points_earned=sale.earned,
        to_pay_minor=sale.to_pay_minor,
        balance=account.balance(counter.now()) if account else 0,
        currency=sale.quoted.basket.currency,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Sale:
    """What is about to be redeemed."""

    quoted: Quote
    bill: bills.Bill
    points: int
    worth_minor: int
    earned: int

    @property
    def to_pay_minor(self) -> int:
        return self.bill.total_minor - self.worth_minor


def _sell(counter: Counter, member: Member, shown: Quote, chosen: Sequence[str], points: int) -> _Sale | Refusal:
    if refusal := bills.refuse_together(shown, chosen):
        return refusal
    quoted = quote_for(counter, member, shown.basket, _shown_by_bearer(counter, shown, chosen)) if chosen else shown
    bill = bills.apply(quoted, chosen)
    if bill != bills.apply(shown, chosen):
        return _why_changed(quoted, chosen)
    rule = counter.store.points
    worth_minor = rule.worth(points)
    if worth_minor > bill.total_minor:
        return Refusal(PointsReason.ABOVE_TOTAL, {"most": rule.most_for(bill.total_minor, points)})
    if points % rule.value_points:
        return Refusal(PointsReason.STEP, {"step": rule.value_points})
    earned = rule.earned(bill.total_minor - worth_minor)
    return _Sale(quoted=quoted, bill=bill, points=points, worth_minor=worth_minor, earned=earned)


def _shown_by_bearer(counter: Counter, shown: Quote, chosen: Sequence[str]) -> list[Coupon]:
    """Chosen coupons that belong to whoever shows them, as they stand now."""
    held = [shown.offers[coupon_id].coupon for coupon_id in chosen]
    rows = [counter.replica.view.get(Coupon.table, coupon.id) for coupon in held if not coupon.member_id]
    return [row for row in rows if row is not None]


def _why_changed(quoted: Quote, chosen: Sequence[str]) -> Refusal:
    """What was shown is not so any more: the reason, where a coupon has one."""
    refused = [verdict.refusal for verdict in quoted.verdicts if verdict.coupon_id in chosen and verdict.refusal]
    return refused[0] if refused else Refusal(bills.QuoteReason.CHANGED)


def _operations(
    counter: Counter, member: Member, sale: _Sale, purchase_id: str, approved_by: str
) -> list[Operation] | Refusal:
    basket = sale.quoted.basket
    operations: list[Operation] = []
    if basket.total_minor:
        # First, so that the second press of the same basket is refused before anything else is looked at.
        operations.append(_purchase(counter, member, sale, purchase_id))
    coupons = _coupons(counter, member, sale, purchase_id, approved_by)
    if isinstance(coupons, Refusal):
        return coupons
    operations += coupons
    if sale.points:
        operations += _points(counter, member, sale, purchase_id, approved_by)
    if sale.earned:
        operations.append(
            EarnPoints(
                **counter.named(purchase_id),
                member_id=member.id,
                points=sale.earned,
                expires_at=_points_expire_at(counter),
                purchase_id=purchase_id,
            )
        )
    return operations + _stock(counter, basket, purchase_id)


def _points(counter: Counter, member: Member, sale: _Sale, purchase_id: str, approved_by: str) -> list[Operation]:
    """Paying with points: by this store's right as far as it goes, the rest on allowance."""
    risked = rights.risked_points(counter, member.id, sale.points)
    spent = RedeemPoints(
        **counter.named(purchase_id) | {"approved_by": approved_by},
        member_id=member.id,
        points=sale.points,
        value_minor=sale.worth_minor,
        currency=sale.quoted.basket.currency,
        purchase_id=purchase_id,
        cover=Cover.ALLOWANCE if risked else Cover.RIGHT,
        risked=risked,
    )
    if not risked:
        return [spent]
    worth_minor = rights.worth_at_most(counter.store.points, risked)
    return [spent, rights.use_allowance(counter, spent, Risked.POINTS, worth_minor, sale.quoted.situation)]


def _purchase(counter: Counter, member: Member, sale: _Sale, purchase_id: str) -> RecordPurchase:
    basket, bill = sale.quoted.basket, sale.bill
    view = counter.replica.view
    lines = []
    for line, left_minor in zip(basket.lines, bill.lines_minor, strict=True):
        product = view.get("product", line.gtin) if line.gtin else None
        name = (product.name.get("zh-TW") or next(iter(product.name.values()), "")) if product else ""
        saved_minor = line.total_minor - left_minor
        lines.append(PurchaseLine(line.gtin, name, line.quantity, line.unit_minor, saved_minor))
    return RecordPurchase(
        **counter.named(purchase_id),
        purchase_id=purchase_id,
        member_id=member.id,
        currency=basket.currency,
        total_minor=basket.total_minor,
        paid_minor=sale.to_pay_minor,
        lines=tuple(lines) if basket.is_scanned else (),
        coupon_ids=tuple(taken.coupon_id for taken in bill.taken),
        points_used=sale.points,
        points_earned=sale.earned,
    )


def _coupons(
    counter: Counter, member: Member, sale: _Sale, purchase_id: str, approved_by: str
) -> list[Operation] | Refusal:
    quoted, operations = sale.quoted, list[Operation]()
    for taken in sale.bill.taken:
        used = quoted.offers[taken.coupon_id]
        cover = rights.cover_coupon(counter, used.coupon, used.campaign)
        if isinstance(cover, Refusal):
            return cover
        spent = RedeemCoupon(
            **counter.named(purchase_id) | {"approved_by": approved_by},
            coupon_id=taken.coupon_id,
            campaign_id=taken.campaign_id,
            member_id=member.id,
            purchase_id=purchase_id,
            saved_minor=taken.saves_minor,
            currency=quoted.basket.currency,
            lines=taken.lines,
            cover=cover,
        )
        operations.append(spent)
        if cover is Cover.ALLOWANCE:
            here = quoted.situation
            worth_minor = taken.saves_minor + _gift_minor(counter, used.campaign, taken.hand_out)
            operations.append(rights.use_allowance(counter, spent, Risked.COUPON, worth_minor, here))
        for blank in blank_quotas(used.campaign, quoted.situation) if used.campaign else ():
            operations.append(
                UseQuota(
                    **counter.named(purchase_id),
                    quota_id=blank.id,
                    campaign_id=blank.campaign_id,
                    member_id=blank.member_id,
                    limit=blank.limit,
                )
            )
    return operations


def _gift_minor(counter: Counter, campaign: Campaign | None, pieces: int) -> int:
    """What the dearest of a campaign's gifts costs here, for each piece that is handed out beside the basket."""
    if campaign is None or not pieces:
        return 0
    products = [counter.replica.view.get("product", gtin) for gtin in campaign.benefit.free.gtins]
    prices = [one.price_minor.get(counter.store.currency, 0) for one in products if one is not None]
    return pieces * max(prices, default=0)


def _stock(counter: Counter, basket: Basket, purchase_id: str) -> list[Operation]:
    return [
        MoveStock(
            **counter.named(purchase_id),
            gtin=line.gtin,
            delta=-line.quantity,
            reason=MoveReason.SELL,
            reference=purchase_id,
        )
        for line in basket.lines
        if line.gtin
    ]


def _points_expire_at(counter: Counter) -> datetime:
    return counter.now() + timedelta(days=DAYS_A_MONTH * counter.store.points.valid_months)


def lacking(
    counter: Counter, member: Member, quoted: Quote, chosen: Sequence[str], points: int = 0
) -> tuple[rights.Want, ...]:
    """What this store would have to ask the centre for, so that nothing of this is risked."""
    offers = [quoted.offers[coupon_id] for coupon_id in chosen]
    return rights.lacking(counter, member.id, [(offer.coupon, offer.campaign) for offer in offers], points)
