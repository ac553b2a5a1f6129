"""QR codes, made: as pictures for paper, and as rows of characters for a terminal. What they say comes from elsewhere.

A phone reads dark modules on a light ground, whatever the terminal's theme, with a quiet zone of four modules (ISO/IEC
18004) around.
"""

from __future__ import annotations

from pathlib import Path
from typing import cast

import qrcode
from PIL import Image
from qrcode.exceptions import DataOverflowError

from store_agent.trouble import Trouble
from store_agent.words import _

QUIET_ZONE = 4
DARK, LIGHT = "black", "white"
"""How a widget must colour the rows of `blocks`, letters and ground, in every theme."""

# Two modules in one cell, which is about twice as high as wide: (upper is dark, lower is dark).
HALVES = {(False, False): " ", (True, False): "▀", (False, True): "▄", (True, True): "█"}


def modules(text: str, quiet_zone: int = QUIET_ZONE) -> list[list[bool]]:
    """The rows of the code, true for dark, with the quiet zone around. Trouble for more text than a code holds."""
    made = qrcode.QRCode(border=quiet_zone, error_correction=qrcode.constants.ERROR_CORRECT_M)
    made.add_data(text.encode())
    try:
        made.make(fit=True)
    # qrcode 8 says the same thing in two ways.
    except (DataOverflowError, ValueError) as error:
        raise Trouble(
            _("This text is too long for a QR code."), _("Use at most 2,300 bytes; a Chinese character takes three.")
        ) from error
    return cast("list[list[bool]]", made.get_matrix())


def picture(text: str, module_px: int = 8) -> Image.Image:
    """The code as a picture of mode L, `module_px` pixels to a module."""
    rows = modules(text)
    small = Image.new("L", (len(rows[0]), len(rows)), 255)
    small.putdata([0 if dark else 255 for row in rows for dark in row])
    return small.resize((small.width * module_px, small.height * module_px), Image.Resampling.NEAREST)


def save(text: str, path: str | Path, module_px: int = 8) -> None:
    """Write the code as a PNG. Trouble where the file cannot be written."""
    try:
        picture(text, module_px).save(path, format="PNG")
    except OSError as error:
        raise Trouble(
            _("The picture {path} could not be written: {error}.").format(path=path, error=error.strerror or error),
            _("Check the folder and the space on the disk."),
        ) from error


def blocks(text: str, quiet_zone: int = QUIET_ZONE) -> list[str]:
    """The code for a terminal: rows of half blocks, each cell two modules high, all rows equally wide.

    The blocks are the dark modules: draw them in `DARK` on `LIGHT`, both named, as in Rich's `Style(color=DARK,
    bgcolor=LIGHT)`. In a theme's own colours a dark theme would turn the code inside out, and phones do not read that.
    Where the screen is short, a quiet zone of 2 still reads.
    """
    rows = modules(text, quiet_zone)
    if len(rows) % 2:
        rows.append([False] * len(rows[0]))
    return [
        "".join(HALVES[upper, lower] for upper, lower in zip(*pair, strict=True))
        for pair in zip(rows[::2], rows[1::2], strict=True)
    ]
