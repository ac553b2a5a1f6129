"""What a reader is told must outlive the primary as well: here a reader waits until the synchronous standby has it.

Usually nothing is visible before the standby has it, and then this costs one commit. But a COMMIT whose wait somebody
cancelled is visible at once: read by a store, it would be missing under the store's cursor once the standby took over.
"""

from __future__ import annotations

import asyncio

from sync.central.ground import Connection, Pool

SNAPSHOT = (
    "set transaction isolation level repeatable read, read only; select current_setting('synchronous_standby_names')"
)


async def begin_snapshot(conn: Connection) -> bool:
    """Let this transaction read one moment; returns whether the ledger has a synchronous standby."""
    # Two statements in one round trip, which cannot be prepared.
    cursor = await conn.execute(SNAPSHOT, prepare=False)
    cursor.nextset()
    row = await cursor.fetchone()
    return bool(row and row[0])


class Standby:
    """The synchronous standby, as readers wait for it. All that wait at the same time share one commit."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool
        self._now: asyncio.Task[None] | None = None
        self._next: asyncio.Task[None] | None = None

    async def reached(self) -> None:
        """Return once all that was visible when this was called is on the standby; raises LedgerDown where it is not."""
        if self._next is None:
            self._next = asyncio.create_task(self._round(self._now))
        await asyncio.shield(self._next)

    async def reached_if_any(self) -> None:
        """The same for a caller that does not know whether there is a standby."""
        async with self._pool.connection() as conn:
            row = await (await conn.execute("select current_setting('synchronous_standby_names')")).fetchone()
        if row and row[0]:
            await self.reached()

    async def _round(self, before: asyncio.Task[None] | None) -> None:
        if before is not None:
            await asyncio.wait([before])
        # Whoever comes from here on may have seen what this commit does not cover.
        self._now, self._next = self._next, None
        async with self._pool.connection() as conn, conn.transaction():
            # A commit waits for the standby only if it wrote something; this writes nothing but its own mark.
            await conn.execute("select pg_logical_emit_message(true, 'store-agent', '')")
