"""Names and numbers of people who were found and not yet identified: enough to choose by, not enough to take away."""

from __future__ import annotations

import unicodedata

MARK = "*"
SHOWN_DIGITS = 3


def masked_name(name: str) -> str:
    """`王*明`, `王*`, `L*** W***`: of each word its first letter, of a Chinese name the last one too."""
    words = name.split()
    if len(words) == 1 and all(_is_wide(letter) for letter in name):
        middle = MARK * max(1, len(name) - 2)
        return f"{name[0]}{middle}{name[-1] if len(name) > 2 else ''}"
    return " ".join(f"{word[0]}{MARK * min(3, max(1, len(word) - 1))}" for word in words)


def masked_phone(number: str) -> str:
    """The last three digits: what people say to be told apart."""
    return f"… {number[-SHOWN_DIGITS:]}" if number else ""


def _is_wide(letter: str) -> bool:
    return unicodedata.east_asian_width(letter) in ("W", "F")
