"""What a person at the store can do about cases: see which are open, and decide."""

from __future__ import annotations

from store_agent.desk.counter import Counter
from store_agent.domain.cases import DECIDERS, OF_HEAD_OFFICE, REMEDIES, Case, CaseState, Remedy, ResolveCase
from store_agent.domain.operation import Refusal
from store_agent.domain.stores import Role, Staff


def open_cases(counter: Counter) -> list[Case]:
    """The cases that wait for somebody at this store, the oldest first."""
    found: list[Case] = counter.replica.view.find(Case.table, "state", CaseState.OPEN)
    mine = [case for case in found if case.at_store == counter.store_id]
    return sorted(mine, key=lambda case: (case.opened_at, case.id))


def has_open(counter: Counter) -> bool:
    """Whether the centre knows of any that is open here; what was decided a moment ago may still count."""
    return counter.replica.view.is_any(Case.table, "state", CaseState.OPEN)


def role_of(counter: Counter) -> Role:
    """What whoever stands at the counter is at this store."""
    staff: Staff | None = counter.replica.view.get(Staff.table, counter.staff)
    return staff.role if staff and staff.store == counter.store_id else Role.CASHIER


def remedies(counter: Counter, case: Case) -> tuple[Remedy, ...]:
    """What this person may decide about it here; nothing where that is not theirs."""
    if role_of(counter) not in DECIDERS or case.kind in OF_HEAD_OFFICE:
        return ()
    return REMEDIES[case.kind]


def resolve(
    counter: Counter,
    case_id: str,
    remedy: Remedy,
    amount_minor: int | None = None,
    *,
    note: str = "",
    to_store: str = "",
    to_person: str = "",
) -> Refusal | None:
    """Decide about a case, or about a part of it; without an amount, about all that is open."""
    view = counter.replica.view
    case: Case | None = view.get(Case.table, case_id)
    if amount_minor is None:
        has_amount = case is not None and remedy not in (Remedy.REASSIGN, Remedy.MERGE)
        amount_minor = case.open_minor if case and has_amount else 0
    return counter.accept(
        ResolveCase(
            **counter.named(),
            case_id=case_id,
            remedy=remedy,
            amount_minor=amount_minor,
            note=note,
            to_store=to_store,
            to_person=to_person,
            role=role_of(counter),
        )
    )
