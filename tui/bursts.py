"""Telling a scanner from a person: both are a keyboard, and only the time between the keys differs.

Pure, with the time handed in: no clock, no Textual, and no opinion on what a code means (that is `store_agent.scan`).

The rule, in full:

- Keys that write something are held while they follow each other within `gap_s`. A burst is a scan if it has at least
  `shortest` characters and ends in a suffix (CR, LF, CRLF, TAB) or in silence. Anything else is given back in order.
- A burst that is surely a machine's (`shortest` reached) may pause, once for every `shortest` characters: on a busy
  machine a part of a code is read late, and half a code must not become a code. The pause may be long (`SUFFIX_WAIT_S`)
  while scans end in a suffix, and is short (`stall_s`) once one has ended in silence, as it then delays every scan.
- What begins within `LATE_S` of a scan is waited for once more, however short it is: many codes in a row are read late too.
- A burst with a letter outside ASCII is text, as an input method commits a word at once; only a scanner's prefix, which
  no person types, makes it a scan. Text goes into a field and is never a key that does something.
- One key again and again, no faster than a keyboard repeats, is a key held down.
- What a suffix leaves behind (the LF of CRLF, an Enter that came late) is dropped, so that it confirms nothing.

Two bursts remain out of reach of any rule by timing: a code of fewer than `shortest` characters without a suffix, and a
code that begins with an escape sequence. Scanners are set to send neither.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum, StrEnum

SHORTEST = 4
"""Characters that make a scan; four keys within a tenth of a second are no person's."""
GAP_S = 0.035
"""Scanners leave 0 to 12 ms between keys; a quick typist 60 ms and more."""
STALL_S = 0.1
"""How long the burst of a scanner without a suffix may pause, and how long after a suffix its leftovers are dropped."""
SUFFIX_WAIT_S = 0.4
"""How long the burst of a scanner with a suffix may pause; only a missing suffix makes anybody wait for it."""
LATE_S = 0.25
"""How long after a scan was taken for want of a suffix one still belongs to it: a person does not react so soon."""
REPEAT_S = 0.02
"""A key held down comes at most every 25 to 40 ms, a scanner's zeros at most every 12."""
LONGEST_RUN = 8
"""The same key so often, that slowly, is shown without waiting for its end."""
SUFFIXES = frozenset("\r\n\t")
# Backspace, delete and escape change or leave a field: they are function keys that happen to have a character.
WRITING_NOTHING = frozenset("\x00\x08\x1b\x7f")


@dataclass(frozen=True, slots=True)
class Press:
    """One key as it came. `origin` is whatever the caller wants back when the key is replayed."""

    character: str
    """What it writes, control characters of a code (GS) included; empty for a function key."""
    origin: object = None
    silent: bool = False
    """Shift and its like, which some terminals report alone, between two letters of one code."""


class Ending(StrEnum):
    """How it is known where a scan ends. After silence alone, text sent late by a slow line can look like a scan."""

    SUFFIX = "suffix"
    SILENCE = "silence"
    PASTE = "paste"


@dataclass(frozen=True, slots=True)
class Scan:
    """A code, without prefix and suffix; `presses` is all that it was made of."""

    text: str
    ending: Ending
    presses: tuple[Press, ...]


@dataclass(frozen=True, slots=True)
class Typed:
    """Keys that a person pressed: whatever they are bound to happens."""

    presses: tuple[Press, ...]


@dataclass(frozen=True, slots=True)
class Text:
    """Characters that came too fast for single keys and are no scan: for a field, never for a binding."""

    presses: tuple[Press, ...]


@dataclass(frozen=True, slots=True)
class Dropped:
    """What a scan leaves behind, and function keys inside a machine's burst."""

    presses: tuple[Press, ...]


Outcome = Scan | Typed | Text | Dropped


class _Flow(Enum):
    """What goes through without being held, until the burst ends."""

    NOTHING = 0
    TEXT = 1
    REPEAT = 2


class Bursts:
    """Turns keys with their times into outcomes; every key is in exactly one outcome, in the order of the keys."""

    def __init__(
        self, *, shortest: int = SHORTEST, gap_s: float = GAP_S, stall_s: float = STALL_S, prefix: str = ""
    ) -> None:
        self._shortest = shortest
        self._gap_s = gap_s
        self._stall_s = stall_s
        self._prefix = prefix
        self._held: list[Press] = []
        self._text = ""
        self._first_at = 0.0
        self._written_at = 0.0
        self._last_at = 0.0
        self._stalls = 0
        self._suffixed = True
        self._flow = _Flow.NOTHING
        self._flowed = 0
        self._leftovers_until = 0.0
        self._scanned_at = -math.inf
        self._follows = False

    @property
    def deadline(self) -> float | None:
        """When `lapse` has something to say if no key comes before; None while nothing is held."""
        return self._last_at + self._patience_s() if self._held else None

    def feed(self, press: Press, at: float) -> list[Outcome]:
        """Take one key that came `at` (seconds, any monotonic clock), and say what is known now."""
        at = max(at, self._last_at)
        outcomes = self.lapse(at)
        if at - self._last_at >= self._gap_s:
            self._stalls += bool(self._held)
            self._flow = _Flow.NOTHING
        self._last_at = at
        outcome = self._take(press, at)
        return outcomes if outcome is None else [*outcomes, outcome]

    def lapse(self, at: float) -> list[Outcome]:
        """Give up waiting if it is past the deadline; harmless at any other time."""
        deadline = self.deadline
        return [self._close(None)] if deadline is not None and at >= deadline else []

    def excuse(self, at: float) -> None:
        """Count the time up to `at` as no time: whoever reads the keys could not, so their gap proves nothing."""
        self._last_at = max(self._last_at, at)

    def _patience_s(self) -> float:
        if self._stalls >= len(self._text) // self._shortest + self._follows:
            return self._gap_s
        if not self._is_machine() and not self._follows:
            return self._gap_s
        return SUFFIX_WAIT_S if self._suffixed else self._stall_s

    def _is_machine(self) -> bool:
        return len(self._text) >= self._shortest or self._is_prefixed()

    def _is_prefixed(self) -> bool:
        return bool(self._prefix) and self._text.startswith(self._prefix)

    def _take(self, press: Press, at: float) -> Outcome | None:
        character = press.character
        if character in SUFFIXES:
            return self._take_suffix(press, at)
        if not press.silent:
            self._leftovers_until = 0.0
        if not character or character in WRITING_NOTHING:
            return self._take_function_key(press)
        if self._flow is _Flow.REPEAT and character == self._text:
            return Typed((press,))
        if self._flow is _Flow.TEXT:
            self._flowed += 1
            return Text((press,))
        if self._flow is _Flow.REPEAT:
            self._flow, self._text = _Flow.NOTHING, ""
        return self._hold(press, at)

    def _hold(self, press: Press, at: float) -> Outcome | None:
        if not self._held:
            self._text, self._first_at = "", at
            self._follows = at - self._scanned_at < LATE_S
        self._held.append(press)
        self._text += press.character
        self._written_at = at
        if not press.character.isascii() and not self._is_prefixed():
            self._flow, self._flowed = _Flow.TEXT, len(self._text)
            return Text(self._release())
        if len(self._text) == LONGEST_RUN + 1 and self._is_repeat():
            self._flow, self._text = _Flow.REPEAT, press.character
            return Typed(self._release())
        return None

    def _take_suffix(self, press: Press, at: float) -> Outcome:
        if self._held:
            return self._close(press)
        if self._flow is _Flow.TEXT:
            self._flow = _Flow.NOTHING
            self._leftovers_until = at + self._stall_s
            return Text((press,))
        if at < self._leftovers_until:
            return Dropped((press,))
        return Typed((press,))

    def _take_function_key(self, press: Press) -> Outcome | None:
        if self._flow is _Flow.TEXT and self._flowed >= self._shortest:
            return Dropped((press,))
        if self._held and (press.silent or self._is_machine()):
            self._held.append(press)
            return None
        return Typed((*self._release(), press))

    def _close(self, suffix: Press | None) -> Outcome:
        text, machine, prefixed, patience_s = self._text, self._is_machine(), self._is_prefixed(), self._patience_s()
        same, repeat = len(set(text)) == 1, self._is_repeat()
        presses = self._release() if suffix is None else (*self._release(), suffix)
        if prefixed and text == self._prefix:
            return Dropped(presses)
        if prefixed or (machine and not repeat and (suffix is not None or not same)):
            self._suffixed, self._scanned_at = suffix is not None, self._last_at
            self._leftovers_until = self._last_at + (self._stall_s if self._suffixed else patience_s + LATE_S)
            ending = Ending.SILENCE if suffix is None else Ending.SUFFIX
            return Scan(text.removeprefix(self._prefix) if prefixed else text, ending, presses)
        if repeat or not (machine or (suffix is not None and len(text) > 1)):
            return Typed(presses)
        self._leftovers_until = self._last_at + self._stall_s
        return Text(presses)

    def _is_repeat(self) -> bool:
        steps = len(self._text) - 1
        return steps > 0 and len(set(self._text)) == 1 and (self._written_at - self._first_at) / steps >= REPEAT_S

    def _release(self) -> tuple[Press, ...]:
        presses = tuple(self._held)
        self._held.clear()
        self._stalls = 0
        return presses


def scans_of_paste(text: str) -> tuple[str, ...]:
    """The codes of a paste: one a line. Only CR and LF end a line; `str.splitlines` would cut a code at its GS."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return tuple(line for line in (line.strip(" \t") for line in lines) if line)
