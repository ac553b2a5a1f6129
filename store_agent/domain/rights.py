"""What a store is covered for with the cable out: rights, which nobody else can spend, and how the rest is risked.

Which right there is for a coupon or for points stands in their own rows; the budget for the rest is `allowances.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from store_agent.domain.benefits import Benefit, BenefitKind


class Cover(StrEnum):
    """By what something was spent."""

    OPEN = "open"
    """By nothing: it is not limited."""
    RIGHT = "right"
    """By what the centre had set aside for this store."""
    ALLOWANCE = "allowance"
    """At the chain's risk, within this device's allowance: it may turn out to have been spent elsewhere too."""


class Policy(StrEnum):
    """Where the right to use a campaign's coupons lives, and so what the cable out means for them."""

    BY_VALUE = ""
    """By what the coupon is worth: the chain's rule says from which amount on which of the others holds."""
    ONLINE_ONLY = "online_only"
    """At the centre: it is asked each time. Overshoot: none."""
    HOME = "home"
    """At the member's home store; elsewhere on allowance. Overshoot: what was risked on allowance."""
    GROUP = "group"
    """At the centre; on allowance in k named stores. Overshoot: k uses of each coupon."""
    QUOTA = "quota"
    """Split over the stores beforehand. Overshoot: none."""
    OPEN = "open"
    """With nobody. Overshoot: without limit, by design."""


class CoverReason(StrEnum):
    """Which cover was missing, in order of precedence."""

    NOT_HELD = "cover-not-held"
    NEEDS_NETWORK = "cover-needs-network"
    OTHER_STORES = "cover-other-stores"
    NONE = "cover-none"
    ABOVE_TRANSACTION = "cover-above-transaction"
    ABOVE_DAY = "cover-above-day"
    SPENT = "cover-spent"
    NOTHING_TO_RETURN = "cover-nothing-to-return"


@dataclass(frozen=True, slots=True, kw_only=True)
class CoverRule:
    """How much a chain dares, in minor units of one currency. The head office sets it; the bound follows from it."""

    currency: str = "TWD"
    risk_most_minor: int = 400_000
    """All allowances together that are granted and not yet settled: what is lost at most with every store offline."""
    allowance_minor: int = 2_000
    """Of one device."""
    transaction_minor: int = 1_000
    """On allowance at once, unless a manager approves it."""
    points_day_minor: int = 100
    """Worth of points on allowance for one member a day, unless a manager approves it."""
    coupons_day_minor: int = 1_000
    """Worth of coupons on allowance for one member a day, unless a manager approves it."""
    home_points_most: int = 300
    """Points that the home store holds the right to, at most."""
    home_points_percent: int = 30
    """And at most so much of the balance."""
    group_size: int = 8
    """Stores in which one coupon may be risked."""
    group_most_minor: int = 100
    """A coupon worth up to this is `group`."""
    home_most_minor: int = 1_000
    """A coupon worth up to this is `home`; above it is `online_only`."""
    lent_minutes: int = 10
    """A right that was asked for just in time and not used is given back after so long."""


RULES: dict[str, CoverRule] = {
    "TWD": CoverRule(),
    "HKD": CoverRule(
        currency="HKD",
        risk_most_minor=10_000_000,
        allowance_minor=50_000,
        transaction_minor=25_000,
        points_day_minor=2_500,
        coupons_day_minor=25_000,
        group_most_minor=2_500,
        home_most_minor=25_000,
    ),
}
"""What holds until the head office says otherwise: by currency."""


def rule_for(currency: str) -> CoverRule:
    """The rule that holds where nobody set one."""
    return RULES.get(currency, RULES["TWD"])


def worth_most_minor(benefit: Benefit) -> int | None:
    """What one use can save at most; None where it depends on the basket."""
    if benefit.kind is BenefitKind.AMOUNT:
        return benefit.off_minor
    if benefit.kind is BenefitKind.THRESHOLD and all(step.pay_percent == 100 for step in benefit.steps):
        return max((step.off_minor for step in benefit.steps), default=0)
    return None


def policy_by_value(benefit: Benefit, rule: CoverRule) -> Policy:
    """The policy of a campaign that names none. What depends on the basket is held by the home store."""
    worth_minor = worth_most_minor(benefit)
    if worth_minor is None:
        return Policy.HOME
    if worth_minor <= rule.group_most_minor:
        return Policy.GROUP
    return Policy.HOME if worth_minor <= rule.home_most_minor else Policy.ONLINE_ONLY


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """A right that this store was lent just in time, or that the centre asks back. The id is that of the request."""

    table: ClassVar[str] = "store_right"
    id: str
    store: str
    of_table: str
    """`coupon` or `account`."""
    subject: str
    amount: int = 1
    """Uses of a coupon, or points."""
    state: str = "lent"
    """`lent`, `recalled`, `done`."""
    due_at: datetime | None = None
    """From then on the store gives back what it did not use."""

    def is_due(self, at: datetime) -> bool:
        """Whether what is left of it goes back now."""
        return self.state == "recalled" or (self.state == "lent" and self.due_at is not None and at >= self.due_at)
