"""`busy`: something is accepted while the rows of a long pull are being absorbed, beside the same with nothing going on.

As in a store: one process has the seat and absorbs page after page as they come off the line, another is the terminal.
For information also both in one process, where a key waits until the page that is being absorbed is in.
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from itertools import count, islice
from pathlib import Path
from statistics import median
from time import perf_counter_ns
from typing import Any

import msgspec

from store_agent.codec import encode_row
from store_agent.demo.sample.people import make_holdings
from store_agent.desk.counter import Counter
from store_agent.domain.points import EarnPoints
from store_agent.domain.stores import Store
from store_agent.replica import Replica
from store_agent.replica.cache import Absorbed, Answer
from sync import wire
from sync.session import Session
from tests.benchmarks.harness import ROUNDS_LEAST, Effort, Row, Timed, fill, make_store
from tests.benchmarks.processes import Talker, talking
from tests.counter_fixture import NOW, STORE, absorb, counter_at, open_replica

NAME = "busy"
GOAL = 3.0
PAGE_ROWS = 2_000
HELD = 5_000
"""Members whom the store held before."""
KEY_EVERY_S = 0.02
"""In one process: so long after what came of one key the next one is pressed."""
LINE_S = 0.002
"""So long the process waits for the next page at least."""


def measure(sizes: Sequence[int], effort: Effort) -> list[Row]:
    """Rows for each number of rows that are absorbed meanwhile."""
    return [row for size in sizes for row in _measure_size(size, effort)]


def _measure_size(size: int, effort: Effort) -> list[Row]:
    with ExitStack() as stack:
        replica = stack.enter_context(make_store())
        absorb(replica, [Store(id=STORE, name={"en": "Bench"})])
        fill(replica, (held.member for held in make_holdings(HELD, NOW, seed=1)))
        seat = stack.enter_context(talking([sys.executable, "-m", "tests.benchmarks.busy", str(replica.folder)]))
        terminal = Terminal(replica)
        rounds = max(effort.rounds, ROUNDS_LEAST)
        apart, absorbed_a_second = _in_two(terminal, seat, size, rounds, effort.calls)
        together = asyncio.run(_in_one(terminal, max(PAGE_ROWS, size // 10), rounds))
    idle, busy = apart
    what = f"accept while {size:,} rows are absorbed"
    more: dict[str, Any] = {"name": NAME, "rival": "idle"}
    return [
        Row(what=f"{what} by the seat, p99", **_p99(busy, idle), goal=GOAL, **more),
        Row(what=f"{what} by the seat, p50", ours=busy.p50, theirs=idle.p50, ratio=busy.ratio(idle), **more),
        Row(what=f"{what} by the seat, worst", ours=_worst(busy), theirs=_worst(idle), **more),
        Row(what="rows absorbed by the seat meanwhile", ours=absorbed_a_second, unit="rows/s", name=NAME),
        Row(what=f"{what} in one process, from the key, p99", **_p99(together, idle), **more),
        Row(what=f"{what} in one process, from the key, p50", ours=together.p50, theirs=idle.p50, **more),
    ]


def _p99(busy: Timed, idle: Timed) -> dict[str, Any]:
    ratio = median(Timed([b]).p99 / Timed([i]).p99 for b, i in zip(busy.rounds, idle.rounds, strict=True))
    return {"ours": busy.p99, "theirs": idle.p99, "ratio": ratio}


def _worst(timed: Timed) -> float:
    return max(map(max, timed.rounds))


class Terminal:
    """Somebody at the counter, giving points to one member after the other."""

    def __init__(self, replica: Replica) -> None:
        self.replica = replica
        self._counter: Counter = counter_at(replica)
        self._members = [row[0] for row in replica.cache.db.conn.execute("select id from member")]
        self._numbers = count()

    def accept(self) -> float:
        """One acceptance; how long it took, in µs."""
        member_id = self._members[next(self._numbers) % len(self._members)]
        began = perf_counter_ns()
        counter = self._counter
        assert counter.accept(EarnPoints(**counter.named(), member_id=member_id, points=1)) is None
        return (perf_counter_ns() - began) / 1_000

    def answer(self) -> None:
        """What was accepted is answered, so that every round begins with nothing waiting."""
        entries = self.replica.view.waiting()
        answers = [Answer(entry.operation.op_id, entry.epoch, entry.seq, "applied") for entry in entries]
        self.replica.cache.absorb(Absorbed(answers=answers))
        gc.collect()


def _in_two(terminal: Terminal, seat: Talker, size: int, rounds: int, calls: int) -> tuple[tuple[Timed, Timed], float]:
    idle, busy = Timed([]), Timed([])
    seconds = 0.0
    for turn in range(rounds):
        seat.ask("make", size=size, turn=turn)
        for timed in (idle, busy):
            absorbing = Absorbing(seat) if timed is busy else None
            times: list[float] = []
            while len(times) < calls or (absorbing and absorbing.goes_on()):
                times.append(terminal.accept())
            seconds += absorbing.seconds() if absorbing else 0.0
            timed.rounds.append(times)
            terminal.answer()
    return (idle, busy), size * rounds / seconds


class Absorbing:
    """The seat at work; it says that it is done by a file, so that asking costs nothing."""

    def __init__(self, seat: Talker) -> None:
        self._seat = seat
        self._mark = Path(seat.said["mark"])
        seat.say("absorb")

    def goes_on(self) -> bool:
        return not self._mark.exists()

    def seconds(self) -> float:
        return float(self._seat.hear()["seconds"])


async def _in_one(terminal: Terminal, size: int, rounds: int) -> Timed:
    """A key is pressed again and again while this very process absorbs."""
    timed = Timed([])
    for turn in range(rounds):
        pages = Pages(terminal.replica, size, 1_000 + turn)
        absorbing = asyncio.create_task(_absorb(pages))
        times: list[float] = []
        pressed_ns = perf_counter_ns()
        while not absorbing.done():
            await asyncio.sleep(max(0.0, (pressed_ns - perf_counter_ns()) / 1e9))
            terminal.accept()
            times.append((perf_counter_ns() - pressed_ns) / 1_000)
            # Nobody presses a key before they have seen what came of the last one.
            pressed_ns = max(pressed_ns, perf_counter_ns()) + int(KEY_EVERY_S * 1e9)
        timed.rounds.append(times)
        terminal.answer()
    return timed


async def _absorb(pages: Pages) -> None:
    for page in pages.ready:
        await asyncio.sleep(LINE_S)
        pages.absorb(page)


class Pages:
    """Pages of a long pull as they come off the line, none of them seen before."""

    def __init__(self, replica: Replica, size: int, turn: int) -> None:
        self._session = Session(replica)
        cursors = self._session.cursors()
        replica.cache.keep(incarnation="bench")
        own = wire.stream_of(replica.store)
        members = (held.member for held in make_holdings(HELD + size, NOW, seed=1))
        rows = islice(members, HELD, HELD + size)
        position = cursors[own]
        chain = wire.StreamPage(cursors[wire.CHAIN], cursors[wire.CHAIN], [])
        self.ready: list[bytes] = []
        while part := list(islice(rows, PAGE_ROWS)):
            page = [
                wire.FeedRow(position + place, "member", row.id, turn + 1, msgspec.Raw(encode_row(row)))
                for place, row in enumerate(part, 1)
            ]
            position += len(page)
            streams = {wire.CHAIN: chain, own: wire.StreamPage(position, position, page)}
            self.ready.append(wire.encode(wire.PullReply("bench", streams)))

    def absorb(self, page: bytes) -> None:
        self._session.absorb(msgspec.json.decode(page, type=wire.PullReply))


def _sit(folder: Path) -> None:
    """The process in the seat: makes pages when told, and absorbs them when told."""
    with open_replica(folder) as replica:
        pages = None
        mark = folder / "absorbed"
        for line in sys.stdin:
            asked = json.loads(line)
            said: dict[str, Any] = {"mark": str(mark)}
            if asked["does"] == "make":
                mark.unlink(missing_ok=True)
                pages = Pages(replica, asked["size"], asked["turn"])
                gc.collect()
            elif pages:
                began = perf_counter_ns()
                for page in pages.ready:
                    pages.absorb(page)
                said["seconds"] = (perf_counter_ns() - began) / 1e9
                mark.touch()
            print(json.dumps(said), flush=True)


if __name__ == "__main__":
    _sit(Path(sys.argv[1]))
