"""Holding a pull until its streams have something to say: one look at the heads for all that wait in this process."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Mapping

import psycopg

from sync.central import feed
from sync.central.ground import LedgerDown, Pool, translated

log = logging.getLogger(__name__)

LOOK_S = 0.2


class Waiting:
    """Pulls that wait. What went through this process is seen at once; what went through others, at the next look."""

    def __init__(self, pool: Pool, look_s: float = LOOK_S) -> None:
        self._pool = pool
        self._look_s = look_s
        self._waiting: dict[str, dict[asyncio.Event, int]] = {}
        self._nudged = asyncio.Event()

    async def until_beyond(self, cursors: Mapping[str, int], wait_s: float) -> None:
        """Return once one of these streams ends beyond its cursor, or the time is over."""
        event = asyncio.Event()
        for stream, cursor in cursors.items():
            self._waiting.setdefault(stream, {})[event] = cursor
        try:
            async with asyncio.timeout(wait_s):
                await event.wait()
        except TimeoutError:
            pass
        finally:
            for stream in cursors:
                held = self._waiting[stream]
                held.pop(event, None)
                if not held:
                    del self._waiting[stream]

    def wake(self, heads: Mapping[str, int]) -> None:
        """Streams end here by now."""
        for stream, position in heads.items():
            for event, cursor in self._waiting.get(stream, {}).items():
                if position > cursor:
                    event.set()

    def nudge(self) -> None:
        """Something was published: look now. However many say so meanwhile, it is one look, and none of them waits for it."""
        self._nudged.set()

    async def watch(self) -> None:
        """Look at the heads of all streams that somebody waits for, for as long as the process lives."""
        while True:
            try:
                async with asyncio.timeout(self._look_s):
                    await self._nudged.wait()
            except TimeoutError:
                pass
            self._nudged.clear()
            if not self._waiting:
                continue
            try:
                await self.look()
            except (LedgerDown, psycopg.Error) as error:
                # A loop that ended here would leave every pull of this process waiting for its whole time.
                log.warning("the heads could not be looked at: %s", error)

    async def look(self) -> None:
        """One look."""
        with translated():
            async with self._pool.connection() as conn:
                self.wake(await feed.heads(conn, list(self._waiting)))
