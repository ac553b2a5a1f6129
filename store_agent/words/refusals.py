"""What a refusal says, and what to do instead: two sentences for every reason of every noun.

The reasons stand here by their value, so that this file needs no noun; `tests/test_words.py` holds both together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from store_agent.domain.operation import Fact, Refusal
from store_agent.safe_text import safe_text
from store_agent.words import _, later
from store_agent.words.formats import moment, money


@dataclass(frozen=True, slots=True)
class Words:
    """The English of both sentences, with the facts that they mention in braces."""

    what: str
    instead: str


UNKNOWN = Words(
    later("This cannot be done here ({reason})."),
    later("Bring this store in step with the centre and update Store Agent, or ask a manager."),
)

WORDS: dict[str, Words] = {}


class _Shown(Mapping[str, str]):
    """The facts of a refusal, each as its name says. One that is missing is a dash: a sentence never fails."""

    def __init__(self, facts: Mapping[str, Fact]) -> None:
        self._facts = facts

    def __getitem__(self, name: str) -> str:
        fact = self._facts.get(name, "–")
        if name.endswith("_at") and isinstance(fact, datetime):
            return moment(fact)
        if name.endswith("_minor") and isinstance(fact, int):
            return money(fact, str(self._facts.get("currency", "")))
        return safe_text(str(fact))

    def __iter__(self) -> Iterator[str]:
        return iter(self._facts)

    def __len__(self) -> int:
        return len(self._facts)


def say(refusal: Refusal) -> str:
    """Why it may not happen, in the language that is spoken now. A reason from a newer centre is named as it is."""
    return _fill(_words(refusal).what, refusal)


def say_instead(refusal: Refusal) -> str:
    """What to do instead."""
    return _fill(_words(refusal).instead, refusal)


def _words(refusal: Refusal) -> Words:
    return WORDS.get(refusal.reason.value, UNKNOWN)


def _fill(sentence: str, refusal: Refusal) -> str:
    return _(sentence).format_map(_Shown({"reason": refusal.reason.value, **refusal.facts}))
