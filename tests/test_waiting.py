"""Pulls that wait are woken whatever happened to the look before, and many nudges are one look."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any
from unittest.mock import patch

import psycopg
import pytest

from sync.central import feed
from sync.central.waiting import Waiting


class NoPool:
    """Connections to nothing: what is asked of them is patched."""

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[None]:
        yield None


async def wait_and_nudge(heads: Callable[..., Any], nudges: int) -> None:
    """One pull waits; somebody publishes so many times at once."""
    pool: Any = NoPool()
    waiting = Waiting(pool, look_s=60)
    with patch.object(feed, "heads", heads):
        watching = asyncio.create_task(waiting.watch())
        pull = asyncio.create_task(waiting.until_beyond({"chain": 4}, 5))
        while not pull.done():
            for _time in range(nudges):
                waiting.nudge()
            await asyncio.sleep(0)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


@pytest.mark.parametrize("error", [psycopg.OperationalError("gone"), psycopg.InterfaceError("closed")])
async def test_a_look_that_fails_is_not_the_last_one(error: Exception) -> None:
    looks: list[str] = []

    async def heads(_conn: object, streams: list[str]) -> Mapping[str, int]:
        looks.extend(streams)
        if len(looks) == 1:
            raise error
        return {"chain": 5}

    await asyncio.wait_for(wait_and_nudge(heads, nudges=1), 2)
    assert looks == ["chain", "chain"]


async def test_many_who_publish_at_once_cause_one_look() -> None:
    looks: list[str] = []

    async def heads(_conn: object, streams: list[str]) -> Mapping[str, int]:
        looks.extend(streams)
        return {"chain": 5}

    await asyncio.wait_for(wait_and_nudge(heads, nudges=100), 2)
    assert looks == ["chain"]
