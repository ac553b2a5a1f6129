"""What the dialogs share that spend what is a member's: the proof that it wants, and what is said when it is done."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace

from store_agent.desk import proofs, scans
from store_agent.desk.checkout import Receipt
from store_agent.desk.counter import Counter
from store_agent.desk.overviews import MemberOverview
from store_agent.domain.operation import Refusal
from store_agent.domain.proofs import Proof, ProofReason, stronger
from store_agent.domain.quotes import Quote
from store_agent.words import _
from tui.dialogs.dialog import Dialog, Outcome
from tui.dialogs.pin import PinDialog
from tui.receipt_words import receipt_words
from tui.said import done, told
from tui.scanning import Scanned
from tui.visits import CounterOverview


class Spending(Dialog):
    """One verb, `action_redeem`: where a proof is missing it is asked for, and then the verb is called once more."""

    def __init__(self, counter: Counter, overview: CounterOverview) -> None:
        super().__init__(counter)
        self.overview = overview
        self.proof: Proof = overview.visit.proof

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
            self.refuse(result)

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
