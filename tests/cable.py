"""The network between a store and the centre, with a fate for every request. Everything behind it is real."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum

import httpx


class Fate(StrEnum):
    """What becomes of one request."""

    ARRIVES = "arrives"
    REQUEST_LOST = "request lost"
    REPLY_LOST = "reply lost"
    """The centre does it and the store never hears so."""
    REPLY_LATE = "reply late"
    """The same, and the reply turns up later, when nobody waits for it any more."""


class Cable(httpx.AsyncBaseTransport):
    """Carries requests to an application in this process. Pulled, nothing goes through."""

    def __init__(self, inner: httpx.AsyncBaseTransport) -> None:
        self.inner = inner
        self.plugged = True
        self.fate: Callable[[httpx.Request], Fate] = lambda request: Fate.ARRIVES
        self.late: list[tuple[str, bytes]] = []
        """Path and body of replies that nobody waited for."""
        self.carried: list[str] = []

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        fate = self.fate(request) if self.plugged else Fate.REQUEST_LOST
        if fate is Fate.REQUEST_LOST:
            raise httpx.ConnectError("the cable is out", request=request)
        self.carried.append(f"{request.method} {request.url.path}")
        response = await self.inner.handle_async_request(request)
        if fate is Fate.REPLY_LOST:
            raise httpx.RemoteProtocolError("the cable was pulled", request=request)
        if fate is Fate.REPLY_LATE:
            self.late.append((request.url.path, await response.aread()))
            raise httpx.RemoteProtocolError("the cable was pulled", request=request)
        return response
