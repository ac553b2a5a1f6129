"""The centre's truth: operations of stores applied in sets, once each, in one transaction with everything that follows.

What comes of an operation is `judging.py`, by the domain's rules. Here is only: load, save, answer, publish.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import psycopg

from store_agent.codec import Entry
from store_agent.domain.campaigns import Campaign
from store_agent.domain.cases import Case, CaseKind, ResolveCase
from store_agent.domain.members import Member
from store_agent.domain.merging import named_in, readdress, will_merge
from store_agent.domain.operation import Operation
from store_agent.domain.quotas import UseQuota
from store_agent.domain.stores import Role, Staff
from sync.central import audience, cases, charging, cover, feed, merging, own_chain, parking, rows
from sync.central.ground import Connection
from sync.central.judging import Batch, Judged, judge, subject_of, where
from sync.central.rows import Kept, Key
from sync.wire import AnswerBody, stream_of

log = logging.getLogger(__name__)

GROUP_MOST = 200
"""So far back lies the first operation of a group at most."""
UNDOES = ("account", "coupon", "quota")
"""Tables of rows on which a decision to reverse a case does something."""
TRIES = 5
"""Another process may insert the same new row at the same moment; the second try then finds it."""


async def apply(
    conn: Connection, store: str, entries: Sequence[Entry], now: datetime, branches: Mapping[str, int] | None = None
) -> list[Judged]:
    """Apply new operations of one store's device, in order, in the caller's transaction; heads are moved last."""
    batch = await begin(conn, entries, now)
    batch.branches = branches or {}
    batch.conflicts = await conflicts_before(conn, entries[0])
    batch.late_since = await cases.late_since(conn, entries, now)
    for entry in entries:
        batch.judged.append(judge(batch, entry))
    await remember(conn, batch)
    await conclude(conn, batch)
    return batch.judged


async def begin(conn: Connection, entries: Sequence[Entry], now: datetime, also: Iterable[Key] = ()) -> Batch:
    """Load and lock what these operations, which need not be of one device, are judged by. `also`: more rows."""
    operations = [entry.operation for entry in entries]
    about = await _about(conn, operations)
    named = {part for operation in operations for part in named_in(operation)}
    stays = await merging.aliases(conn, named | {part for _table, id_ in about for part in id_.split("/")})
    phones = await merging.phones_taken(conn, operations)
    will_stay = stays | will_merge(operations, phones)
    addressed = [readdress(operation, will_stay) for operation in operations]
    # Both, since a registration that parks or merges nobody leaves later operations where they were addressed to.
    keys = [(operation.table, operation.subject) for operation in (*addressed, *operations)]
    around = [*also, *(where(key, stays) for key in about), *((Member.table, id_) for id_ in phones.values())]
    batch = Batch(await rows.load(conn, [*keys, *around], lock=True), now, dict(stays), phones)
    batch.campaigns = await _campaigns(conn, operations)
    batch.staff = await _staff(conn, operations)
    batch.links = await merging.links_taken(conn, operations)
    batch.blocked = await parking.blocked(conn, keys)
    return batch


async def conclude(conn: Connection, batch: Batch) -> None:
    """Write what was worked out, and publish it with the answers; the last thing in the transaction."""
    charged = await charging.charge(conn, batch.cases, batch.charges)
    opened = await cases.not_yet_open(conn, charged.fresh)
    batch.known |= {key: kept for key, kept in charged.known.items() if key not in batch.known}
    for case in charged.grown:
        batch.put((case.table, case.id), case)
    await join_members(conn, batch)
    await settle(conn, batch)
    saved = await rows.save(conn, [*(batch.current[key] for key in batch.dirty), *opened], batch.known)
    await _remember_own(conn, batch)
    served = {
        (getattr(judged.operation, "member_id", ""), judged.operation.store)
        for judged in batch.judged
        if judged.outcome != "refused"
    }
    served |= {(batch.stays[member], store) for member, store in served if member in batch.stays}
    new = await audience.follow(conn, ((member, store) for member, store in served if member), batch.now)
    welcomed = await audience.welcome(conn, new)
    streams = audience.merge(await audience.address(conn, saved), welcomed)
    for judged in batch.judged:
        entry = feed.answer_entry(_answer(judged), revision=2 if batch.is_again else 1)
        streams.setdefault(stream_of(judged.operation.store), []).append(entry)
    await feed.publish(conn, streams)


async def settle(conn: Connection, batch: Batch) -> None:
    """What follows for the rights of stores from what the batch changed, written with it."""
    changed = {key: batch.current[key] for key in batch.dirty}
    happened = [judged.operation for judged in batch.judged if judged.outcome not in ("parked", "refused")]
    for row in await cover.follow_up(conn, changed, batch.known, batch.now, happened):
        batch.put((row.table, row.id), row)
    for right in await cover.done_with(conn, {key: batch.current[key] for key in batch.dirty}, happened):
        key = (right.table, right.id)
        batch.known |= await rows.load(conn, [key], lock=True)
        batch.put(key, right)


async def join_members(conn: Connection, batch: Batch) -> None:
    """Whoever was found to be another member becomes that one, with all that they hold."""
    for away, stays in batch.merges:
        after, known = await merging.join(conn, away, stays, batch.current)
        batch.known |= {key: kept for key, kept in known.items() if key not in batch.known}
        for row in after:
            batch.put((row.table, row.id), row)


async def _about(conn: Connection, operations: Iterable[Operation]) -> list[Key]:
    """The rows that the cases are about which somebody decides on: a decision may change them."""
    wanted = {(Case.table, operation.case_id) for operation in operations if isinstance(operation, ResolveCase)}
    if not wanted:
        return []
    subjects = [subject_of(kept.row) for kept in (await rows.load(conn, wanted, lock=False)).values()]
    return [(table, id_) for table, id_ in subjects if table in UNDOES]


async def _staff(conn: Connection, operations: Iterable[Operation]) -> dict[tuple[str, str], Role]:
    """By person and store, of those who decide about cases: what they are there."""
    wanted = {(Staff.table, operation.staff) for operation in operations if isinstance(operation, ResolveCase)}
    people = [kept.row for kept in (await rows.load(conn, wanted, lock=False)).values()] if wanted else []
    return {(person.id, person.store): person.role for person in people}


async def _remember_own(conn: Connection, batch: Batch) -> None:
    if batch.followed:
        entries = await own_chain.write(conn, batch.followed)
        done = [Judged(entry, entry.operation, "applied") for entry in entries]
        await remember(conn, Batch({}, batch.now, judged=done))


async def _campaigns(conn: Connection, operations: Iterable[Operation]) -> dict[str, Campaign]:
    wanted = {(Campaign.table, operation.campaign_id) for operation in operations if isinstance(operation, UseQuota)}
    return {key[1]: kept.row for key, kept in (await rows.load(conn, wanted, lock=False)).items()}


async def conflicts_before(conn: Connection, first: Entry) -> set[str]:
    """The group that this batch goes on with, if an earlier batch of the device found a conflict in it."""
    found = await conn.execute(
        "select cases.body ->> 'group' from operation join cases using (op_id) where device = %s and epoch = %s"
        " and seq >= %s and seq < %s and cases.kind = %s",
        [first.device, first.epoch, first.seq - GROUP_MOST, first.seq, CaseKind.ORDER_CONFLICT],
    )
    return {row[0] for row in await found.fetchall()} - {""}


def _answer(judged: Judged) -> AnswerBody:
    entry = judged.entry
    return AnswerBody(entry.operation.op_id, entry.epoch, entry.seq, judged.outcome, judged.case, judged.reason)


async def remember(conn: Connection, batch: Batch) -> None:
    """Every operation with its bytes and what came of it, for ever."""
    judged = batch.judged
    columns = [
        [j.entry.operation.op_id for j in judged],
        [j.entry.device for j in judged],
        [j.entry.epoch for j in judged],
        [j.entry.seq for j in judged],
        [j.entry.hash for j in judged],
        [j.operation.kind for j in judged],
        [f"{j.operation.table}/{j.operation.subject}" for j in judged],
        [j.entry.data for j in judged],
        [j.outcome for j in judged],
        [j.reason for j in judged],
        [batch.branches.get(j.entry.operation.op_id, 0) for j in judged],
    ]
    # All as binary (%b): as text, each value would be searched for what must be escaped, and bytes be twice as long.
    await conn.execute(
        "insert into operation"
        " (received_at, op_id, device, epoch, seq, hash, kind, subject, data, outcome, reason, branch)"
        " select %s, * from unnest(%b::text[], %b::text[], %b::int[], %b::bigint[], %b::text[], %b::text[], %b::text[],"
        " %b::bytea[], %b::text[], %b::text[], %b::int[]) as new",
        [batch.now, *columns],
    )
    waiting = [(j.entry.operation.op_id, f"{j.operation.table}/{j.operation.subject}") for j in judged if j.is_parked]
    await parking.park(conn, waiting)


async def write_own(
    conn: Connection,
    changes: Sequence[Any],
    now: datetime,
    known: dict[Key, Kept],
    serves: Iterable[tuple[str, str]] = (),
    *,
    sets_aside: bool = True,
) -> None:
    """Write rows that the centre itself makes (imports, orders of the web shop) and publish them.

    `serves` are (member, store) pairs: that store will serve that member, so it holds their rows from now on.
    `sets_aside`: whether rights follow from it; not where it is about a right already.
    """
    homes = [(row.id, row.home_store) for row in changes if row.table == "member" and row.home_store]
    # Members first: whose home is where decides which rights follow.
    members = [row for row in changes if row.table == "member"]
    others = [row for row in changes if row.table != "member"]
    saved = await rows.save(conn, members, known)
    new = await audience.follow(conn, [*homes, *serves], now)
    if sets_aside:
        changed = {(row.table, row.id): row for row in others}
        covered = await cover.follow_up(conn, changed, known, now)
        others = list((changed | {(row.table, row.id): row for row in covered}).values())
    saved += await rows.save(conn, others, known)
    fresh = {member for member, _store in new}
    await feed.publish(
        conn, audience.merge(await audience.address(conn, saved), await audience.welcome(conn, new) if fresh else {})
    )


def is_worth_another_try(error: psycopg.Error, attempt: int) -> bool:
    """Whether a transaction that failed so may go through next time: somebody else was there at the same moment."""
    passing = (
        psycopg.errors.UniqueViolation,
        psycopg.errors.DeadlockDetected,
        psycopg.errors.SerializationFailure,
    )
    return isinstance(error, passing) and attempt < TRIES
