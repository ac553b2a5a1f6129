"""Loading and saving rows of any noun, in sets: one statement a table, whatever the number of rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from psycopg.sql import SQL, Identifier

from store_agent.codec import NOUN_OF, decode_row, encode_row
from sync.central.ground import Connection

Key = tuple[str, str]
"""A table and a row's id."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A row of the ledger with its revision; the row is None and the revision 0 where there is none yet."""

    row: Any
    revision: int = 0


@dataclass(frozen=True, slots=True)
class Saved:
    """A row as it was written, with the text that streams carry."""

    row: Any
    revision: int
    body: str


async def load(conn: Connection, keys: Iterable[Key], *, lock: bool) -> dict[Key, Kept]:
    """Rows by key, in a fixed order of locking so that two batches cannot wait for each other."""
    by_table: dict[str, list[str]] = {}
    for table, id_ in sorted(set(keys)):
        by_table.setdefault(table, []).append(id_)
    found: dict[Key, Kept] = {}
    for table, ids in by_table.items():
        query = SQL("select id, revision, body::text from {} where id = any(%b::text[]) order by id {}").format(
            Identifier(table), SQL("for no key update" if lock else "")
        )
        for id_, revision, body in await (await conn.execute(query, [ids])).fetchall():
            found[table, id_] = Kept(decode_row(table, body), revision)
    return found


async def save(conn: Connection, rows: Iterable[Any], known: Mapping[Key, Kept]) -> list[Saved]:
    """Write rows one revision on. A row that is not known is inserted, which fails if another was faster."""
    # Bodies go as binary (%b): as text, every quote of every JSON would be escaped, which costs more than all else.
    saved: list[Saved] = []
    by_table: dict[str, list[Saved]] = {}
    for row in rows:
        before = known.get((row.table, row.id))
        one = Saved(row, before.revision + 1 if before else 1, encode_row(row).decode())
        saved.append(one)
        by_table.setdefault(row.table, []).append(one)
    for table, group in sorted(by_table.items()):
        fresh = [one for one in group if one.revision == 1]
        changed = [one for one in group if one.revision > 1]
        if fresh:
            insert = SQL(
                "insert into {} (id, revision, body) select id, 1, body::jsonb from unnest(%b::text[], %b::text[])"
                " as new (id, body)"
            ).format(Identifier(table))
            await conn.execute(insert, [[one.row.id for one in fresh], [one.body for one in fresh]])
        if changed:
            update = SQL(
                "update {} as old set revision = new.revision, body = new.body::jsonb"
                " from unnest(%b::text[], %b::bigint[], %b::text[]) as new (id, revision, body) where old.id = new.id"
            ).format(Identifier(table))
            values = [[o.row.id for o in changed], [o.revision for o in changed], [o.body for o in changed]]
            await conn.execute(update, values)
    return saved


async def find(conn: Connection, table: str, column: str, values: Iterable[str]) -> list[Kept]:
    """Rows by a field that is searched by; nothing is found by an empty value."""
    # Said in the query too, or PostgreSQL could not use an index that leaves empty values out.
    query = SQL("select revision, body::text from {} where {} = any(%s) and {} <> '' order by id").format(
        Identifier(table), Identifier(column), Identifier(column)
    )
    found = await (await conn.execute(query, [list(values)])).fetchall()
    return [Kept(decode_row(table, body), revision) for revision, body in found]


async def of_member(conn: Connection, member_ids: Iterable[str]) -> list[Kept]:
    """Every row that follows these members, for a store that begins to hold them."""
    ids = list(member_ids)
    kept: list[Kept] = []
    for table in sorted(NOUN_OF):
        if NOUN_OF[table].audience == "member":
            kept += await find(conn, table, "id" if table in ("member", "account", "tags") else "member_id", ids)
    return kept


def as_text(kept: Kept) -> Saved:
    """A row that is already written, with the text that streams carry."""
    return Saved(kept.row, kept.revision, encode_row(kept.row).decode())


def plain(row: Any) -> Any:
    """A row as plain values, for JSON answers."""
    return msgspec.to_builtins(row)
