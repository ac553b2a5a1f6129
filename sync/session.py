"""One store's side of keeping in step, without any I/O: what to say next, and what a reply means.

A lost reply is one that is never absorbed; nothing else is needed to be safe against it.
"""

from __future__ import annotations

import msgspec

from store_agent.replica import Replica
from store_agent.replica.cache import Absorbed, Answer, Arrival, Cache
from store_agent.trouble import Trouble
from store_agent.words import _
from sync.wire import ANSWER, CHAIN, AnswerBody, PullReply, PushReply, PushRequest, StreamPage, stream_of

BATCH_MOST = 500
PAGE_ROWS = 2000


class Rubbish(Trouble):
    """The centre's reply cannot be what a centre says. Nothing of it was taken."""


class Session:
    """What this store tells the centre, and what it takes from it."""

    def __init__(self, replica: Replica, *, batch_most: int = BATCH_MOST, page_rows: int = PAGE_ROWS) -> None:
        self.replica = replica
        self.page_rows = page_rows
        self._batch_most = batch_most
        self._batch = batch_most

    def draft(self) -> PushRequest | None:
        """The oldest operations that the centre has not received, as the bytes that were stored; None if there are none."""
        entries = self.replica.outbox_data(self._batch)
        return PushRequest([msgspec.Raw(data) for data in entries]) if entries else None

    def received(self, reply: PushReply) -> None:
        """The centre holds these: stop sending them. They stay over the rows until the stream says what came of them."""
        cache = self.replica.cache
        before, last = cache.received(), self.replica.journal.last()
        if (reply.epoch, reply.seq) > (last.epoch, last.seq):
            raise Rubbish(
                _("The centre says it holds operations that this store never sent."), _("Call the head office.")
            )
        self._meet(cache, reply.incarnation)
        if (reply.epoch, reply.seq) > (before.epoch, before.seq):
            cache.keep(received=f"{reply.epoch}.{reply.seq}")
        self._batch = min(self._batch * 2, self._batch_most)

    def halve(self) -> bool:
        """The last batch was too much for the line or the centre: send half as many. False where one was too many."""
        smaller = self._batch > 1
        self._batch = max(1, self._batch // 2)
        return smaller

    def cursors(self) -> dict[str, int]:
        """How far each of this store's streams was read."""
        return self.cursors_of(self.replica.cache)

    def cursors_of(self, cache: Cache) -> dict[str, int]:
        """The same of one cache, whether it is the one in use or one that is being made."""
        read = cache.cursors()
        return {stream: read.get(stream, (0, 0))[0] for stream in (CHAIN, stream_of(self.replica.store))}

    def absorb(self, reply: PullReply, into: Cache | None = None) -> int:
        """Take a reply's rows, answers and cursors in one transaction; returns how many rows it brought."""
        # One file throughout: if the cache is replaced meanwhile, nothing of this reply may stand in the new one.
        cache = into or self.replica.cache
        cursors = self.cursors_of(cache)
        rows: list[Arrival] = []
        answers: list[Answer] = []
        read: dict[str, tuple[int, int]] = {}
        for stream, page in reply.streams.items():
            if stream not in cursors:
                raise Rubbish(_("The centre sent another store's stream."), _("Call the head office."))
            self._check(page, cursors[stream])
            read[stream] = (page.position, page.head)
            for row in page.rows:
                if row.table == ANSWER:
                    answers.append(self._answer(bytes(row.body)))
                else:
                    rows.append(Arrival(row.table, row.id, row.revision, self._text(row.body)))
        self._meet(cache, reply.incarnation)
        cache.absorb(Absorbed(rows, answers, read))
        return len(rows) + len(answers)

    @staticmethod
    def _meet(cache: Cache, incarnation: str) -> None:
        known = cache.setting("incarnation")
        if not known:
            cache.keep(incarnation=incarnation)
        elif known != incarnation:
            raise Rubbish(
                _("The centre was restored or replaced since this store last spoke to it."),
                _("Work goes on with what the store knows. Call the head office."),
            )

    @staticmethod
    def _check(page: StreamPage, cursor: int) -> None:
        """Positions are gapless: a row that is missing would be missing for ever."""
        positions = [row.position for row in page.rows]
        gapless = positions == list(range(cursor + 1, cursor + 1 + len(positions)))
        if not gapless or page.position != cursor + len(positions) or page.head < page.position:
            raise Rubbish(_("The centre's reply leaves something out."), _("It will be asked again."))

    @staticmethod
    def _answer(body: bytes) -> Answer:
        try:
            answer = msgspec.json.decode(body, type=AnswerBody)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            raise Rubbish(_("The centre's answer makes no sense."), str(error)) from error
        return Answer(answer.op_id, answer.epoch, answer.seq, answer.outcome, body.decode())

    @staticmethod
    def _text(body: msgspec.Raw) -> str:
        try:
            return str(body, "utf-8")
        except UnicodeDecodeError as error:
            raise Rubbish(_("The centre's answer makes no sense."), str(error)) from error
