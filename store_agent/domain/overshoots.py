"""What an operation broke, by how much exactly, and what stands against what: one pure rule a noun.

`before` and `after` are the row without and with the operation. Never the worth of the whole operation: of 80 points
spent where 50 were, the overshoot is what 30 points pay.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from store_agent.domain.cases import Case, CaseKind, Remedy, ResolveCase
from store_agent.domain.coupons import Coupon, RedeemCoupon, RestoreCoupon
from store_agent.domain.money import share
from store_agent.domain.operation import Operation, Refusal
from store_agent.domain.pickup_handover import HandOver
from store_agent.domain.pickups import CLOSED, Line, Pickup, find_line
from store_agent.domain.points import Account, PointsReason, RedeemPoints, ReversePoints
from store_agent.domain.quotas import GiveBackQuota, UseQuota
from store_agent.domain.rights import Cover, CoverReason
from store_agent.domain.stock import Stock

BROKEN = {
    "account": CaseKind.POINTS_OVERDRAWN,
    "coupon": CaseKind.COUPON_OVER,
    "quota": CaseKind.QUOTA_OVER,
    "pickup": CaseKind.ORDER_CONFLICT,
    "stock": CaseKind.STOCK_NEGATIVE,
    "member": CaseKind.UNKNOWN_REFERENCE,
    "code_use": CaseKind.CODE_REPLAYED,
}
"""By table: what a refusal that the centre finds late means. Tags, purchases and cases break no limit."""
OVER = "over"
"""In what was found: how many points, uses or pieces too many."""

Evidence = dict[str, str | int]


def case_of(operation: Operation, refusal: Refusal | None, before: Any, after: Any) -> CaseKind | None:
    """What this operation broke, if anything. A repeat of what was done already breaks nothing."""
    if after is None:
        return None if operation.table == Case.table else CaseKind.UNKNOWN_REFERENCE
    if isinstance(operation, RedeemPoints) and (refusal is None or refusal.reason is PointsReason.NOT_ENOUGH):
        # Whoever spent by right what others had already risked is not the one who went over: nothing more is owed.
        return CaseKind.POINTS_OVERDRAWN if _points_over(before, after) else None
    if refusal is not None and refusal.reason is CoverReason.NOT_HELD and isinstance(after, Coupon):
        # The right was written off meanwhile: only where it was used too often is anything broken.
        return CaseKind.COUPON_OVER if len(after.standing) > after.uses_limit else None
    if refusal is not None:
        return None if after == before else BROKEN.get(operation.table)
    if isinstance(after, Stock) and after.on_hand < 0 and (before is None or before.on_hand >= 0):
        return CaseKind.STOCK_NEGATIVE
    return None


def charged_to(operation: Operation, before: Any) -> str:
    """The operation that was made on allowance, where one made by right finds the limit broken; else empty.

    What was spent by right was right, whoever was heard of first.
    """
    match operation:
        case RedeemCoupon(cover=Cover.RIGHT) if isinstance(before, Coupon):
            # Whoever used it beyond the limit has a case of their own; each use by right found one of those within it.
            within, beyond = before.standing[: before.uses_limit], before.standing[before.uses_limit :]
            risked = [use.op_id for use in within if use.cover is Cover.ALLOWANCE]
            found = sum(use.cover is Cover.RIGHT for use in beyond)
            return risked[-1 - found] if found < len(risked) else ""
    return ""


def overshoot(operation: Operation, before: Any, after: Any) -> tuple[int, str]:
    """What went over the limit, in minor units of a currency; 0 and no currency where it is nothing with a price."""
    currency = getattr(operation, "currency", "")
    if after is None:
        return worth(operation)
    match operation:
        case RedeemPoints():
            return share(operation.value_minor, _points_over(before, after), operation.points), currency
        case UseQuota():
            return share(worth(operation)[0], _uses_over(operation, before), max(1, operation.quantity)), currency
        case HandOver():
            return _handed_over(operation, before, after)
    return worth(operation)


def worth(operation: Operation) -> tuple[int, str]:
    """What an operation as a whole was worth to the customer."""
    names = ("saved_minor", "value_minor", "amount_minor")
    amount_minor = next((minor for name in names if (minor := getattr(operation, name, 0))), 0)
    return (amount_minor, getattr(operation, "currency", "")) if amount_minor > 0 else (0, "")


def evidence(operation: Operation, refusal: Refusal | None, before: Any, after: Any) -> tuple[Evidence, Evidence]:
    """What the store went by, and what the centre found: both values, and the facts of the refusal."""
    assumed, found = _both_values(operation, before, after)
    facts = as_plain(refusal.facts) if refusal else {}
    return assumed, {**facts, **found}


def as_plain(facts: Mapping[str, Any]) -> Evidence:
    """Facts as a row can keep them: moments as text."""
    return {name: value.isoformat() if isinstance(value, datetime) else value for name, value in facts.items()}


def undo(before: Case, after: Case, decision: ResolveCase, row: Any, op_id: str) -> Operation | None:
    """The operation on the row itself that follows from a decision to reverse; `row` is the case's subject as it is."""
    if decision.remedy is not Remedy.REVERSE or after == before or not after.op_ids:
        return None
    pieces = _pieces(after, after.reversed_minor) - _pieces(after, before.reversed_minor)
    named: dict[str, Any] = {
        "op_id": op_id,
        "at": decision.at,
        "store": decision.store,
        "staff": decision.staff,
        "group": decision.group,
    }
    broke, row_id = after.op_ids[0], after.subject.partition("/")[2]
    undone: Operation | None = None
    match after.kind:
        case CaseKind.POINTS_OVERDRAWN if pieces:
            undone = ReversePoints(**named, member_id=row_id, reverses=broke, points=pieces)
        case CaseKind.COUPON_OVER if after.reversed_minor == after.amount_minor:
            undone = RestoreCoupon(**named, coupon_id=row_id, use_op_id=broke)
        case CaseKind.QUOTA_OVER if pieces:
            undone = GiveBackQuota(**named, quota_id=row_id, quantity=pieces)
    # What was taken back already, by whoever else, is not taken back twice.
    return None if undone is None or undone.judge(row) else undone


def _pieces(case: Case, reversed_minor: int) -> int:
    """How many of the pieces too many so much money stands for; parts of a case add up to all of them."""
    over = case.found.get(OVER, 0)
    if not isinstance(over, int):
        return 0
    if not case.amount_minor:
        return over if any(one.remedy is Remedy.REVERSE for one in case.resolutions) else 0
    return over * reversed_minor // case.amount_minor


def _both_values(operation: Operation, before: Any, after: Any) -> tuple[Evidence, Evidence]:
    match operation:
        case RedeemPoints():
            balance = before.balance(operation.at) if before else 0
            over = _points_over(before, after)
            return {"points": operation.points}, {"balance": balance, OVER: over}
        case RedeemCoupon():
            limit = before.uses_limit if before else 0
            return {"uses": 1}, {"uses_limit": limit, "uses": len(after.standing), OVER: 1}
        case UseQuota():
            used = before.used - before.given_back if before else 0
            limit = before.limit if before else operation.limit
            over = _uses_over(operation, before)
            return {"quantity": operation.quantity, "limit": operation.limit}, {
                "limit": limit,
                "used": used,
                OVER: over,
            }
    if isinstance(after, Stock):
        moved = after.on_hand - (before.on_hand if before else 0)
        return {"moved": moved}, {"on_hand": after.on_hand, OVER: max(0, -after.on_hand)}
    if isinstance(after, Pickup) and isinstance(before, Pickup):
        return {"step": operation.kind}, {"state": str(before.state)}
    return {}, {}


def _points_over(before: Account | None, after: Account) -> int:
    """What nobody had: the next points that are earned pay it."""
    return max(0, after.owed - (before.owed if before else 0))


def _uses_over(operation: UseQuota, before: Any) -> int:
    left = before.left if before else operation.limit
    return max(0, operation.quantity - max(0, left))


def _handed_over(operation: HandOver, before: Pickup, after: Pickup) -> tuple[int, str]:
    """Goods of an order that had ended or is not paid are all too many; else those that nobody had put ready."""
    is_void = before.state in CLOSED or before.cancel_requested or not (before.paid or operation.paid_here)
    asked = sum(line.unit_minor * line.quantity for line in before.lines)
    over = 0
    for line in after.lines:
        was = find_line(before, line.no) or replace(line, handed=0, handed_substitute=0)
        over += _value_of(line, line.handed - was.handed, was.waiting, is_void)
        over += _value_of_substitute(line, was, is_void)
    # An order's discount is spread over its lines.
    return (share(before.total_minor or asked, over, asked) if asked else 0), before.currency


def _value_of(line: Line, handed: int, waiting: int, is_void: bool) -> int:
    return line.unit_minor * max(0, handed if is_void else handed - waiting)


def _value_of_substitute(line: Line, was: Line, is_void: bool) -> int:
    handed = line.handed_substitute - was.handed_substitute
    pieces = max(0, handed if is_void else handed - was.waiting_substitute)
    return share(line.unit_minor * line.replaced, pieces, line.substitute_quantity) if line.substitute_quantity else 0
