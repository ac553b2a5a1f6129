"""The centre's truth: operations of stores applied in sets, once each, in one transaction with everything that follows.

The rule is the domain's. Here is only: seen before?, load, judge and effect, cases, save, answer, publish.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import psycopg

from store_agent.codec import Entry, decode_entry
from store_agent.domain.campaigns import Campaign
from store_agent.domain.members import RegisterMember
from store_agent.domain.merging import named_in, readdress, will_merge
from store_agent.domain.operation import Operation
from store_agent.domain.quotas import UseQuota
from store_agent.domain.stock import HoldStock, MoveStock, ReleaseHold
from sync.central import audience, cases, cover, feed, merging, rows
from sync.central.cases import CaseFile, CaseKind
from sync.central.ground import Connection
from sync.central.rows import Kept, Key
from sync.wire import AnswerBody, stream_of

log = logging.getLogger(__name__)

GROUP_MOST = 200
"""So far back lies the first operation of a group at most."""
TRIES = 5
"""Another process may insert the same new row at the same moment; the second try then finds it."""


@dataclass(slots=True)
class Judged:
    """What came of one operation."""

    entry: Entry
    operation: Operation
    outcome: str
    case: str = ""
    reason: str = ""


@dataclass(slots=True)
class Batch:
    """What is being worked out in memory for one transaction."""

    known: dict[Key, Kept]
    now: datetime
    stays: dict[str, str] = field(default_factory=dict)
    """By id of a member who was merged away: who stays."""
    phones: dict[str, str] = field(default_factory=dict)
    current: dict[Key, Any] = field(default_factory=dict)
    dirty: dict[Key, None] = field(default_factory=dict)
    cases: list[CaseFile] = field(default_factory=list)
    blocked: set[Key] = field(default_factory=set)
    conflicts: set[str] = field(default_factory=set)
    """Groups in which a step of an order came too late: what the step promised or released is not promised or released."""
    campaigns: dict[str, Campaign] = field(default_factory=dict)
    judged: list[Judged] = field(default_factory=list)

    def row(self, key: Key) -> Any:
        """The row as this batch has it by now."""
        if key not in self.current:
            kept = self.known.get(key)
            self.current[key] = kept.row if kept else None
        return self.current[key]

    def put(self, key: Key, row: Any) -> None:
        """The row as it is from now on."""
        if row is not None and row != self.row(key):
            self.current[key] = row
            self.dirty[key] = None


async def apply(conn: Connection, store: str, entries: Sequence[Entry], now: datetime) -> list[Judged]:
    """Apply new operations of one store's device, in order, in the caller's transaction; heads are moved last."""
    operations = [entry.operation for entry in entries]
    stays = await merging.aliases(conn, (part for operation in operations for part in named_in(operation)))
    phones = await merging.phones_taken(conn, operations)
    will_stay = stays | will_merge(operations, phones)
    addressed = [readdress(operation, will_stay) for operation in operations]
    # Both, since a registration that parks or merges nobody leaves later operations where they were addressed to.
    keys = [(operation.table, operation.subject) for operation in (*addressed, *operations)]
    batch = Batch(await rows.load(conn, keys, lock=True), now, dict(stays), phones)
    batch.campaigns = await _campaigns(conn, operations)
    batch.conflicts = await _conflict_before(conn, entries[0])
    batch.blocked = await _parked(conn, keys)
    for entry in entries:
        batch.judged.append(_judge(batch, entry))
    await settle(conn, batch)
    saved = await rows.save(conn, [batch.current[key] for key in batch.dirty], batch.known)
    await cases.write(conn, batch.cases)
    await remember(conn, batch)
    served = {getattr(judged.operation, "member_id", "") for judged in batch.judged} - {""}
    served |= {batch.stays[member] for member in served if member in batch.stays}
    new = await audience.follow(conn, ((member, store) for member in served), now)
    welcomed = await audience.welcome(conn, new)
    streams = audience.merge(await audience.address(conn, saved), welcomed)
    answers = [feed.answer_entry(_answer(judged)) for judged in batch.judged if judged.outcome != "parked"]
    streams.setdefault(stream_of(store), []).extend(answers)
    await feed.publish(conn, streams)
    return batch.judged


async def settle(conn: Connection, batch: Batch) -> None:
    """What follows for the rights of stores from what the batch changed, written with it."""
    changed = {key: batch.current[key] for key in batch.dirty}
    happened = [judged.operation for judged in batch.judged if judged.outcome != "parked"]
    for row in await cover.follow_up(conn, changed, batch.known, batch.now, happened):
        batch.put((row.table, row.id), row)
    for right in await cover.done_with(conn, {key: batch.current[key] for key in batch.dirty}):
        key = (right.table, right.id)
        batch.known |= await rows.load(conn, [key], lock=True)
        batch.put(key, right)


def _judge(batch: Batch, entry: Entry) -> Judged:
    operation = readdress(entry.operation, batch.stays)
    key = (operation.table, operation.subject)
    if key in batch.blocked:
        return Judged(entry, operation, "parked", reason="behind another")
    if operation.group in batch.conflicts:
        operation = _without_promises(operation)
    before = batch.row(key)
    if isinstance(operation, UseQuota) and before is None:
        operation = _with_own_limit(operation, batch.campaigns.get(operation.campaign_id))
    try:
        refusal = operation.judge(before)
        after = operation.effect(before)
        after, twin = _merge(batch, operation, after) if before is None else (after, False)
    except Exception as error:
        # A rule that crashes must not keep the store's other operations from being applied: this one waits for a person.
        log.exception("%s %s crashed and is parked", operation.kind, operation.op_id)
        batch.blocked.add(key)
        batch.cases.append(cases.open_case(CaseKind.PARKED_OPERATION, operation, type(error).__name__, batch.now))
        return Judged(entry, operation, "parked", CaseKind.PARKED_OPERATION, type(error).__name__)
    reason = str(refusal.reason) if refusal else ""
    kind = CaseKind.DUPLICATE_MEMBER if twin else cases.case_of(operation, refusal, before, after)
    batch.put(key, after)
    if operation.table == "stock" and operation.group in batch.conflicts:
        kind = None
    if kind is CaseKind.ORDER_CONFLICT and operation.group:
        batch.conflicts.add(operation.group)
    if kind:
        batch.cases.append(cases.open_case(kind, operation, reason, batch.now))
    return Judged(entry, operation, "applied_with_case" if kind else "applied", kind or "", reason)


def _without_promises(operation: Operation) -> Operation:
    """Pieces that left the shelf have left it; but an order that had ended gave its promise back when it ended."""
    if isinstance(operation, MoveStock):
        return replace(operation, held_delta=0)
    if isinstance(operation, (HoldStock, ReleaseHold)):
        return replace(operation, quantity=0)
    return operation


def _with_own_limit(operation: UseQuota, campaign: Campaign | None) -> UseQuota:
    """The limit of a first use is the campaign's own, whatever the store took it for; a store's share is only set here."""
    member = f"{operation.campaign_id}/member/{operation.member_id}"
    if campaign is None or not operation.member_id:
        return replace(operation, limit=0)
    own = campaign.per_member if operation.quota_id == member else campaign.per_member_day
    # A limit that the campaign has no longer was true when the store counted on it.
    return replace(operation, limit=own or operation.limit)


async def _campaigns(conn: Connection, operations: Iterable[Operation]) -> dict[str, Campaign]:
    wanted = {(Campaign.table, operation.campaign_id) for operation in operations if isinstance(operation, UseQuota)}
    return {key[1]: kept.row for key, kept in (await rows.load(conn, wanted, lock=False)).items()}


async def _conflict_before(conn: Connection, first: Entry) -> set[str]:
    """The group that this batch goes on with, if an earlier batch of the device found a conflict in it."""
    found = await conn.execute(
        "select data from operation join case_file using (op_id) where device = %s and epoch = %s and seq >= %s"
        " and seq < %s and case_file.kind = %s",
        [first.device, first.epoch, first.seq - GROUP_MOST, first.seq, CaseKind.ORDER_CONFLICT],
    )
    groups = {decode_entry(bytes(data)).operation.group for (data,) in await found.fetchall()}
    return groups - {""}


def _merge(batch: Batch, operation: Operation, after: Any) -> tuple[Any, bool]:
    """Someone registered with a phone number that a member has already: the new id stands for that member for ever."""
    if not isinstance(operation, RegisterMember) or after is None:
        return after, False
    holder = batch.phones.get(operation.phone)
    if holder is None:
        batch.phones[operation.phone] = operation.member_id
        return after, False
    if holder == operation.member_id:
        return after, False
    batch.stays[operation.member_id] = holder
    return replace(after, alias_of=holder), True


def _answer(judged: Judged) -> AnswerBody:
    entry = judged.entry
    return AnswerBody(entry.operation.op_id, entry.epoch, entry.seq, judged.outcome, judged.case, judged.reason)


async def _parked(conn: Connection, keys: Iterable[Key]) -> set[Key]:
    """Subjects on which an operation waits for a person: later ones wait behind it."""
    wanted = {f"{table}/{id_}": (table, id_) for table, id_ in keys}
    found = await conn.execute(
        "select distinct subject from operation where outcome = 'parked' and subject = any(%s)", [sorted(wanted)]
    )
    return {wanted[row[0]] for row in await found.fetchall()}


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
    ]
    await conn.execute(
        "insert into operation (op_id, device, epoch, seq, hash, kind, subject, data, outcome, reason, received_at)"
        " select *, %s from unnest(%s::text[], %s::text[], %s::int[], %s::bigint[], %s::text[], %s::text[], %s::text[],"
        " %s::bytea[], %s::text[], %s::text[]) as new",
        [batch.now, *columns],
    )


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
