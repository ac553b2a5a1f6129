"""What cases and decisions about them are called, and how both of their values are said in one line."""

from __future__ import annotations

from collections.abc import Mapping

from store_agent.domain.cases import CaseKind, Remedy
from store_agent.safe_text import safe_text
from store_agent.words import _, later
from store_agent.words.names import name_of

KINDS: dict[str, str] = {
    CaseKind.POINTS_OVERDRAWN: later("more points used than there were"),
    CaseKind.COUPON_OVER: later("a coupon used more often than it may be"),
    CaseKind.QUOTA_OVER: later("a campaign used more often than it may be"),
    CaseKind.ORDER_CONFLICT: later("an order that two changed at once"),
    CaseKind.DUPLICATE_MEMBER: later("one member who joined twice"),
    CaseKind.STOCK_NEGATIVE: later("more sold than there was"),
    CaseKind.LATE_OPERATION: later("work that came very late"),
    CaseKind.PARKED_OPERATION: later("something that the centre cannot apply"),
    CaseKind.DEVICE_FORK: later("a copied or restored disk"),
    CaseKind.UNKNOWN_REFERENCE: later("about something that nobody knows"),
    CaseKind.CODE_REPLAYED: later("a code that was used twice"),
}
SHORT: dict[str, str] = {
    CaseKind.POINTS_OVERDRAWN: later("points overdrawn"),
    CaseKind.COUPON_OVER: later("coupon over"),
    CaseKind.QUOTA_OVER: later("campaign over"),
    CaseKind.ORDER_CONFLICT: later("order conflict"),
    CaseKind.DUPLICATE_MEMBER: later("joined twice"),
    CaseKind.STOCK_NEGATIVE: later("stock below zero"),
    CaseKind.LATE_OPERATION: later("came late"),
    CaseKind.PARKED_OPERATION: later("not applied"),
    CaseKind.DEVICE_FORK: later("copied disk"),
    CaseKind.UNKNOWN_REFERENCE: later("not known"),
    CaseKind.CODE_REPLAYED: later("used twice"),
}
"""For a column of a list."""
REMEDY_WORDS: dict[str, str] = {
    Remedy.RECOVER: later("put right: it was paid back or found"),
    Remedy.WRITE_OFF: later("written off: the chain bears it"),
    Remedy.REVERSE: later("taken back from the customer"),
    Remedy.MERGE: later("they are one member"),
    Remedy.REASSIGN: later("let somebody else decide"),
    Remedy.FRAUD: later("fraud: the chain bears it"),
}
VALUES: dict[str, str] = {
    "points": later("points {value}"),
    "balance": later("there were {value}"),
    "uses": later("used {value} times"),
    "uses_limit": later("allowed {value} times"),
    "quantity": later("used {value} times"),
    "limit": later("limit {value}"),
    "used": later("used {value} times"),
    "moved": later("moved {value}"),
    "on_hand": later("on hand {value}"),
    "step": later("step {value}"),
    "state": later("state {value}"),
    "days": later("{value} days later"),
    "error": later("reason {value}"),
    "differs": later("different: {value}"),
}
"""Of what was assumed and found; what has no words here is for machines."""


def kind_of(kind: str) -> str:
    """What was broken, in words; a kind of a newer centre is its own name."""
    return _(KINDS[kind]) if kind in KINDS else kind


def short_kind_of(kind: str) -> str:
    """The same for a column."""
    return _(SHORT[kind]) if kind in SHORT else kind


def remedy_of(remedy: str) -> str:
    """What can be decided, in words."""
    return _(REMEDY_WORDS[remedy]) if remedy in REMEDY_WORDS else remedy


def values_of(values: Mapping[str, str | int]) -> str:
    """One side of a case in one line; a dash where there is nothing to say."""
    said = [
        _(VALUES[name]).format(value=name_of(safe_text(str(value))))
        for name, value in values.items()
        if name in VALUES and value != ""
    ]
    return _(", ").join(said) or "–"


def both_values(assumed: Mapping[str, str | int], found: Mapping[str, str | int]) -> str:
    """What the store went by, against what the centre found."""
    return _("store: {assumed} / centre: {found}").format(assumed=values_of(assumed), found=values_of(found))
