"""A real terminal for tests: runs a program in a pty of a given size, sends keys, waits for what the screen shows.

Waiting is always for something to be seen, with a deadline; nothing here sleeps but a scanner between its keys.
"""

from __future__ import annotations

import os
import re
import select
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import pyte
from ptyprocess import PtyProcess  # type: ignore[import-untyped]

DEADLINE_S = 20.0
"""Generous, as it is only ever waited for by a test that fails."""
ENTER = "\r"
TAB = "\t"
ESCAPE = "\x1b"
GS = "\x1d"
UNKNOWN = re.compile(rb"\x1b\[(?:[<>=][0-9;:]*[@-~]|\??[0-9;:]*\$[@-~])")
UNKNOWN_OR_WHOLE = re.compile(rb"\x1b(?:\[[0-?]*[ -/]*[@-~]|[^\[])")


class Terminal:
    """A program in a pty, and the screen that a person would see. Use it in a `with`: the program ends with it."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        columns: int = 80,
        lines: int = 24,
        cwd: Path | None = None,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self._screen)
        self._unparsed = b""
        self.raw = b""
        """All that the program wrote, escape codes included."""
        looks = ("NO_COLOR", "COLUMNS", "LINES", "TERM_PROGRAM")
        without_looks = {name: value for name, value in os.environ.items() if name not in looks}
        environment = without_looks | {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8"}
        self._process = PtyProcess.spawn(
            list(command), dimensions=(lines, columns), cwd=cwd and str(cwd), env=environment | dict(env or {})
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def send(self, text: str) -> None:
        """Write all of it at once, as a fast scanner or a slow line does."""
        data = text.encode()
        while data:
            data = data[os.write(self._process.fd, data) :]
            self._read(0.0)

    def scan(self, text: str, gap_s: float) -> float:
        """Write it key by key, as a scanner does; returns the longest gap, as this machine too may be late.

        The gaps are a test's only sleep. Nothing is read meanwhile: parsing a repaint takes longer than a gap.
        """
        longest_s, written_at = 0.0, time.monotonic()
        for number, character in enumerate(text):
            before_at = written_at
            if number:
                time.sleep(max(0.0, before_at + gap_s - time.monotonic()))
            written_at = time.monotonic()
            os.write(self._process.fd, character.encode())
            # From before the one to behind the other: the write itself may be what was late.
            longest_s = max(longest_s, time.monotonic() - before_at)
        return longest_s

    def paste(self, text: str) -> None:
        """What a terminal sends for a paste: the text between the marks of a bracketed paste."""
        self.send(f"\x1b[200~{text}\x1b[201~")

    def wait_for(self, text: str, deadline_s: float = DEADLINE_S) -> str:
        """Wait until the screen shows this text; returns the screenshot. Wide characters count as one."""
        return self.wait_until(lambda shown: text in shown, f"the text {text!r}", deadline_s)

    def wait_until(self, seen: Callable[[str], bool], what: str = "the screen", deadline_s: float = DEADLINE_S) -> str:
        """Wait until the screenshot satisfies `seen`; fails with the last screenshot if it does not in time."""
        until = time.monotonic() + deadline_s
        while not seen(shown := self.screenshot()):
            if time.monotonic() >= until:
                raise AssertionError(f"waited {deadline_s:g} s for {what}; the screen shows:\n{shown}")
            if not self._read(0.05) and not self._process.isalive():
                self._read(0.0)
                if seen(shown := self.screenshot()):
                    break
                raise AssertionError(f"the program ended before {what} was seen; the screen shows:\n{shown}")
        return shown

    def wait_for_end(self, deadline_s: float = DEADLINE_S) -> int:
        """Wait until the program has ended by itself; returns its exit code."""
        until = time.monotonic() + deadline_s
        while self._process.isalive():
            if time.monotonic() >= until:
                raise AssertionError(f"waited {deadline_s:g} s for the end; the screen shows:\n{self.screenshot()}")
            self._read(0.05)
        return int(self._process.exitstatus if self._process.exitstatus is not None else -self._process.signalstatus)

    def screenshot(self) -> str:
        """The screen as text, trailing spaces cut. The empty half of a wide character is left out."""
        self._read(0.0)
        return "\n".join(
            "".join(self._screen.buffer[y][x].data for x in range(self._screen.columns)).rstrip()
            for y in range(self._screen.lines)
        ).rstrip()

    def cell(self, column: int, line: int) -> pyte.screens.Char:
        """One cell with its colours (`fg`, `bg` as hex, `reverse`)."""
        return self._screen.buffer[line][column]

    def close(self) -> None:
        """End the program, kindly and then not; safe to repeat."""
        if self._process.isalive():
            self._process.kill(signal.SIGTERM)
            until = time.monotonic() + 2.0
            while self._process.isalive() and time.monotonic() < until:
                self._read(0.05)
            if self._process.isalive():
                self._process.kill(signal.SIGKILL)
        if not self._process.closed:
            self._process.close(force=True)

    def _read(self, pause_s: float) -> bool:
        """Take in what the program wrote; whether there was anything."""
        anything = False
        while not self._process.closed and select.select([self._process.fd], [], [], pause_s)[0]:
            try:
                data = os.read(self._process.fd, 65536)
            except OSError:  # Linux says EIO where the other end of a pty is gone.
                data = b""
            if not data:
                break
            anything = True
            pause_s = 0.0
            self.raw += data
            self._feed(data)
        return anything

    def _feed(self, data: bytes) -> None:
        """Show it, without the sequences that pyte does not know and would print (`CSI < u`, `CSI ? 2026 $ p`)."""
        data = self._unparsed + data
        # A sequence may be cut by the end of a read: what follows the last ESC waits for its rest.
        start = data.rfind(b"\x1b")
        complete = start < 0 or UNKNOWN_OR_WHOLE.match(data, start)
        self._unparsed = b"" if complete else data[start:]
        self._stream.feed(UNKNOWN.sub(b"", data if complete else data[:start]))
