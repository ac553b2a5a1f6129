"""F2: the coupons that are taken off this basket, which line gets which discount, and then Enter."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from store_agent.desk import checkout
from store_agent.desk.counter import Counter
from store_agent.domain import bills
from store_agent.domain.quotes import Quote, Verdict, VerdictKind
from store_agent.words import _, later, ngettext
from store_agent.words.formats import money
from tui.columns import pair, row, stacked
from tui.coupon_words import coupon_name, saving_words
from tui.dialogs.dialog import Outcome
from tui.dialogs.spending import Spending
from tui.keys import Key
from tui.said import told
from tui.visits import CounterOverview

WIDTH = 66


class RedeemDialog(Spending):
    """Shows the bill before anything is used up. The best combination is chosen already."""

    DEFAULT_CSS = """
    RedeemDialog OptionList { height: auto; max-height: 25vh; margin-bottom: 1; }
    RedeemDialog #goods { height: auto; max-height: 17vh; scrollbar-size: 0 1; }
    RedeemDialog #bill { height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "redeem", "", show=False, priority=True),
        Binding("space", "choose", "", show=False, priority=True),
        Binding("f3", "points", "", show=False),
        *[Binding(str(n), f"choose_at({n})", "", show=False) for n in range(1, 10)],
    ]
    KEYS = (
        Key("enter", "redeem", later("Done"), ""),
        Key("1-9", "", later("Choose"), ""),
        Key("f3", "points", later("Points too"), ""),
    )

    def __init__(self, counter: Counter, overview: CounterOverview, chosen: tuple[str, ...] | None = None) -> None:
        super().__init__(counter, overview)
        self.chosen = list(overview.chosen if chosen is None else chosen)

    @property
    def usable(self) -> list[Verdict]:
        """What can be chosen."""
        return [verdict for verdict in self.quote.verdicts if verdict.kind is VerdictKind.USABLE]

    def heading(self) -> str:
        return _("Redeem")

    def parts(self) -> Iterable[Widget]:
        yield OptionList(*self._options(), id="coupons")
        with VerticalScroll(id="goods", can_focus=False):
            yield Static(self._goods(), markup=False)
        yield Static(self._bill(), id="bill", markup=False)

    def on_mount(self) -> None:
        """Without coupons it is the purchase alone, which earns points."""
        self.query_one("#goods").display = self.quote.basket.is_scanned
        if not self.usable:
            self.query_one(OptionList).display = False
            self.say(
                told(_("No coupon counts for this basket."), _("Enter records the purchase and gives the points."))
            )

    def _options(self) -> list[Option]:
        return [
            Option(_coupon_row(self.quote, verdict, n, verdict.coupon_id in self.chosen), id=verdict.coupon_id)
            for n, verdict in enumerate(self.usable, 1)
        ]

    def _goods(self) -> Content:
        basket, bill = self.quote.basket, bills.apply(self.quote, self.chosen)
        return stacked(
            [_bill_row(self.overview, self.quote, bill, n) for n, line in enumerate(basket.lines) if line.gtin]
        )

    def _bill(self) -> Content:
        basket, bill = self.quote.basket, bills.apply(self.quote, self.chosen)
        currency = basket.currency
        lines = [Content.styled("─" * WIDTH, "$foreground 22%")]
        if bill.saved_minor:
            saved = f"-{money(bill.saved_minor, currency)}"
            lines.append(pair((_("Total"), ""), (money(basket.total_minor, currency), ""), WIDTH))
            lines.append(pair((_("Coupons"), "$text-success"), (saved, "$text-success"), WIDTH))
        for taken in bill.taken:
            if taken.hand_out:
                gift = ngettext("{count} piece to give", "{count} pieces to give", taken.hand_out)
                name = coupon_name(self.quote, taken.coupon_id)
                lines.append(pair((name, "$text-success"), (gift.format(count=taken.hand_out), "$text-success"), WIDTH))
        lines.append(pair((_("To pay"), "bold"), (money(bill.total_minor, currency), "bold $text-accent"), WIDTH))
        earned = self.counter.store.points.earned(bill.total_minor)
        if earned:
            words = ngettext("earns {points} point", "earns {points} points", earned).format(points=earned)
            lines.append(pair(("", ""), (words, "$foreground 55%"), WIDTH))
        return stacked(lines)

    def _redraw(self) -> None:
        coupons = self.query_one(OptionList)
        for n, option in enumerate(self._options()):
            coupons.replace_option_prompt_at_index(n, option.prompt)
        self.query_one("#goods Static", Static).update(self._goods())
        self.query_one("#bill", Static).update(self._bill())

    def action_choose(self) -> None:
        """Space: the coupon under the bar."""
        highlighted = self.query_one(OptionList).highlighted
        if highlighted is not None:
            self.action_choose_at(highlighted + 1)

    def action_choose_at(self, number: int) -> None:
        """A number: that coupon. What it does not go together with is taken out, and that is said."""
        if not 1 <= number <= len(self.usable):
            return
        self.query_one(OptionList).highlighted = number - 1
        self.forget_approval()
        coupon_id = self.usable[number - 1].coupon_id
        if coupon_id in self.chosen:
            self.chosen.remove(coupon_id)
        else:
            self.chosen, dropped = _together(self.quote, self.chosen, coupon_id)
            if dropped:
                names = _(", ").join(coupon_name(self.quote, other) for other in dropped)
                self.say(told(_("These do not go together: {names} was taken out.").format(names=names)))
        self._redraw()

    def on_option_list_option_selected(self) -> None:
        """A click on a coupon."""
        self.action_choose()

    def action_points(self) -> None:
        """Go on with points, on what is left to pay."""
        self.finish(Outcome(then="points", chosen=tuple(self.chosen), proof=self.proof))

    def action_redeem(self) -> None:
        """Enter: use the coupons up, record the purchase."""
        if self.is_over:
            return
        chosen = [taken.coupon_id for taken in bills.apply(self.quote, self.chosen).taken]
        wants = checkout.lacking(self.counter, self.seen.member, self.quote, chosen)
        self.once_proven(chosen, 0, lambda: self.once_covered(wants, lambda: self._redeem(chosen)))

    def _redeem(self, chosen: Sequence[str]) -> None:
        member, purchase_id = self.seen.member, self.overview.visit.purchase_id
        self.settle(
            checkout.redeem(
                self.counter,
                member,
                self.quote,
                chosen,
                purchase_id=purchase_id,
                proof=self.proof,
                approved_by=self.approved_by,
            )
        )


def _coupon_row(quote: Quote, verdict: Verdict, number: int, is_chosen: bool) -> Content:
    style = "bold $text-success" if is_chosen else ""
    name = f"{number if number < 10 else ' '} {'[✓]' if is_chosen else '[ ]'} {coupon_name(quote, verdict.coupon_id)}"
    return pair((name, style), (saving_words(quote, verdict), style), WIDTH)


def _bill_row(overview: CounterOverview, quote: Quote, bill: bills.Bill, place: int) -> Content:
    """A line of the basket: before, after, and the coupons that made it cheaper."""
    line, left_minor = quote.basket.lines[place], bill.lines_minor[place]
    by = [
        coupon_name(quote, taken.coupon_id)
        for taken in bill.taken
        if any(saving.gtin == line.gtin for saving in taken.lines) and left_minor < line.total_minor
    ]
    before = money(line.total_minor, quote.basket.currency)
    after = money(left_minor, quote.basket.currency)
    quantity = f" ×{line.quantity}" if line.quantity > 1 else ""
    return row(
        [
            (overview.names.get(line.gtin, line.gtin) + quantity, "", 0),
            (_(", ").join(by), "$text-success", 22),
            (f"{before} →" if by else "", "$foreground 55%", -11),
            (after, "bold", -9),
        ],
        0,
        WIDTH,
    )


def _together(quote: Quote, chosen: list[str], new: str) -> tuple[list[str], list[str]]:
    """The choice with one more coupon, and those that had to go for it."""
    if not bills.refuse_together(quote, [*chosen, new]):
        return [*chosen, new], []
    for other in chosen:
        rest = [kept for kept in chosen if kept != other]
        if not bills.refuse_together(quote, [*rest, new]):
            return [*rest, new], [other]
    return [new], chosen
