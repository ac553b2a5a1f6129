"""What a person would read on the screen of an app under test, and scans for it."""

from __future__ import annotations

from typing import Any

import textual._wait
from textual.app import App
from textual.pilot import Pilot

from tui.bursts import Ending
from tui.scanning import Scanned

# A pilot waits for a quiet processor in steps of 20 ms, several times for each key: most of what these tests would take.
textual._wait.SLEEP_GRANULARITY = 0.004
textual._wait.SLEEP_IDLE = 0.001


def screen_text(app: App[Any]) -> str:
    """The screen on top, line by line, trailing spaces cut. What lies dimmed under a dialog is part of it."""
    lines = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in line).rstrip() for line in lines)


async def scan(pilot: Pilot[None], *codes: str) -> None:
    """Scan one code after the other, as a scanner with a suffix does."""
    for code in codes:
        pilot.app.screen.post_message(Scanned(code, Ending.SUFFIX))
        await pilot.pause()
        await pilot.pause()
