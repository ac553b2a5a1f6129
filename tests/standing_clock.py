"""A clock that moves only when a test says so."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta


class StandingClock:
    """`now` and `monotonic` stand still; `sleep` moves them on and lets others run once."""

    def __init__(self, at: datetime = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)) -> None:
        self.at = at
        self.passed_s = 0.0

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.passed_s

    def move(self, **by: float) -> None:
        """On by so many days, hours, minutes or seconds."""
        step = timedelta(**by)
        self.at += step
        self.passed_s += step.total_seconds()

    async def sleep(self, pause_s: float) -> None:
        self.move(seconds=pause_s)
        await asyncio.sleep(0)
