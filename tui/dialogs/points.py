"""F3: paying with points. The most that can be used is entered already; Enter is done."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from store_agent.desk import checkout
from store_agent.desk.counter import Counter
from store_agent.domain import bills
from store_agent.domain.members import Member
from store_agent.domain.operation import Refusal
from store_agent.domain.points import PointsReason
from store_agent.words import _, later
from store_agent.words.formats import money
from tui.columns import pair, stacked
from tui.dialogs.dialog import Outcome
from tui.dialogs.spending import Spending
from tui.keys import Key
from tui.said import NOTHING
from tui.visits import CounterOverview

WIDTH = 66


class PointsDialog(Spending):
    """A pad with one number, and what follows from it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f2", "coupons", "", show=False),
        Binding("f3", "most", "", show=False),
    ]
    KEYS = (
        Key("enter", "redeem", later("Done"), ""),
        Key("f3", "most", later("As many as possible"), ""),
        Key("f2", "coupons", later("Coupons"), ""),
    )

    def __init__(self, counter: Counter, overview: CounterOverview, chosen: tuple[str, ...] | None = None) -> None:
        super().__init__(counter, overview)
        self.chosen = overview.chosen if chosen is None else chosen
        self.bill = bills.apply(self.quote, self.chosen)
        self.most = checkout.most_points(counter, self.member, self.bill.total_minor)

    @property
    def member(self) -> Member:
        """Whose points they are."""
        return self.seen.member

    @property
    def balance(self) -> int:
        """Points before."""
        return self.seen.points.balance

    def heading(self) -> str:
        return _("Pay with points")

    def parts(self) -> Iterable[Widget]:
        yield Input(str(self.most), restrict=r"[0-9]{0,7}", select_on_focus=True, id="points")
        yield Static(self._sums(self.most), id="sums", markup=False)

    @property
    def points(self) -> int:
        """What is entered."""
        return int(self.query_one(Input).value or "0")

    def _sums(self, points: int) -> Content:
        rule, currency = self.counter.store.points, self.quote.basket.currency
        worth_minor = rule.worth(points)
        to_pay_minor = self.bill.total_minor - worth_minor
        earned = rule.earned(to_pay_minor)
        left = self.balance - points
        lines = [
            pair((_("Points now"), "$foreground 55%"), (f"{self.balance:,}", ""), WIDTH),
            pair((_("To pay after coupons"), "$foreground 55%"), (money(self.bill.total_minor, currency), ""), WIDTH),
            pair((_("Points pay"), "$text-success"), (f"-{money(worth_minor, currency)}", "$text-success"), WIDTH),
            Content.styled("─" * WIDTH, "$foreground 22%"),
            pair((_("To pay"), "bold"), (money(max(0, to_pay_minor), currency), "bold $text-accent"), WIDTH),
            pair(
                (_("Points afterwards"), "bold"),
                (f"{left:,} + {earned:,} = {left + earned:,}" if left >= 0 else "–", "bold"),
                WIDTH,
            ),
        ]
        return stacked(lines)

    def on_input_changed(self) -> None:
        """What follows is seen before Enter. What was approved was another number."""
        self.forget_approval()
        self.query_one("#sums", Static).update(self._sums(self.points))
        self.say(NOTHING)

    def action_most(self) -> None:
        """As many as possible."""
        self.query_one(Input).value = str(self.most)

    def action_coupons(self) -> None:
        """Back to the coupons."""
        self.finish(Outcome(then="redeem", chosen=tuple(self.chosen), proof=self.proof))

    def on_input_submitted(self) -> None:
        """Enter."""
        self.action_redeem()

    def action_redeem(self) -> None:
        """Use them up, with the coupons, as one purchase."""
        if self.is_over:
            return
        if not self.points:
            self.refuse(Refusal(PointsReason.NOTHING))
            return
        taken = [one.coupon_id for one in self.bill.taken]
        wants = checkout.lacking(self.counter, self.member, self.quote, taken, self.points)
        points = self.points
        self.once_proven(taken, points, lambda: self.once_covered(wants, lambda: self._redeem(taken, points)))

    def _redeem(self, taken: Sequence[str], points: int) -> None:
        purchase_id = self.overview.visit.purchase_id
        self.settle(
            checkout.redeem(
                self.counter,
                self.member,
                self.quote,
                taken,
                points,
                purchase_id,
                proof=self.proof,
                approved_by=self.approved_by,
            )
        )
