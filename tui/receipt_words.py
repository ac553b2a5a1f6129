"""The one sentence that says what was just redeemed, with the new balance."""

from __future__ import annotations

from store_agent.desk.checkout import Receipt
from store_agent.domain.quotes import Quote
from store_agent.words import _, language, ngettext
from store_agent.words.formats import money
from tui.coupon_words import coupon_name


def receipt_words(quote: Quote, receipt: Receipt, balance_before: int) -> tuple[str, str]:
    """What was used and saved; and below it what is to pay and the points before and after."""
    used: list[str] = []
    if receipt.bill.taken:
        names = _(", ").join(coupon_name(quote, taken.coupon_id) for taken in receipt.bill.taken)
        if saved_minor := receipt.bill.saved_minor:
            used.append(
                _("{names} used, {money} saved.").format(names=names, money=money(saved_minor, receipt.currency))
            )
        else:
            used.append(_("{names} used.").format(names=names))
    if receipt.points_used:
        words = ngettext("{points} point paid {money}.", "{points} points paid {money}.", receipt.points_used)
        worth = money(receipt.points_worth_minor, receipt.currency)
        used.append(words.format(points=f"{receipt.points_used:,}", money=worth))
    if not used:
        used.append(_("The purchase is recorded."))
    to_pay = _("To pay {money}.").format(money=money(receipt.to_pay_minor, receipt.currency))
    points = _("Points {before} → {after}.").format(before=f"{balance_before:,}", after=f"{receipt.balance:,}")
    # A full stop of Chinese brings its own space.
    gap = " " if language() == "en" else ""
    return gap.join(used), f"{to_pay}{gap}{points}"
