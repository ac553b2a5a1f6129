"""Time and names for what happened, handed in so that a test can hold both. Nothing else asks the system.

The rules of `store_agent.domain` never see a clock: time and id are fields of an operation.
"""

from __future__ import annotations

import asyncio
import secrets
import time
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Protocol

RANDOM_BITS = 74


class Clock(Protocol):
    """Where the time comes from."""

    def now(self) -> datetime:
        """The moment, aware and in UTC. A person may set it wrong, also backwards."""
        ...

    def monotonic(self) -> float:
        """Seconds since some moment; never goes back. For how long something takes or is old."""
        ...

    async def sleep(self, pause_s: float) -> None:
        """Let others run for that many seconds."""
        ...


class SystemClock:
    """The machine's own clock."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    def monotonic(self) -> float:
        return time.monotonic()

    async def sleep(self, pause_s: float) -> None:
        await asyncio.sleep(pause_s)


class Ids:
    """Makes time-ordered UUIDs (version 7, RFC 9562), each greater than the one before it in this process.

    Also when the clock stands still or is set back: then the last one is counted on (RFC 9562, 6.2, method 2).
    """

    def __init__(self, clock: Clock, random_bits: Callable[[int], int] = secrets.randbits) -> None:
        self._clock = clock
        self._random_bits = random_bits
        self._last = 0

    def new(self) -> str:
        """The next id, as 36 characters of lower case."""
        # Whole numbers all the way: a float of seconds would lose the millisecond at some moments.
        since = self._clock.now() - datetime(1970, 1, 1, tzinfo=UTC)
        millisecond = (since.days * 86_400 + since.seconds) * 1_000 + since.microseconds // 1_000
        fresh = (max(millisecond, 0) << RANDOM_BITS) | self._random_bits(RANDOM_BITS)
        if fresh <= self._last:
            # A random stride, so that an id does not tell its neighbour.
            fresh = self._last + 1 + self._random_bits(32)
        self._last = fresh
        return str(uuid.UUID(int=_with_version(fresh)))


def _with_version(value: int) -> int:
    """48 bits of time and 74 random ones, with the version (7) and the variant (binary 10) set between them."""
    moment = (value >> RANDOM_BITS) & ((1 << 48) - 1)
    high = (value >> 62) & ((1 << 12) - 1)
    low = value & ((1 << 62) - 1)
    return (moment << 80) | (0x7 << 76) | (high << 64) | (0b10 << 62) | low
