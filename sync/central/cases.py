"""Cases as the ledger opens them: one row for each broken limit, in the stream of the store where it happened.

What is broken and by how much is the domain's rule. Here is only: made into a row, and never opened twice.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from typing import Any

from store_agent.codec import Entry
from store_agent.domain.cases import Case, CaseKind, case_id
from store_agent.domain.operation import Operation, Refusal
from store_agent.domain.overshoots import as_plain, evidence, overshoot, worth
from sync.central import rows
from sync.central.ground import Connection

LATE_AFTER = timedelta(days=30)
"""An operation that comes so long after it happened has missed the books of its month."""


def open_case(
    kind: CaseKind, operation: Operation, refusal: Refusal | None, before: Any, after: Any, now: datetime
) -> Case:
    """The case that an operation opens, with what went over and both values."""
    amount_minor, currency = overshoot(operation, before, after)
    assumed, found = evidence(operation, refusal, before, after)
    return Case(
        **_named(operation, before or after, now),
        id=case_id(kind, operation.op_id),
        kind=kind,
        amount_minor=amount_minor,
        currency=currency if amount_minor else "",
        reason=str(refusal.reason) if refusal else "",
        assumed=assumed,
        found=found,
    )


def open_parked(operation: Operation, error: str, now: datetime) -> Case:
    """An operation crashed a rule. What it was worth is at stake until it is applied or dropped."""
    amount_minor, currency = worth(operation)
    return Case(
        **_named(operation, None, now),
        id=case_id(CaseKind.PARKED_OPERATION, operation.op_id),
        kind=CaseKind.PARKED_OPERATION,
        amount_minor=amount_minor,
        currency=currency,
        reason=error,
        found={"error": error},
    )


def open_twin(operation: Operation, joined: Any, stays: Any, now: datetime) -> Case:
    """Someone joined twice. Which fields differ is said, never what stands in them."""
    named = ("name", "email", "consent")
    differs = [name for name in named if stays is not None and getattr(joined, name) != getattr(stays, name)]
    return Case(
        **_named(operation, None, now) | {"member_id": joined.alias_of},
        id=case_id(CaseKind.DUPLICATE_MEMBER, operation.op_id),
        kind=CaseKind.DUPLICATE_MEMBER,
        assumed={"member": joined.id},
        found={"member": joined.alias_of, "differs": ",".join(differs)},
    )


def open_linked(operation: Operation, holder: str, now: datetime) -> Case:
    """Somebody showed an identity that another member has: perhaps one person, who goes by two numbers."""
    return Case(
        **_named(operation, None, now),
        id=case_id(CaseKind.DUPLICATE_MEMBER, operation.op_id),
        kind=CaseKind.DUPLICATE_MEMBER,
        assumed={"member": operation.subject},
        found={"member": holder, "differs": "phone"},
    )


def open_late(entry: Entry, now: datetime) -> Case:
    """Operations that came very late: one case for a device and a day, however many they were."""
    operation = entry.operation
    late = now - operation.at
    return Case(
        **_named(operation, None, now) | {"group": "", "subject": f"device/{entry.device}", "member_id": ""},
        id=case_id(CaseKind.LATE_OPERATION, f"{entry.device}.{operation.at:%Y-%m-%d}"),
        kind=CaseKind.LATE_OPERATION,
        device=entry.device,
        assumed=as_plain({"happened_at": operation.at}),
        found=as_plain({"arrived_at": now, "days": late.days}),
    )


def open_unread(kind: CaseKind, store: str, device: str, op_id: str, reason: str, now: datetime) -> Case:
    """A case about bytes of which hardly more is known than their name: unreadable, or of a forked device."""
    return Case(
        id=case_id(kind, op_id),
        kind=kind,
        store=store,
        opened_at=now,
        op_ids=(op_id,),
        device=device,
        subject=f"device/{device}",
        reason=reason,
        found={"error": reason},
    )


async def late_since(conn: Connection, entries: Sequence[Entry], now: datetime) -> datetime | None:
    """The moment before which these operations, all of one device, are late; None where none of them is.

    A device cannot have kept anything back before it was a store's: what it says of older days it was told just now.
    """
    since = now - LATE_AFTER
    if not any(entry.operation.at < since for entry in entries):
        return None
    row = await (await conn.execute("select enrolled_at from device where id = %s", [entries[0].device])).fetchone()
    return since if row is not None and row[0] < since else None


async def not_yet_open(conn: Connection, opened: Iterable[Case]) -> list[Case]:
    """Those that are not in the ledger: what is applied again opens nothing a second time."""
    by_id = {case.id: case for case in reversed(list(opened))}
    known = await rows.load(conn, [(Case.table, id_) for id_ in by_id], lock=False)
    return [by_id[id_] for id_ in sorted(by_id) if (Case.table, id_) not in known]


def _named(operation: Operation, row: Any, now: datetime) -> dict[str, Any]:
    """Who, where, when, on which row."""
    member_id = getattr(operation, "member_id", "") or getattr(row, "member_id", "")
    return {
        "store": operation.store or getattr(row, "store", ""),
        "opened_at": now,
        "happened_at": operation.at,
        "op_ids": (operation.op_id,),
        "group": operation.group,
        "staff": operation.staff,
        "approved_by": operation.approved_by,
        "subject": f"{operation.table}/{operation.subject}",
        "member_id": member_id,
    }
