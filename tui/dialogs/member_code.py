"""Ctrl+R: the member's code, large, for the camera of their phone. Nothing is changed here."""

from __future__ import annotations

from collections.abc import Iterable

from textual.containers import Center
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from store_agent.desk.counter import Counter
from store_agent.domain.members import Member
from store_agent.safe_text import safe_text
from store_agent.words import _
from tui.columns import stacked, wrapped
from tui.dialogs.dialog import Dialog
from tui.naming import person, phone
from tui.widgets.qr_code import QrCode

WIDTH = 66


class MemberCodeDialog(Dialog):
    """Who has no card yet is shown the phone number as a code, which every counter finds them by too."""

    DEFAULT_CSS = """
    MemberCodeDialog > .frame { padding: 0 1; }
    MemberCodeDialog #about { height: auto; }
    MemberCodeDialog Notice { display: none; }
    """

    def __init__(self, counter: Counter, member: Member) -> None:
        super().__init__(counter)
        self.member = member

    def heading(self) -> str:
        return person(self.member)

    def parts(self) -> Iterable[Widget]:
        code = self.member.code or self.member.phone
        with Center():
            yield QrCode(code)
        shown = safe_text(self.member.code) or phone(self.member.phone)
        words = _("A photo of this is the member card for next time.")
        yield Static(stacked([Content.styled(shown, "bold"), *wrapped(words, "", WIDTH, "")]), id="about", markup=False)
