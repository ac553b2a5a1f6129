"""What comes of operations, worked out in memory by the domain's rules alone: judge, effect, case. No I/O."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from hashlib import sha256
from typing import Any

from store_agent.codec import Entry
from store_agent.domain.campaigns import Campaign
from store_agent.domain.cases import Case, CaseKind, Remedy, ResolveCase
from store_agent.domain.members import LinkMember, Member, RegisterMember
from store_agent.domain.merging import readdress
from store_agent.domain.operation import Operation
from store_agent.domain.overshoots import case_of, charged_to, undo
from store_agent.domain.quotas import UseQuota
from store_agent.domain.stock import HoldStock, MoveStock, ReleaseHold
from store_agent.domain.stores import Role
from sync.central import cases
from sync.central.rows import Kept, Key

log = logging.getLogger(__name__)


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
    charges: dict[str, str] = field(default_factory=dict)
    """By case: the operation that it is charged to, where that is another one than found the limit broken."""
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
    branches: Mapping[str, int] = field(default_factory=dict)
    """By id: in which branch of a forked chain an operation stands, where that is not the first."""

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
        opened = cases.open_case(kind, operation, refusal, before, after, batch.now)
        batch.cases.append(opened)
        if charged := charged_to(operation, before):
            batch.charges[opened.id] = charged
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
    key = where(subject_of(after), batch.stays)
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


def subject_of(case: Case) -> Key:
    """The row that a case is about, as it was named then."""
    table, _slash, id_ = case.subject.partition("/")
    return table, id_


def where(key: Key, stays: Mapping[str, str]) -> Key:
    """The row that this one is by now, where its member was merged."""
    return key[0], "/".join(stays.get(part, part) for part in key[1].split("/"))


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
