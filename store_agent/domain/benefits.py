"""What a campaign gives: the seven kinds of benefit, as the head office writes them. How much it is: `savings.py`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from store_agent.domain.products import NO_PRODUCTS, ProductSet


class BenefitKind(StrEnum):
    """Listed in the order in which benefits are taken together: pieces first, then parts of what is left of a line."""

    GIFT = "gift"
    """Free item or exchange voucher (兌換券): some pieces of a set for nothing, from the basket or handed out."""
    BOGO = "bogo"
    """Buy one, get one of equal or lower price (買一送一)."""
    BUNDLE = "bundle"
    """One piece of each part together at a price, or with something off."""
    PERCENT = "percent"
    """Pay so much per cent (85折: pay 85 %)."""
    AMOUNT = "amount"
    """A fixed amount off (折抵)."""
    THRESHOLD = "threshold"
    """From an amount on, pay so much per cent or so much less (滿額折); the best step that is reached counts."""
    FREE_SHIPPING = "free-shipping"
    """Nothing at a counter, only online (免運)."""


class Measured(StrEnum):
    """Whether minimum and steps count the basket as it was, or as the other benefits left it."""

    BEFORE = "before"
    AFTER = "after"


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """From this amount on, pay so much per cent, or so much less: whichever saves more."""

    at_least_minor: int
    pay_percent: int = 100
    off_minor: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Benefit:
    """What is given. Which fields count depends on the kind."""

    kind: BenefitKind
    pay_percent: int = 100
    """Percent and bundle: what is still to pay."""
    off_minor: int = 0
    """Amount and bundle: what comes off."""
    together_minor: int | None = None
    """Bundle: the price of all parts together."""
    steps: tuple[Step, ...] = ()
    """Threshold, in any order."""
    parts: tuple[ProductSet, ...] = ()
    """Bundle: one piece of each; a part named twice is two pieces."""
    free: ProductSet = NO_PRODUCTS
    """Bogo: what may be free, anything in the campaign if empty. Gift: what is given."""
    at_most: int = 1
    """Bogo: free pieces; bundle: bundles; 0 is without limit."""
    quantity: int = 1
    """Gift: pieces given."""
