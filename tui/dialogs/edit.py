"""F4 with a member open: what was misspelt is corrected, and who agrees to news, or no longer does, is heard."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input, Static

from store_agent.desk import members
from store_agent.desk.counter import Counter
from store_agent.domain.members import Member, MemberReason
from store_agent.domain.proofs import NO_PROOF, Proof
from store_agent.safe_text import safe_text
from store_agent.words import _, later
from tui.dialogs.dialog import Dialog, Outcome
from tui.dialogs.set_pin import SetPinDialog
from tui.keys import Key
from tui.naming import phone
from tui.said import done, told
from tui.widgets.code_box import FormField


class EditDialog(Dialog):
    """Two fields and a consent. Only what is changed is sent, so that a change made elsewhere meanwhile stays."""

    DEFAULT_CSS = """
    EditDialog #phone { margin: 0 2; }
    EditDialog #consent { height: 1; margin: 0 2; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "consent", "", show=False),
        Binding("f3", "pin", "", show=False),
        Binding("f4", "save", "", show=False),
        Binding("down", "app.focus_next", "", show=False),
        Binding("up", "app.focus_previous", "", show=False),
    ]
    KEYS = (
        Key("enter", "save", later("Save"), ""),
        Key("↑ ↓", "", later("Choose"), ""),
        Key("f2", "consent", later("Agrees to news"), ""),
        Key("f3", "pin", later("PIN"), ""),
    )
    keeps_on_scan = True

    def __init__(self, counter: Counter, member: Member, proof: Proof = NO_PROOF) -> None:
        super().__init__(counter)
        self.proof = proof
        self.member = member
        self.begun = {"name": safe_text(member.name), "email": safe_text(member.email)}
        self.marketing = member.consent.marketing

    def heading(self) -> str:
        return _("Correct a member")

    def parts(self) -> Iterable[Widget]:
        yield Static(phone(self.member.phone), id="phone", markup=False)
        for name, title in (("name", _("Name")), ("email", _("Mail (may stay empty)"))):
            field = FormField(self.begun[name], id=name, select_on_focus=False)
            field.border_title = title
            yield field
        yield Static("", id="consent", markup=False)

    def on_mount(self) -> None:
        """The tick as it is."""
        self._show_consent()

    def _show_consent(self) -> None:
        sign = "[✓]" if self.marketing else "[ ]"
        self.query_one("#consent", Static).update(f"{sign} " + _("Agrees to get news and offers (F2)"))

    def action_consent(self) -> None:
        """The tick, from any field."""
        self.marketing = not self.marketing
        self._show_consent()

    def action_pin(self) -> None:
        """F3: the member chooses a PIN; what is typed here stays."""
        self.app.push_screen(SetPinDialog(self.counter, self.member, self.proof), self._set)

    def _set(self, outcome: Outcome | None) -> None:
        if outcome:
            self.say(outcome.said)

    def on_input_submitted(self) -> None:
        """Enter, in any field."""
        self.action_save()

    def _changed(self, name: str) -> str | None:
        value = self.query_one(f"#{name}", Input).value
        return None if value == self.begun[name] else value

    def action_save(self) -> None:
        """Keep it."""
        if self.is_over:
            return
        name, email = self._changed("name"), self._changed("email")
        marketing = None if self.marketing is self.member.consent.marketing else self.marketing
        if name is None and email is None and marketing is None:
            self.finish(Outcome(said=told(_("Nothing was changed."))))
            return
        refusal = members.change(self.counter, self.member.id, name=name, email=email, marketing=marketing)
        if refusal is None:
            self.finish(Outcome(said=done(_("The member's data is corrected."))))
            return
        self.refuse(refusal)
        self.query_one("#email" if refusal.reason is MemberReason.EMAIL_INVALID else "#name").focus()
