"""What each coupon in someone's hands is worth on a basket, here and now, each by itself. Together: `bills.py`.

Pure: the quote at the counter, the till's preview and the centre's check are this one function of the same facts.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum

from store_agent.domain.baskets import Basket
from store_agent.domain.benefits import BenefitKind, Measured
from store_agent.domain.campaigns import Campaign, CampaignReason, Situation, refuse_campaign
from store_agent.domain.coupons import Coupon, refuse_coupon
from store_agent.domain.operation import Refusal
from store_agent.domain.quotas import Quota, blank_quotas, refuse_quota
from store_agent.domain.savings import FreePieces, Missing, Nudge, Remainder, Saving, save


class VerdictKind(StrEnum):
    """Listed in the order in which a screen shows them."""

    USABLE = "usable"
    USABLE_IF = "usable-if"
    NOT_HERE = "not-here"


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """A coupon with its campaign, if this store has it, and those of the campaign's counters that exist."""

    coupon: Coupon
    campaign: Campaign | None
    quotas: tuple[Quota, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """What one coupon does for this basket by itself."""

    coupon_id: str
    campaign_id: str
    kind: VerdictKind
    saves_minor: int = 0
    line_savings_minor: tuple[int, ...] = ()
    """In the order of the basket's lines; they sum to `saves_minor` exactly."""
    free: tuple[FreePieces, ...] = ()
    hand_out: int = 0
    """Pieces of the campaign's gift to be given beside the basket."""
    missing: Missing | None = None
    """Only where it is usable if."""
    next_step: Nudge | None = None
    refusal: Refusal | None = None
    """Only where it is not usable here."""
    instead: dict[str, str] = field(default_factory=dict)
    instead_campaign: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Quote:
    """A verdict for every coupon: usable first and by what they save, then those that lack something, then the rest."""

    basket: Basket
    situation: Situation
    offers: dict[str, Offer]
    """By coupon id."""
    verdicts: tuple[Verdict, ...]


def quote(basket: Basket, situation: Situation, offers: Iterable[Offer]) -> Quote:
    """Say for every coupon whether it is usable on this basket and what it saves, or why not and what instead."""
    by_id = {offer.coupon.id: offer for offer in offers}
    verdicts = [_judge(offer, basket, situation) for offer in by_id.values()]
    order = list(VerdictKind)

    def rank(verdict: Verdict) -> tuple[int, int, datetime, str]:
        # Of equal savings, the one that is over first: the other can still be used next time.
        until = by_id[verdict.coupon_id].coupon.valid_until or datetime.max.replace(tzinfo=UTC)
        return order.index(verdict.kind), -verdict.saves_minor, until, verdict.coupon_id

    verdicts.sort(key=rank)
    return Quote(basket=basket, situation=situation, offers=by_id, verdicts=tuple(verdicts))


def _judge(offer: Offer, basket: Basket, situation: Situation) -> Verdict:
    coupon, campaign = offer.coupon, offer.campaign
    verdict = Verdict(coupon_id=coupon.id, campaign_id=coupon.campaign_id, kind=VerdictKind.NOT_HERE)
    if campaign is None:
        return replace(verdict, refusal=Refusal(CampaignReason.UNKNOWN, {"campaign_id": coupon.campaign_id}))
    refusal = (
        refuse_coupon(coupon, situation.at, situation.member_id)
        or refuse_campaign(campaign, basket, situation)
        or _refuse_quotas(offer.quotas, campaign, situation)
    )
    if refusal:
        return replace(verdict, refusal=refusal, instead=campaign.instead, instead_campaign=campaign.instead_campaign)
    saving = saving_on(campaign, basket, Remainder.of(basket))
    return replace(
        verdict,
        kind=VerdictKind.USABLE_IF if saving.missing else VerdictKind.USABLE,
        saves_minor=saving.minor,
        line_savings_minor=saving.by_line_minor,
        free=saving.free,
        hand_out=saving.hand_out,
        missing=saving.missing,
        next_step=saving.next_step,
    )


def _refuse_quotas(quotas: Sequence[Quota], campaign: Campaign, situation: Situation) -> Refusal | None:
    existing = {quota.id: quota for quota in quotas}
    refusals = (refuse_quota(existing.get(blank.id, blank)) for blank in blank_quotas(campaign, situation))
    return next((refusal for refusal in refusals if refusal), None)


def saving_on(campaign: Campaign, basket: Basket, rest: Remainder) -> Saving:
    """What the campaign takes off the rest of a basket, or what the basket lacks for it."""
    eligible = [n for n, line in enumerate(basket.lines) if _is_for(campaign, line.gtin, line.categories)]
    left_minor = [line.total_minor for line in basket.lines]
    if campaign.measured is Measured.AFTER:
        left_minor = list(rest.left_minor)
    measured_minor = sum(left_minor[n] for n in eligible)
    quantity = sum(basket.lines[n].quantity for n in eligible if basket.lines[n].gtin)
    saving = save(campaign.benefit, eligible, rest, measured_minor)
    if campaign.benefit.kind is BenefitKind.GIFT:
        # What is given away does not count towards earning it.
        measured_minor -= sum(saving.by_line_minor[n] for n in eligible)
        quantity -= sum(saving.pieces[n] for n in eligible)
    missing = _short(campaign, measured_minor, quantity) or saving.missing or _nothing_to_save(campaign, saving)
    if missing is None:
        return saving
    if not basket.is_scanned and (missing.add_quantity or campaign.included or campaign.excluded):
        missing = Missing(needs_lines=True)
    none = (0,) * len(basket.lines)
    return Saving(by_line_minor=none, pieces=none, missing=missing, next_step=saving.next_step)


def _is_for(campaign: Campaign, gtin: str, categories: Sequence[str]) -> bool:
    if not gtin and (campaign.included or campaign.excluded):
        return False
    included = not campaign.included or campaign.included.has(gtin, categories)
    return included and not campaign.excluded.has(gtin, categories)


def _short(campaign: Campaign, measured_minor: int, quantity: int) -> Missing | None:
    add_minor = max(0, campaign.minimum_minor - measured_minor)
    add_quantity = max(0, campaign.minimum_quantity - quantity)
    if not (add_minor or add_quantity):
        return None
    return Missing(add_minor=add_minor, add_quantity=add_quantity, products=campaign.included)


def _nothing_to_save(campaign: Campaign, saving: Saving) -> Missing | None:
    """A coupon that would be used up for nothing is not usable yet, unless something is handed out or sent for it."""
    if saving.minor or saving.hand_out or campaign.benefit.kind is BenefitKind.FREE_SHIPPING:
        return None
    return Missing(add_quantity=1, products=campaign.included)
