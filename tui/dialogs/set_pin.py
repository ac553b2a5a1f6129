"""A member chooses a PIN: twice the same, after the pass or an approval has shown who they are."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input

from store_agent.desk import approvals, pins
from store_agent.desk.counter import Counter
from store_agent.domain.members import Member
from store_agent.domain.operation import Refusal
from store_agent.domain.pins import MEMBER_DIGITS, PinReason
from store_agent.domain.proofs import Proof
from store_agent.words import _, later
from tui.dialogs.approve import ApproveDialog
from tui.dialogs.dialog import Dialog, Outcome
from tui.keys import Key
from tui.said import done, warned


class SetPinDialog(Dialog):
    """Two masked fields."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "app.focus_next", "", show=False),
        Binding("up", "app.focus_previous", "", show=False),
    ]
    KEYS = (Key("enter", "", later("Next, save"), ""),)
    keeps_on_scan = True

    def __init__(self, counter: Counter, member: Member, proof: Proof) -> None:
        super().__init__(counter)
        self.member = member
        self.proof = proof

    def heading(self) -> str:
        return _("A new PIN")

    def parts(self) -> Iterable[Widget]:
        for name, title in (("pin", _("The customer types it")), ("again", _("Once more"))):
            field = Input(password=True, restrict=rf"[0-9]{{0,{MEMBER_DIGITS[1]}}}", id=name)
            field.border_title = title
            yield field

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Enter: on, or on the last field save."""
        if message.input.id == "pin":
            self.query_one("#again").focus()
        else:
            self._save()

    def _save(self) -> None:
        if self.is_over:
            return
        pin, again = (self.query_one(f"#{name}", Input) for name in ("pin", "again"))
        if pin.value != again.value:
            again.value = ""
            self.say(warned(_("These two are not the same."), _("Type the second one again.")))
            return
        refusal = pins.set_member(self.counter, self.member, pin.value, self.proof)
        if refusal is None:
            self.finish(Outcome(said=done(_("The PIN is set."), _("It counts here at once."))))
        elif refusal.reason is PinReason.UNPROVEN:
            self.app.push_screen(ApproveDialog(self.counter), self._approved)
        else:
            self._refuse(refusal, pin, again)

    def _refuse(self, refusal: Refusal, pin: Input, again: Input) -> None:
        pin.value = again.value = ""
        pin.focus()
        self.refuse(refusal)

    def _approved(self, outcome: Outcome | None) -> None:
        if outcome and outcome.approval:
            self.proof = approvals.for_member(self.counter, self.member.id, outcome.approval)
            self._save()
        else:
            self.refuse(Refusal(PinReason.UNPROVEN))
