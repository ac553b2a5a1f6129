"""Asking for a right while somebody stands at the counter: one request, again while others are giving it back."""

from __future__ import annotations

from store_agent.desk.counter import Counter
from store_agent.desk.rights import Want
from store_agent.replica import Replica
from sync import wire
from sync.client import Client

AGAIN_S = 0.1
LOOK_S = 0.02


async def acquire(replica: Replica, client: Client, counter: Counter, want: Want) -> None:
    """Until the right is in the cache, or nobody can give it; the caller says how long that may take."""
    missing = want.amount
    while missing > 0:
        request = wire.AcquireRequest(counter.ids.new(), want.table, want.subject, missing)
        reply = await client.acquire(request)
        missing -= reply.amount
        if reply.amount:
            await _arrival(replica, counter, reply.position)
        if missing <= 0 or not (reply.amount or reply.recalled):
            return
        await counter.clock.sleep(AGAIN_S)


async def _arrival(replica: Replica, counter: Counter, position: int) -> None:
    """Whichever process of this store keeps it in step brings it."""
    stream = wire.stream_of(replica.store)
    while replica.cache.cursors().get(stream, (0, 0))[0] < position:
        await counter.clock.sleep(LOOK_S)
