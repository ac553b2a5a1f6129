"""One process of the centre: the real application with a pool of its own, which can die in the middle of anything."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from contextvars import ContextVar
from typing import Any

import httpx
from starlette.applications import Starlette

from sync.central.app import make_app
from tests.chain import ADMIN_TOKEN
from tests.simulator.pool import SteppedPool
from tests.simulator.postgres import Ground

POOL_SIZE = 3
LOOK_S = 1.0
AT_CENTRE: ContextVar[bool] = ContextVar("AT_CENTRE", default=False)
"""Whether the code that runs is a centre's: a rule may crash there and nowhere else."""


class CentreProcess:
    """Stateless, so that another one after it goes on where it left off. Whatever it raises is a bug of it."""

    def __init__(self, name: str, ground: Ground, now: Callable[[], Any], fail: Callable[[str], None]) -> None:
        self.name = name
        self._ground = ground
        self._now = now
        self._fail = fail
        self._tasks: list[asyncio.Task[Any]] = []
        self.pool: SteppedPool | None = None
        self.is_up = False
        self._life: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin, and wait until it answers."""
        self.pool = SteppedPool(self._ground, POOL_SIZE)
        app = make_app(self.name, admin_token=ADMIN_TOKEN, now=self._now, availability_every_s=7.0)
        up = asyncio.Event()
        self._life = asyncio.create_task(self._live(app, up))
        await up.wait()
        self._transport = httpx.ASGITransport(app)
        self.is_up = True

    async def _live(self, app: Starlette, up: asyncio.Event) -> None:
        async with app.router.lifespan_context(app):
            # Time costs nothing here and a look does: what this process itself published, it knows at once.
            app.state.centre.waiting._look_s = LOOK_S
            up.set()
            await asyncio.Event().wait()

    def answer(self, request: httpx.Request) -> asyncio.Future[httpx.Response]:
        """What it says to a request; whether anybody waits for that is nothing to it."""
        answer: asyncio.Future[httpx.Response] = asyncio.get_running_loop().create_future()
        self._tasks = [task for task in self._tasks if not task.done()]
        self._tasks.append(asyncio.create_task(self._answer(request, answer)))
        return answer

    async def _answer(self, request: httpx.Request, answer: asyncio.Future[httpx.Response]) -> None:
        AT_CENTRE.set(True)
        try:
            response = await self._transport.handle_async_request(request)
            await response.aread()
        except asyncio.CancelledError:
            if not answer.done():
                answer.set_exception(httpx.RemoteProtocolError("the centre is gone", request=request))
                answer.exception()
            raise
        except Exception as error:
            self._fail(f"CRASH: {request.method} {request.url.path}: {type(error).__name__}: {error}")
            response = httpx.Response(500, content=b"{}", request=request)
        if not answer.done():
            answer.set_result(response)

    async def die(self) -> None:
        """In the middle of whatever it does."""
        assert self.pool
        assert self._life
        self.is_up = False
        self.pool.die()
        for task in (*self._tasks, self._life):
            task.cancel()
        for task in (*self._tasks, self._life):
            with contextlib.suppress(asyncio.CancelledError, Exception):
                await task
        self._tasks = []


def pool_of(centres: dict[str, CentreProcess]) -> Callable[..., Any]:
    """In place of `open_pool`: the pool of the process of that name."""

    @asynccontextmanager
    async def open_pool(name: str, **_how: Any) -> AsyncIterator[SteppedPool]:
        pool = centres[name].pool
        assert pool
        yield pool

    return open_pool
