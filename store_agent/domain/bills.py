"""Several coupons on one basket: which to use together, whether they may be, and what is left to pay.

What each does by itself is `quotes.py`.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from store_agent.domain.baskets import Basket
from store_agent.domain.benefits import BenefitKind
from store_agent.domain.campaigns import Campaign, Stacking
from store_agent.domain.coupons import LineSaving
from store_agent.domain.operation import Refusal
from store_agent.domain.quotas import blank_quotas
from store_agent.domain.quotes import Quote, VerdictKind, saving_on
from store_agent.domain.savings import FreePieces, Remainder, Saving


class QuoteReason(StrEnum):
    """Why coupons may not be used together on this basket, in order of precedence."""

    NOT_USABLE = "quote-not-usable"
    ALONE = "quote-alone"
    BEST_ONE = "quote-best-one"
    QUOTA = "quote-quota"
    CHANGED = "quote-changed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """What one coupon took off in the combination that was chosen."""

    coupon_id: str
    campaign_id: str
    saves_minor: int
    lines: tuple[LineSaving, ...]
    """Only the lines that became cheaper."""
    free: tuple[FreePieces, ...] = ()
    hand_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Bill:
    """What is to pay once the chosen coupons were taken."""

    taken: tuple[Taken, ...]
    """In the order in which they were taken."""
    unneeded: tuple[str, ...]
    """Chosen coupons that do nothing here, alone or after the others. They must not be used up."""
    lines_minor: tuple[int, ...]
    """Left to pay, in the order of the basket's lines."""

    @property
    def total_minor(self) -> int:
        """Left to pay."""
        return sum(self.lines_minor)

    @property
    def saved_minor(self) -> int:
        """All coupons together."""
        return sum(taken.saves_minor for taken in self.taken)


def apply(quote: Quote, chosen: Iterable[str]) -> Bill:
    """Take the chosen coupons off the basket, each off what those before it left.

    Pieces go first, then per cent, then amounts, then thresholds; within a kind by coupon id. So no line and no total
    can fall below zero, and the same choice always gives the same bill.
    """
    rest = Remainder.of(quote.basket)
    taken: list[Taken] = []
    wanted = dict.fromkeys(chosen)
    for campaign, coupon_id in sorted(_usable(quote, wanted), key=_turn):
        saving = saving_on(campaign, quote.basket, rest)
        if saving.missing or not (saving.minor or saving.hand_out):
            continue
        rest = rest.after(saving)
        taken.append(_taken(coupon_id, campaign, quote.basket, saving))
    done = {one.coupon_id for one in taken}
    unneeded = tuple(coupon_id for coupon_id in wanted if coupon_id not in done)
    return Bill(taken=tuple(taken), unneeded=unneeded, lines_minor=rest.left_minor)


def best(quote: Quote) -> tuple[str, ...]:
    """The coupons to use together so that the least is to pay, in the order in which they are taken.

    The best of: one by itself; all that stack; all that stack with one of those of which only one may be used. A coupon
    that adds nothing is left out, and an exchange voucher for something not in the basket is the member's own choice.
    """
    saving = [verdict.coupon_id for verdict in quote.verdicts if verdict.saves_minor > 0]

    def of(stacking: Stacking) -> list[str]:
        return [coupon_id for coupon_id in saving if _campaign(quote, coupon_id).stacking is stacking]

    stacks = _within_quotas(quote, of(Stacking.STACKS))
    choices = [[], *([coupon_id] for coupon_id in saving), stacks]
    choices += [_within_quotas(quote, [one, *stacks]) for one in of(Stacking.BEST_ONE)]
    return _thin(quote, min(choices, key=lambda choice: (apply(quote, choice).total_minor, len(choice))))


def refuse_together(quote: Quote, chosen: Sequence[str]) -> Refusal | None:
    """Why these coupons may not be used together; for a choice that a person made."""
    usable = {verdict.coupon_id for verdict in quote.verdicts if verdict.kind is VerdictKind.USABLE}
    for coupon_id in chosen:
        if coupon_id not in usable:
            return Refusal(QuoteReason.NOT_USABLE, {"coupon_id": coupon_id})
    stacking = [_campaign(quote, coupon_id).stacking for coupon_id in dict.fromkeys(chosen)]
    if len(stacking) > 1 and Stacking.ALONE in stacking:
        return Refusal(QuoteReason.ALONE, {"coupon_id": chosen[stacking.index(Stacking.ALONE)]})
    if stacking.count(Stacking.BEST_ONE) > 1:
        return Refusal(QuoteReason.BEST_ONE)
    beyond = [coupon_id for coupon_id in chosen if coupon_id not in _within_quotas(quote, chosen)]
    return Refusal(QuoteReason.QUOTA, {"coupon_id": beyond[0]}) if beyond else None


def _campaign(quote: Quote, coupon_id: str) -> Campaign:
    campaign = quote.offers[coupon_id].campaign
    assert campaign is not None, "only a coupon with a campaign is usable"
    return campaign


def _usable(quote: Quote, wanted: Iterable[str]) -> list[tuple[Campaign, str]]:
    usable = {verdict.coupon_id for verdict in quote.verdicts if verdict.kind is VerdictKind.USABLE}
    return [(_campaign(quote, coupon_id), coupon_id) for coupon_id in wanted if coupon_id in usable]


def _turn(one: tuple[Campaign, str]) -> tuple[int, str]:
    campaign, coupon_id = one
    return list(BenefitKind).index(campaign.benefit.kind), coupon_id


def _within_quotas(quote: Quote, coupon_ids: Sequence[str]) -> list[str]:
    """Those of the coupons, in this order, for which the campaigns' counters suffice together."""
    counted: Counter[str] = Counter()
    kept: list[str] = []
    for coupon_id in coupon_ids:
        existing = {quota.id: quota for quota in quote.offers[coupon_id].quotas}
        blanks = blank_quotas(_campaign(quote, coupon_id), quote.situation)
        if all(counted[blank.id] < existing.get(blank.id, blank).left for blank in blanks):
            counted.update(blank.id for blank in blanks)
            kept.append(coupon_id)
    return kept


def _thin(quote: Quote, chosen: Sequence[str]) -> tuple[str, ...]:
    """The same choice without coupons that cost the customer nothing to keep."""
    kept = [taken.coupon_id for taken in apply(quote, chosen).taken]
    for coupon_id in list(kept):
        fewer = [other for other in kept if other != coupon_id]
        if apply(quote, fewer).total_minor <= apply(quote, kept).total_minor:
            kept = fewer
    return tuple(kept)


def _taken(coupon_id: str, campaign: Campaign, basket: Basket, saving: Saving) -> Taken:
    lines = zip(basket.lines, saving.by_line_minor, strict=True)
    return Taken(
        coupon_id=coupon_id,
        campaign_id=campaign.id,
        saves_minor=saving.minor,
        lines=tuple(LineSaving(gtin=line.gtin, saved_minor=saved) for line, saved in lines if saved),
        free=saving.free,
        hand_out=saving.hand_out,
    )
