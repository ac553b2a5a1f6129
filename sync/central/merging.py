"""What the ledger knows of people who registered twice. What an operation or a row means then is the domain's rule."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

import msgspec

from store_agent.domain.members import LinkMember, Member, RegisterMember
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


async def links_taken(conn: Connection, operations: Iterable[Operation]) -> dict[tuple[str, str], str]:
    """By provider and user id that somebody is linked with: the member who has that link already."""
    taken: dict[tuple[str, str], str] = {}
    for operation in operations:
        if isinstance(operation, LinkMember):
            link = operation.link
            wanted = msgspec.json.encode([{"provider": link.provider, "user_id": link.user_id}]).decode()
            query = (
                "select id from member where body -> 'links' @> %s::jsonb and alias_of = '' and id <> %s order by id"
            )
            found = await (await conn.execute(query, [wanted, operation.member_id])).fetchone()
            if found:
                taken[link.provider, link.user_id] = found[0]
    return taken


async def join(
    conn: Connection, away: str, stays: str, current: Mapping[Key, Any]
) -> tuple[list[Any], dict[Key, Kept]]:
    """One member becomes another, with all that they hold: the rows after, and as they were known.

    `current` are rows as this transaction has them by now. A member who is merged already only brings what is left.
    """
    aliases = [kept.row.id for kept in await rows.find(conn, Member.table, "alias_of", [away])]
    people = [(Member.table, id_) for id_ in (away, stays, *aliases)]
    known = await rows.load(conn, people, lock=True)
    by_id = {key[1]: current.get(key) or known[key].row for key in people if key in known or key in current}
    goes, remains = by_id.get(away), by_id.get(stays)
    if not goes or not remains or goes.alias_of not in ("", stays) or remains.alias_of or away == stays:
        return [], {}
    links = (*remains.links, *(link for link in goes.links if link not in remains.links))
    after: dict[Key, Any] = {
        (Member.table, away): replace(goes, alias_of=stays),
        (Member.table, stays): replace(remains, links=links),
    }
    # An id stands for a member directly, never for another alias.
    after |= {(Member.table, id_): replace(by_id[id_], alias_of=stays) for id_ in aliases}
    held = [kept.row for kept in await rows.of_member(conn, [away]) if kept.row.table != Member.table]
    held += [kept.row for kept in await rows.find(conn, Pickup.table, "member_id", [away])]
    mine = {(row.table, row.id): row for row in held}
    mine |= {key: row for key, row in current.items() if key in mine or _is_of(row, away)}
    known |= await rows.load(
        conn, {(table, name) for (table, id_) in mine for name in (id_, moved_id(id_, away, stays))}, lock=True
    )
    now = {key: kept.row for key, kept in known.items()} | dict(current)
    for key in sorted(mine):
        row = now.get(key)
        there_key = (key[0], moved_id(key[1], away, stays))
        if row is not None:
            there = after.get(there_key, now.get(there_key)) if there_key != key else None
            for one in moved(row, there, away, stays):
                after[one.table, one.id] = one
    return list(after.values()), known


def _is_of(row: Any, member_id: str) -> bool:
    """Whether a row that this transaction has made is the member's."""
    if row is None or row.table in (Member.table, "cases"):
        return False
    return bool(member_id == (row.id if row.table in ("account", "tags") else getattr(row, "member_id", "")))
