"""What the ledger knows of people who registered twice. Which rows an operation means then is the domain's rule."""

from __future__ import annotations

from collections.abc import Iterable

from store_agent.domain.members import RegisterMember
from store_agent.domain.operation import Operation
from sync.central.ground import Connection


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
