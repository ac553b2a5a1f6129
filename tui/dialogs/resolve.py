"""Deciding about one case: which way, how much of it, and why. Enter asks once more before it does it."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from store_agent.desk import cases
from store_agent.desk.counter import Counter
from store_agent.domain.cases import Case, CaseReason, Remedy
from store_agent.domain.money import EXPONENTS
from store_agent.domain.operation import Refusal
from store_agent.words import _, later
from store_agent.words.cases import kind_of, remedy_of
from store_agent.words.formats import money
from tui.columns import stacked
from tui.dialogs.dialog import Dialog, Outcome
from tui.keys import Key
from tui.said import done, told
from tui.screens.receiving import total_of
from tui.widgets.code_box import FormField

UNPRICED = (Remedy.REASSIGN, Remedy.MERGE)


class ResolveDialog(Dialog):
    """Arrows choose the way; the amount is all that is open unless somebody types less."""

    DEFAULT_CSS = """
    ResolveDialog > .frame { width: 64; }
    ResolveDialog #about, ResolveDialog #ways { height: auto; margin-bottom: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "answer", "", show=False),
        Binding("down", "move(1)", "", show=False),
        Binding("up", "move(-1)", "", show=False),
    ]
    KEYS = (
        Key("enter", "answer", later("Decide"), ""),
        Key("↑ ↓", "", later("Choose"), ""),
        Key("tab", "", later("Next field"), ""),
    )
    keeps_on_scan = True

    def __init__(self, counter: Counter, case: Case) -> None:
        super().__init__(counter)
        self.case = case
        self.ways = cases.remedies(counter, case)
        self.place = 0
        self._asked: tuple[object, ...] | None = None

    def heading(self) -> str:
        return _("Decide")

    def parts(self) -> Iterable[Widget]:
        open_ = money(self.case.open_minor, self.case.currency) if self.case.amount_minor else _("without an amount")
        about = _(", ").join((kind_of(self.case.kind), open_))
        yield Static(Content.styled(about, "bold"), id="about", markup=False)
        yield Static(self._ways(), id="ways", markup=False)
        amount = FormField(_typed(self.case.open_minor, self.case.currency), select_on_focus=True, id="amount")
        amount.border_title = _("How much of it")
        yield amount
        receiver = FormField("", id="receiver")
        receiver.border_title = _("Which store or person decides instead")
        yield receiver
        note = FormField("", id="note")
        note.border_title = _("Why")
        yield note

    def on_mount(self) -> None:
        """The first field that is needed has the focus."""
        self._show_fields()

    @property
    def way(self) -> Remedy:
        """The way that is chosen."""
        return self.ways[self.place]

    @property
    def has_amount(self) -> bool:
        """Whether the chosen way is about money."""
        return self.case.open_minor > 0 and self.way not in UNPRICED

    def _ways(self) -> Content:
        lines = []
        for n, way in enumerate(self.ways):
            is_it = n == self.place
            lines.append(
                Content.styled(f" {'(●)' if is_it else '( )'} {remedy_of(way)}", "bold $text-success" if is_it else "")
            )
        return stacked(lines)

    def _show_fields(self) -> None:
        self.query_one("#ways", Static).update(self._ways())
        amount, receiver = self.query_one("#amount", Input), self.query_one("#receiver", Input)
        amount.display, receiver.display = self.has_amount, self.way is Remedy.REASSIGN
        first = amount if self.has_amount else receiver if receiver.display else self.query_one("#note", Input)
        first.focus()

    def action_move(self, steps: int) -> None:
        """Arrows choose the way."""
        self.place = (self.place + steps) % len(self.ways)
        self._show_fields()

    def on_input_submitted(self) -> None:
        """Enter in a field."""
        self.action_answer()

    def action_answer(self) -> None:
        """Ask once more, then do it: a decision cannot be taken back."""
        if self.is_over:
            return
        amount_minor = self._amount()
        if amount_minor is None:
            self.refuse(Refusal(CaseReason.BAD_AMOUNT))
            return
        to_store, to_person = self._receiver()
        if self.way is Remedy.REASSIGN and not (to_store or to_person):
            self.refuse(Refusal(CaseReason.NO_RECEIVER))
            return
        asks = (self.way, amount_minor, to_store, to_person)
        if asks != self._asked:
            self._asked = asks
            amount = (money(amount_minor, self.case.currency),) if amount_minor else ()
            what = _(", ").join((remedy_of(self.way), *amount))
            self.say(told(what, _("Enter once more does it. It cannot be taken back.")))
            return
        note = self.query_one("#note", Input).value.strip()
        refusal = cases.resolve(
            self.counter, self.case.id, self.way, amount_minor, note=note, to_store=to_store, to_person=to_person
        )
        if refusal:
            self._asked = None
            self.refuse(refusal)
        else:
            self.finish(Outcome(said=done(_("Decided: {way}.").format(way=remedy_of(self.way)))))

    def _amount(self) -> int | None:
        if not self.has_amount:
            return 0
        return total_of("=" + self.query_one("#amount", Input).value.strip(), self.case.currency)

    def _receiver(self) -> tuple[str, str]:
        """A store's id, else a person's."""
        if self.way is not Remedy.REASSIGN:
            return "", ""
        text = self.query_one("#receiver", Input).value.strip()
        view = self.counter.replica.view
        if text and view.get("store", text):
            return text, ""
        return "", text if text and view.get("staff", text) else ""


def _typed(amount_minor: int, currency: str) -> str:
    """An amount as somebody would type it."""
    exponent = EXPONENTS.get(currency, 2)
    whole, rest = divmod(amount_minor, 10**exponent)
    return f"{whole}.{rest:0{exponent}d}" if exponent else str(whole)
