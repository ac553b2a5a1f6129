"""A second person says yes: chosen by number or by their badge, then their PIN."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from store_agent.desk import approvals, scans
from store_agent.desk.counter import Counter
from store_agent.domain.operation import Refusal
from store_agent.domain.pins import STAFF_DIGITS
from store_agent.safe_text import safe_text
from store_agent.scan import ScanKind
from store_agent.words import _, later
from tui.columns import stacked
from tui.dialogs import pin_pad
from tui.dialogs.dialog import Dialog, Outcome
from tui.keys import Key
from tui.said import told, warned
from tui.scanning import Scanned

SHOWN_MOST = 8


class ApproveDialog(Dialog):
    """Ends with an approval, or with nothing."""

    DEFAULT_CSS = """
    ApproveDialog #people { height: auto; margin-bottom: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move(1)", "", show=False),
        Binding("up", "move(-1)", "", show=False),
    ]
    KEYS = (Key("enter", "", later("Approve"), ""), Key("↑ ↓", "", later("Choose"), ""))

    def __init__(self, counter: Counter) -> None:
        super().__init__(counter)
        self.people = approvals.approvers(counter)[:SHOWN_MOST]
        self.place = 0

    def heading(self) -> str:
        return _("Somebody else approves")

    def parts(self) -> Iterable[Widget]:
        yield Static(self._people(), id="people", markup=False)
        field = Input(password=True, restrict=rf"[0-9]{{0,{STAFF_DIGITS[1]}}}", id="pin")
        field.border_title = _("Their own PIN")
        yield field

    def on_mount(self) -> None:
        """Alone in the store nobody approves."""
        if not self.people:
            self.say(warned(_("This store has nobody else who may approve."), _("Ask the head office.")))
        else:
            self.say(told(_("Whoever approves types their PIN themselves."), _("Their badge, scanned, chooses them.")))

    def _people(self) -> Content:
        lines = []
        for n, one in enumerate(self.people):
            is_it = n == self.place
            words = f" {'(●)' if is_it else '( )'} {safe_text(one.name)}"
            lines.append(Content.styled(words, "bold $text-success" if is_it else ""))
        return stacked(lines)

    def action_move(self, steps: int) -> None:
        """Arrows choose who."""
        if self.people:
            self._choose((self.place + steps) % len(self.people))

    def _choose(self, place: int) -> None:
        self.place = place
        self.query_one("#people", Static).update(self._people())

    def on_input_submitted(self) -> None:
        """Enter."""
        field = self.query_one(Input)
        if self.is_over or not self.people or not field.value:
            return
        approval = approvals.approve(self.counter, self.people[self.place].id, field.value)
        if isinstance(approval, Refusal):
            field.value = ""
            self.refuse(approval)
        else:
            self.finish(Outcome(approval=approval))

    def take_scan(self, message: Scanned) -> bool:
        """A badge chooses its person; it does not stand for the PIN, which may come from a pad."""
        if pin_pad.fill(self, message, STAFF_DIGITS):
            self.on_input_submitted()
            return True
        scan = scans.read(self.counter, message.text)
        if scan.kind is not ScanKind.STAFF_BADGE:
            return False
        found = scans.row_of(self.counter, "staff", scan, "badge")
        ids = [one.id for one in self.people]
        if found and found.id in ids:
            self._choose(ids.index(found.id))
        else:
            self.say(warned(_("This person may not approve it."), _("Ask a lead or a manager of this store.")))
        return True
