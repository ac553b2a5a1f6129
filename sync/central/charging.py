"""Whom a case is charged to: the operation that was made on allowance, also where one made by right found the limit broken."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from store_agent.codec import decode_entry
from store_agent.domain.cases import Case, CaseState, case_id
from store_agent.domain.operation import Operation
from sync.central import rows
from sync.central.ground import Connection


@dataclass(frozen=True, slots=True)
class Charged:
    """Cases to be opened, open ones that have grown, and those as the ledger has them."""

    fresh: list[Case]
    grown: list[Case]
    known: dict[rows.Key, rows.Kept]


async def charge(conn: Connection, opened: Sequence[Case], charges: Mapping[str, str]) -> Charged:
    """The same cases, each in the name of the operation that it is charged to, and open ones that have grown.

    One operation on allowance can be found out by several made by right, and is still one case.
    """
    if not charges:
        return Charged(list(opened), [], {})
    query = "select data, device from operation where op_id = any(%s)"
    named = {}
    for data, device in await (await conn.execute(query, [sorted(set(charges.values()))])).fetchall():
        operation = decode_entry(bytes(data)).operation
        named[operation.op_id] = (operation, device)
    found = [_charged(case, *named[charges[case.id]]) if charges.get(case.id) in named else case for case in opened]
    known = await rows.load(conn, {(Case.table, case.id) for case in found}, lock=True)
    fresh: dict[str, Case] = {}
    grown: dict[str, Case] = {}
    for case in found:
        kept = known.get((Case.table, case.id))
        before = fresh.get(case.id) or grown.get(case.id) or (kept.row if kept else None)
        if before is None:
            fresh[case.id] = case
        elif not set(case.op_ids) <= set(before.op_ids):
            (grown if kept else fresh)[case.id] = _with(before, case)
    return Charged(list(fresh.values()), list(grown.values()), known)


def _with(before: Case, more: Case) -> Case:
    return replace(
        before,
        state=CaseState.OPEN,
        resolved_at=None,
        amount_minor=before.amount_minor + more.amount_minor,
        currency=before.currency or more.currency,
        op_ids=tuple(dict.fromkeys((*before.op_ids, *more.op_ids))),
    )


def _charged(case: Case, operation: Operation, device: str) -> Case:
    """Who risked it; what the store that held the right did is evidence."""
    return replace(
        case,
        id=case_id(case.kind, operation.op_id),
        op_ids=(operation.op_id, *case.op_ids),
        store=operation.store,
        staff=operation.staff,
        approved_by=operation.approved_by,
        group=operation.group,
        happened_at=operation.at,
        device=device,
        found=case.found | {"by_right": case.store},
    )
