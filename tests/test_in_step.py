"""The two loops: each with its own patience, neither in the way of the other, and never in a hurry for nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any, cast
from unittest.mock import patch

import msgspec
import pytest

from store_agent.replica import Replica
from store_agent.trouble import Trouble
from sync import wire
from sync.client import Client, Offline, TooMuch
from sync.in_step import CONNECT_WITHIN_S, FIRST_PAUSE_S, LONGEST_PAUSE_S, Backoff, InStep
from sync.session import Session
from tests.standing_clock import StandingClock
from tests.test_replica import begin, note

OUT = Offline("The centre cannot be reached.")
MANY = 50


class Line:
    """Answers as it is told, and counts how often it was asked and how long it was to wait."""

    def __init__(self) -> None:
        self.push_says: Callable[[wire.PushRequest], wire.PushReply] = lambda request: self.all_held(request)
        self.pull_says: Callable[[dict[str, int]], Awaitable[wire.PullReply]] = self.nothing
        self.pushed: list[int] = []
        self.waits_s: list[float] = []

    async def push(self, request: wire.PushRequest) -> wire.PushReply:
        self.pushed.append(len(request.operations))
        return self.push_says(request)

    async def pull(
        self, cursors: dict[str, int], page_rows: int, wait_s: float = 0.0, known: object = None
    ) -> wire.PullReply:
        self.waits_s.append(wait_s)
        return await self.pull_says(cursors)

    @staticmethod
    def all_held(request: wire.PushRequest) -> wire.PushReply:
        last = msgspec.json.decode(request.operations[-1])
        return wire.PushReply(last["epoch"], last["seq"], "i")

    @staticmethod
    async def nothing(cursors: dict[str, int]) -> wire.PullReply:
        return wire.PullReply("i", {stream: wire.StreamPage(at, at, []) for stream, at in cursors.items()})


@pytest.fixture
def replica(tmp_path: Path) -> Iterator[Replica]:
    with begin(tmp_path) as replica:
        for n in range(3):
            note(replica, str(n))
        yield replica


def loops(replica: Replica, line: Line, clock: StandingClock, **how: Any) -> InStep:
    session = Session(replica, batch_most=4)
    return InStep(session, cast("Client", line), clock, Random(1), connect_within_s=0, **how)


async def run_until(in_step: InStep, done: Callable[[], bool]) -> None:
    running = asyncio.create_task(in_step.run())
    try:
        async with asyncio.timeout(10):
            while not done():
                assert not running.done(), running.exception()
                await asyncio.sleep(0)
    finally:
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)


def raising(error: Exception) -> Callable[..., Any]:
    def answer(_asked: object) -> Any:
        raise error

    return answer


async def test_a_stuck_push_keeps_nothing_from_arriving_and_no_one_busy(replica: Replica, clock: StandingClock) -> None:
    line = Line()
    line.push_says = raising(Trouble("The centre did not take the request (409)."))
    in_step = loops(replica, line, clock, long_poll_s=25)
    await run_until(in_step, lambda: len(line.waits_s) >= MANY)
    assert line.waits_s[0] == 0
    assert set(line.waits_s[1:]) == {25}, "the other line waits at the centre as always"
    assert in_step.contact.offline_since is not None
    assert "409" in in_step.contact.trouble
    assert replica.cache.setting("trouble") == in_step.contact.trouble, "other terminals read it"


async def test_a_stuck_pull_keeps_nothing_from_being_sent(replica: Replica, clock: StandingClock) -> None:
    line = Line()
    line.pull_says = raising(OUT)
    in_step = loops(replica, line, clock)
    await run_until(in_step, lambda: not replica.outbox(1))
    assert line.pushed[0] == 4


async def test_a_centre_that_holds_no_line_is_not_asked_without_pause(replica: Replica, clock: StandingClock) -> None:
    line = Line()
    await run_until(loops(replica, line, clock, long_poll_s=25), lambda: len(line.waits_s) >= MANY)
    assert clock.passed_s >= MANY * 0.4


async def test_a_batch_that_is_too_much_is_halved_until_it_goes_through(replica: Replica, clock: StandingClock) -> None:
    line = Line()

    def only_one(request: wire.PushRequest) -> wire.PushReply:
        if len(request.operations) > 1:
            raise TooMuch("413")
        return Line.all_held(request)

    line.push_says = only_one
    await run_until(loops(replica, line, clock), lambda: not replica.outbox(1))
    assert line.pushed == [4, 2, 1, 2, 1, 2, 1, 1]


async def test_one_operation_that_is_too_much_is_tried_again_later(replica: Replica, clock: StandingClock) -> None:
    line = Line()
    line.push_says = raising(TooMuch("The centre took too long to answer."))
    await run_until(loops(replica, line, clock), lambda: len(line.pushed) >= 20)
    assert line.pushed[:3] == [4, 2, 1]
    assert set(line.pushed[3:]) == {1}
    assert clock.passed_s > 0.5


async def test_the_line_is_known_to_work_again_once_both_ways_do(replica: Replica, clock: StandingClock) -> None:
    line = Line()
    line.pull_says = raising(OUT)
    in_step = loops(replica, line, clock, long_poll_s=25)
    began = clock.now()
    await run_until(in_step, lambda: len(line.waits_s) >= 5)
    assert in_step.contact.offline_since == began
    assert set(line.waits_s[1:]) == {0}, "whether it works again is known at once"
    line.pull_says = Line.nothing
    await run_until(in_step, lambda: in_step.contact.offline_since is None)
    assert in_step.contact.trouble == ""
    assert replica.cache.setting("offline_since") == ""


async def test_a_full_disk_does_not_end_the_loops(replica: Replica, clock: StandingClock) -> None:
    line = Line()
    line.push_says = line.pull_says = raising(OUT)
    in_step = loops(replica, line, clock)
    with patch.object(replica.cache, "keep", side_effect=Trouble("The disk is full.")):
        await run_until(in_step, lambda: len(line.waits_s) >= 10 and len(line.pushed) >= 5)
    assert in_step.contact.trouble


async def test_what_is_accepted_is_pushed_at_once(replica: Replica, clock: StandingClock) -> None:
    line = Line()
    in_step = loops(replica, line, clock)
    loop = asyncio.get_running_loop()
    running = asyncio.create_task(in_step.run())
    while replica.outbox(1):
        await asyncio.sleep(0)
    note(replica, "now")
    began = loop.time()
    in_step.poke()
    while replica.outbox(1):
        await asyncio.sleep(0)
    assert loop.time() - began < 0.3, "sooner than the next look"
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


class FirstSleep(StandingClock):
    """Ends whoever sleeps, and remembers how long that was to be."""

    async def sleep(self, pause_s: float) -> None:
        self.passed_s += pause_s
        raise TimeoutError


async def test_a_thousand_stores_that_start_at_once_do_not_connect_at_once(replica: Replica) -> None:
    first = []
    for seed in range(1000):
        line, clock = Line(), FirstSleep()
        in_step = InStep(Session(replica), cast("Client", line), clock, Random(seed))
        with pytest.raises(TimeoutError):
            await in_step.run()
        assert (line.pushed, line.waits_s) == ([], []), "nobody is asked before that"
        first.append(clock.passed_s)
    crowds = [sum(n <= at / CONNECT_WITHIN_S * 10 < n + 1 for at in first) for n in range(10)]
    assert min(crowds) > 50, "full jitter: from nothing to the longest"
    assert max(crowds) < 200


async def test_a_busy_centre_is_left_alone_for_as_long_as_it_asks(replica: Replica, clock: StandingClock) -> None:
    line = Line()
    asked_at: list[float] = []

    def busy(_request: wire.PushRequest) -> wire.PushReply:
        asked_at.append(clock.passed_s)
        raise Offline("The centre is busy.", pause_s=7)

    line.push_says = busy
    in_step = InStep(Session(replica), cast("Client", line), clock, Random(1))
    pushing = asyncio.create_task(in_step._patiently("push", in_step.push_once))
    while len(asked_at) < 20:
        await asyncio.sleep(0)
    pushing.cancel()
    pauses = [later - earlier for earlier, later in pairwise(asked_at)]
    assert all(7 <= pause <= 7 + LONGEST_PAUSE_S for pause in pauses)


def test_pauses_grow_with_full_jitter_and_never_below_what_was_asked() -> None:
    pauses = []
    for seed in range(400):
        backoff = Backoff(Random(seed))
        pauses.append([backoff.pause_s() for _failure in range(10)])
    for failure in range(10):
        ceiling = min(LONGEST_PAUSE_S, FIRST_PAUSE_S * 2**failure)
        of_all = [one[failure] for one in pauses]
        assert 0 <= min(of_all) < ceiling * 0.1, "full jitter: from nothing"
        assert ceiling * 0.9 < max(of_all) <= ceiling
    backoff = Backoff(Random(1))
    for _failure in range(2000):
        assert 7 <= backoff.pause_s(7) <= 7 + LONGEST_PAUSE_S
    backoff.succeeded()
    assert backoff.pause_s() <= FIRST_PAUSE_S
