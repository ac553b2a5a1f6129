"""One store's side of keeping in step, without any I/O: what to say next, and what a reply means.

A lost reply is one that is never absorbed; nothing else is needed to be safe against it.
"""

from __future__ import annotations

import logging

import msgspec

from store_agent.replica import Replica
from store_agent.replica.cache import Absorbed, Answer, Arrival, Cache
from store_agent.replica.journal import FIRST_HASH, Place
from store_agent.replica.standing import Freeze
from store_agent.trouble import Trouble
from store_agent.words import _
from sync.wire import (
    ANSWER,
    CHAIN,
    AnswerBody,
    EpochReply,
    EpochRequest,
    Held,
    PullReply,
    PushReply,
    PushRequest,
    SalvageReply,
    SalvageRequest,
    StreamPage,
    stream_of,
)

log = logging.getLogger(__name__)

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
        self._is_centre_behind = False
        """The centre knows nothing of this store's epoch: a new one is wanted, though nothing is wrong here."""

    def draft(self) -> PushRequest | SalvageRequest | None:
        """The oldest operations that the centre has not received, as the bytes that were stored; None if there are none.

        What is left of an epoch that was closed goes first, by its ids alone: it is never numbered anew.
        """
        waiting = self.replica.outbox_data(self._batch)
        if not waiting:
            return None
        epoch = self.replica.epoch
        first = waiting[0][0]
        operations = [msgspec.Raw(data) for of, data in waiting if of == first]
        return PushRequest(operations) if first == epoch else SalvageRequest(epoch, operations)

    def received(self, reply: PushReply | SalvageReply) -> None:
        """The centre holds these: stop sending them. They stay over the rows until the stream says what came of them."""
        if not self._meet(self.replica.cache, reply.incarnation):
            return
        if isinstance(reply, PushReply):
            held = Held(reply.epoch, reply.seq, reply.hash)
            if self._compare(held):
                self._receive(held)
        else:
            for held in filter(None, (Held(reply.epoch, reply.seq, reply.hash), reply.closed)):
                self._receive(held)
        self._batch = min(self._batch * 2, self._batch_most)

    def _receive(self, held: Held) -> None:
        """Only where this journal has the very same there: else the centre speaks of another one."""
        place = Place(held.epoch, held.seq)
        before, own = self.replica.received(), self.replica.journal.hash_at(place)
        if own and own == (held.hash or own) and (held.epoch, held.seq) > (before.epoch, before.seq):
            self.replica.cache.keep(received=f"{held.epoch}.{held.seq}.{own}")

    def _compare(self, held: Held) -> bool:
        """Whether the centre's end of this device's chain is in this journal; if not, nothing more is accepted."""
        standing, epoch = self.replica.standing, self.replica.epoch
        if held.epoch < epoch:
            return True  # A reply of before the new epoch; a centre that is behind says so itself.
        own = self.replica.journal.hash_at(Place(held.epoch, held.seq))
        if held.epoch > epoch:
            if self._is_centre_behind:
                return False  # The new epoch that was just asked for; its own reply is on the way.
            why = Freeze.OTHER_EPOCH
        elif not held.seq or (own and own == (held.hash or own)):
            return True
        else:
            why = Freeze.FORKED if own else Freeze.ROLLED_BACK
        log.error("the centre holds %s.%s of this device and this journal does not: %s", held.epoch, held.seq, why)
        standing.freeze(why)
        return False

    def freeze(self) -> None:
        """The centre declined what this journal holds: somebody else wrote as this device."""
        self.replica.standing.freeze(Freeze.FORKED)

    def want_epoch(self) -> None:
        """The centre is behind this store's epoch, after it was restored: work goes on, in a new one."""
        self._is_centre_behind = True

    def needs_epoch(self) -> bool:
        """Whether the centre has to be asked for a new epoch before anything else is sent."""
        return self._is_centre_behind or self.replica.standing.needs_epoch(self.replica.cache.setting("incarnation"))

    def ask_epoch(self) -> EpochRequest:
        """Who asks, where its journal ends, and why."""
        journal = self.replica.journal
        last = journal.last()
        reason = self.replica.standing.frozen or "centre-behind"
        seq = last.seq if last.epoch == self.replica.epoch else 0
        return EpochRequest(self.replica.epoch, seq, journal.hash_at(last) if seq else FIRST_HASH, reason)

    def begin_epoch(self, reply: EpochReply) -> None:
        """Go on in a new chain; what was left of the old ones is sent by its ids."""
        replica = self.replica
        if reply.epoch <= replica.epoch or set(reply.heads) != set(self.cursors()):
            raise Rubbish(_("The centre's answer makes no sense."), _("It will be asked again."))
        self._meet(replica.cache, reply.incarnation)
        replica.standing.begin_epoch(replica.device, reply.epoch, reply.incarnation, reply.heads)
        self._is_centre_behind = False
        log.warning("this device writes in epoch %s from now on", reply.epoch)
        self._thaw()

    def _thaw(self) -> None:
        cache = self.replica.cache
        if self.replica.standing.thaw(cache.setting("incarnation"), self.cursors_of(cache)):
            log.warning("this store has caught up and accepts again")

    def known(self) -> dict[str, str]:
        """What the centre once told, so that one which was restored notices."""
        incarnation, place = self.replica.cache.setting("incarnation"), self.replica.received()
        if not incarnation:
            return {}
        return {"incarnation": incarnation, "received": f"{place.epoch}.{place.seq}"}

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
        if self._is_another(cache, reply.incarnation):
            # Its positions are not those that were asked for: nothing of this reply can be taken but the name.
            self._meet(cache, reply.incarnation)
            return 1
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
        if reply.held:
            self._compare(reply.held)
        cache.absorb(Absorbed(rows, answers, read))
        if answers:
            self.replica.raise_floor()
        told = cache.cursors().values()
        if told and cache.setting("catching_up") and all(position == head for position, head in told):
            cache.keep(catching_up="")
        self._thaw()
        return len(rows) + len(answers)

    @staticmethod
    def _is_another(cache: Cache, incarnation: str) -> bool:
        return cache.setting("incarnation") not in ("", incarnation)

    def _meet(self, cache: Cache, incarnation: str) -> bool:
        """Whether this is the centre that told what this store knows. Another life of it is read from the beginning."""
        if incarnation in cache.setting("past_incarnations").split():
            raise Rubbish(
                _("A centre answers that was replaced by another one."),
                _("Work goes on with what the store knows. Call the head office."),
            )
        if self._is_another(cache, incarnation):
            log.warning("the centre was restored: it is read anew, and what it lacks is sent again")
            cache.forget(incarnation)
            return False
        if not cache.setting("incarnation"):
            cache.keep(incarnation=incarnation)
        return True

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
