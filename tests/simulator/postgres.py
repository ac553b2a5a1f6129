"""PostgreSQL in a loop without sockets: a statement is waited for in real time, unless it waits for somebody's lock.

Then, and only then, others go on; who that is, the server is asked (`pg_blocking_pids`). So the same seed always meets the
same rows. Deadlocks are found here too, since the server would find them after a time.
"""

from __future__ import annotations

import asyncio
import select
from collections.abc import Awaitable, Callable, Generator
from typing import Any

import psycopg
from psycopg import AsyncConnection, waiting
from psycopg.pq import TransactionStatus

LONG_MS = 3
"""Whoever has not answered by then may be waiting for a lock: the server is asked."""
KEEPS_LOCKS = "BaseCursor._execute_gen"
"""A statement inside a transaction lets go of no lock; only the end of one does, of a savepoint, or an error."""
OPTIONS = "-c deadlock_timeout=1h -c timezone=UTC"


class Statement:
    """One statement that is under way."""

    def __init__(self, conn: SteppedConnection, steps: Generator[Any, Any, Any]) -> None:
        self.conn = conn
        self._steps = steps
        self._wanted: Any = None
        self._is_begun = False
        self.done: asyncio.Future[Any] = asyncio.get_running_loop().create_future()

    def drive(self) -> bool:
        """On to the end, which is True, or until it waits for somebody's lock."""
        try:
            if not self._is_begun:
                self._is_begun = True
                self._wanted = next(self._steps)
            while True:
                ready = self.conn.ground.ready(self.conn, self._wanted)
                if not ready:
                    return False
                self._wanted = self._steps.send(ready)
        except StopIteration as end:
            self._tell(end.value)
        except psycopg.Error as error:
            self._tell(None, error)
        return True

    def _tell(self, value: Any, error: psycopg.Error | None = None) -> None:
        if self.done.done():
            return
        if isinstance(error, psycopg.errors.QueryCanceled):
            error = psycopg.errors.DeadlockDetected("found by the simulator")
        if error:
            self.done.set_exception(error)
        else:
            self.done.set_result(value)


class SteppedConnection(AsyncConnection[tuple[Any, ...]]):
    """The real connection, but for how it waits."""

    ground: Ground

    async def wait(self, gen: Any, interval: float = 0, timeout: float | None = None) -> Any:  # noqa: ASYNC109
        await self.ground.pause()
        if self.closed:
            raise psycopg.OperationalError("the connection is closed")
        before = TransactionStatus(self.pgconn.transaction_status)
        kind = gen.__qualname__
        statement = Statement(self, gen)
        if not statement.drive():
            await self.ground.park(statement)
        self.ground.came_to(self, before, kind)
        return await statement.done


class Ground:
    """All connections of a seed to its ledger, and one more that looks on."""

    def __init__(self, url: str, pause: Callable[[], Awaitable[None]], committed: Callable[[], None]) -> None:
        self._url = psycopg.conninfo.make_conninfo(url, options=OPTIONS)
        self.pause = pause
        self._committed = committed
        self.look = psycopg.connect(url, autocommit=True)
        self._parked: list[Statement] = []
        self.deadlocks = 0
        self.waits = 0

    def connect(self) -> SteppedConnection:
        conn = waiting.wait_conn(SteppedConnection._connect_gen(self._url), interval=0.1)
        conn.ground = self
        return conn

    def ready(self, conn: SteppedConnection, wanted: int) -> Any:
        """What the socket is ready for; None where the statement waits for a lock."""
        poll = select.poll()
        events = (select.POLLIN if wanted & waiting.WAIT_R else 0) | (select.POLLOUT if wanted & waiting.WAIT_W else 0)
        poll.register(conn.pgconn.socket, events)
        # Of who has waited already it is likely that they still do.
        first_ms = 0 if any(one.conn is conn for one in self._parked) else LONG_MS
        while True:
            for _socket, event in poll.poll(first_ms):
                readable = waiting.READY_R if event & ~select.POLLOUT else 0
                return readable | (waiting.READY_W if event & select.POLLOUT else 0)
            first_ms = LONG_MS
            if self._blockers(conn):
                if not self._is_deadlocked(conn):
                    return None
                self.deadlocks += 1
                self.look.execute("select pg_cancel_backend(%s)", [conn.info.backend_pid])

    def _blockers(self, conn: SteppedConnection) -> list[int]:
        row = self.look.execute("select pg_blocking_pids(%s)", [conn.info.backend_pid]).fetchone()
        return list(row[0]) if row else []

    def _is_deadlocked(self, conn: SteppedConnection) -> bool:
        parked = {one.conn.info.backend_pid: one.conn for one in self._parked}
        seen: set[int] = set()
        behind = self._blockers(conn)
        while behind:
            pid = behind.pop()
            if pid == conn.info.backend_pid:
                return True
            if pid in parked and pid not in seen:
                seen.add(pid)
                behind += self._blockers(parked[pid])
        return False

    async def park(self, statement: Statement) -> None:
        """Until whoever is in the way is gone."""
        self.waits += 1
        self._parked.append(statement)
        try:
            await asyncio.wait([statement.done])
        finally:
            if statement in self._parked:
                self._parked.remove(statement)

    def came_to(self, conn: SteppedConnection, before: TransactionStatus, kind: str) -> None:
        """A statement has ended: perhaps a transaction with it, and perhaps somebody waited for that."""
        after = conn.pgconn.transaction_status
        if before != TransactionStatus.IDLE and after == TransactionStatus.IDLE:
            self._committed()
        if after != TransactionStatus.INTRANS or kind != KEEPS_LOCKS:
            self._go_on()

    def _go_on(self) -> None:
        moved = True
        while moved and self._parked:
            moved = False
            for statement in list(self._parked):
                if not statement.conn.closed and statement.drive():
                    self._parked.remove(statement)
                    moved = True

    def kill(self, conn: SteppedConnection) -> None:
        """As if its process had died: the server rolls back, and is waited for."""
        pid = conn.info.backend_pid
        self._parked = [one for one in self._parked if one.conn is not conn]
        conn.pgconn.finish()
        self.look.execute("select pg_terminate_backend(%s)", [pid])
        while self.look.execute("select 1 from pg_stat_activity where pid = %s", [pid]).fetchone():
            pass
        self._go_on()

    def close(self) -> None:
        self.look.close()
