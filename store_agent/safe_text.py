"""Text that strangers wrote (names, notes, codes, file names), made harmless to show and to store.

One function on the way in and out, and one for a cell of a CSV file. Markup is not escaped here: screens never read
markup from data.
"""

from __future__ import annotations

import re
import unicodedata

MOST_GRAPHEMES = 80
"""What one line of a counter's screen can use; a longer name is cut and ends in `…`."""
MOST_MARKS = 4
"""Combining marks kept on one letter: enough for any script, too few to climb over the lines above."""

ZERO_WIDTH_JOINER = "\u200d"
# They are letters or symbols to Unicode and nothing at all to the eye: a name of them alone would look empty.
PLAIN = re.compile("[ -~\u4e00-\u9fff]*")
"""Nearly every name and note: characters of which none can be anything but what it looks like."""
INVISIBLE = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
# Not `Cn`: a name may hold a Chinese character that is younger than this Python's tables.
DROPPED = frozenset({"Cc", "Cf", "Cs", "Co"})
FORMULA_STARTS = tuple("=+-@\t\r\n＝＋－＠")


def safe_text(text: str, most: int = MOST_GRAPHEMES) -> str:
    """One line, in NFC, of at most `most` graphemes, without anything that moves, hides or reorders what is shown.

    Dropped: control, surrogate, private and format characters (so every bidi control), but the joiner inside an emoji.
    Any run of white space or line breaks becomes one space. Doing it twice changes nothing.
    """
    spaced = " ".join(text.split())
    if len(spaced) <= most and PLAIN.fullmatch(spaced):
        return spaced
    kept = "".join(ch for ch in spaced if ch == ZERO_WIDTH_JOINER or not _is_dropped(ch))
    # Spaces once more: what stood between two of them may be gone.
    clusters = _clusters(unicodedata.normalize("NFC", " ".join(_join_emoji(kept).split())))
    if len(clusters) > most:
        clusters = [*clusters[: most - 1], "…"] if most > 0 else []
    # Cutting can leave a space before the dots, and dropping a mark can leave one at an end.
    return "".join(clusters).strip()


def csv_cell(text: str) -> str:
    """The text so that a spreadsheet takes it as text: what would start a formula gets an apostrophe in front."""
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA_STARTS) else text


def _is_dropped(ch: str) -> bool:
    # The last two places of every plane are no characters at all.
    return unicodedata.category(ch) in DROPPED or ch in INVISIBLE or ord(ch) & 0xFFFE == 0xFFFE


def _join_emoji(text: str) -> str:
    """Drop each joiner that does not stand between two emoji."""
    kept: list[str] = []
    for place, ch in enumerate(text):
        if ch == ZERO_WIDTH_JOINER:
            after = text[place + 1 : place + 2]
            if not (kept and after and _is_emoji(kept[-1]) and unicodedata.category(after) == "So"):
                continue
        kept.append(ch)
    return "".join(kept)


def _is_emoji(ch: str) -> bool:
    return unicodedata.category(ch) == "So" or ch == "\ufe0f" or _is_skin_tone(ch)


def _is_skin_tone(ch: str) -> bool:
    return "\U0001f3fb" <= ch <= "\U0001f3ff"


def _is_flag_half(ch: str) -> bool:
    return "\U0001f1e6" <= ch <= "\U0001f1ff"


def _clusters(text: str) -> list[str]:
    """The text as a reader counts it: a letter with its marks, an emoji with its parts, a flag of two halves."""
    clusters: list[str] = []
    marks = 0
    for ch in text:
        mark = unicodedata.category(ch).startswith("M")
        if mark and marks >= MOST_MARKS:
            continue
        marks = marks + 1 if mark else 0
        if clusters and (mark or _goes_on(clusters[-1], ch)):
            clusters[-1] += ch
        else:
            clusters.append(ch)
    return clusters


def _goes_on(cluster: str, ch: str) -> bool:
    if ch == ZERO_WIDTH_JOINER or _is_skin_tone(ch) or cluster[-1] == ZERO_WIDTH_JOINER:
        return True
    return _is_flag_half(ch) and len(cluster) == 1 and _is_flag_half(cluster)
