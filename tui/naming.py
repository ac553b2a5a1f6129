"""How a member, a product or an order is named to the person who reads the screen. Data only, so always safe text."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from store_agent.desk.counter import Counter
from store_agent.domain.members import Member
from store_agent.domain.operation import Refusal
from store_agent.safe_text import safe_text
from store_agent.words import _, language

NEXT_BEST = {"zh-TW": ("zh-HK", "en"), "zh-HK": ("zh-TW", "en"), "en": ("zh-TW", "zh-HK")}


def spoken(names: Mapping[str, str], otherwise: str = "") -> str:
    """A name that the head office wrote by language; the nearest language where this one is missing."""
    for code in (language(), *NEXT_BEST.get(language(), ())):
        if name := safe_text(names.get(code, "")):
            return name
    return safe_text(next(iter(names.values()), "")) or safe_text(otherwise)


def person(member: Member) -> str:
    """A member's name; one without a visible letter gets a word of ours."""
    return safe_text(member.name) or _("(no name)")


def phone(number: str) -> str:
    """E.164 as people at this counter write it: `0912 345 678`, `9123 4567`, else `+44 7911123456`."""
    if found := re.fullmatch(r"\+886(9\d{2})(\d{3})(\d{3})", number):
        return f"0{found[1]} {found[2]} {found[3]}"
    if found := re.fullmatch(r"\+852(\d{4})(\d{4})", number):
        return f"{found[1]} {found[2]}"
    return safe_text(number)


def staff_name(counter: Counter, staff_id: str) -> str:
    """Who works here, by name; the id where this store does not know them."""
    staff = counter.replica.view.get("staff", staff_id) if staff_id else None
    return safe_text(staff.name if staff else staff_id) or "–"


def store_name(counter: Counter, store_id: str) -> str:
    """A store as people call it."""
    store = counter.replica.view.get("store", store_id) if store_id else None
    return spoken(store.name, store_id) if store else safe_text(store_id)


def with_names(counter: Counter, refusal: Refusal) -> Refusal:
    """The same refusal with people and stores by name, where the rule knows only their ids."""
    facts = dict(refusal.facts)
    if isinstance(staff_id := facts.get("staff"), str):
        facts["staff"] = staff_name(counter, staff_id)
    for fact in ("store", "stores"):
        if isinstance(store_ids := facts.get(fact), str):
            facts[fact] = _(", ").join(store_name(counter, store_id) for store_id in store_ids.split(","))
    return replace(refusal, facts=facts)
