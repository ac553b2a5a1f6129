"""A QR code that a phone can read from a terminal: black on white and with a quiet zone, whatever the theme."""

from __future__ import annotations

from functools import lru_cache

from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget

from store_agent.qr import blocks
from store_agent.safe_text import safe_text
from store_agent.trouble import Trouble
from store_agent.words import _

QUIET_ZONES = (4, 2)
"""Modules of white around the code: what the standard asks for, and what phones still read on a short screen."""


class QrCode(Widget):
    """Draws `text` as a QR code; shows the text itself where the window is too small for the whole code."""

    # Fixed colours: in a dark theme a code in the theme's colours is a negative, and many phones do not read it.
    DEFAULT_CSS = """
    QrCode { width: auto; height: auto; color: #000000; background: #ffffff; }
    """

    text: reactive[str] = reactive("", layout=True)

    def __init__(self, text: str = "", *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes)
        self.set_reactive(QrCode.text, text)

    def get_content_width(self, container: Size, viewport: Size) -> int:
        """Columns of the code, or of what is said instead."""
        return max(Content(line).cell_length for line in self._lines())

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Lines of the code, or of what is said instead."""
        return len(self._lines())

    def render(self) -> Content:
        """The code as plain content: never markup."""
        return Content("\n".join(self._lines()))

    def _lines(self) -> tuple[str, ...]:
        """The code with the widest quiet zone that fits the window: half a code is worse than none."""
        if not self.text:
            return ("",)
        for quiet_zone in QUIET_ZONES:
            lines = _drawn(self.text, quiet_zone)
            if lines and len(lines) <= self.app.size.height and len(lines[0]) <= self.app.size.width:
                return lines
        return (_("Make the window larger to see the code."), safe_text(self.text))


@lru_cache(maxsize=32)
def _drawn(text: str, quiet_zone: int) -> tuple[str, ...]:
    """The rows of the code; none for more text than any code holds, as a screen has no better answer than the text."""
    try:
        return tuple(blocks(text, quiet_zone))
    except Trouble:
        return ()
