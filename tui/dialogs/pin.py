"""The member's PIN, asked for when it is needed. The app's pass, scanned, or another person's approval will do as well."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.widget import Widget
from textual.widgets import Input

from store_agent.desk import approvals, pins, proofs, scans
from store_agent.desk.counter import Counter
from store_agent.domain.keys import CodeKind
from store_agent.domain.members import Member
from store_agent.domain.operation import Refusal
from store_agent.domain.pins import MEMBER_DIGITS, PinReason
from store_agent.words import _, later
from tui.dialogs import pin_pad
from tui.dialogs.approve import ApproveDialog
from tui.dialogs.dialog import Dialog, Outcome
from tui.keys import Key
from tui.said import refused, told
from tui.scanning import Scanned


class PinDialog(Dialog):
    """Ends with a proof, or with nothing."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f2", "approve", "", show=False)]
    KEYS = (Key("enter", "", later("Done"), ""), Key("f2", "approve", later("Approve"), ""))

    def __init__(self, counter: Counter, member: Member) -> None:
        super().__init__(counter)
        self.member = member

    def heading(self) -> str:
        return _("The member's PIN")

    def parts(self) -> Iterable[Widget]:
        field = Input(password=True, restrict=rf"[0-9]{{0,{MEMBER_DIGITS[1]}}}", id="pin")
        field.border_title = _("The customer types it")
        yield field

    def on_mount(self) -> None:
        """Who has no PIN is not asked for one."""
        if pins.has_pin(self.counter, self.member.id):
            self.say(told(_("Or scan the pass of the app."), _("F2: a lead or a manager approves.")))
        else:
            self.say(
                refused(Refusal(PinReason.MISSING), _("Scan the pass of the app. F2: a lead or a manager approves."))
            )

    def on_input_submitted(self) -> None:
        """Enter."""
        field = self.query_one(Input)
        if self.is_over or not field.value:
            return
        proof = pins.ask_member(self.counter, self.member.id, field.value)
        if isinstance(proof, Refusal):
            field.value = ""
            self.refuse(proof)
        else:
            self.finish(Outcome(proof=proof))

    def action_approve(self) -> None:
        """F2: somebody answers for the member."""
        self.app.push_screen(ApproveDialog(self.counter), self._approved)

    def _approved(self, outcome: Outcome | None) -> None:
        if outcome and outcome.approval:
            self.finish(Outcome(proof=approvals.for_member(self.counter, self.member.id, outcome.approval)))

    def take_scan(self, message: Scanned) -> bool:
        """The pass of this member, or a PIN from a pad; anything else is for somewhere else."""
        if pin_pad.fill(self, message, MEMBER_DIGITS):
            self.on_input_submitted()
            return True
        scan = scans.read(self.counter, message.text, [CodeKind.MEMBER_PASS])
        if refusal := scans.refusal_of(scan):
            self.refuse(refusal)
            return True
        code = scans.signed_in(scan)
        if code is None or not code.may_spend:
            return False
        proof = proofs.of_code(self.counter, code)
        if not proof.may_spend_of(self.member.id):
            return False
        self.finish(Outcome(proof=proof))
        return True
