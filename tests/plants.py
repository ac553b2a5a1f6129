"""Bugs to plant, each one that somebody would really make; a test that does not find it proves nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch
from uuid import uuid4

from store_agent.codec import decode_envelope
from store_agent.domain.cases import Case
from store_agent.domain.overshoots import worth
from store_agent.replica.cache import Absorbed, Answer
from sync.central import cases, devices, exchange, feed, judging, ledger
from sync.central.ground import Connection
from sync.session import Session
from sync.wire import PushReply


@contextmanager
def _overlay_dropped_on_reply() -> Iterator[None]:
    """The store takes the push's reply for the answer, though the rows with its effect have not come yet."""
    received = Session.received

    def too_early(self: Session, reply: PushReply) -> None:
        answers = [
            Answer(entry.operation.op_id, entry.epoch, entry.seq, "applied")
            for entry in self.replica.outbox(1000)
            if entry.seq <= reply.seq
        ]
        received(self, reply)
        self.replica.cache.absorb(Absorbed(answers=answers))

    with patch.object(Session, "received", too_early):
        yield


@contextmanager
def _no_deduplication() -> Iterator[None]:
    """The centre applies whatever comes, as if it had never seen it; its log swallows the repeat."""
    lock = devices.lock
    push = exchange._push
    remember = ledger.remember
    before_first: dict[str, tuple[int, str]] = {}

    async def from_the_first(conn: Connection, device: devices.Device, request: Any, now: Any, **how: Any) -> PushReply:
        envelope, _op_id = decode_envelope(bytes(request.operations[0]))
        before_first[device.id] = (envelope.seq - 1, envelope.prev_hash)
        return await push(conn, device, request, now, **how)

    async def unchecked(conn: Connection, device: devices.Device, op_ids: Any) -> None:
        return None

    async def forgetful(conn: Connection, device: devices.Device) -> devices.Device:
        known = await lock(conn, device)
        seq, last_hash = before_first[device.id]
        return devices.Device(known.id, known.store, known.epoch, seq, last_hash)

    async def swallow(conn: Connection, batch: judging.Batch) -> None:
        ids = [judged.entry.operation.op_id for judged in batch.judged]
        await conn.execute("delete from operation where op_id = any(%s)", [ids])
        await remember(conn, batch)

    with (
        patch.object(devices, "lock", forgetful),
        patch.object(exchange, "_push", from_the_first),
        patch.object(exchange, "_check_new", unchecked),
        patch.object(ledger, "remember", swallow),
    ):
        yield


@contextmanager
def _sequence_for_heads() -> Iterator[None]:
    """Positions from a sequence (which the test makes): handed out in the order of asking, not of committing."""

    async def from_sequence(conn: Connection, stream: str, count: int) -> int:
        position = 0
        for _n in range(count):
            row = await (await conn.execute("select nextval('planted')")).fetchone()
            assert row is not None
            position = int(row[0])
        return position

    with patch.object(feed, "_advance", from_sequence):
        yield


@contextmanager
def _cases_with_ids_of_chance() -> Iterator[None]:
    """A case has an id of its own, so that nothing notices that it is there already; both tries write theirs."""
    open_case, not_yet_open = cases.open_case, cases.not_yet_open
    kept: list[Case] = []

    def by_chance(*what: Any) -> Case:
        return replace(open_case(*what), id=uuid4().hex)

    async def all_of_them(conn: Connection, opened: Any) -> list[Case]:
        kept.extend(case for case in opened if case not in kept)
        return await not_yet_open(conn, kept)

    with patch.object(cases, "open_case", by_chance), patch.object(cases, "not_yet_open", all_of_them):
        yield


@contextmanager
def _whole_amount() -> Iterator[None]:
    """A case is opened for all that the operation was worth."""
    with patch.object(cases, "overshoot", lambda operation, _before, _after: worth(operation)):
        yield


@contextmanager
def _case_remembered_too_early() -> Iterator[None]:
    """A process notes which cases it has opened before that is committed."""
    not_yet_open = cases.not_yet_open
    noted: set[str] = set()

    async def but_noted(conn: Connection, opened: Any) -> list[Case]:
        fresh = [case for case in await not_yet_open(conn, opened) if case.id not in noted]
        noted.update(case.id for case in fresh)
        return fresh

    with patch.object(cases, "not_yet_open", but_noted):
        yield


PLANTS: dict[str, Callable[[], AbstractContextManager[None]]] = {
    "overlay dropped on the push's reply": _overlay_dropped_on_reply,
    "no deduplication at the centre": _no_deduplication,
    "a sequence instead of head rows": _sequence_for_heads,
    "two cases for one limit": _cases_with_ids_of_chance,
    "a case of the whole operation": _whole_amount,
    "a case lost when its transaction is done again": _case_remembered_too_early,
}
