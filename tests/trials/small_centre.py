"""A centre in memory: what the real one says to one store, by the same rules, and all that it ever said."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import dataclass, field

import msgspec

from store_agent.codec import decode_entry, encode_row
from store_agent.domain.operation import Row
from store_agent.replica.journal import FIRST_HASH
from sync.wire import ANSWER, CHAIN, AnswerBody, FeedRow, PullReply, PushReply, PushRequest, StreamPage, stream_of

INCARNATION = "small"


@dataclass(frozen=True, slots=True)
class Known:
    """What stands in a stream up to one position: every row with its revision, and which operations are included."""

    rows: dict[tuple[str, str], tuple[int, Row]] = field(default_factory=dict)
    included: frozenset[str] = frozenset()


class SmallCentre:
    """One store's two streams. Nothing that was said is changed later, so a copy of it is cheap."""

    def __init__(self, store: str) -> None:
        self.streams: dict[str, tuple[tuple[FeedRow, ...], ...]] = {CHAIN: (), stream_of(store): ()}
        """By stream: groups of rows, each of one transaction."""
        self.known: dict[str, dict[int, Known]] = {stream: {0: Known()} for stream in self.streams}
        """By stream and position at which a group ends."""
        self._own = stream_of(store)
        self.seq, self.last_hash = 0, FIRST_HASH

    def copy(self) -> SmallCentre:
        """The centre as it stands now, going its own way from here."""
        other = copy(self)
        other.streams = dict(self.streams)
        other.known = {stream: dict(known) for stream, known in self.known.items()}
        return other

    def write(self, stream: str, *rows: Row) -> None:
        """Rows that the head office makes or changes, in one transaction."""
        self._say(stream, rows, ())

    def push(self, request: PushRequest) -> PushReply:
        """What the centre does not hold yet, each operation in a transaction of its own."""
        for raw in request.operations:
            entry = decode_entry(bytes(raw))
            if entry.seq <= self.seq:
                continue
            assert (entry.seq, entry.prev_hash) == (self.seq + 1, self.last_hash), "ORDER: the store's chain was broken"
            operation = entry.operation
            before = self._now().rows.get((operation.table, operation.subject), (0, None))[1]
            outcome = "applied_with_case" if operation.judge(before) else "applied"
            answer = AnswerBody(operation.op_id, entry.epoch, entry.seq, outcome)
            after = operation.effect(before)
            self._say(self._own, [after] if after is not None else [], [answer])
            self.seq, self.last_hash = entry.seq, entry.hash
        return PushReply(1, self.seq, INCARNATION)

    def pull(self, cursors: dict[str, int], most: int) -> PullReply:
        """The next rows behind each cursor, ending where a group ends."""
        return PullReply(INCARNATION, {stream: self._page(stream, cursor, most) for stream, cursor in cursors.items()})

    def _page(self, stream: str, cursor: int, most: int) -> StreamPage:
        rows: list[FeedRow] = []
        for group in self.streams[stream]:
            if group[0].position > cursor and (not rows or len(rows) + len(group) <= most):
                rows += group
        head = self.streams[stream][-1][-1].position if self.streams[stream] else 0
        return StreamPage(rows[-1].position if rows else cursor, head, rows)

    def _now(self) -> Known:
        return self.known[self._own][max(self.known[self._own])]

    def _say(self, stream: str, rows: Sequence[Row], answers: Sequence[AnswerBody]) -> None:
        position = max(self.known[stream])
        known = self.known[stream][position]
        kept = dict(known.rows)
        group: list[FeedRow] = []
        for row in rows:
            revision = kept.get((row.table, row.id), (0, None))[0] + 1
            kept[row.table, row.id] = (revision, row)
            position += 1
            group.append(FeedRow(position, row.table, row.id, revision, msgspec.Raw(encode_row(row))))
        for answer in answers:
            position += 1
            body = msgspec.Raw(msgspec.json.encode(answer))
            group.append(FeedRow(position, ANSWER, answer.op_id, 1, body))
        self.streams[stream] = (*self.streams[stream], tuple(group))
        included = known.included | {answer.op_id for answer in answers}
        self.known[stream][position] = Known(kept, included)
