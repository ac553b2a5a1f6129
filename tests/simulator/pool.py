"""The connections of one process of a centre, given in the order of asking, without tasks or time of their own."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg
from psycopg.pq import TransactionStatus

from tests.simulator.postgres import Ground, SteppedConnection

TAKE_WITHIN_S = 5.0


class SteppedPool:
    """So many connections, given in the order of asking. Ends a transaction as psycopg's own pool does."""

    def __init__(self, ground: Ground, size: int) -> None:
        self._ground = ground
        self._free = deque(ground.connect() for _n in range(size))
        self._taken: list[SteppedConnection] = []
        self._asking: deque[asyncio.Future[None]] = deque()
        self._is_dead = False

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[SteppedConnection]:
        """One of them."""
        conn = await self._take()
        try:
            yield conn
        except BaseException:
            if not conn.closed:
                await conn.rollback()
            raise
        else:
            await conn.commit()
        finally:
            self._give(conn)

    async def _take(self) -> SteppedConnection:
        while not self._free:
            turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._asking.append(turn)
            try:
                async with asyncio.timeout(TAKE_WITHIN_S):
                    await turn
            except TimeoutError as error:
                raise psycopg.OperationalError("couldn't get a connection") from error
            finally:
                if turn in self._asking:
                    self._asking.remove(turn)
        conn = self._free.popleft()
        self._taken.append(conn)
        return conn

    def _give(self, conn: SteppedConnection) -> None:
        self._taken.remove(conn)
        if self._is_dead:
            return
        if conn.closed or conn.pgconn.transaction_status != TransactionStatus.IDLE:
            if not conn.closed:
                self._ground.kill(conn)
            conn = self._ground.connect()
        self._free.append(conn)
        if self._asking:
            turn = self._asking.popleft()
            if not turn.done():
                turn.set_result(None)

    def die(self) -> None:
        """The process that held it is gone."""
        self._is_dead = True
        for conn in (*self._taken, *self._free):
            if not conn.closed:
                self._ground.kill(conn)
