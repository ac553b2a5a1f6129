"""What the ledger knows of people who registered twice. What an operation or a row means then is the domain's rule."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from store_agent.domain.members import Member, RegisterMember
from store_agent.domain.merging import moved, moved_id
from store_agent.domain.operation import Operation
from store_agent.domain.pickups import Pickup
from sync.central import rows
from sync.central.ground import Connection
from sync.central.rows import Kept, Key


async def aliases(conn: Connection, member_ids: Iterable[str]) -> dict[str, str]:
    """By id that was merged away: the member that stays."""
    found = await conn.execute(
        "select id, alias_of from member where id = any(%s) and alias_of <> ''", [sorted(set(member_ids))]
    )
    return {row[0]: row[1] for row in await found.fetchall()}


async def phones_taken(conn: Connection, operations: Iterable[Operation]) -> dict[str, str]:
    """By phone number that somebody registers with: the member who has it already."""
    phones = {operation.phone for operation in operations if isinstance(operation, RegisterMember)}
    found = await conn.execute(
        "select phone, id from member where phone = any(%s) and alias_of = '' for update", [sorted(phones)]
    )
    return {row[0]: row[1] for row in await found.fetchall()}


async def move(conn: Connection, away: str, stays: str) -> tuple[list[Any], dict[Key, Kept]]:
    """What a member held under an id of their own until they turned out to be another: the rows after, and as known."""
    theirs = [kept.row for kept in await rows.of_member(conn, [away]) if kept.row.table != Member.table]
    theirs += [kept.row for kept in await rows.find(conn, Pickup.table, "member_id", [away])]
    keys = {(row.table, id_) for row in theirs for id_ in (row.id, moved_id(row, away, stays))}
    known = await rows.load(conn, keys, lock=True)
    after: dict[Key, Any] = {}
    for row in theirs:
        there_key = (row.table, moved_id(row, away, stays))
        there = known.get(there_key) if there_key != (row.table, row.id) else None
        empty, merged = moved(known[row.table, row.id].row, there.row if there else None, away, stays)
        for one in (empty, merged):
            after[one.table, one.id] = one
    return list(after.values()), known
