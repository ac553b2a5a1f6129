"""A QR code that a phone can read from a terminal: black on white and with a quiet zone, whatever the theme.

Two rows of modules a line, by half blocks (ISO/IEC 18004 asks for a quiet zone of four modules).
"""

from __future__ import annotations

from functools import lru_cache

import qrcode
from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget

from store_agent.safe_text import safe_text
from store_agent.words import _

QUIET_MODULES = 4
DARK_AND_LIGHT = {(True, True): "█", (True, False): "▀", (False, True): "▄", (False, False): " "}


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
        """Columns of the code, or of its text where it does not fit."""
        return max((len(line) for line in self._lines(viewport)), default=0)

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """Lines of the code, or of its text where it does not fit."""
        return len(self._lines(viewport))

    def render(self) -> Content:
        """The code as plain content: never markup."""
        return Content("\n".join(self._lines(self.app.size)))

    def _lines(self, viewport: Size) -> tuple[str, ...]:
        if not self.text:
            return ()
        lines = half_blocks(self.text)
        if len(lines) > viewport.height or len(lines[0]) > viewport.width:
            return (_("Make the window larger to see the code."), safe_text(self.text))
        return lines


@lru_cache(maxsize=32)
def half_blocks(text: str) -> tuple[str, ...]:
    """The code of this text as lines of half blocks, quiet zone included; dark is drawn, light is left."""
    code = qrcode.QRCode(border=QUIET_MODULES, error_correction=qrcode.ERROR_CORRECT_M)
    code.add_data(text)
    rows = code.get_matrix()
    if len(rows) % 2:
        rows.append([False] * len(rows[0]))
    pairs = zip(rows[::2], rows[1::2], strict=True)
    return tuple("".join(DARK_AND_LIGHT[pair] for pair in zip(upper, lower, strict=True)) for upper, lower in pairs)
