"""The centre's own chain: what it does itself is numbered like a device's operations, so that every change names its cause."""

from __future__ import annotations

from collections.abc import Sequence

from store_agent.codec import Entry, encode_entry
from store_agent.domain.operation import Operation
from sync.central.ground import Connection

DEVICE = "centre"
"""The device of operations that no store made."""
EPOCH = 1


async def write(conn: Connection, operations: Sequence[Operation]) -> list[Entry]:
    """Number and chain operations of the centre, in this transaction."""
    if not operations:
        return []
    found = await conn.execute("select seq, last_hash from own_chain where device = %s for update", [DEVICE])
    seq, last_hash = await found.fetchone() or (0, "")
    entries: list[Entry] = []
    for operation in operations:
        seq += 1
        entry = encode_entry(operation, DEVICE, EPOCH, seq, last_hash)
        last_hash = entry.hash
        entries.append(entry)
    await conn.execute("update own_chain set seq = %s, last_hash = %s where device = %s", [seq, last_hash, DEVICE])
    return entries
