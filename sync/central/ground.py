"""The ledger's ground: connections, the schema's steps, and PostgreSQL's errors said as trouble. Knows no table's meaning."""

from __future__ import annotations

import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import resources
from typing import Any

import psycopg
from psycopg import AsyncConnection
from psycopg_pool import AsyncConnectionPool, TooManyRequests

from store_agent.trouble import Trouble
from store_agent.words import _
from sync.central.connections import LedgerBusy, LedgerConnection, LedgerDown, OutcomeUnknown, to_primary

__all__ = ["LOCK", "Connection", "LedgerBusy", "LedgerDown", "OutcomeUnknown", "Pool", "open_pool"]

Connection = AsyncConnection[tuple[Any, ...]]
Pool = AsyncConnectionPool[Connection]
LOCK = 0x53544F52
"""The advisory lock under which the schema is brought up, so that two processes may start at once."""
WAITING_MOST = 25
"""Requests that wait for each connection: more of them would not be served before their stores ask again."""
RECONNECT_S = 5.0
"""So long the pool tries again by itself, ever more slowly; after that the next request tries at once."""


@asynccontextmanager
async def open_pool(url: str, *, size: int = 8) -> AsyncIterator[Pool]:
    """Connections to the ledger, its schema brought to this version.

    Of several hosts in the URL, the one is taken that is the primary, and again so after a failover.
    """
    try:
        address = to_primary(url)
    except psycopg.ProgrammingError as error:
        raise Trouble(
            _("The database URL cannot be read: {detail}").format(detail=str(error).strip()),
            _("It is like postgresql://centre@db/centre; several hosts stand between commas."),
        ) from error
    pool: Pool = AsyncConnectionPool(
        address,
        connection_class=LedgerConnection,
        configure=_without_timeouts,
        min_size=1,
        max_size=size,
        max_waiting=size * WAITING_MOST,
        open=False,
        timeout=5.0,
        reconnect_timeout=RECONNECT_S,
    )
    try:
        with translated():
            await pool.open(wait=True, timeout=15.0)
            async with pool.connection() as conn:
                await migrate(conn)
        yield pool
    finally:
        await pool.close()


async def _without_timeouts(conn: Connection) -> None:
    """Whatever the role or the server has set: a timeout that ends a COMMIT makes it look done where it is not."""
    # Not every version has the second.
    known = "select set_config(name, '0', false) from pg_settings where name = any(%s)"
    await conn.execute(known, [["statement_timeout", "transaction_timeout"]])
    await conn.commit()


async def migrate(conn: Connection) -> None:
    """Apply the steps that this ledger does not have, all in one transaction."""
    async with conn.transaction():
        await conn.execute("select pg_advisory_xact_lock(%s)", [LOCK])
        await conn.execute(
            "create table if not exists migration (name text primary key, applied_at timestamptz not null)"
        )
        done = {row[0] for row in await (await conn.execute("select name from migration")).fetchall()}
        steps = sorted(
            (file for file in resources.files("sync.central.migrations").iterdir() if file.name.endswith(".sql")),
            key=lambda file: file.name,
        )
        newer = done - {step.name for step in steps}
        if newer:
            raise Trouble(
                _("The ledger was brought up by a newer version of Store Agent."),
                _("Start that version; nothing was changed."),
            )
        for step in steps:
            if step.name not in done:
                await conn.execute(step.read_text("utf-8").encode())
                await conn.execute("insert into migration values (%s, current_timestamp)", [step.name])
        await conn.execute("insert into setting values ('incarnation', %s) on conflict do nothing", [uuid.uuid4().hex])


async def incarnation(conn: Connection) -> str:
    """The name of this life of the ledger; another one after it was restored from a backup."""
    row = await (await conn.execute("select value from setting where name = 'incarnation'")).fetchone()
    return str(row[0]) if row else ""


async def renew_incarnation(conn: Connection) -> str:
    """Give this ledger a new name, because it was restored: stores then read it anew and send again what it lacks."""
    async with conn.transaction():
        name = uuid.uuid4().hex
        # The old name as well, so that whoever looks later sees how often this happened.
        await conn.execute(
            "insert into incarnation (name, began_at) select value, current_timestamp from setting"
            " where name = 'incarnation' on conflict do nothing"
        )
        await conn.execute("insert into incarnation (name, began_at) values (%s, current_timestamp)", [name])
        await conn.execute("update setting set value = %s where name = 'incarnation'", [name])
        return name


class translated:
    """PostgreSQL's errors that are not ours, once, as what a person can act on."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: object, error: BaseException | None, _trace: object) -> None:
        # A value that is too large for an index is no trouble of the server's, though psycopg counts it among them.
        if isinstance(error, TooManyRequests):
            raise LedgerBusy(_("The centre is asked more than it can answer."), _("Ask again later.")) from error
        # A server that takes no writes any more was the primary until just now.
        down = (psycopg.OperationalError, psycopg.errors.ReadOnlySqlTransaction)
        if isinstance(error, down) and not isinstance(error, psycopg.errors.ProgramLimitExceeded):
            raise LedgerDown(
                _("PostgreSQL cannot be reached."), _("Check that it runs and that the database URL is right.")
            ) from error
