"""A question with one number or one answer: how many, how much, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from store_agent.desk.counter import Counter
from store_agent.domain.operation import Refusal
from store_agent.words import _, later
from tui.columns import stacked, wrapped
from tui.dialogs.dialog import Dialog, Outcome
from tui.keys import Key
from tui.said import done

WIDTH = 56
Answer = Callable[[int, str], Refusal | None]
"""Does it, given the number and the reason that was chosen."""


class AskDialog(Dialog):
    """Asks for a number of pieces, a reason, both, or only whether it is meant."""

    DEFAULT_CSS = """
    AskDialog > .frame { width: 60; }
    AskDialog #question, AskDialog #reasons { height: auto; margin-bottom: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "answer", "", show=False),
        Binding("down", "move(1)", "", show=False),
        Binding("up", "move(-1)", "", show=False),
        *[Binding(str(n), f"reason({n})", "", show=False) for n in range(1, 10)],
    ]
    keeps_on_scan = True

    def __init__(
        self,
        counter: Counter,
        title: str,
        question: str,
        answer: Answer,
        *,
        number: str | None = None,
        reasons: Sequence[tuple[str, str]] = (),
        said: str = "",
    ) -> None:
        super().__init__(counter)
        self.heading_text, self.question, self.answer, self.said = title, question, answer, said
        self.number, self.reasons = number, tuple(reasons)
        self.place = 0

    KEYS = (Key("enter", "answer", later("Yes"), ""),)

    def keys(self) -> tuple[Key, ...]:
        return (*self.KEYS, Key("↑ ↓", "", later("Choose"), "")) if self.reasons else self.KEYS

    def heading(self) -> str:
        return self.heading_text

    def parts(self) -> Iterable[Widget]:
        yield Static(stacked(wrapped(self.question, "", WIDTH, "")), id="question", markup=False)
        if self.reasons:
            yield Static(self._reasons(), id="reasons", markup=False)
        if self.number is not None:
            yield Input(self.number, restrict=r"[0-9]{0,5}", select_on_focus=True, id="number")

    def on_mount(self) -> None:
        """Without a number no field has the focus."""
        if self.number is None:
            self.set_focus(None)

    def _reasons(self) -> Content:
        lines = []
        for n, (_code, words) in enumerate(self.reasons):
            is_it = n == self.place
            # Where a number of pieces is typed, digits belong to it, and arrows choose.
            number = f"{n + 1} " if self.number is None else ""
            lines.append(
                Content.styled(f" {'(●)' if is_it else '( )'} {number}{words}", "bold $text-success" if is_it else "")
            )
        return stacked(lines)

    def action_move(self, steps: int) -> None:
        """Arrows choose the reason."""
        if self.reasons:
            self.place = (self.place + steps) % len(self.reasons)
            self.query_one("#reasons", Static).update(self._reasons())

    def action_reason(self, number: int) -> None:
        """A number chooses it too, where no number is typed."""
        if number <= len(self.reasons):
            self.place = number - 1
            self.query_one("#reasons", Static).update(self._reasons())

    def on_input_submitted(self) -> None:
        """Enter in the field."""
        self.action_answer()

    def action_answer(self) -> None:
        """Do it."""
        if self.is_over:
            return
        number = int(self.query_one(Input).value or "0") if self.number is not None else 0
        reason = self.reasons[self.place][0] if self.reasons else ""
        refusal = self.answer(number, reason)
        if refusal:
            self.refuse(refusal)
        else:
            self.finish(Outcome(said=done(self.said or _("Done."))))
