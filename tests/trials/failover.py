"""Stores push through two central processes while the primary is killed and its synchronous standby takes over."""

from __future__ import annotations

import asyncio
import logging
import shutil
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any, cast

import psycopg

from tests.chain import Chain
from tests.invariants import check_converged, check_ledger, check_view
from tests.trials.branches import Branch, at_work, bind, until
from tests.trials.centre_process import running_centre
from tests.trials.servers import Pair, open_pair
from tests.trials.trial import Found, Trial

ASYNCHRONOUS = "asynchronous standby"
PLANTED = {
    ASYNCHRONOUS: "the primary waits for no standby, so that an answer may be lost with it",
    "cancelled commit": "a COMMIT whose wait for the standby was cancelled is answered as done",
    "pull ahead of the standby": "a pull says what only the primary has",
}
STORES = 4
PAUSE_S = 0.02
ANSWERS = 60
"""So many are answered between two things that happen."""
CANCELS = 15


class Lost(AssertionError):
    """Something that a store was told is not there any more."""


class Play:
    """One run: the servers, the centres, the stores, and what came of it."""

    def __init__(self, pair: Pair, branches: Sequence[Branch]) -> None:
        self.pair = pair
        self.branches = branches
        self.stores = {branch.id: branch for branch in branches}
        self.cancelled = 0
        self.away_s: list[float] = []

    async def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        """What the ledger answers to a query."""
        async with await psycopg.AsyncConnection.connect(self.pair.primary.url, autocommit=True) as conn:
            return await (await conn.execute(query.encode(), values)).fetchall()

    @property
    def chain(self) -> Chain:
        """As the invariants want it: they ask the ledger and look at the stores, and nothing else."""
        return cast("Chain", self)

    def answered(self) -> int:
        return sum(branch.client.answered for branch in self.branches)

    async def more(self, answers: int) -> None:
        wanted = self.answered() + answers
        await until(lambda: self.answered() >= wanted, "the stores are not answered")

    async def fail_over(self, *, cancels: bool, synchronous: bool) -> None:
        """Freeze the line to the standby under load, cancel what waits for it, kill the primary, promote."""
        await self.more(ANSWERS)
        incarnation = await self.ask("select value from setting where name = 'incarnation'")
        primary = self.pair.primary
        with primary.frozen_line():
            if not synchronous:
                await self.more(ANSWERS)
            else:
                await until(
                    lambda: primary.ask("select 1 from pg_stat_activity where wait_event = 'SyncRep'"), "no load"
                )
            for _turn in range(CANCELS if cancels else 0):
                self.cancelled += await asyncio.to_thread(primary.cancel_waiting)
                # So that others read, and try again, what was just cancelled.
                await asyncio.sleep(0.05)
            began = asyncio.get_running_loop().time()
            await asyncio.to_thread(self.pair.fail_over)
        await self.check_nothing_lost()
        assert await self.ask("select value from setting where name = 'incarnation'") == incarnation, "another life"
        await self.more(1)
        self.away_s.append(asyncio.get_running_loop().time() - began)
        await asyncio.to_thread(self.pair.follow)

    async def check_nothing_lost(self) -> None:
        """DURABLE, right after the standby took over: what was answered and what was read is there."""
        held = dict(await self.ask("select store, seq from device"))
        lost = {b.id: b.client.answered - held[b.id] for b in self.branches if b.client.answered > held[b.id]}
        if lost:
            raise Lost(f"DURABLE: {sum(lost.values())} answered operations of {len(lost)} stores are lost")
        heads = dict(await self.ask("select stream, position from head"))
        ahead = [
            stream
            for branch in self.branches
            for stream, position in branch.session.cursors().items()
            if position > heads.get(stream, 0)
        ]
        if ahead:
            raise Lost(f"FEED: {len(ahead)} streams were read by stores beyond where they end by now")

    async def check_all(self) -> None:
        """Once all is quiet."""
        for branch in self.branches:
            check_view(cast(Any, branch))
        await check_ledger(self.chain)
        await check_converged(self.chain)
        torn = await self.ask("select 1 from feed group by stream, group_end having max(position) <> group_end")
        assert not torn, "FEED: a group has no end"

    async def at_rest(self) -> bool:
        heads = dict(await self.ask("select stream, position from head"))
        ends = all(heads.get(s, 0) == at for b in self.branches for s, at in b.session.cursors().items())
        return ends and all(branch.is_quiet() for branch in self.branches)


async def _stories(play: Play, count: int, seed: int, plant: str) -> None:
    with at_work(play.branches, seed, PAUSE_S) as close_counters:
        for story in range(count):
            cancels = plant != ASYNCHRONOUS and story % 2 == 0
            await play.fail_over(cancels=cancels, synchronous=plant != ASYNCHRONOUS)
        await play.more(ANSWERS)
        close_counters()
        while not await play.at_rest():
            await asyncio.sleep(0.1)
    await play.check_all()


def _play(count: int, seed: int, plant: str) -> Found:
    # That the centre cannot be reached for a while is what is played, and no news.
    logging.getLogger("sync").addHandler(logging.NullHandler())
    folder = Path(tempfile.mkdtemp(prefix="store-agent-failover-"))
    failure = ""
    with ExitStack() as stack:
        stack.callback(shutil.rmtree, folder, ignore_errors=True)
        pair = stack.enter_context(open_pair(synchronous=plant != ASYNCHRONOUS))
        centres = [stack.enter_context(running_centre(pair.url, folder / name, plant)) for name in ("a", "b")]
        branches = bind(centres, STORES, folder, seed)
        for branch in branches:
            stack.callback(branch.replica.close)
        play = Play(pair, branches)
        try:
            asyncio.run(_stories(play, count, seed, plant))
        except AssertionError as error:
            failure = str(error).splitlines()[0]
        figures: dict[str, int | float | str] = {
            "failovers": len(play.away_s),
            "answered_operations": play.answered(),
            "cancelled_commits": play.cancelled,
            "s_away_at_most": round(max(play.away_s, default=0.0), 1),
        }
    return Found(figures=figures, failure=failure)


TRIAL = Trial(name="failover", about=__doc__ or "", count=2, unit="failovers", play=_play, plants=PLANTED)
