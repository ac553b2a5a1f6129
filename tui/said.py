"""One thing that the counter says to a person: what happened, or why it did not and what to do instead."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from store_agent.domain.operation import Refusal
from store_agent.safe_text import safe_text
from store_agent.trouble import Trouble
from store_agent.words.refusals import say, say_instead


class Tone(StrEnum):
    """How it is meant. Each tone has a sign and a word-free colour; the sentence stands without both."""

    DONE = "done"
    REFUSED = "refused"
    TELLING = "telling"
    HINT = "hint"


@dataclass(frozen=True, slots=True)
class Said:
    """A sentence, and what to do next. Both are shown as plain text."""

    what: str
    instead: str = ""
    tone: Tone = Tone.TELLING


NOTHING = Said("")


def done(what: str, instead: str = "") -> Said:
    """It happened."""
    return Said(safe_text(what, 200), safe_text(instead, 200), Tone.DONE)


def told(what: str, instead: str = "") -> Said:
    """Good to know."""
    return Said(safe_text(what, 200), safe_text(instead, 200), Tone.TELLING)


def hinted(what: str) -> Said:
    """What could be done next."""
    return Said(safe_text(what, 200), "", Tone.HINT)


def warned(what: str, instead: str = "") -> Said:
    """It did not happen."""
    return Said(safe_text(what, 200), safe_text(instead, 200), Tone.REFUSED)


def refused(refusal: Refusal, instead: str = "") -> Said:
    """It may not happen: why, and what to do instead."""
    return warned(say(refusal), instead or say_instead(refusal))


def troubled(trouble: Trouble) -> Said:
    """Something outside failed."""
    return warned(trouble.what, trouble.hint)
