"""Keeping a store in step: two loops that know nothing of each other, one pushes and one pulls, each with its own patience.

A push that is stuck never keeps prices from arriving, and a pull that is stuck never keeps operations here.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime
from random import Random

from store_agent.clock import Clock
from store_agent.trouble import Trouble
from sync import wire
from sync.client import Client, EpochUnknown, Forked, Gone, Offline, TooMuch
from sync.session import Session
from sync.snapshot import Bootstrap

log = logging.getLogger(__name__)

FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 30.0
CONNECT_WITHIN_S = 2.0
"""Before a store speaks for the first time: power comes back to a whole street in the same second."""
LOOK_S = 0.5
"""How often the journal is looked at for what another terminal of this store accepted."""


@dataclass(frozen=True, slots=True)
class Contact:
    """What a store knows of its line: when it last heard from the centre, and since when it does not."""

    heard_at: datetime | None = None
    offline_since: datetime | None = None
    trouble: str = ""


class Backoff:
    """Waits longer after each failure, with full jitter, so that a thousand stores never come back in one second."""

    def __init__(self, random: Random, longest_s: float = LONGEST_PAUSE_S) -> None:
        self._random = random
        self._longest_s = longest_s
        self._failures = 0

    def succeeded(self) -> None:
        self._failures = 0

    def pause_s(self, asked_s: float = 0.0) -> float:
        """How long to wait now; never less than the centre asked for."""
        ceiling = min(self._longest_s, FIRST_PAUSE_S * 2**self._failures)
        self._failures = min(self._failures + 1, 16)
        return asked_s + self._random.uniform(0, ceiling)


class InStep:
    """Both loops of one store. `changed` is called after anything that a screen might show has changed."""

    def __init__(
        self,
        session: Session,
        client: Client,
        clock: Clock,
        random: Random,
        *,
        long_poll_s: float = 25.0,
        longest_pause_s: float = LONGEST_PAUSE_S,
        connect_within_s: float = CONNECT_WITHIN_S,
        changed: Callable[[], None] = lambda: None,
        bootstrap: Bootstrap | None = None,
    ) -> None:
        self._bootstrap = bootstrap
        self._session = session
        self._client = client
        self._clock = clock
        self._random = random
        self._long_poll_s = long_poll_s
        self._longest_pause_s = longest_pause_s
        self._connect_within_s = connect_within_s
        self._changed = changed
        self._poked = asyncio.Event()
        self._lost_since: dict[str, datetime] = {}
        self._server_at: datetime | None = None
        self._clock_ahead_s = 0
        self.contact = Contact()

    def poke(self) -> None:
        """Something was accepted: push it now rather than at the next look."""
        self._poked.set()

    async def run(self) -> None:
        """Keep in step until cancelled. The first connection too comes at a moment of its own (full jitter)."""
        await self._clock.sleep(self._random.uniform(0, self._connect_within_s))
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._patiently("push", self.push_once))
            tasks.create_task(self._patiently("pull", self._pull_in_turn))

    async def push_once(self) -> None:
        """Send the oldest operations that the centre does not hold; where there are none, wait for some."""
        if self._session.needs_epoch():
            await self._begin_epoch()
            return
        request = self._session.draft()
        if request is None:
            await self._wait_for_work()
            return
        reply: wire.PushReply | wire.SalvageReply
        try:
            if isinstance(request, wire.SalvageRequest):
                reply = await self._client.salvage(request)
            else:
                reply = await self._client.push(request)
        except TooMuch:
            if self._session.halve():
                return
            raise
        except Forked:
            # Not trouble of the line: nothing is accepted from now on, and the next step asks for a new epoch.
            self._session.freeze()
            self._changed()
            return
        except EpochUnknown:
            self._session.want_epoch()
            return
        self._session.received(reply)
        self._heard("push", reply.at)

    async def _begin_epoch(self) -> None:
        reply = await self._client.epoch(self._session.ask_epoch())
        self._session.begin_epoch(reply)
        self._heard("push", reply.at)
        self._changed()

    async def _pull_in_turn(self) -> None:
        """Ask again at once while there is more; but a centre that does not hold the line is not asked without pause."""
        began_s = self._clock.monotonic()
        if not await self.pull_once() and self._clock.monotonic() - began_s < LOOK_S:
            await self._clock.sleep(LOOK_S)

    async def pull_once(self) -> int:
        """Take what the centre has to say, how much it was; where that is nothing, it may hold the line for a while."""
        if self._bootstrap and self._bootstrap.is_wanted():
            return await self._take_snapshot(self._bootstrap)
        # Whether pushing works says nothing of this line: a stuck push must not turn waiting into asking without end.
        wait_s = 0.0 if self.contact.heard_at is None or "pull" in self._lost_since else self._long_poll_s
        session = self._session
        try:
            reply = await self._client.pull(session.cursors(), session.page_rows, wait_s, session.known())
        except Gone:
            if self._bootstrap is None:
                raise
            self._bootstrap.force()
            return await self._take_snapshot(self._bootstrap)
        frozen = session.replica.standing.frozen
        brought = session.absorb(reply)
        if session.replica.standing.frozen != frozen:
            # Frozen: the other loop asks for a new epoch at once. Thawed: the screen says so.
            self.poke()
            self._changed()
        self._heard("pull", reply.at)
        if brought:
            self._changed()
        return brought

    async def _take_snapshot(self, bootstrap: Bootstrap) -> int:
        is_new = await bootstrap.step()
        self._heard("pull", None)
        if is_new:
            self._changed()
        return 1

    async def _wait_for_work(self) -> None:
        self._poked.clear()
        try:
            async with asyncio.timeout(LOOK_S):
                await self._poked.wait()
        except TimeoutError:
            pass

    async def _patiently(self, direction: str, step: Callable[[], Awaitable[None]]) -> None:
        backoff = Backoff(self._random, self._longest_pause_s)
        while True:
            try:
                await step()
                backoff.succeeded()
            except Trouble as trouble:
                self._lost(direction, trouble)
                asked_s = trouble.pause_s if isinstance(trouble, Offline) else 0.0
                await self._clock.sleep(backoff.pause_s(asked_s))

    def _heard(self, direction: str, at: datetime | None) -> None:
        self._set_by(at)
        if self._lost_since.pop(direction, None):
            log.info("%s works again", direction)
        since = min(self._lost_since.values(), default=None)
        self._tell(Contact(self._clock.now(), since, self.contact.trouble if since else ""))

    def _set_by(self, at: datetime | None) -> None:
        """The centre's time counts where this machine's is behind it. It never goes back."""
        if at is None or at.tzinfo is None:
            return
        if self._server_at is None:
            before = self._session.replica.cache.setting("server_at")
            self._server_at = datetime.fromisoformat(before) if before else at
        self._server_at = max(self._server_at, at)
        self._clock_ahead_s = round((self._clock.now() - at).total_seconds())

    def _lost(self, direction: str, trouble: Trouble) -> None:
        if direction not in self._lost_since:
            log.warning("%s does not work: %s", direction, trouble.what)
        self._lost_since.setdefault(direction, self._clock.now())
        self._tell(Contact(self.contact.heard_at, min(self._lost_since.values()), str(trouble)))

    def _tell(self, contact: Contact) -> None:
        """Other terminals of this store read the state of the line from the cache."""
        turned = (contact.offline_since, contact.trouble) != (self.contact.offline_since, self.contact.trouble)
        self.contact = contact
        try:
            self._session.replica.cache.keep(
                heard_at=contact.heard_at.isoformat() if contact.heard_at else "",
                offline_since=contact.offline_since.isoformat() if contact.offline_since else "",
                trouble=contact.trouble,
                **self._time(),
            )
        except Trouble as trouble:
            # A full disk must not end the loops: what cannot be told now is told once there is room.
            log.warning("the state of the line cannot be kept: %s", trouble.what)
        if turned:
            self._changed()

    def _time(self) -> dict[str, str]:
        if self._server_at is None:
            return {}
        return {"server_at": self._server_at.isoformat(), "clock_ahead_s": str(self._clock_ahead_s)}
