"""F1: every key, and what it does."""

from __future__ import annotations

from collections.abc import Iterable

from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Static

from store_agent.words import _
from tui.columns import fit, stacked, wrapped
from tui.dialogs.dialog import Dialog
from tui.keys import BOX_KEYS, COUNTER_KEYS, Key

CAP = 10
WIDTH = 66


class HelpDialog(Dialog):
    """A list that can be scrolled with the arrows."""

    DEFAULT_CSS = """
    HelpDialog VerticalScroll { height: auto; max-height: 1fr; scrollbar-size-vertical: 1; }
    HelpDialog Static { height: auto; }
    HelpDialog Notice { display: none; }
    """

    def heading(self) -> str:
        return _("Keys")

    def parts(self) -> Iterable[Widget]:
        with VerticalScroll():
            lines = [_row(key) for key in (*BOX_KEYS, *COUNTER_KEYS)]
            yield Static(stacked(lines), markup=False)


def _row(key: Key) -> Content:
    first, *rest = wrapped(_(key.explains), "", WIDTH, " " * CAP)
    return stacked(
        [Content.assemble((fit(key.cap if key.label else key.key, CAP), "bold $accent"), first[CAP:]), *rest]
    )
