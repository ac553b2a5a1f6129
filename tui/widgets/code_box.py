"""The one box of the counter, and the fields of a form. What is written in them is looked up by the screen."""

from __future__ import annotations

from typing import ClassVar

from textual.widgets import Input

from store_agent.safe_text import safe_text
from store_agent.words import _


class CodeBox(Input):
    """Takes any scan or typing: phone, name, code. A scan never passes through it; `Input.Submitted` is typing."""

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(placeholder=_("Scan or type: phone, name, code"), id=id, classes=classes)

    def put(self, text: str) -> None:
        """Show this text as if it had been typed, cursor behind it; for a scan that is of no known kind."""
        self.value = safe_text(text)
        self.cursor_position = len(self.value)


class FormField(Input):
    """One field of a form (name, note). A paste while it has the focus goes into it; a scan still does not."""

    keeps_paste: ClassVar[bool] = True
