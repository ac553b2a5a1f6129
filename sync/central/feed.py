"""Streams: numbering rows as the last thing in a transaction, and reading pages that end where a transaction ended."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import msgspec

from sync import wire
from sync.central.ground import Connection
from sync.central.rows import Saved


async def publish(conn: Connection, rows: Mapping[str, Sequence[tuple[str, str, int, str]]]) -> None:
    """Append (table, id, revision, body) to streams; the last thing before the commit.

    Heads are taken in sorted order and held until the commit: so no position is ever inserted below a head that was
    served, which a sequence cannot promise. What the same transaction published before becomes one group with it.
    """
    for stream in sorted(rows):
        entries = rows[stream]
        if not entries:
            continue
        end = await _advance(conn, stream, len(entries))
        first = end - len(entries) + 1
        await conn.execute(
            "with earlier as (update feed set group_end = %s where stream = %s and position < %s"
            " and position > (select began from head where stream = %s))"
            " insert into feed (stream, position, group_end, tbl, row_id, revision, body) select %s, n, %s, t, i, r, b"
            " from unnest(%b::bigint[], %b::text[], %b::text[], %b::bigint[], %b::text[]) as new (n, t, i, r, b)",
            [
                end,
                stream,
                first,
                stream,
                stream,
                end,
                list(range(first, end + 1)),
                *map(list, zip(*entries, strict=True)),
            ],
        )


async def _advance(conn: Connection, stream: str, count: int) -> int:
    """Move a stream's head by so many positions; returns the last of them."""
    row = await (
        await conn.execute(
            "insert into head values (%s, %s, 0, pg_current_xact_id()) on conflict (stream) do update"
            " set position = head.position + %s, written_by = excluded.written_by,"
            " began = case when head.written_by = excluded.written_by then head.began else head.position end"
            " returning position",
            [stream, count, count],
        )
    ).fetchone()
    assert row is not None
    return int(row[0])


def entry(saved: Saved) -> tuple[str, str, int, str]:
    """A saved row as a stream carries it."""
    return (saved.row.table, saved.row.id, saved.revision, saved.body)


def answer_entry(answer: wire.AnswerBody, *, revision: int = 1) -> tuple[str, str, int, str]:
    """An answer as a stream carries it; the second one about an operation that was parked at first is newer."""
    return (wire.ANSWER, answer.op_id, revision, msgspec.json.encode(answer).decode())


async def read_page(conn: Connection, stream: str, cursor: int, most: int) -> wire.StreamPage:
    """Rows behind a cursor: about `most`, and then on to the end of the transaction that wrote the last one."""
    query = (
        "select position, tbl, row_id, revision, body, group_end from feed"
        " where stream = %s and position > %s and position <= %s order by position"
    )
    found = await (await conn.execute(query, [stream, cursor, cursor + most])).fetchall()
    if found and found[-1][5] > found[-1][0]:
        found += await (await conn.execute(query, [stream, found[-1][0], found[-1][5]])).fetchall()
    head = await (await conn.execute("select position from head where stream = %s", [stream])).fetchone()
    rows = [wire.FeedRow(row[0], row[1], row[2], row[3], msgspec.Raw(row[4].encode())) for row in found]
    return wire.StreamPage(rows[-1].position if rows else cursor, int(head[0]) if head else 0, rows)


async def heads(conn: Connection, streams: Iterable[str]) -> dict[str, int]:
    """Where these streams end by now."""
    found = await conn.execute("select stream, position from head where stream = any(%s)", [list(streams)])
    return {row[0]: int(row[1]) for row in await found.fetchall()}
