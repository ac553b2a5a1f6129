"""Ctrl+O: what broke a limit at this store, the oldest first. Enter is deciding about the one under the bar."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from store_agent.desk import cases
from store_agent.desk.counter import Counter
from store_agent.domain.cases import OF_HEAD_OFFICE, Case, CaseReason
from store_agent.domain.operation import Refusal
from store_agent.words import _, later
from store_agent.words.cases import both_values, kind_of, short_kind_of
from store_agent.words.formats import age, moment, money
from tui.columns import row, stacked, wrapped
from tui.dialogs.dialog import Dialog, Outcome
from tui.dialogs.resolve import ResolveDialog
from tui.keys import Key
from tui.naming import person, staff_name, store_name
from tui.said import told

FAINT = "$foreground 55%"
OLD_S = 7 * 24 * 3600
"""A case that nobody decided about for a week is said loudly."""


class CasesDialog(Dialog):
    """The open cases, and under them what is known of the one under the bar."""

    DEFAULT_CSS = """
    CasesDialog > .frame { width: 100%; height: 100%; }
    CasesDialog OptionList { height: 1fr; }
    CasesDialog #head { height: 1; color: $text-muted; }
    CasesDialog #about { height: auto; margin-top: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = []
    KEYS = (Key("enter", "resolve", later("Decide"), ""), Key("↑ ↓", "", later("Choose"), ""))

    def __init__(self, counter: Counter) -> None:
        super().__init__(counter)
        self.cases = cases.open_cases(counter)

    def keys(self) -> tuple[Key, ...]:
        return self.KEYS if self.cases else ()

    def heading(self) -> str:
        return _("Cases")

    def parts(self) -> Iterable[Widget]:
        yield Static("", id="head", markup=False)
        yield OptionList(id="cases")
        yield Static("", id="about", markup=False)

    def on_mount(self) -> None:
        """The oldest is under the bar."""
        self.query_one(OptionList).focus()
        self.call_after_refresh(self._fill)

    def on_resize(self) -> None:
        """Columns are made for the width."""
        self._fill()

    def follow(self) -> None:
        """The centre opened one, or somebody decided; the bar stays on its case."""
        self.cases = cases.open_cases(self.counter)
        self._fill()

    @property
    def case(self) -> Case | None:
        """The one under the bar."""
        place = self.query_one(OptionList).highlighted
        return self.cases[place] if place is not None and place < len(self.cases) else None

    def _fill(self) -> None:
        shown = self.query_one(OptionList)
        place = shown.highlighted
        chosen = shown.get_option_at_index(place).id if place is not None and place < shown.option_count else None
        width = max(40, shown.scrollable_content_region.width - 1)
        shown.clear_options()
        shown.add_options([Option(self._row(case, width), id=case.id) for case in self.cases])
        ids = [case.id for case in self.cases]
        shown.highlighted = (ids.index(chosen) if chosen in ids else 0) if ids else None
        words = (_("Since"), _("Still open"), _("What"), _("Staff"), _("Member"))
        head = self._columns([(word, FAINT) for word in words], width) if ids else ""
        self.query_one("#head", Static).update(head)
        self.query_one(".frame").border_subtitle = _("{count} open").format(count=len(self.cases))
        self._describe()
        self.show_keys()
        if not self.cases:
            self.say(
                told(
                    _("No case is open."),
                    _("Nothing to do: one comes by itself when the centre finds a broken limit."),
                )
            )

    @staticmethod
    def _columns(cells: list[tuple[str, str]], width: int) -> Content:
        widths = [15, -10, 18, 12, 0]
        return row([(text, style, cells) for (text, style), cells in zip(cells, widths, strict=True)], 4, width)

    def _row(self, case: Case, width: int) -> Content:
        age_s = (self.counter.now() - case.opened_at).total_seconds()
        amount = money(case.open_minor, case.currency) if case.amount_minor else "–"
        member = self.counter.replica.view.get("member", case.member_id) if case.member_id else None
        return self._columns(
            [
                (age(age_s), "bold $text-error" if age_s > OLD_S else ""),
                (amount, "bold"),
                (short_kind_of(case.kind), ""),
                (staff_name(self.counter, case.at_person or case.staff), ""),
                (person(member) if member else "–", FAINT),
            ],
            width,
        )

    def on_option_list_option_highlighted(self) -> None:
        """Another one is under the bar."""
        self._describe()

    def _describe(self) -> None:
        case = self.case
        width = max(40, self.query_one(OptionList).scrollable_content_region.width - 1)
        self.query_one("#about", Static).update(describe(self.counter, case, width) if case else "")

    def on_option_list_option_selected(self) -> None:
        """Enter, or a click."""
        self.action_resolve()

    def action_resolve(self) -> None:
        """Decide about it, where that is this person's."""
        case = self.case
        if case is None:
            return
        if cases.remedies(self.counter, case):
            self.app.push_screen(ResolveDialog(self.counter, case), self._came_back)
        else:
            is_theirs = case.kind in OF_HEAD_OFFICE
            self.refuse(Refusal(CaseReason.HEAD_OFFICE if is_theirs else CaseReason.ROLE))

    def _came_back(self, outcome: Outcome | None) -> None:
        if outcome and outcome.scanned:
            self.on_scanned(outcome.scanned)
            return
        self.follow()
        if outcome and outcome.said.what:
            self.say(outcome.said)


def describe(counter: Counter, case: Case, width: int) -> Content:
    """One case in words: what and how much, both values, who and when, what was decided so far."""
    amount = money(case.amount_minor, case.currency) if case.amount_minor else _("without an amount")
    lines = [Content.styled("  " + _(", ").join((kind_of(case.kind), amount)), "bold")]
    lines += wrapped(both_values(case.assumed, case.found), "", width)
    happened = moment(case.happened_at or case.opened_at, counter.now())
    who = _("{staff} at {store}, {moment}").format(
        staff=staff_name(counter, case.staff), store=store_name(counter, case.store), moment=happened
    )
    if case.approved_by:
        who += _(", approved by {staff}").format(staff=staff_name(counter, case.approved_by))
    lines += wrapped(who, FAINT, width)
    if case.amount_minor and case.resolutions:
        so_far = _("so far {recovered} put right, {reversed} taken back, {written_off} lost").format(
            recovered=money(case.recovered_minor, case.currency),
            reversed=money(case.reversed_minor, case.currency),
            written_off=money(case.written_off_minor, case.currency),
        )
        lines += wrapped(so_far, FAINT, width)
    return stacked(lines)
