"""What a coupon gives and lacks, said in words. What it is worth is the rules' work, not this file's."""

from __future__ import annotations

from store_agent.domain.benefits import Benefit, BenefitKind
from store_agent.domain.quotes import Quote, Verdict
from store_agent.safe_text import safe_text
from store_agent.words import _, language, ngettext
from store_agent.words.formats import money
from tui.naming import spoken


def coupon_name(quote: Quote, coupon_id: str) -> str:
    """As the campaign is called."""
    offer = quote.offers[coupon_id]
    if offer.campaign is None:
        return safe_text(offer.coupon.code) or _("Coupon")
    return spoken(offer.campaign.name, offer.campaign.id)


def discount(pay_percent: int) -> str:
    """`15% off`; in Chinese what is still to pay: 85 折, 9 折."""
    if language() == "en":
        return f"{100 - pay_percent}% off"
    return f"{pay_percent // 10 if pay_percent % 10 == 0 else pay_percent} 折"


def gives(benefit: Benefit, currency: str, reached_minor: int = 0) -> str:
    """The benefit in a few words; of a threshold, the step that begins at `reached_minor`."""
    if benefit.kind is BenefitKind.PERCENT:
        return discount(benefit.pay_percent)
    if benefit.kind is BenefitKind.AMOUNT:
        return _("{money} off").format(money=money(benefit.off_minor, currency))
    if benefit.kind is BenefitKind.THRESHOLD:
        steps = sorted(benefit.steps, key=lambda step: step.at_least_minor)
        step = next((step for step in steps if step.at_least_minor >= reached_minor), steps[-1] if steps else None)
        if step is not None:
            return (
                discount(step.pay_percent)
                if step.pay_percent < 100
                else _("{money} off").format(money=money(step.off_minor, currency))
            )
    return ""


def saving_words(quote: Quote, verdict: Verdict) -> str:
    """What a usable coupon does for this basket: `saves NT$75`, or what is given."""
    if verdict.saves_minor:
        return _("saves {money}").format(money=money(verdict.saves_minor, quote.basket.currency))
    if verdict.hand_out:
        return ngettext("{count} piece free", "{count} pieces free", verdict.hand_out).format(count=verdict.hand_out)
    return _("usable")


def lacking(quote: Quote, verdict: Verdict) -> str:
    """What would have to join the basket: `Add NT$38 for 10% off.`"""
    missing, offer = verdict.missing, quote.offers[verdict.coupon_id]
    if missing is None or offer.campaign is None:
        return ""
    currency = quote.basket.currency
    if not quote.basket.lines and not missing.products and missing.add_quantity == 1:
        return _("Counts as soon as something is in the basket.")
    if missing.needs_lines:
        return _("Scan the products: the total alone does not say it.")
    if missing.add_minor:
        reached_minor = quote.basket.total_minor + missing.add_minor
        more, benefit = money(missing.add_minor, currency), gives(offer.campaign.benefit, currency, reached_minor)
        return (
            _("Add {more} for {benefit}.").format(more=more, benefit=benefit)
            if benefit
            else _("Add {more}.").format(more=more)
        )
    count = max(1, missing.add_quantity)
    if missing.up_to_minor:
        words = ngettext(
            "Add {count} piece of {price} or less; it is free.", "Add {count} pieces of {price} or less.", count
        )
        return words.format(count=count, price=money(missing.up_to_minor, currency))
    return ngettext("Add {count} eligible piece.", "Add {count} eligible pieces.", count).format(count=count)
