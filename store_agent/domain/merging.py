"""One person who registered twice: which of their rows an operation means. Asked by the counter, its view and the centre."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from functools import cache
from typing import Any

from store_agent.domain.members import RegisterMember
from store_agent.domain.operation import Operation
from store_agent.domain.points import MOVEMENTS_KEPT, Account


def will_merge(operations: Iterable[Operation], taken: Mapping[str, str]) -> dict[str, str]:
    """By new id: the member who has that phone number already, before these operations or by an earlier one of them."""
    holders = dict(taken)
    stays = {}
    for operation in operations:
        if isinstance(operation, RegisterMember):
            holder = holders.setdefault(operation.phone, operation.member_id)
            if holder != operation.member_id:
                stays[operation.member_id] = holder
    return stays


def readdress(operation: Operation, stays: Mapping[str, str]) -> Operation:
    """The same operation on the rows of the member who stays. `stays`: by id that was merged away, the one that stays.

    Ids that are made of a member's id have it as a whole part between slashes (`welcome/<member>`), so they follow.
    """
    if not stays or isinstance(operation, RegisterMember):
        return operation
    changes: dict[str, Any] = {}
    kind: Any = type(operation)
    for name in _id_fields(kind):
        value = getattr(operation, name)
        there = "/".join(stays.get(part, part) for part in value.split("/"))
        if there != value:
            changes[name] = there
    return replace(operation, **changes) if changes else operation


def named_in(operation: Operation) -> set[str]:
    """Everything in an operation that may be the id of a member, also inside other ids."""
    kind: Any = type(operation)
    values = [getattr(operation, name) for name in _id_fields(kind)]
    return {part for value in values for part in value.split("/")} - {""}


@cache
def _id_fields(kind: Any) -> tuple[str, ...]:
    return tuple(field.name for field in fields(kind) if field.name.endswith("_id") and field.name != "op_id")


def moved(row: Any, there: Any, away: str, stays: str) -> tuple[Any, Any]:
    """A row of the member who goes, and the one that it becomes with the row that is there already, if any.

    Nothing is lost and nothing is made: both together hold what both held before. Only where the two had lived apart.
    """
    empty, merged = row, replace(there, id=stays) if there is not None else None
    match row.table:
        case "account":
            empty = replace(row, batches=(), owed=0, movements=())
            merged = _join_accounts(row, there, stays)
        case "tags":
            empty = replace(row, tags=(), notes=())
            tags = (*(there.tags if there else ()), *row.tags)
            known = {(tag.name, tag.source): tag for tag in reversed(tags)}
            notes = (*(there.notes if there else ()), *row.notes)
            merged = replace(there or row, id=stays, tags=tuple(known[key] for key in sorted(known)), notes=notes)
        case "quota":
            empty = replace(row, used=0, given_back=0)
            merged = replace(
                there or replace(row, id=moved_id(row.id, away, stays), member_id=stays, used=0, given_back=0),
                used=(there.used if there else 0) + row.used,
                given_back=(there.given_back if there else 0) + row.given_back,
            )
        case "coupon" if moved_id(row.id, away, stays) != row.id:
            # Its name has the member in it, so what comes later for it means the other row.
            empty = replace(row, uses_limit=0, used=(), held=())
            used = (*(there.used if there else ()), *row.used)
            held = there.held if there else row.held
            merged = replace(there or row, id=moved_id(row.id, away, stays), member_id=stays, used=used, held=held)
        case "coupon" | "purchase" | "pickup":
            empty = merged = replace(row, member_id=stays)
    return empty, merged


def moved_id(id_: str, away: str, stays: str) -> str:
    """The id of the row that a row of the member who goes becomes."""
    return "/".join(stays if part == away else part for part in id_.split("/"))


def _join_accounts(row: Account, there: Account | None, stays: str) -> Account:
    """Points add up; what either owes is paid by what the other has."""
    both = there or Account(id=stays)
    joined = replace(both, batches=(*both.batches, *row.batches), owed=both.owed + row.owed)
    movements = sorted((*both.movements, *row.movements), key=lambda movement: (movement.at, movement.op_id))
    return replace(joined, movements=tuple(movements[-MOVEMENTS_KEPT:]))
