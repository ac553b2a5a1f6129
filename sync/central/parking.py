"""Which operations wait for a person, and in which order. Knows the table `parked` only; what becomes of them is elsewhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from store_agent.codec import Entry
from sync.central.ground import Connection
from sync.central.rows import Key


async def blocked(conn: Connection, keys: Iterable[Key]) -> set[Key]:
    """Subjects on which an operation waits: later ones wait behind it."""
    wanted = {f"{table}/{id_}": (table, id_) for table, id_ in keys}
    # Shared with others, but not with somebody who is just taking them out: what comes now must not stay behind alone.
    found = await conn.execute("select subject from parked where subject = any(%s) for share", [sorted(wanted)])
    return {wanted[row[0]] for row in await found.fetchall()}


async def park(conn: Connection, waiting: Sequence[tuple[str, str]]) -> None:
    """These (op_id, subject) wait from now on, in this order. What nobody could read has no subject, and stops nobody."""
    if waiting:
        await conn.execute(
            "insert into parked (op_id, subject) select i, s from unnest(%s::text[], %s::text[])"
            " with ordinality as new (i, s, n) order by n",
            [[op_id for op_id, _subject in waiting], [subject for _op_id, subject in waiting]],
        )


async def release(conn: Connection, op_ids: Sequence[str]) -> None:
    """These wait no longer."""
    await conn.execute("delete from parked where op_id = any(%s)", [list(op_ids)])


async def queue_of(conn: Connection, op_id: str, *, lock: bool) -> list[tuple[str, bytes]]:
    """(subject, bytes) of an operation that waits, and of all on the same subject, in order; empty if it waits no more."""
    if lock:
        # First by itself: whoever was about to park one more has done so by the time that the list is read.
        await conn.execute(
            "select 1 from parked where op_id = %(op_id)s or subject <> '' and subject ="
            " (select subject from parked where op_id = %(op_id)s) order by number for update",
            {"op_id": op_id},
        )
    found = await conn.execute(
        "select waits.subject, data from parked as waits join operation using (op_id) join parked as asked"
        " on waits.op_id = asked.op_id or waits.subject = asked.subject and asked.subject <> ''"
        " where asked.op_id = %s order by waits.number",
        [op_id],
    )
    return [(row[0], bytes(row[1])) for row in await found.fetchall()]


async def correct(conn: Connection, judged: Sequence[tuple[Entry, str, str]]) -> None:
    """(entry, outcome, reason): what came of operations that had waited."""
    columns = [
        [entry.operation.op_id for entry, _outcome, _reason in judged],
        [outcome for _entry, outcome, _reason in judged],
        [reason for _entry, _outcome, reason in judged],
    ]
    await conn.execute(
        "update operation set outcome = new.outcome, reason = new.reason"
        " from unnest(%s::text[], %s::text[], %s::text[]) as new (op_id, outcome, reason)"
        " where operation.op_id = new.op_id",
        columns,
    )
