"""A member whom this store does not hold: asked for at the centre, followed until their rows are here."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from typing import Protocol

from store_agent.desk import overviews
from store_agent.desk.counter import Counter
from store_agent.trouble import Trouble
from store_agent.words import _
from tui.naming import phone as phone_words
from tui.said import Said, told, warned

Sight = Callable[[str, str], Awaitable[str]]
"""Asks the centre for the member with this phone or code: their id, or empty. Raises Trouble when the cable is out."""


class Asking(Protocol):
    """Whoever asks: the screen, as far as a question needs it."""

    counter: Counter

    def say(self, said: Said) -> None: ...

    def follow(self) -> None: ...


class LookUp:
    """At most one question at a time; a newer one takes its place."""

    def __init__(self, sight: Sight | None) -> None:
        self._sight = sight
        self._expected = ""
        self._asked = 0
        self.unknown_phone = ""
        """The last number that was nobody's: registering begins with it."""

    def forget(self) -> None:
        """The next customer: an answer that comes now is for nobody."""
        self._expected, self.unknown_phone = "", ""
        self._asked += 1

    def arrived(self, counter: Counter) -> str:
        """The member who was asked for, once their rows are here; else empty."""
        if self._expected and counter.replica.view.get("member", self._expected):
            found, self._expected = self._expected, ""
            return found
        return ""

    def ask(
        self, screen: Asking, *, phone: str = "", code: str = "", by_card: bool = False
    ) -> Coroutine[None, None, None] | None:
        """Say what will be done; returns what is still to be awaited, or None where nobody can be asked.

        `by_card`: they are served by what their signed card says already, so nothing has to be said of it.
        """
        self.forget()
        self.unknown_phone = phone
        shown = phone_words(phone) if phone else code
        if by_card:
            screen.say(_served_by_card())
            if self._sight is None or overviews.line(screen.counter).offline_since:
                return None
            return self._wait(screen, self._sight, (phone, code), "", self._asked)
        if self._sight is None:
            screen.say(warned(_("This store does not know {who}.").format(who=shown), _("F4 registers them.")))
            return None
        if overviews.line(screen.counter).offline_since:
            screen.say(_offline(shown))
            return None
        screen.say(told(_("{who}: asking the centre…").format(who=shown), _("You can go on meanwhile.")))
        return self._wait(screen, self._sight, (phone, code), shown, self._asked)

    async def _wait(self, screen: Asking, sight: Sight, whom: tuple[str, str], shown: str, asked: int) -> None:
        try:
            member_id = await sight(*whom)
        except Trouble:
            # Not told like other trouble: the customer stands here, so what still works matters more than the cause.
            if asked == self._asked and shown:
                screen.say(_offline(shown))
            return
        if asked != self._asked:
            return
        if not member_id and not shown:
            return
        if not member_id:
            screen.say(told(_("{who} is no member yet.").format(who=shown), _("F4 registers them.")))
            return
        self._expected = member_id
        if shown and not screen.counter.replica.view.get("member", member_id):
            screen.say(told(_("{who} is found; their data is on the way.").format(who=shown)))
        screen.follow()


def _served_by_card() -> Said:
    return told(
        _("This store does not hold this member; the card is good."),
        _("Buying and earning work at once; the rest follows when the centre can be asked."),
    )


def _offline(shown: str) -> Said:
    return warned(
        _("This store does not know {who}, and the centre cannot be asked now.").format(who=shown),
        _("F4 registers them; who is a member already is joined later, nothing is lost."),
    )
