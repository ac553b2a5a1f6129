"""Who may see a row: the streams that it goes into, and which stores hold which members."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from store_agent.codec import NOUN_OF
from sync.central import feed, rows
from sync.central.ground import Connection
from sync.central.rows import Saved
from sync.wire import CHAIN, stream_of

Entry = tuple[str, str, int, str]


def member_of(row: Any) -> str:
    """The member whom a row follows, or empty."""
    return str(row.id if row.table in ("member", "account", "tags") else getattr(row, "member_id", ""))


async def followers(conn: Connection, member_ids: Iterable[str]) -> dict[str, list[str]]:
    """By member: the stores that hold their rows."""
    # A join, because `= any(…)` over a long list makes PostgreSQL read the whole table, comparing each row with each id.
    query = "select follow.member_id, store from unnest(%b::text[]) as wanted (id) join follow on member_id = wanted.id"
    found = await conn.execute(query, [list(member_ids)])
    stores: dict[str, list[str]] = {}
    for member_id, store in await found.fetchall():
        stores.setdefault(member_id, []).append(store)
    return stores


async def address(conn: Connection, saved: Sequence[Saved]) -> dict[str, list[Entry]]:
    """By stream: the rows that go into it."""
    owners = {owner for one in saved for owner in _owners_of(one.row)}
    # A store that begins to hold a member just now (`welcome`) is waited for, or it would miss these rows for ever.
    await conn.execute("select 1 from member where id = any(%b::text[]) order by id for key share", [sorted(owners)])
    stores = await followers(conn, owners)
    streams: dict[str, list[Entry]] = {}
    for one in saved:
        for stream in _streams_of(one.row, stores):
            streams.setdefault(stream, []).append(feed.entry(one))
    return streams


def _streams_of(row: Any, stores: dict[str, list[str]]) -> list[str]:
    audience = NOUN_OF[row.table].audience
    if audience == "chain":
        return [CHAIN]
    if row.table == "cases" or audience == "stores":
        # Also the stores that had it before: else what they hold would never change again.
        return [stream_of(store) for store in row.stores if store]
    if audience == "store" or (row.table == "quota" and row.store):
        return [stream_of(row.store)]
    if row.table == "coupon" and not row.member_id:
        # Whoever shows it may use it, at any store: so every store must know it.
        return [CHAIN]
    return [stream_of(store) for store in sorted({s for owner in _owners_of(row) for s in stores.get(owner, ())})]


def _owners_of(row: Any) -> set[str]:
    """Members whose stores need the row: a merged member's row also goes where the one who stays is held."""
    return {member_of(row), str(getattr(row, "alias_of", ""))} - {""}


async def follow(conn: Connection, pairs: Iterable[tuple[str, str]], at: datetime) -> list[tuple[str, str]]:
    """Let stores hold members from now on; returns the (member, store) pairs that are new."""
    wanted = sorted(set(pairs))
    found = await conn.execute(
        "insert into follow select m, s, %s from unnest(%b::text[], %b::text[]) as new (m, s)"
        " on conflict do nothing returning member_id, store",
        [at, [m for m, _s in wanted], [s for _m, s in wanted]],
    )
    return sorted((row[0], row[1]) for row in await found.fetchall())


async def welcome(conn: Connection, new: Sequence[tuple[str, str]]) -> dict[str, list[Entry]]:
    """All rows of members for the stores that have just begun to hold them."""
    streams: dict[str, list[Entry]] = {}
    if not new:
        return streams
    members = {member for member, _store in new}
    # Whoever is changing rows of these members is waited for (`address`), so that no change falls between the two.
    await conn.execute("select 1 from member where id = any(%s) order by id for update", [sorted(members)])
    aliases = [kept.row.id for kept in await rows.find(conn, "member", "alias_of", sorted(members))]
    held = await rows.of_member(conn, sorted(members | set(aliases)))
    theirs: dict[str, list[Entry]] = {}
    for kept in held:
        for owner in _owners_of(kept.row):
            theirs.setdefault(owner, []).append(feed.entry(rows.as_text(kept)))
    for member, store in new:
        streams.setdefault(stream_of(store), []).extend(theirs.get(member, ()))
    return streams


def merge(*many: dict[str, list[Entry]]) -> dict[str, list[Entry]]:
    """Streams put together; of one row that stands twice in a stream, the latest revision is kept."""
    streams: dict[str, dict[tuple[str, str], Entry]] = {}
    for one in many:
        for stream, entries in one.items():
            held = streams.setdefault(stream, {})
            for entry in entries:
                key = (entry[0], entry[1])
                if key not in held or held[key][2] <= entry[2]:
                    held[key] = entry
    return {stream: list(held.values()) for stream, held in streams.items()}
