"""A case: a limit that was broken, what that was worth, and what people decided about it. Work, never a refusal.

Here is the row and the one operation that changes it. What an operation broke, and by how much, is `overshoots.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

from store_agent.domain.operation import Operation, Refusal
from store_agent.domain.stores import Role

NOTE_MOST = 500
"""Characters."""
DECIDERS = (Role.LEAD, Role.MANAGER)
"""Who decides about a case at a store."""


class CaseKind(StrEnum):
    """What was broken."""

    POINTS_OVERDRAWN = "points_overdrawn"
    COUPON_OVER = "coupon_over"
    QUOTA_OVER = "quota_over"
    ORDER_CONFLICT = "order_conflict"
    DUPLICATE_MEMBER = "duplicate_member"
    STOCK_NEGATIVE = "stock_negative"
    LATE_OPERATION = "late_operation"
    PARKED_OPERATION = "parked_operation"
    DEVICE_FORK = "device_fork"
    UNKNOWN_REFERENCE = "unknown_reference"
    CODE_REPLAYED = "code_replayed"


class CaseState(StrEnum):
    """Whether somebody still has to decide."""

    OPEN = "open"
    RESOLVED = "resolved"


class Remedy(StrEnum):
    """What can be decided."""

    RECOVER = "recover"
    """It was paid back, found, or put right."""
    WRITE_OFF = "write_off"
    """The chain bears it."""
    REVERSE = "reverse"
    """What was given was taken back."""
    MERGE = "merge"
    """They are one member."""
    REASSIGN = "reassign"
    """Another store or person decides."""
    FRAUD = "fraud"
    """The chain bears it, and somebody meant it."""


R = Remedy
REMEDIES: dict[CaseKind, tuple[Remedy, ...]] = {
    CaseKind.POINTS_OVERDRAWN: (R.RECOVER, R.REVERSE, R.WRITE_OFF, R.REASSIGN, R.FRAUD),
    CaseKind.COUPON_OVER: (R.RECOVER, R.REVERSE, R.WRITE_OFF, R.REASSIGN, R.FRAUD),
    CaseKind.QUOTA_OVER: (R.RECOVER, R.REVERSE, R.WRITE_OFF, R.REASSIGN, R.FRAUD),
    CaseKind.ORDER_CONFLICT: (R.RECOVER, R.WRITE_OFF, R.REASSIGN, R.FRAUD),
    CaseKind.DUPLICATE_MEMBER: (R.MERGE, R.WRITE_OFF, R.REASSIGN, R.FRAUD),
    CaseKind.STOCK_NEGATIVE: (R.RECOVER, R.WRITE_OFF, R.REASSIGN, R.FRAUD),
    CaseKind.LATE_OPERATION: (R.RECOVER, R.WRITE_OFF, R.REASSIGN, R.FRAUD),
    CaseKind.PARKED_OPERATION: (R.RECOVER, R.WRITE_OFF, R.REASSIGN),
    CaseKind.DEVICE_FORK: (R.RECOVER, R.WRITE_OFF, R.REASSIGN, R.FRAUD),
    CaseKind.UNKNOWN_REFERENCE: (R.RECOVER, R.WRITE_OFF, R.REASSIGN, R.FRAUD),
    CaseKind.CODE_REPLAYED: (R.RECOVER, R.WRITE_OFF, R.REASSIGN, R.FRAUD),
}
"""By kind: what may be decided, the usual first."""
OF_HEAD_OFFICE = frozenset({CaseKind.PARKED_OPERATION, CaseKind.DEVICE_FORK})
"""Kinds that no store can put right: they are about the centre's own work, or about the store's machine."""


class CaseReason(StrEnum):
    """Why a case may not be resolved so, in order of precedence."""

    UNKNOWN = "case-unknown"
    ELSEWHERE = "case-elsewhere"
    ROLE = "case-role"
    HEAD_OFFICE = "case-head-office"
    CLOSED = "case-closed"
    NO_REMEDY = "case-no-remedy"
    NO_RECEIVER = "case-no-receiver"
    NOTE_LONG = "case-note-long"
    BAD_AMOUNT = "case-bad-amount"
    MORE_THAN_OPEN = "case-more-than-open"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resolution:
    """One decision about a case. The amount is what counted, never more than was open."""

    op_id: str
    remedy: Remedy
    amount_minor: int = 0
    at: datetime
    store: str = ""
    """Empty: the head office."""
    staff: str = ""
    note: str = ""
    to_store: str = ""
    to_person: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """One broken limit. `open_minor` + recovered + reversed + written off is `amount_minor` at every moment (CASE)."""

    table: ClassVar[str] = "cases"
    id: str
    kind: CaseKind
    store: str
    """Where it happened."""
    opened_at: datetime
    state: CaseState = CaseState.OPEN
    amount_minor: int = 0
    """What went over the limit, and no more than that; 0 where it is nothing that has a price."""
    currency: str = ""
    op_ids: tuple[str, ...] = ()
    group: str = ""
    happened_at: datetime | None = None
    staff: str = ""
    approved_by: str = ""
    device: str = ""
    subject: str = ""
    """`table/id` of the row."""
    member_id: str = ""
    reason: str = ""
    """Of the refusal that the centre found."""
    assumed: dict[str, str | int] = field(default_factory=dict)
    """What the store went by."""
    found: dict[str, str | int] = field(default_factory=dict)
    """What the centre found."""
    recovered_minor: int = 0
    reversed_minor: int = 0
    written_off_minor: int = 0
    """Fraud included."""
    resolutions: tuple[Resolution, ...] = ()
    resolved_at: datetime | None = None

    @property
    def open_minor(self) -> int:
        """What nobody has decided about yet."""
        return self.amount_minor - self.recovered_minor - self.reversed_minor - self.written_off_minor

    @property
    def stores(self) -> tuple[str, ...]:
        """The stores that hold it: where it happened, and every one to which it was given."""
        return tuple(dict.fromkeys((self.store, *(one.to_store for one in self.resolutions if one.to_store))))

    @property
    def at_store(self) -> str:
        """The store that is to decide now: the last one to which it was given, else where it happened."""
        return next((one.to_store for one in reversed(self.resolutions) if one.to_store), self.store)

    @property
    def at_person(self) -> str:
        """Whose work it is now; empty where nobody was named."""
        return next((one.to_person for one in reversed(self.resolutions) if one.remedy is Remedy.REASSIGN), "")


def case_id(kind: CaseKind, name: str) -> str:
    """The id of the one case that there can be of this kind about an operation."""
    return f"{kind}.{name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class ResolveCase(Operation):
    """Somebody decided about a case, or about a part of it. The role is looked up again by the centre."""

    kind: ClassVar[str] = "resolve-case"
    table: ClassVar[str] = Case.table
    case_id: str
    remedy: Remedy
    amount_minor: int = 0
    """How much of it; 0 for a case without an amount, and for one that is given to somebody else."""
    note: str = ""
    to_store: str = ""
    to_person: str = ""
    role: Role = Role.CASHIER

    @property
    def subject(self) -> str:
        return self.case_id

    def judge(self, before: Case | None) -> Refusal | None:
        if before is None:
            return Refusal(CaseReason.UNKNOWN)
        if refusal := self._judge_person(before):
            return refusal
        if before.state is CaseState.RESOLVED:
            return self._refuse_closed(before)
        if self.remedy not in REMEDIES[before.kind]:
            return Refusal(CaseReason.NO_REMEDY)
        if self.remedy is Remedy.REASSIGN and not (self.to_store or self.to_person):
            return Refusal(CaseReason.NO_RECEIVER)
        if len(self.note) > NOTE_MOST:
            return Refusal(CaseReason.NOTE_LONG, {"most": NOTE_MOST})
        return self._judge_amount(before)

    def effect(self, before: Case | None) -> Case | None:
        if before is None:
            return None
        refusal = self.judge(before)
        # Two may decide at once, each about all of it. What was still open counts; without authority nothing does.
        if refusal is not None and refusal.reason is not CaseReason.MORE_THAN_OPEN:
            return before
        counted = min(self.amount_minor, before.open_minor)
        after = replace(before, resolutions=(*before.resolutions, self._decision(counted)))
        match self.remedy:
            case Remedy.RECOVER:
                after = replace(after, recovered_minor=after.recovered_minor + counted)
            case Remedy.REVERSE:
                after = replace(after, reversed_minor=after.reversed_minor + counted)
            case Remedy.WRITE_OFF | Remedy.FRAUD:
                after = replace(after, written_off_minor=after.written_off_minor + counted)
            case Remedy.REASSIGN:
                return after
        return after if after.open_minor else replace(after, state=CaseState.RESOLVED, resolved_at=self.at)

    def _judge_person(self, before: Case) -> Refusal | None:
        if not self.store:
            return None
        if self.store not in before.stores:
            return Refusal(CaseReason.ELSEWHERE)
        if self.role not in DECIDERS:
            return Refusal(CaseReason.ROLE)
        if before.kind in OF_HEAD_OFFICE:
            return Refusal(CaseReason.HEAD_OFFICE)
        return None

    def _judge_amount(self, before: Case) -> Refusal | None:
        has_amount = before.open_minor > 0 and self.remedy not in (Remedy.REASSIGN, Remedy.MERGE)
        if self.amount_minor < 0 or (self.amount_minor > 0) is not has_amount:
            return Refusal(CaseReason.BAD_AMOUNT)
        if self.amount_minor > before.open_minor:
            return Refusal(
                CaseReason.MORE_THAN_OPEN, {"open_minor": before.open_minor, "currency": before.currency or "TWD"}
            )
        return None

    @staticmethod
    def _refuse_closed(before: Case) -> Refusal:
        if not before.resolutions:
            return Refusal(CaseReason.CLOSED, {"staff": "—", "since_at": before.resolved_at or before.opened_at})
        last = before.resolutions[-1]
        return Refusal(CaseReason.CLOSED, {"staff": last.staff or "—", "since_at": last.at})

    def _decision(self, counted: int) -> Resolution:
        return Resolution(
            op_id=self.op_id,
            remedy=self.remedy,
            amount_minor=counted,
            at=self.at,
            store=self.store,
            staff=self.staff,
            note=self.note,
            to_store=self.to_store,
            to_person=self.to_person,
        )
