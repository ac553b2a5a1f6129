"""Names are hostile: whatever enters, what leaves is one harmless line."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from store_agent.safe_text import MOST_GRAPHEMES, csv_cell, safe_text

ANY_TEXT = st.text(st.characters(), max_size=200)
NASTY = st.text(
    st.sampled_from(
        "aé王한ᄀ가\u0301\u0327\u200d\u200f\u202e\u2066\ufeff\x1b\x00\x07\n\t\r\u2028 \u3000\ue000"
        "\U000e0041👩👦🏽🇹🇼❤\ufe0f…"
    ),
    max_size=60,
)


@given(ANY_TEXT | NASTY)
@example("\ud800")
@example("\u0301" * 50)
@example("👩\u200d" * 50)
def test_nothing_that_moves_hides_or_reorders_is_left(text: str) -> None:
    shown = safe_text(text)
    for ch in shown:
        assert unicodedata.category(ch) not in {"Cc", "Cs", "Co"}
        assert unicodedata.category(ch) != "Cf" or ch == "\u200d"
    assert unicodedata.is_normalized("NFC", shown)
    assert shown == shown.strip()
    shown.encode("utf-8")


@given(ANY_TEXT | NASTY)
@example("0 \u200d 0")
@example("👩 \u200d 👩")
def test_doing_it_twice_changes_nothing(text: str) -> None:
    assert safe_text(safe_text(text)) == safe_text(text)


@given(NASTY, st.integers(0, 10))
def test_doing_it_twice_changes_nothing_where_it_was_cut(text: str, most: int) -> None:
    once = safe_text(text, most)
    assert safe_text(once, most) == once


@given(NASTY)
def test_a_joiner_is_never_at_an_end(text: str) -> None:
    shown = safe_text(text, 5)
    assert not shown.startswith("\u200d")
    assert not shown.endswith("\u200d")


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("王小明", "王小明"),
        ("  王小明\u3000 ", "王小明"),
        ("Ada\tLovelace\r\n", "Ada Lovelace"),
        ("\x1b[2J王", "[2J王"),
        ("\u202e明小王", "明小王"),
        ("e\u0301", "é"),
        ("王\u200d明", "王明"),
        ("👩\u200d👩\u200d👦", "👩\u200d👩\u200d👦"),
        ("👩🏽\u200d⚕\ufe0f", "👩🏽\u200d⚕\ufe0f"),
        ("\u3164", ""),
        ("[@click=app.quit]王[/]", "[@click=app.quit]王[/]"),
        ("a" + "\u0301" * 30, "á" + "\u0301" * 4),
        ("𠮷野家", "𠮷野家"),
        ("\udcff.png", ".png"),
    ],
)
def test_a_line_is_as_a_person_would_read_it(text: str, shown: str) -> None:
    assert safe_text(text) == shown


def test_a_long_name_is_cut_between_graphemes_and_says_so() -> None:
    assert safe_text("王" * 500) == "王" * (MOST_GRAPHEMES - 1) + "…"
    family = "👩\u200d👩\u200d👦"
    assert safe_text(family * 4, 4) == family * 4
    assert safe_text(family * 5, 4) == family * 3 + "…"
    assert safe_text("🇹🇼" * 3, 2) == "🇹🇼…"


@pytest.mark.parametrize("text", ["=1+1", "+886912345678", "-5", "@x", "\tx", "\rx", "  =1", "＝1"])
def test_a_cell_that_a_spreadsheet_would_run_is_text(text: str) -> None:
    assert csv_cell(text) == "'" + text


@given(ANY_TEXT)
def test_a_cell_never_starts_a_formula_and_keeps_its_text(text: str) -> None:
    cell = csv_cell(text)
    assert not cell.startswith(("=", "+", "-", "@", "\t", "\r"))
    assert cell in {text, "'" + text}
