"""A second person says yes: somebody else than who stands at the counter, a lead or a manager of this store, by PIN."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from store_agent.desk import pins
from store_agent.desk.counter import Counter
from store_agent.domain.operation import Refusal
from store_agent.domain.pins import ApprovalReason, PinReason
from store_agent.domain.proofs import Proof, ProofKind
from store_agent.domain.stores import Role, Staff

MAY_APPROVE = frozenset({Role.LEAD, Role.MANAGER})


@dataclass(frozen=True, slots=True, kw_only=True)
class Approval:
    """Who said yes, and when. `staff_id` goes into the `approved_by` of what was approved."""

    staff_id: str
    role: Role
    at: datetime


def approvers(counter: Counter) -> list[Staff]:
    """Who may approve what the person at the counter does, by name."""
    people: list[Staff] = counter.replica.view.all(Staff.table)
    able = [one for one in people if one.store == counter.store_id and one.role in MAY_APPROVE]
    return sorted((one for one in able if one.id != counter.staff), key=lambda one: (one.role, one.name, one.id))


def approve(counter: Counter, staff_id: str, pin: str) -> Approval | Refusal:
    """A different person's yes. That nobody has this id and that the PIN is wrong are told with the same words."""
    if staff_id == counter.staff:
        return Refusal(ApprovalReason.SAME_PERSON)
    if refusal := pins.try_staff(counter, staff_id, pin):
        return refusal
    person: Staff | None = counter.replica.view.get(Staff.table, staff_id)
    if person is None or person.store != counter.store_id:
        return Refusal(PinReason.WRONG)
    if person.role not in MAY_APPROVE:
        return Refusal(ApprovalReason.ROLE)
    return Approval(staff_id=person.id, role=person.role, at=counter.now())


def for_member(counter: Counter, member_id: str, approval: Approval) -> Proof:
    """They answer for the member, who may then spend, choose a PIN, and try the one that they have once more."""
    member_id = counter.replica.view.canonical(member_id)
    pins.unlock_member(counter, member_id)
    return Proof(kind=ProofKind.APPROVED, member_id=member_id, approved_by=approval.staff_id)
