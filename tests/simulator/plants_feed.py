"""Bugs of the streams: who gets what, in which order, and in which pieces."""

from __future__ import annotations

from sync.central import audience, exchange, feed, ledger
from sync.central.ground import Connection
from tests.simulator.planting import Plant, instead, rewritten


async def _read_then_written(conn: Connection, stream: str, count: int) -> int:
    row = await (await conn.execute("select position from head where stream = %s", [stream])).fetchone()
    end = (int(row[0]) if row else 0) + count
    await conn.execute("delete from feed where stream = %s and position > %s", [stream, end - count])
    await conn.execute(
        "insert into head values (%s, %s) on conflict (stream) do update set position = excluded.position",
        [stream, end],
    )
    return end


async def _from_a_sequence(conn: Connection, stream: str, count: int) -> int:
    end = 0
    for _n in range(count):
        row = await (await conn.execute("select nextval('planted')")).fetchone()
        end = int(row[0]) if row else 0
    await conn.execute(
        "insert into head values (%s, %s) on conflict (stream) do update set position = excluded.position",
        [stream, end],
    )
    return end


FEED_PLANTS: dict[str, Plant] = {
    "a sequence instead of head rows": Plant(
        "positions are those of a sequence: in the order of asking, and with gaps",
        instead(feed, "_advance", _from_a_sequence),
    ),
    "head read, then written": Plant(
        "where a stream ends is read without a lock and written later; what stands there is swept away",
        instead(feed, "_advance", _read_then_written),
    ),
    "every row a group": Plant(
        "each row ends a group, so that a page may end between a row and its answer",
        rewritten(feed, "publish", "select %s, n, %s, t", "select %s, n, n + 0 * %s::bigint, t"),
    ),
    "page ends anywhere": Plant(
        "a page ends after so many rows, also in the middle of a commit",
        rewritten(feed, "read_page", "found[-1][5] > found[-1][0]", "found[-1][5] < 0"),
    ),
    "no answers": Plant(
        "answers are not published: the push's reply has to do",
        rewritten(
            ledger, "conclude", "streams.setdefault(stream_of(judged.operation.store), []).append(entry)", "pass"
        ),
    ),
    "answers afterwards": Plant(
        "answers are published before the rows, as a group of their own",
        rewritten(
            ledger,
            "conclude",
            "streams.setdefault(stream_of(judged.operation.store), []).append(entry)",
            "await feed.publish(conn, {stream_of(judged.operation.store): [entry]})",
        ),
    ),
    "sighted and not welcomed": Plant(
        "a store that asks for a member gets what changes from then on, and not what there is",
        rewritten(exchange, "sight", "welcomed = await audience.welcome(conn, new)", "welcomed = {}"),
    ),
    "welcome without other ids": Plant(
        "a store that begins to hold a member is not told of the ids that were merged into theirs",
        rewritten(audience, "welcome", "sorted(members | set(aliases))", "sorted(members)"),
    ),
    "welcome without a lock": Plant(
        "whoever is changing a member's rows is not waited for while a store begins to hold them",
        rewritten(audience, "welcome", "order by id for update", "order by id"),
    ),
    "told whom it was told": Plant(
        "who holds a member is looked up before the lock that makes them wait",
        rewritten(audience, "address", "order by id for key share", "order by id"),
    ),
}
