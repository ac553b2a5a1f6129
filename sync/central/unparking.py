"""What a person does about an operation that waits: try it again, in its order with all behind it, or drop it."""

from __future__ import annotations

from datetime import datetime

from store_agent.codec import Entry, decode_entry, decode_envelope
from store_agent.domain.cases import Case, CaseKind, CaseState, Remedy, ResolveCase, case_id
from store_agent.trouble import Trouble
from sync import wire
from sync.central import feed, judging, ledger, own_chain, parking, rows
from sync.central.endpoints import Declined
from sync.central.ground import Connection
from sync.central.judging import Batch, Judged
from sync.central.rows import Key

DROPPED = "dropped"
Person = tuple[str, str, str]
"""Who decides: the id of the decision, the person, and the note."""


async def retry(conn: Connection, op_id: str, person: Person, now: datetime) -> list[Judged]:
    """Apply an operation that waits, and what waits behind it; declined where it still cannot be. Closes its case."""
    batch, entries = await _begin(conn, op_id, now)
    for entry in entries:
        batch.judged.append(judging.judge(batch, entry))
    asked = next(judged for judged in batch.judged if judged.entry.operation.op_id == op_id)
    if asked.is_parked:
        raise Declined(409, "still-parked", f"The operation still cannot be applied: {asked.reason}.")
    await _conclude(conn, batch, person)
    return batch.judged


async def drop(conn: Connection, op_id: str, person: Person, now: datetime) -> list[Judged]:
    """Give an operation that waits up for good: it never happens at the centre. What waits behind it is applied."""
    try:
        batch, entries = await _begin(conn, op_id, now)
    except Trouble:
        return await _drop_unread(conn, op_id, person, now)
    for entry in entries:
        if entry.operation.op_id == op_id:
            batch.judged.append(Judged(entry, entry.operation, "refused", reason=DROPPED))
    for entry in entries:
        if entry.operation.op_id != op_id:
            batch.judged.append(judging.judge(batch, entry))
    await _conclude(conn, batch, person)
    return batch.judged


async def _begin(conn: Connection, op_id: str, now: datetime) -> tuple[Batch, list[Entry]]:
    """The queue of one subject, decoded, its rows locked before the queue: whoever applies takes them in this order too."""
    _subject, queue = await _read(conn, op_id, lock=False)
    also = [(Case.table, case_id(CaseKind.PARKED_OPERATION, entry.operation.op_id)) for entry in queue]
    await rows.load(conn, [(entry.operation.table, entry.operation.subject) for entry in queue], lock=True)
    subject, queue = await _read(conn, op_id, lock=True)
    batch = await ledger.begin(conn, queue, now, also)
    batch.is_again = True
    batch.blocked.discard(subject)
    for entry in queue:
        batch.conflicts |= await ledger.conflicts_before(conn, entry)
    return batch, queue


async def _read(conn: Connection, op_id: str, *, lock: bool) -> tuple[Key, list[Entry]]:
    queue = await parking.queue_of(conn, op_id, lock=lock)
    if not queue:
        raise Declined(404, "not-parked", "No such operation waits.")
    table, _slash, id_ = queue[0][0].partition("/")
    return (table, id_), [decode_entry(data) for _subject, data in queue]


async def _conclude(conn: Connection, batch: Batch, person: Person) -> None:
    """Write down what came of those that wait no longer; the others stay as they are, without another answer."""
    batch.judged = [judged for judged in batch.judged if not judged.is_parked]
    for number, judged in enumerate(batch.judged):
        _close(batch, judged, person, number)
    for judged in batch.judged:
        if judged.case == CaseKind.DUPLICATE_MEMBER:
            # Who could not be registered has lived under their own id since; all of it moves.
            away = judged.operation.subject
            batch.merges.append((away, batch.stays[away]))
    await parking.release(conn, [judged.entry.operation.op_id for judged in batch.judged])
    await parking.correct(conn, [(judged.entry, judged.outcome, judged.reason) for judged in batch.judged])
    await ledger.conclude(conn, batch)


def _close(batch: Batch, judged: Judged, person: Person, number: int) -> None:
    """The case that said that it waits is resolved by an event."""
    key = (Case.table, case_id(CaseKind.PARKED_OPERATION, judged.entry.operation.op_id))
    case: Case | None = batch.row(key)
    if case is None or case.state is not CaseState.OPEN:
        return
    remedy = Remedy.WRITE_OFF if judged.outcome == "refused" else Remedy.RECOVER
    decision = _decide(case, remedy, person, batch.now, number)
    batch.put(key, decision.effect(case))
    batch.followed.append(decision)


def _decide(case: Case, remedy: Remedy, person: Person, now: datetime, number: int) -> ResolveCase:
    op_id, staff, note = person
    return ResolveCase(
        op_id=op_id if not number else f"{op_id[:24]}{number:012x}",
        at=now,
        store="",
        staff=staff,
        case_id=case.id,
        remedy=remedy,
        amount_minor=case.open_minor,
        note=note,
    )


async def _drop_unread(conn: Connection, op_id: str, person: Person, now: datetime) -> list[Judged]:
    """Bytes that nobody could read: only that they are given up can be written down."""
    [(_op_id, data), *_rest] = await parking.queue_of(conn, op_id, lock=True)
    envelope, _named = decode_envelope(data)
    key = (Case.table, case_id(CaseKind.PARKED_OPERATION, op_id))
    known = await rows.load(conn, [key], lock=True)
    await conn.execute("update operation set outcome = 'refused', reason = %s where op_id = %s", [DROPPED, op_id])
    await parking.release(conn, [op_id])
    case: Case = known[key].row
    decision = _decide(case, Remedy.WRITE_OFF, person, now, 0)
    [entry] = await own_chain.write(conn, [decision])
    await ledger.remember(conn, Batch({}, now, judged=[Judged(entry, decision, "applied")]))
    saved = await rows.save(conn, [decision.effect(case)], known)
    answer = wire.AnswerBody(op_id, envelope.epoch, envelope.seq, "refused", "", DROPPED)
    entries = [*map(feed.entry, saved), feed.answer_entry(answer, revision=2)]
    await feed.publish(conn, {wire.stream_of(case.store): entries})
    return []
