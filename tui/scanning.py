"""The Textual side of scans: every key and paste passes here before a field or a binding can have it.

`App.on_key` would be too late, as the focused field has eaten the key by then. What a burst is, is decided in
`tui.bursts`; what a code means, by whoever handles `Scanned`.
"""

from __future__ import annotations

import asyncio
import math
import select
import sys
from collections.abc import Iterable
from typing import ClassVar

from textual import events
from textual.app import App, ReturnType
from textual.message import Message
from textual.widgets import Input, TextArea

from store_agent.words import _
from tui.bursts import SUFFIXES, Bursts, Dropped, Ending, Outcome, Press, Scan, Text, Typed, scans_of_paste
from tui.widgets.code_box import CodeBox

CONTROL_KEYS = {f"ctrl+{chr(code + 96)}": chr(code) for code in range(1, 27)} | {
    "ctrl+backslash": "\x1c",
    "ctrl+right_square_bracket": "\x1d",
    "ctrl+circumflex_accent": "\x1e",
    "ctrl+underscore": "\x1f",
}
"""Terminals with the Kitty protocol name these keys and leave the character out, GS among them."""
COMMANDS = ("alt+", "super+", "meta+", "hyper+")
SILENT_KEYS = frozenset(
    [f"{side}_{name}" for side in ("left", "right") for name in ("shift", "control", "alt", "super", "hyper", "meta")]
    + ["iso_level3_shift", "iso_level5_shift", "caps_lock", "num_lock"]
)
LAG_S = 0.008
"""A look at the clock that comes later than this shows a machine too busy to read keys on time."""
EXCUSED_S = 0.1
"""Only so long a gap is put down to the machine: a person goes on typing while a screen is being built."""
MOST_EXCUSES = 3
MOST_PASTED = 200
"""Lines of one paste that are taken as codes; a whole file pasted by mistake is refused."""
WIDE_SPACE = "\u3000"


class Scanned(Message):
    """A code was scanned or pasted, whatever has the focus. Sent to the screen on top; bubbles to the app."""

    def __init__(self, text: str, ending: Ending) -> None:
        super().__init__()
        self.text = text
        """As the scanner sent it: any character, GS too. Not safe to show before `safe_text`."""
        self.ending = ending
        """A scan that ended in SILENCE and is of no known kind is better put into the box than called unknown."""


class ScanningApp(App[ReturnType]):
    """An app that knows a scanner from a person. A scan moves no focus, fills no field and reaches no binding."""

    WATCHES_KEYS: ClassVar[bool | None] = None
    """Whether keys are told apart by time. None: unless headless, as tests press keys faster than any person."""
    SCAN_PREFIX: ClassVar[str] = ""
    """What the scanner is set to send first; lets a code hold letters outside ASCII."""

    class Lapsed(Message, bubble=False):
        """Perhaps no further key comes. Queued behind the keys that were read before it."""

    def __init__(self) -> None:
        super().__init__()
        self._bursts = Bursts(prefix=self.SCAN_PREFIX)
        self._due = 0.0
        self._excuses = 0
        self._lapse: asyncio.TimerHandle | None = None
        self._lapsing: asyncio.Task[None] | None = None

    def scan(self, text: str, ending: Ending = Ending.SUFFIX) -> None:
        """Hand a code to the screen on top, wherever it came from: a scanner, a paste, a picture, a test."""
        self.screen.post_message(Scanned(text, ending))

    async def on_event(self, event: events.Event) -> None:
        """Take what comes from the terminal; an event that was forwarded once and bubbled back is let through."""
        if isinstance(event, events.Key) and not event.is_forwarded and self._watches_keys():
            await self._take_key(event)
        elif isinstance(event, events.Paste) and not event.is_forwarded:
            await self._deliver(self._bursts.lapse(math.inf))
            await self._take_paste(event)
        else:
            await super().on_event(event)

    async def on_scanning_app_lapsed(self, message: Lapsed) -> None:
        """Give typing back, unless the silence may be this machine's: the start of a code must not become keys."""
        silent = message.time - self._due <= LAG_S and not input_waits()
        if silent or self._excuses >= MOST_EXCUSES:
            await self._deliver(self._bursts.lapse(message.time))
        else:
            self._excuses += 1
            self._bursts.excuse(message.time)
        self._arm(message.time)

    async def _take_key(self, event: events.Key) -> None:
        # The time is that of reading, so a busy screen does not turn a scan into typing.
        deadline = self._bursts.deadline
        if deadline is not None and LAG_S < event.time - deadline < EXCUSED_S:
            # Had this machine kept up, the burst would have lapsed before this key was read.
            self._bursts.excuse(event.time)
        self._excuses = 0
        await self._deliver(self._bursts.feed(press_of(event), event.time))
        self._arm(event.time)

    def _watches_keys(self) -> bool:
        return not self.is_headless if self.WATCHES_KEYS is None else self.WATCHES_KEYS

    def _arm(self, now: float) -> None:
        if self._lapse is not None:
            self._lapse.cancel()
            self._lapse = None
        if (deadline := self._bursts.deadline) is not None:
            pause_s = max(0.0, deadline - now) + 0.001
            self._due = now + pause_s
            self._lapse = asyncio.get_running_loop().call_later(pause_s, self._queue_lapsed)

    def _queue_lapsed(self) -> None:
        # A task, because keys also come as tasks: those that were read while the screen was busy go first.
        async def post() -> None:
            self.post_message(self.Lapsed())

        self._lapsing = asyncio.get_running_loop().create_task(post())

    async def _deliver(self, outcomes: Iterable[Outcome]) -> None:
        for outcome in outcomes:
            match outcome:
                case Scan(text, ending):
                    self.scan(text, ending)
                case Typed(presses):
                    for press in presses:
                        if isinstance(press.origin, events.Key):
                            await super().on_event(press.origin)
                case Text(presses):
                    self._write(presses)
                case Dropped():
                    pass

    def _write(self, presses: tuple[Press, ...]) -> None:
        """Put fast text into the field with the focus, or else into the box; its suffix submits that field."""
        field = self._text_field()
        if field is None:
            return
        if text := printable("".join(press.character for press in presses if press.character not in SUFFIXES)):
            field.post_message(events.Paste(text))
        if isinstance(field, Input) and presses[-1].character in SUFFIXES:
            field.call_later(field.action_submit)

    def _text_field(self) -> Input | TextArea | None:
        if isinstance(self.focused, Input | TextArea):
            return self.focused
        return next((box for box in self.screen.query(CodeBox) if not box.is_disabled), None)

    async def _take_paste(self, event: events.Paste) -> None:
        if getattr(self.focused, "keeps_paste", False):
            await super().on_event(events.Paste(printable(event.text, also="\r\n\t")))
            return
        texts = scans_of_paste(event.text)
        if len(texts) > MOST_PASTED:
            self.notify(_("Too many lines to be codes. Paste at most {count} at once.").format(count=MOST_PASTED))
            return
        for text in texts:
            self.scan(text, Ending.PASTE)


def input_waits() -> bool:
    """Whether the terminal has sent something that is not read yet. Unknown where a terminal is no file (Windows)."""
    if sys.platform == "win32" or sys.__stdin__ is None or sys.__stdin__.closed:
        return False
    return bool(select.select([sys.__stdin__], [], [], 0.0)[0])


def press_of(event: events.Key) -> Press:
    """The key as the detector sees it: what it would write, where terminals agree on nothing else."""
    if event.key in SILENT_KEYS:
        return Press("", event, silent=True)
    if event.key.startswith(COMMANDS):
        return Press("", event)
    return Press(event.character or CONTROL_KEYS.get(event.key, ""), event)


def printable(text: str, also: str = "") -> str:
    """The text without what a field cannot show: control and format characters, which survive in a field's value."""
    return "".join(ch for ch in text if ch.isprintable() or ch == WIDE_SPACE or ch in also)
