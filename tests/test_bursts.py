"""What is a scan and what is typing, by time alone; the clock is a number."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tui.bursts import (
    GAP_S,
    LATE_S,
    STALL_S,
    SUFFIX_WAIT_S,
    Bursts,
    Dropped,
    Ending,
    Outcome,
    Press,
    Scan,
    Text,
    Typed,
    scans_of_paste,
)

FAST_S = 0.002


def play(bursts: Bursts, keys: Iterable[tuple[str, float]], at: float = 100.0) -> list[Outcome]:
    """Feed each key after its gap, then wait for good."""
    outcomes: list[Outcome] = []
    for number, (character, gap_s) in enumerate(keys):
        at += gap_s
        outcomes += bursts.feed(Press(character, number), at)
    return outcomes + bursts.lapse(at + 10.0)


def burst(text: str, gap_s: float = FAST_S) -> list[tuple[str, float]]:
    return [(character, gap_s) for character in text]


def told(outcomes: Iterable[Outcome]) -> list[tuple[str, str]]:
    """The outcomes as (what, text), neighbours of a kind joined."""
    said: list[tuple[str, str]] = []
    for outcome in outcomes:
        what = type(outcome).__name__
        text = outcome.text if isinstance(outcome, Scan) else "".join(press.character for press in outcome.presses)
        if said and said[-1][0] == what != "Scan":
            said[-1] = (what, said[-1][1] + text)
        else:
            said.append((what, text))
    return said


@pytest.mark.parametrize("gap_s", [0.0, 0.002, 0.012])
@pytest.mark.parametrize("suffix", ["\r", "\n", "\t"])
def test_a_burst_with_a_suffix_is_a_scan(suffix: str, gap_s: float) -> None:
    (outcome,) = play(Bursts(), burst(f"4719512002889{suffix}", gap_s))
    assert isinstance(outcome, Scan)
    assert (outcome.text, outcome.ending) == ("4719512002889", Ending.SUFFIX)


@pytest.mark.parametrize("suffix", ["\r\n", "\t\r", "\r\r"])
def test_what_a_suffix_leaves_behind_is_dropped(suffix: str) -> None:
    assert told(play(Bursts(), burst(f"47195{suffix}"))) == [("Scan", "47195"), ("Dropped", suffix[1:])]


def test_silence_ends_a_scan_and_its_late_suffix_confirms_nothing() -> None:
    outcomes = play(Bursts(), [*burst("47195"), ("\r", SUFFIX_WAIT_S + 0.1), ("\n", 0.0)])
    assert told(outcomes) == [("Scan", "47195"), ("Dropped", "\r\n")]
    assert isinstance(outcomes[0], Scan)
    assert outcomes[0].ending is Ending.SILENCE


def test_a_persons_enter_after_a_scan_is_theirs() -> None:
    assert told(play(Bursts(), [*burst("47195\r"), ("\r", 0.2)])) == [("Scan", "47195"), ("Typed", "\r")]


def test_thirty_scans_in_one_burst_are_taken_in_order() -> None:
    codes = [f"A{number:05d}" for number in range(30)]
    outcomes = play(Bursts(), burst("".join(f"{code}\r\n" for code in codes), 0.0))
    assert [outcome.text for outcome in outcomes if isinstance(outcome, Scan)] == codes


def test_a_stall_in_a_scan_does_not_make_half_a_code() -> None:
    keys = [*burst("4719512"), ("0", SUFFIX_WAIT_S * 0.9), *burst("02889"), ("\r", SUFFIX_WAIT_S * 0.9)]
    assert told(play(Bursts(), keys)) == [("Scan", "4719512002889")]


def test_a_code_right_behind_another_may_stall_after_its_first_characters() -> None:
    keys = [*burst("47195\r047"), ("1", SUFFIX_WAIT_S * 0.9), *burst("9512\r")]
    assert told(play(Bursts(), keys)) == [("Scan", "47195"), ("Scan", "04719512")]


def test_a_single_key_soon_after_a_scan_is_still_a_key() -> None:
    assert told(play(Bursts(), [*burst("47195\r"), ("2", LATE_S * 0.9)])) == [("Scan", "47195"), ("Typed", "2")]


def test_after_a_scan_without_a_suffix_the_next_is_known_sooner() -> None:
    bursts = Bursts()
    assert told(play(bursts, burst("47195"))) == [("Scan", "47195")]
    for character in "47195":
        bursts.feed(Press(character), 200.0)
    assert bursts.deadline == pytest.approx(200.0 + STALL_S)
    play(bursts, burst("\r47195\r"), 300.0)
    for character in "47195":
        bursts.feed(Press(character), 400.0)
    assert bursts.deadline == pytest.approx(400.0 + SUFFIX_WAIT_S)


def test_typing_behind_a_burst_is_soon_typing_again() -> None:
    keys = [*burst("0912"), ("3", 0.08), ("4", 0.08), ("5", 0.08)]
    assert told(play(Bursts(), keys)) == [("Scan", "09123"), ("Typed", "45")]


def test_typing_is_given_back_key_by_key_after_the_gap() -> None:
    bursts = Bursts()
    assert bursts.feed(Press("q"), 1.0) == []
    assert bursts.deadline == pytest.approx(1.0 + GAP_S)
    assert bursts.lapse(1.0 + GAP_S - 0.001) == []
    assert bursts.lapse(1.0 + GAP_S) == [Typed((Press("q"),))]
    assert bursts.deadline is None


def test_time_in_which_nobody_could_read_proves_nothing() -> None:
    bursts = Bursts()
    assert bursts.feed(Press("4"), 1.0) == []
    bursts.excuse(1.1)
    assert bursts.lapse(1.1) == []
    outcomes = [outcome for character in "719\r" for outcome in bursts.feed(Press(character), 1.11)]
    assert told(outcomes) == [("Scan", "4719")]


def test_enter_alone_waits_for_nothing() -> None:
    assert Bursts().feed(Press("\r"), 1.0) == [Typed((Press("\r"),))]


def test_a_short_burst_is_typing_and_with_a_suffix_it_is_text() -> None:
    assert told(play(Bursts(), burst("abc"))) == [("Typed", "abc")]
    assert told(play(Bursts(), burst("1\r"))) == [("Typed", "1\r")]
    assert told(play(Bursts(), burst("abc\r\n"))) == [("Text", "abc\r"), ("Dropped", "\n")]


def test_separators_and_shift_alone_stay_inside_a_scan() -> None:
    bursts, outcomes, at = Bursts(), list[Outcome](), 1.0
    for character in ("0", "1", "\x1d", "", "A", "\x04", "\r"):
        outcomes += bursts.feed(Press(character, silent=not character), at)
        at += FAST_S
    assert told(outcomes) == [("Scan", "01\x1dA\x04")]


def test_a_function_key_inside_a_machines_burst_does_nothing() -> None:
    assert told(play(Bursts(), [*burst("ABCD"), ("", 0.0), *burst("EF\r")])) == [("Scan", "ABCDEF")]


def test_a_function_key_after_one_letter_follows_it_at_once() -> None:
    bursts = Bursts()
    bursts.feed(Press("a"), 1.0)
    assert bursts.feed(Press("\x7f"), 1.01) == [Typed((Press("a"), Press("\x7f")))]


def test_a_key_held_down_is_no_scan_and_soon_is_not_held_back() -> None:
    bursts = Bursts()
    outcomes = [bursts.feed(Press("j"), 1.0 + 0.03 * number) for number in range(40)]
    assert not any(outcomes[:8])
    assert all(outcomes[8:])
    assert told(outcome for fed in outcomes for outcome in fed) == [("Typed", "j" * 40)]


def test_a_code_of_zeros_is_a_scan() -> None:
    assert told(play(Bursts(), burst("000000000000\r"))) == [("Scan", "0" * 12)]


def test_a_word_of_an_input_method_is_text_and_nothing_after_it_is_a_key() -> None:
    assert told(play(Bursts(), burst("王小明q1234\r\n"))) == [("Text", "王小明q1234\r"), ("Dropped", "\n")]
    assert told(play(Bursts(), burst("ABCD王q\r"))) == [("Text", "ABCD王q\r")]


def test_a_word_of_an_input_method_waits_for_nothing() -> None:
    assert Bursts().feed(Press("王"), 1.0) == [Text((Press("王"),))]


def test_a_scan_after_text_in_one_write_is_a_scan() -> None:
    assert told(play(Bursts(), burst("王小明\rABCD\r"))) == [("Text", "王小明\r"), ("Scan", "ABCD")]


def test_behind_a_prefix_any_letters_are_a_scan() -> None:
    assert told(play(Bursts(prefix="\x02"), burst("\x02王小明\rq"))) == [("Scan", "王小明"), ("Typed", "q")]
    assert told(play(Bursts(prefix="\x02"), burst("\x02\r"))) == [("Dropped", "\x02\r")]


def test_a_paste_is_one_scan_a_line_and_no_code_is_cut_at_its_separator() -> None:
    assert scans_of_paste("王小明") == ("王小明",)
    assert scans_of_paste(" 1\x1d2\x1e3\u2028 \r\n\r\n4\n5\t\r6\r\n") == ("1\x1d2\x1e3\u2028", "4", "5", "6")
    assert scans_of_paste("\r\n") == ()


KEYS = st.lists(
    st.tuples(
        st.one_of(
            st.sampled_from("aq0A1 "),
            st.sampled_from("\r\n\t"),
            st.sampled_from(["", "\x1d", "\x7f", "\x1b", "\x11", "王", "é", "\x02"]),
        ),
        st.booleans(),
        st.sampled_from([0.0, 0.0, 0.002, 0.012, 0.03, 0.034, 0.036, 0.08, 0.099, 0.11, 0.39, 0.45]),
    ),
    max_size=60,
)


@given(keys=KEYS, prefix=st.sampled_from(["", "\x02", "aq"]), ticks=st.booleans())
def test_every_key_is_in_exactly_one_outcome_in_order(
    keys: list[tuple[str, bool, float]], prefix: str, ticks: bool
) -> None:
    bursts, outcomes, at = Bursts(prefix=prefix), list[Outcome](), 5.0
    for number, (character, silent, gap_s) in enumerate(keys):
        if ticks and (deadline := bursts.deadline) is not None and deadline <= at + gap_s:
            outcomes += bursts.lapse(deadline)
            assert bursts.deadline is None
        at += gap_s
        outcomes += bursts.feed(Press(character, number, silent=silent and not character), at)
    outcomes += bursts.lapse(at + 1.0)
    assert [press.origin for outcome in outcomes for press in outcome.presses] == list(range(len(keys)))
    for outcome in outcomes:
        written = "".join(press.character for press in outcome.presses)
        if isinstance(outcome, Scan):
            # Nothing of a scan is lost but prefix, suffix, and keys that write nothing.
            kept = "".join(ch for ch in written if ch not in "\x00\x08\x1b\x7f")
            assert kept.rstrip("\r\n\t") == (prefix if kept.startswith(prefix) else "") + outcome.text
            assert outcome.text
            assert outcome.text.isascii() or (prefix and kept.startswith(prefix))
        elif isinstance(outcome, Dropped):
            # Only what writes nothing, a scan's leftovers, or a prefix with no code behind it may be dropped.
            assert written.removeprefix(prefix).strip("\r\n\t\x1b\x7f") == ""


@given(keys=KEYS)
def test_waiting_ticks_change_nothing(keys: list[tuple[str, bool, float]]) -> None:
    """Whether the timer fired on time or late, the outcomes are the same."""
    lazy, eager = Bursts(), Bursts()
    late: list[Outcome] = []
    early: list[Outcome] = []
    at = 5.0
    for number, (character, silent, gap_s) in enumerate(keys):
        press = Press(character, number, silent=silent and not character)
        if (deadline := eager.deadline) is not None and deadline <= at + gap_s:
            early += eager.lapse(deadline)
        at += gap_s
        late += lazy.feed(press, at)
        early += eager.feed(press, at)
    assert late + lazy.lapse(at + 1.0) == early + eager.lapse(at + 1.0)


@given(codes=st.lists(st.text("AB01-q\x1d", min_size=4, max_size=40), min_size=1, max_size=30), data=st.data())
def test_no_scanner_loses_a_code_or_presses_a_key(codes: list[str], data: st.DataObject) -> None:
    suffix = data.draw(st.sampled_from(["\r", "\n", "\r\n", "\t"]))
    gap_s = data.draw(st.sampled_from([0.0, 0.001, 0.012]))
    outcomes = play(Bursts(), burst("".join(code + suffix for code in codes), gap_s))
    assert [outcome.text for outcome in outcomes if isinstance(outcome, Scan)] == codes
    assert not any(isinstance(outcome, Typed) for outcome in outcomes)
