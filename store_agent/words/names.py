"""The names of codes that the rules speak in: channels, tiers, weekdays, reasons of a stock movement or a rejection."""

from __future__ import annotations

from store_agent.words import _, later
from store_agent.words.formats import WEEKDAYS

NAMES = {
    "store": later("in the store"),
    "online": later("online"),
    "basic": later("basic"),
    "silver": later("silver"),
    "gold": later("gold"),
    "platinum": later("platinum"),
    "receive": later("received"),
    "sell": later("sold"),
    "return": later("returned by a customer"),
    "pick": later("picked for an order"),
    "back_to_shelf": later("back to the shelf"),
    "transfer_in": later("came from another store"),
    "transfer_out": later("went to another store"),
    "adjust_damaged": later("damaged"),
    "adjust_lost": later("lost"),
    "adjust_found": later("found"),
    "adjust_sample": later("given as a sample"),
    "not_in_stock": later("not in stock"),
    "damaged": later("damaged"),
    "store_closed": later("the store is closed"),
    "other": later("another reason"),
}
CODED_FACTS = frozenset({"channels", "tiers", "tier", "weekdays", "reason"})
"""Facts of a refusal that are such codes, several with commas between them; weekdays count from Monday = 1."""


def name_of(code: str) -> str:
    """The name in the language that is spoken now; a code that a newer centre made up is its own name."""
    return _(NAMES[code]) if code in NAMES else code


def names_of(codes: str) -> str:
    """A list of codes with commas between them, as a person writes such a list."""
    return _(", ").join(_weekday_or_name(code) for code in codes.split(","))


def _weekday_or_name(code: str) -> str:
    return _(WEEKDAYS[int(code) - 1]) if code in tuple("1234567") else name_of(code)
