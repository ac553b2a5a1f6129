"""The centre's truth: operations of stores applied in sets, once each, in one transaction with everything that follows.

The rule is the domain's. Here is only: seen before?, load, judge and effect, cases, save, answer, publish.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

import psycopg

from store_agent.codec import Entry
from store_agent.domain.campaigns import Campaign
from store_agent.domain.cases import Case, CaseKind, Remedy, ResolveCase
from store_agent.domain.members import LinkMember, Member, RegisterMember
from store_agent.domain.merging import named_in, readdress, will_merge
from store_agent.domain.operation import Operation
from store_agent.domain.overshoots import case_of, undo
from store_agent.domain.quotas import UseQuota
from store_agent.domain.stock import HoldStock, MoveStock, ReleaseHold
from store_agent.domain.stores import Role, Staff
from sync.central import audience, cases, cover, feed, merging, own_chain, parking, rows
from sync.central.ground import Connection
from sync.central.rows import Kept, Key
from sync.wire import AnswerBody, stream_of

log = logging.getLogger(__name__)

GROUP_MOST = 200
"""So far back lies the first operation of a group at most."""
UNDOES = ("account", "coupon", "quota")
"""Tables of rows on which a decision to reverse a case does something."""
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

    @property
    def is_parked(self) -> bool:
        """Whether it waits for a person."""
        return self.outcome == "parked"


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
    cases: list[Case] = field(default_factory=list)
    followed: list[Operation] = field(default_factory=list)
    """The centre's own operations, which follow from decisions of this batch."""
    merges: list[tuple[str, str]] = field(default_factory=list)
    """Members who turned out to be others, and may have lived apart: who goes, who stays."""
    links: dict[tuple[str, str], str] = field(default_factory=dict)
    """By provider and user id: the member who is linked with it already."""
    late_since: datetime | None = None
    """What happened before this came too late."""
    is_again: bool = False
    """These came long ago and are tried again."""
    blocked: set[Key] = field(default_factory=set)
    conflicts: set[str] = field(default_factory=set)
    """Groups in which a step of an order came too late: what the step promised or released is not promised or released."""
    campaigns: dict[str, Campaign] = field(default_factory=dict)
    staff: dict[tuple[str, str], Role] = field(default_factory=dict)
    """By person and store, of those who decide about cases."""
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
    batch = await begin(conn, entries, now)
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
    around = [*also, *(_where(key, stays) for key in about), *((Member.table, id_) for id_ in phones.values())]
    batch = Batch(await rows.load(conn, [*keys, *around], lock=True), now, dict(stays), phones)
    batch.campaigns = await _campaigns(conn, operations)
    batch.staff = await _staff(conn, operations)
    batch.links = await merging.links_taken(conn, operations)
    batch.blocked = await parking.blocked(conn, keys)
    return batch


async def conclude(conn: Connection, batch: Batch) -> None:
    """Write what was worked out, and publish it with the answers; the last thing in the transaction."""
    opened = await cases.not_yet_open(conn, batch.cases)
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
    for right in await cover.done_with(conn, {key: batch.current[key] for key in batch.dirty}):
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


def judge(batch: Batch, entry: Entry) -> Judged:
    """What comes of one operation, by its own rule; the batch is as if it had happened."""
    operation = readdress(entry.operation, batch.stays)
    key = (operation.table, operation.subject)
    if key in batch.blocked:
        return Judged(entry, operation, "parked", reason="behind another")
    if operation.group in batch.conflicts:
        operation = _without_promises(operation)
    before = batch.row(key)
    if isinstance(operation, UseQuota) and before is None:
        operation = _with_own_limit(operation, batch.campaigns.get(operation.campaign_id))
    if isinstance(operation, ResolveCase):
        operation = replace(operation, role=batch.staff.get((operation.staff, operation.store), Role.CASHIER))
    try:
        refusal = operation.judge(before)
        after = operation.effect(before)
        after, twin = _merge(batch, operation, after) if before is None else (after, False)
    except Exception as error:
        # A rule that crashes must not keep the store's other operations from being applied: this one waits for a person.
        log.exception("%s %s crashed and is parked", operation.kind, operation.op_id)
        batch.blocked.add(key)
        batch.cases.append(cases.open_parked(operation, type(error).__name__, batch.now))
        return Judged(entry, operation, "parked", CaseKind.PARKED_OPERATION, type(error).__name__)
    kind = CaseKind.DUPLICATE_MEMBER if twin else case_of(operation, refusal, before, after)
    batch.put(key, after)
    if operation.table == "stock" and operation.group in batch.conflicts:
        kind = None
    if kind is CaseKind.ORDER_CONFLICT and operation.group:
        batch.conflicts.add(operation.group)
    if twin:
        batch.cases.append(cases.open_twin(operation, after, batch.row((Member.table, after.alias_of)), batch.now))
    elif kind:
        batch.cases.append(cases.open_case(kind, operation, refusal, before, after, batch.now))
    elif isinstance(operation, LinkMember) and not refusal and (holder := _holder(batch, operation)):
        kind = CaseKind.DUPLICATE_MEMBER
        batch.cases.append(cases.open_linked(operation, holder, batch.now))
    elif batch.late_since and operation.at < batch.late_since:
        kind = CaseKind.LATE_OPERATION
        batch.cases.append(cases.open_late(entry, batch.now))
    if isinstance(operation, ResolveCase):
        batch.followed += follow(batch, operation, before, after)
    reason = str(refusal.reason) if refusal else ""
    return Judged(entry, operation, "applied_with_case" if kind else "applied", kind or "", reason)


def follow(batch: Batch, decision: ResolveCase, before: Case | None, after: Case | None) -> list[Operation]:
    """What a decision does to the row that its case is about: operations of the centre, which are in the batch by now."""
    if before is None or after is None or after == before:
        return []
    if decision.remedy is Remedy.MERGE:
        batch.merges.append((str(after.assumed.get("member", "")), str(after.found.get("member", ""))))
        return []
    key = _where(_subject_of(after), batch.stays)
    row = batch.row(key)
    undone = undo(before, after, decision, row, _id_after(decision.op_id)) if row is not None else None
    if undone is None:
        return []
    batch.put(key, undone.effect(row))
    return [undone]


def _holder(batch: Batch, operation: LinkMember) -> str:
    holder = batch.links.get((operation.link.provider, operation.link.user_id), "")
    return "" if holder == operation.subject else holder


def _id_after(op_id: str) -> str:
    """The id of what follows from an operation: of the same moment, and the same however often it is worked out."""
    return op_id[:24] + sha256(f"undo {op_id}".encode()).hexdigest()[:12]


def _subject_of(case: Case) -> Key:
    table, _slash, id_ = case.subject.partition("/")
    return table, id_


def _where(key: Key, stays: Mapping[str, str]) -> Key:
    """The row that this one is by now, where its member was merged."""
    return key[0], "/".join(stays.get(part, part) for part in key[1].split("/"))


async def _about(conn: Connection, operations: Iterable[Operation]) -> list[Key]:
    """The rows that the cases are about which somebody decides on: a decision may change them."""
    wanted = {(Case.table, operation.case_id) for operation in operations if isinstance(operation, ResolveCase)}
    if not wanted:
        return []
    subjects = [_subject_of(kept.row) for kept in (await rows.load(conn, wanted, lock=False)).values()]
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


async def conflicts_before(conn: Connection, first: Entry) -> set[str]:
    """The group that this batch goes on with, if an earlier batch of the device found a conflict in it."""
    found = await conn.execute(
        "select cases.body ->> 'group' from operation join cases using (op_id) where device = %s and epoch = %s"
        " and seq >= %s and seq < %s and cases.kind = %s",
        [first.device, first.epoch, first.seq - GROUP_MOST, first.seq, CaseKind.ORDER_CONFLICT],
    )
    return {row[0] for row in await found.fetchall()} - {""}


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
