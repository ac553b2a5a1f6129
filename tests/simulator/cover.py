"""EXPOSE and RIGHTS, after every commit: what is granted, what is risked, and what is one store's alone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from store_agent.codec import Entry
from store_agent.domain.allowances import Allowance, UseAllowance
from store_agent.domain.coupons import Coupon
from store_agent.domain.points import Account
from store_agent.domain.rights import Cover
from tests.simulator.model import Key

RULE = {
    "currency": "TWD",
    "risk_most_minor": 90,
    "allowance_minor": 40,
    "transaction_minor": 25,
    "points_day_minor": 20,
    "coupons_day_minor": 30,
    "group_size": 2,
    "lent_minutes": 1,
}
"""So little that every bound is met in a few minutes."""
Rows = Mapping[Key, tuple[int, Any]]


def granted_too_much(rows: Rows) -> str:
    """EXPOSE: all that is granted and not settled stays within what the head office dares."""
    budgets = [row for (table, _id), (_revision, row) in rows.items() if table == Allowance.table]
    out_minor = sum(max(0, budget.outstanding_minor) for budget in budgets)
    if out_minor > RULE["risk_most_minor"]:
        return f"EXPOSE: {out_minor} are out, of {RULE['risk_most_minor']} at most"
    return ""


def risked_too_much(device: str, journal: Iterable[Entry], rows: Rows) -> str:
    """EXPOSE: what a device has risked since ever is within what it was ever granted."""
    risked = sum(e.operation.amount_minor for e in journal if isinstance(e.operation, UseAllowance))
    if not risked:
        return ""
    budget: Allowance | None = rows.get((Allowance.table, device), (0, None))[1]
    granted = budget.granted_minor if budget else 0
    return f"EXPOSE: {device} has risked {risked} of {granted} granted" if risked > granted else ""


def held_too_much(row: Any, cases: Mapping[str, str], aliases: Mapping[str, str]) -> str:
    """RIGHTS: what was spent by right, and what is still one store's right, is no more than there was.

    What has a case was no right. Who joined at two stores had a welcome coupon by right at each, and what a store holds
    is taken from none when the two become one.
    """
    if isinstance(row, Coupon):
        spent = sum(use.cover is Cover.RIGHT and use.op_id not in cases for use in row.standing)
        held = sum(one.uses for one in row.held)
        ids = 1 + sum(stays == row.member_id for stays in aliases.values())
        if spent + held > row.uses_limit * (ids if row.id.startswith("welcome/") else 1):
            return f"RIGHTS: of coupon {row.id} {spent} are spent by right and {held} held, of {row.uses_limit}"
    return ""


def uncovered(row: Any) -> Any:
    """The row without what the centre sets aside by itself, in a form that can be compared."""
    if isinstance(row, Coupon):
        return replace(row, held=(), risked_at=())
    if isinstance(row, Allowance):
        return replace(row, granted_minor=0)
    if isinstance(row, Account):
        left: dict[str, Any] = {}
        for batch in row.batches:
            before = left.get(batch.id)
            left[batch.id] = replace(batch, held_by="", left=batch.left + (before.left if before else 0))
        return replace(row, batches=tuple(left[id_] for id_ in sorted(left)))
    return row
