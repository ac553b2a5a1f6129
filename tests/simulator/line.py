"""The network between one store and the centres: every request has a fate. The centre's work is a task of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from random import Random
from typing import Protocol

import httpx


class Fate(StrEnum):
    """What becomes of one request."""

    ARRIVES = "arrives"
    REQUEST_LOST = "request lost"
    REPLY_LOST = "reply lost"
    REPLY_LATE = "reply late"
    """It comes when nobody waits for it any more; later it may come once more, in place of another."""
    TWICE = "twice"
    """Something in between sends it again; whichever reply is first counts."""
    STALE = "stale"
    """Something in between answers with what it answered before."""


@dataclass
class Weather:
    """How likely what is, and how long everything takes."""

    odds: dict[Fate, float] = field(default_factory=dict)
    delay_most_s: float = 0.05
    is_parted: bool = False
    stuck: str = ""
    """Requests to this path never arrive, all others do."""

    def fate(self, random: Random) -> Fate:
        number = random.random()
        for fate, odds in self.odds.items():
            number -= odds
            if number < 0:
                return fate
        return Fate.ARRIVES


class Server(Protocol):
    """Whatever answers requests: one of the centres."""

    def answer(self, request: httpx.Request) -> asyncio.Future[httpx.Response]: ...


class Line(httpx.AsyncBaseTransport):
    """Carries one client's requests. `say` hears what happened, for the log."""

    def __init__(
        self, name: str, random: Random, servers: Callable[[], list[Server]], say: Callable[[str], None]
    ) -> None:
        self._name = name
        self._random = random
        self._servers = servers
        self._say = say
        self.weather = Weather()
        self._before: dict[str, tuple[int, bytes]] = {}

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        content = await request.aread()
        path = request.url.path
        timeout_s = float(request.extensions.get("timeout", {}).get("read") or 10.0)
        is_lost = self.weather.is_parted or self.weather.stuck == path
        fate = Fate.REQUEST_LOST if is_lost else self.weather.fate(self._random)
        self._say(f"{self._name} {request.method} {request.url.raw_path.decode()} {fate} {len(content)}")
        try:
            async with asyncio.timeout(timeout_s):
                status, body = await self._carry(request, content, path, fate)
        except TimeoutError as error:
            raise httpx.ReadTimeout("nobody answers", request=request) from error
        return httpx.Response(status, content=body, request=request, headers={"content-type": "application/json"})

    async def _carry(self, request: httpx.Request, content: bytes, path: str, fate: Fate) -> tuple[int, bytes]:
        await self._pass()
        if fate is Fate.REQUEST_LOST:
            if not self.weather.stuck and self._random.random() < 0.3:
                await asyncio.sleep(60)
            raise httpx.ConnectError("the cable is out", request=request)
        if fate is Fate.STALE and path in self._before:
            return self._before[path]
        answers = [self._ask(request, content)]
        if fate is Fate.TWICE:
            # At once, so that both are worked on together.
            await asyncio.sleep(self._random.uniform(0, 0.02))
            answers.append(self._ask(request, content))
        answer = answers[self._random.randrange(len(answers))]
        # Shielded: that nobody waits any more is nothing that the centre knows of.
        response = await asyncio.shield(answer)
        result = response.status_code, response.content
        self._say(f"{self._name} {path} {response.status_code} {len(response.content)}")
        if fate is Fate.REPLY_LATE:
            self._before[path] = result
            await asyncio.sleep(60)
        if fate is Fate.REPLY_LOST or self.weather.is_parted:
            raise httpx.RemoteProtocolError("the cable was pulled", request=request)
        await self._pass()
        if response.status_code == 200 and self._random.random() < 0.1:
            self._before[path] = result
        return result

    async def _pass(self) -> None:
        await asyncio.sleep(self._random.uniform(0.001, self.weather.delay_most_s))

    def _ask(self, request: httpx.Request, content: bytes) -> asyncio.Future[httpx.Response]:
        servers = self._servers()
        if not servers:
            raise httpx.ConnectError("no centre is up", request=request)
        again = httpx.Request(request.method, request.url, headers=request.headers, content=content)
        return servers[self._random.randrange(len(servers))].answer(again)
