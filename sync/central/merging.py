"""One person who registered twice: who they are for good, and which of their rows an operation means."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields, replace
from typing import Any

from store_agent.domain.members import RegisterMember
from store_agent.domain.operation import Operation
from sync.central.ground import Connection


async def aliases(conn: Connection, member_ids: Iterable[str]) -> dict[str, str]:
    """By id that was merged away: the member that stays."""
    found = await conn.execute(
        "select id, alias_of from member where id = any(%s) and alias_of <> ''", [sorted(set(member_ids))]
    )
    return {row[0]: row[1] for row in await found.fetchall()}


async def phones_taken(conn: Connection, operations: Iterable[Operation]) -> dict[str, str]:
    """By phone number that somebody registers with: the member who has it already."""
    phones = {operation.phone for operation in operations if isinstance(operation, RegisterMember)}
    found = await conn.execute(
        "select phone, id from member where phone = any(%s) and alias_of = '' for update", [sorted(phones)]
    )
    return {row[0]: row[1] for row in await found.fetchall()}


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
    """The same operation on the rows of the member who stays.

    Ids that are made of a member's id have it as a whole part between slashes (`welcome/<member>`), so they follow.
    """
    if not stays or isinstance(operation, RegisterMember):
        return operation
    changes: dict[str, Any] = {}
    for name, value in _ids_of(operation):
        there = "/".join(stays.get(part, part) for part in value.split("/"))
        if there != value:
            changes[name] = there
    return replace(operation, **changes) if changes else operation


def _ids_of(operation: Operation) -> list[tuple[str, str]]:
    names = [field.name for field in fields(operation) if field.name.endswith("_id") and field.name != "op_id"]
    return [(name, getattr(operation, name)) for name in names]


def named_in(operation: Operation) -> set[str]:
    """Everything in an operation that may be the id of a member, also inside other ids."""
    return {part for _name, value in _ids_of(operation) for part in value.split("/")} - {""}


def members_in(operation: Operation) -> list[str]:
    """Ids of members that an operation names."""
    member_id = getattr(operation, "member_id", "")
    return [member_id] if member_id else []
