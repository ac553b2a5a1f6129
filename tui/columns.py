"""Text in columns by terminal cells: a Chinese character is two wide. Nothing here knows what the text says."""

from __future__ import annotations

import re
from collections.abc import Sequence

from rich.cells import cell_len, set_cell_size
from textual.content import Content

Part = tuple[str, str]
"""A text and the style that it is shown in, which may be empty. Never markup."""


def fit(text: str, cells: int, *, right: bool = False) -> str:
    """Exactly so many cells: padded, or cut with `…`."""
    if cells <= 0:
        return ""
    width = cell_len(text)
    if width > cells:
        text = set_cell_size(text, cells - 1).rstrip() + "…"
        width = cell_len(text)
    gap = " " * (cells - width)
    return gap + text if right else text + gap


def pair(left: Part, right: Part, cells: int) -> Content:
    """One line: `left` cut to make room, `right` whole and at the end."""
    end = cell_len(right[0])
    room = max(0, cells - end - 1)
    return Content.assemble((fit(left[0], room), left[1]), " " if end else "", right)


def row(parts: Sequence[tuple[str, str, int]], flexible: int, cells: int) -> Content:
    """One line of several columns (text, style, width; a negative width is set to the right). One takes what is left."""
    fixed = sum(abs(width) for n, (_text, _style, width) in enumerate(parts) if n != flexible) + len(parts) - 1
    line: list[Part] = []
    for n, (text, style, width) in enumerate(parts):
        room = max(4, cells - fixed) if n == flexible else abs(width)
        line.append((fit(text, room, right=width < 0), style))
        if n < len(parts) - 1:
            line.append((" ", ""))
    return Content.assemble(*line)


def wrapped(text: str, style: str, cells: int, indent: str = "  ") -> list[Content]:
    """A sentence over as many lines as it needs, all of them indented; breaks between words, and inside Chinese."""
    lines: list[str] = [""]
    for word in re.findall(r"[\x21-\u2e7f]+ ?|.", text):
        if lines[-1] and cell_len(lines[-1]) + cell_len(word.rstrip()) > cells - cell_len(indent):
            lines.append("")
        lines[-1] += word
    return [Content.styled(f"{indent}{line.rstrip()}", style) for line in lines]


def stacked(lines: Sequence[Content | str]) -> Content:
    """Lines one under the other."""
    return Content("\n").join(lines)
