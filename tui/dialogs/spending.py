"""What the dialogs share that spend what is a member's: the proof that it wants, and what is said when it is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import ClassVar

from textual.binding import Binding, BindingType

from store_agent.desk import proofs, scans
from store_agent.desk.checkout import Receipt
from store_agent.desk.counter import Counter
from store_agent.desk.overviews import MemberOverview
from store_agent.domain.operation import Refusal
from store_agent.domain.proofs import Proof, ProofReason, stronger
from store_agent.domain.quotes import Quote
from store_agent.domain.rights import CoverReason
from store_agent.words import _, later
from tui.dialogs.approve import ApproveDialog
from tui.dialogs.dialog import Dialog, Outcome
from tui.dialogs.pin import PinDialog
from tui.keys import Key
from tui.receipt_words import receipt_words
from tui.said import done, told
from tui.scanning import Scanned
from tui.visits import CounterOverview

APPROVE = Key("f8", "approve", later("A manager approves"), "")
LIFTED = frozenset({CoverReason.ABOVE_TRANSACTION, CoverReason.ABOVE_DAY})
"""What another person's yes lifts."""


class Spending(Dialog):
    """One verb, `action_redeem`: where a proof is missing it is asked for, and then the verb is called once more."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("f8", "approve", "", show=False)]

    def __init__(self, counter: Counter, overview: CounterOverview) -> None:
        super().__init__(counter)
        self.overview = overview
        self.proof: Proof = overview.visit.proof
        self.approved_by = ""
        """Who lifted the caps on what may be risked with the line down."""
        self._may_be_approved = False

    @property
    def quote(self) -> Quote:
        """Only with a member is there a quote, and only then this dialog."""
        assert self.overview.quote is not None
        return self.overview.quote

    @property
    def seen(self) -> MemberOverview:
        """Whose it is."""
        assert self.overview.of_member is not None
        return self.overview.of_member

    def action_redeem(self) -> None:
        """Do it."""
        raise NotImplementedError

    def once_proven(self, chosen: Sequence[str], points: int, act: Callable[[], None]) -> None:
        """Do it if it is known who spends; else ask for that first, before anything else is asked for."""
        if proofs.refuse(self.counter, self.proof, self.seen.member.id, self.quote, chosen, points):
            self.app.push_screen(PinDialog(self.counter, self.seen.member), self._proved)
        else:
            act()

    def settle(self, result: Receipt | Refusal) -> None:
        """Say what came of it."""
        if isinstance(result, Receipt):
            before = self.seen.points.balance
            if self.seen.card:
                # The card's points are not among those that this store has rows of.
                result = replace(result, balance=before - result.points_used + result.points_earned)
            self.finish(Outcome(said=done(*receipt_words(self.quote, result, before)), served=True))
        else:
            self._may_be_approved = result.reason in LIFTED and not self.approved_by
            self.show_keys()
            self.refuse(result)

    def keys(self) -> tuple[Key, ...]:
        """F8 only where somebody's yes would change the answer."""
        return (*self.KEYS, APPROVE) if self._may_be_approved else self.KEYS

    def forget_approval(self) -> None:
        """It was given for what was shown then, and for nothing else."""
        if self.approved_by or self._may_be_approved:
            self.approved_by, self._may_be_approved = "", False
            self.show_keys()

    def action_approve(self) -> None:
        """Another person lifts the cap; the budget itself nobody can."""
        if self._may_be_approved and not self.is_over:
            self.app.push_screen(ApproveDialog(self.counter), self._approved)

    def _approved(self, outcome: Outcome | None) -> None:
        if outcome and outcome.approval:
            self.approved_by, self._may_be_approved = outcome.approval.staff_id, False
            self.show_keys()
            self.action_redeem()

    def _proved(self, outcome: Outcome | None) -> None:
        if outcome and outcome.proof:
            self.proof = stronger(self.proof, outcome.proof)
            self.action_redeem()
        elif outcome and outcome.scanned:
            self.finish(outcome)
        else:
            self.refuse(Refusal(ProofReason.WANTED))

    def take_scan(self, message: Scanned) -> bool:
        """The member's pass is the proof; Enter is still to be pressed."""
        code = scans.signed_in(scans.read(self.counter, message.text))
        if code is None or not code.may_spend:
            return False
        proof = proofs.of_code(self.counter, code)
        if not proof.may_spend_of(self.seen.member.id):
            return False
        self.proof = stronger(self.proof, proof)
        self.say(told(_("The pass is theirs."), _("Enter: done.")))
        return True
