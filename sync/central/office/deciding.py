"""What head office sees and decides of cases: the list with its sums, resolutions, and operations that wait."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from msgspec import Meta, Struct

from store_agent.domain.cases import NOTE_MOST, Case, CaseKind, CaseState, Remedy, ResolveCase
from store_agent.domain.operation import Refusal
from sync.central import own, rows, unparking
from sync.central.endpoints import Declined
from sync.central.ground import Connection
from sync.central.office.catalogue import known_stores
from sync.central.office.records import Incoming

PAGE_MOST = 200
Text = Annotated[str, Meta(max_length=80)]


class CaseTotal(Struct, frozen=True):
    """Sums over cases of one kind and currency, whatever page is looked at."""

    kind: str
    currency: str
    cases: int
    open_cases: int
    amount_minor: int
    open_minor: int
    recovered_minor: int
    reversed_minor: int
    written_off_minor: int
    """What was lost for good: the realised loss. What is open may still become some of it."""


class CasePage(Struct, frozen=True):
    """Cases, open ones first, the oldest first among them; `more` if there is another page."""

    cases: list[Case]
    totals: list[CaseTotal]
    page: int
    more: bool


class ResolveRequest(Incoming, frozen=True, kw_only=True):
    """What head office decides about a case. Without an amount it is all that is open."""

    remedy: Remedy
    amount_minor: Annotated[int, Meta(ge=0, le=2**53)] | None = None
    note: Annotated[str, Meta(max_length=NOTE_MOST)] = ""
    to_store: Text = ""
    to_person: Text = ""
    staff: Text = own.DEVICE
    """Who decides, as head office calls them."""


class RetryRequest(Incoming, frozen=True, kw_only=True):
    """Who tries an operation again that waits."""

    note: Annotated[str, Meta(max_length=NOTE_MOST)] = ""
    staff: Text = own.DEVICE


class Retried(Struct, frozen=True):
    """What came of an operation, and of those that had waited behind it."""

    op_id: str
    outcome: str
    case: str
    reason: str


async def list_cases(
    conn: Connection, *, store: str = "", kind: str = "", state: str = "", page: int = 1, most: int = PAGE_MOST
) -> CasePage:
    """A page of cases by where, what and whether they are open; the sums are over all pages."""
    if kind and kind not in tuple(CaseKind):
        raise Declined(422, "malformed", f"There is no kind of case {kind!r}.")
    if state and state not in tuple(CaseState):
        raise Declined(422, "malformed", "A case is open or resolved.")
    values = {"store": store, "kind": kind, "state": state, "most": most + 1, "skip": (page - 1) * most}
    found = await conn.execute(
        "select id from cases where (store = %(store)s or %(store)s = '') and (kind = %(kind)s or %(kind)s = '')"
        " and (state = %(state)s or %(state)s = '')"
        " order by state, body ->> 'opened_at', id limit %(most)s offset %(skip)s",
        values,
    )
    ids = [row[0] for row in await found.fetchall()]
    known = await rows.load(conn, [(Case.table, id_) for id_ in ids[:most]], lock=False)
    listed = [known[Case.table, id_].row for id_ in ids[:most]]
    return CasePage(listed, await totals(conn, store=store, kind=kind), page, len(ids) > most)


async def totals(conn: Connection, *, store: str = "", kind: str = "") -> list[CaseTotal]:
    """What all cases amount to, by kind and currency."""
    found = await conn.execute(
        "select kind, body ->> 'currency', count(*), count(*) filter (where state = 'open'),"
        " sum((body ->> 'amount_minor')::bigint)::bigint, sum((body ->> 'recovered_minor')::bigint)::bigint,"
        " sum((body ->> 'reversed_minor')::bigint)::bigint, sum((body ->> 'written_off_minor')::bigint)::bigint"
        " from cases where (store = %(store)s or %(store)s = '') and (kind = %(kind)s or %(kind)s = '')"
        " group by 1, 2 order by 1, 2",
        {"store": store, "kind": kind},
    )
    return [
        CaseTotal(
            name,
            currency,
            count,
            open_,
            amount,
            amount - recovered - reversed_ - written,
            recovered,
            reversed_,
            written,
        )
        for name, currency, count, open_, amount, recovered, reversed_, written in await found.fetchall()
    ]


async def resolve(conn: Connection, id_: str, request: ResolveRequest, now: datetime) -> Case:
    """Decide about a case. One about an operation that waits is decided by trying it again, or by dropping it."""
    case = await _find(conn, id_)
    acts = {Remedy.RECOVER: unparking.retry, Remedy.WRITE_OFF: unparking.drop}
    is_waiting = case.kind is CaseKind.PARKED_OPERATION and case.state is CaseState.OPEN
    if is_waiting and request.remedy in acts:
        person = (own.new_id(), request.staff, request.note)
        await acts[request.remedy](conn, case.op_ids[0], person, now)
        return await _find(conn, id_)
    if request.to_store and request.to_store not in await known_stores(conn):
        raise Declined(404, "store-unknown", "There is no such store.")
    table, _slash, row_id = case.subject.partition("/")
    keys = [(Case.table, id_), *([(table, row_id)] if table in own.UNDOES else [])]
    work = await own.begin(conn, keys, now)
    case = work.row(Case.table, id_)
    has_amount = case.open_minor > 0 and request.remedy not in (Remedy.REASSIGN, Remedy.MERGE)
    whole = case.open_minor if has_amount else 0
    refusal: Refusal | None = work.do(
        ResolveCase(
            op_id=own.new_id(),
            at=now,
            store="",
            staff=request.staff,
            case_id=id_,
            remedy=request.remedy,
            amount_minor=whole if request.amount_minor is None else request.amount_minor,
            note=request.note,
            to_store=request.to_store,
            to_person=request.to_person,
        )
    )
    if refusal:
        raise Declined(409, str(refusal.reason), f"This cannot be decided so: {refusal.reason}.")
    await work.finish()
    after: Case = work.row(Case.table, id_)
    return after


async def retry(conn: Connection, op_id: str, request: RetryRequest, now: datetime) -> list[Retried]:
    """Try an operation again that waits."""
    person = (own.new_id(), request.staff, request.note)
    judged = await unparking.retry(conn, op_id, person, now)
    return [Retried(one.entry.operation.op_id, one.outcome, one.case, one.reason) for one in judged]


async def _find(conn: Connection, id_: str) -> Case:
    known = await rows.load(conn, [(Case.table, id_)], lock=False)
    if (Case.table, id_) not in known:
        raise Declined(404, "case-unknown", "There is no such case.")
    case: Case = known[Case.table, id_].row
    return case
