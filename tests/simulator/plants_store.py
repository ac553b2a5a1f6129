"""Bugs of a store: its replica, its session, its two loops."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

import msgspec

from store_agent.codec import encode_entry
from store_agent.domain.operation import Operation, Refusal
from store_agent.replica import Replica
from store_agent.replica.cache import Absorbed, Cache
from store_agent.replica.view import View
from sync.in_step import InStep
from sync.session import Session
from sync.wire import PushRequest
from tests.plants import PLANTS as OLDER
from tests.simulator.planting import Plant, instead, rewritten


@contextmanager
def _cursor_first() -> Iterator[None]:
    absorb = Cache.absorb

    def in_two(self: Cache, absorbed: Absorbed) -> None:
        absorb(self, Absorbed(cursors=absorbed.cursors))
        absorb(self, Absorbed(absorbed.rows, absorbed.answers))

    with patch.object(Cache, "absorb", in_two):
        yield


@contextmanager
def _one_by_one() -> Iterator[None]:
    accept = Replica.accept_drafted

    def each(self: Replica, draft: Callable[[], Sequence[Operation]]) -> Refusal | None:
        for operation in draft():
            if refusal := accept(self, lambda operation=operation: [operation]):  # type: ignore[misc]
                return refusal
        return None

    with patch.object(Replica, "accept_drafted", each):
        yield


def _encoded_anew(self: Session) -> PushRequest | None:
    entries = self.replica.outbox(self._batch)
    texts = [msgspec.json.encode(msgspec.json.decode(entry.data), order="sorted") for entry in entries]
    return PushRequest([msgspec.Raw(text) for text in texts]) if entries else None


def _named_anew(self: Session) -> PushRequest | None:
    entries = self.replica.outbox(self._batch)
    sent, before = [], entries[0].prev_hash if entries else ""
    for entry in entries:
        operation = replace(entry.operation, op_id=str(uuid.uuid4()))
        again = encode_entry(operation, entry.device, entry.epoch, entry.seq, before)
        before = again.hash
        sent.append(msgspec.Raw(again.data))
    return PushRequest(sent) if sent else None


def _newest(self: Replica, most: int) -> list[Any]:
    return list(self.journal.after(self.received()))[-most:]


async def _one_loop(self: InStep) -> None:
    async def both() -> None:
        if self._session.replica.outbox(1):
            await self.push_once()
        await self._pull_in_turn()

    await self._patiently("push", both)


STORE_PLANTS: dict[str, Plant] = {
    "overlay dropped on the push's reply": Plant(
        "the store takes the push's reply for the answer, though the rows with its effect have not come yet",
        OLDER["overlay dropped on the push's reply"],
    ),
    "cursor before rows": Plant("cursors are committed first, and then the rows that they stand for", _cursor_first),
    "cursor at the head": Plant(
        "the cursor is set to where the stream ends, and not to where the page ended",
        rewritten(Session, "absorb", "(page.position, page.head)", "(page.head, page.head)"),
    ),
    "everything received": Plant(
        "a push's reply marks all of the journal as received, also what was accepted meanwhile",
        rewritten(
            Session,
            "received",
            "held = Held(reply.epoch, reply.seq, reply.hash)",
            "last = self.replica.journal.last()\n"
            "        held = Held(last.epoch, last.seq, self.replica.journal.hash_at(last))",
        ),
    ),
    "encoded anew": Plant(
        "operations are encoded anew when they are sent, with the keys in another order",
        instead(Session, "draft", _encoded_anew),
    ),
    "named anew": Plant(
        "an operation gets its id when it is sent, so another one each time", instead(Session, "draft", _named_anew)
    ),
    "newest first": Plant("the outbox is cut to the newest operations", instead(Replica, "outbox", _newest)),
    "new cache holds all": Plant(
        "a cache that is new to the process is taken to hold all that the journal holds",
        rewritten(View, "_read_cache", "self._floor(cache), cache", "self._journal.last(), cache"),
    ),
    "merged and not moved": Plant(
        "what waits under a member's second id stays there when the two become one",
        rewritten(View, "_read_cache", "self._reread(self._waiting.merge(cache.merged(members)))", "pass"),
    ),
    "pull behind push": Plant("one loop pushes, and pulls once that went well", instead(InStep, "run", _one_loop)),
    "in several transactions": Plant("what happened together is written down one by one", _one_by_one),
}
