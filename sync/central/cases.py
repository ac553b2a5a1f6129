"""Work for a person: what happened in a store, where the centre's wider knowledge disagrees. One case a broken limit."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from store_agent.domain.operation import Operation, Refusal
from sync.central.ground import Connection


class CaseKind(StrEnum):
    """What was broken."""

    POINTS_OVERDRAWN = "points_overdrawn"
    COUPON_OVER = "coupon_over"
    QUOTA_OVER = "quota_over"
    ORDER_CONFLICT = "order_conflict"
    DUPLICATE_MEMBER = "duplicate_member"
    STOCK_NEGATIVE = "stock_negative"
    PARKED_OPERATION = "parked_operation"
    DEVICE_FORK = "device_fork"
    UNKNOWN_REFERENCE = "unknown_reference"
    CODE_REPLAYED = "code_replayed"


BROKEN = {
    "account": CaseKind.POINTS_OVERDRAWN,
    "coupon": CaseKind.COUPON_OVER,
    "quota": CaseKind.QUOTA_OVER,
    "pickup": CaseKind.ORDER_CONFLICT,
    "stock": CaseKind.STOCK_NEGATIVE,
    "member": CaseKind.UNKNOWN_REFERENCE,
    "code_use": CaseKind.CODE_REPLAYED,
}
"""By table: what a refusal that the centre finds late means. Tags and purchases break no limit."""


@dataclass(frozen=True, slots=True)
class CaseFile:
    """One case as it is opened."""

    kind: CaseKind
    op_id: str
    store: str
    staff: str
    subject: str
    reason: str
    amount_minor: int
    currency: str
    opened_at: datetime


def case_of(operation: Operation, refusal: Refusal | None, before: Any, after: Any) -> CaseKind | None:
    """What this operation broke, if anything. A repeat of what was done already breaks nothing."""
    if after is None:
        return CaseKind.UNKNOWN_REFERENCE
    if refusal is not None:
        return None if after == before else BROKEN.get(operation.table)
    if operation.table == "stock" and after.on_hand < 0 and (before is None or before.on_hand >= 0):
        return CaseKind.STOCK_NEGATIVE
    return None


def open_case(kind: CaseKind, operation: Operation, reason: str, at: datetime) -> CaseFile:
    """The case that an operation opens, with what it was worth."""
    amount_minor = getattr(operation, "saved_minor", 0) or getattr(operation, "value_minor", 0)
    amount_minor = amount_minor or getattr(operation, "amount_minor", 0)
    currency = getattr(operation, "currency", "")
    subject = f"{operation.table}/{operation.subject}"
    return CaseFile(
        kind, operation.op_id, operation.store, operation.staff, subject, reason, amount_minor, currency, at
    )


async def write(conn: Connection, cases: Sequence[CaseFile]) -> None:
    """Keep cases; one for each operation and kind, however often it is applied."""
    if not cases:
        return
    async with conn.cursor() as cursor:
        await cursor.executemany(
            "insert into case_file (id, kind, op_id, store, staff, subject, reason, amount_minor, currency, opened_at)"
            " values (%s, %s, %s, %s, %s, %s, %s, %s, %s, %s) on conflict do nothing",
            [
                (
                    uuid.uuid4().hex,
                    c.kind,
                    c.op_id,
                    c.store,
                    c.staff,
                    c.subject,
                    c.reason,
                    c.amount_minor,
                    c.currency,
                    c.opened_at,
                )
                for c in cases
            ],
        )
