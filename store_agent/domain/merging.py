"""One person who registered twice: which of their rows an operation means. Asked by the counter, its view and the centre."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from functools import cache
from typing import Any

from store_agent.domain.members import RegisterMember
from store_agent.domain.operation import Operation


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
