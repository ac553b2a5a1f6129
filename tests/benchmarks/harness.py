"""Measuring in turns, and saying what came of it. Knows no benchmark.

Ours, theirs, ours, theirs: whatever else the machine is busy with falls on both. Python's garbage collection stays on,
as it is in a store, and what a turn left behind is collected between the turns.
"""

from __future__ import annotations

import gc
import os
import platform
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import date
from itertools import islice
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory
from time import perf_counter_ns
from typing import Any

from sqlcipher3 import dbapi2 as sqlcipher

from store_agent.codec import encode_row
from store_agent.replica import Replica
from store_agent.replica.cache import Absorbed, Arrival
from tests.counter_fixture import open_replica

ROUNDS_LEAST = 5
CHUNK_ROWS = 2_000
"""As many rows at once as a large page of the centre has."""

Work = Callable[[], object]
"""Does the next piece of work. What it needs was made ready before, so that only the work itself is timed."""


@dataclass(frozen=True, slots=True)
class Effort:
    """How long to measure: rounds of turns, and calls in each turn."""

    rounds: int = 9
    calls: int = 400
    rivals: bool = True
    """Whether rivals that have to be fetched take part."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One figure. Without a goal it only explains another; `goal` is the greatest ratio, or the least if `at_least`."""

    name: str
    what: str
    ours: float
    theirs: float | None = None
    unit: str = "µs"
    ratio: float | None = None
    goal: float | None = None
    at_least: bool = False
    rival: str = ""
    """What `theirs` is."""

    @property
    def met(self) -> bool | None:
        """Whether the goal is reached; None where there is none."""
        if self.goal is None or self.ratio is None:
            return None
        return self.ratio >= self.goal if self.at_least else self.ratio <= self.goal

    def as_json(self) -> dict[str, Any]:
        """For a machine."""
        return {**asdict(self), "met": self.met}


@dataclass(frozen=True, slots=True)
class Timed:
    """One kind of work: the time of every call in µs, by rounds."""

    rounds: list[list[float]]

    @property
    def p50(self) -> float:
        """The median of the rounds' medians."""
        return median(map(median, self.rounds))

    @property
    def p99(self) -> float:
        """99 of 100 calls of all rounds took no longer."""
        every = sorted(call for calls in self.rounds for call in calls)
        return every[min(len(every) - 1, len(every) * 99 // 100)]

    def ratio(self, theirs: Timed) -> float:
        """The median of what each round says: within a round both had the same machine."""
        return median(median(a) / median(b) for a, b in zip(self.rounds, theirs.rounds, strict=True))


def in_turns(effort: Effort, works: dict[str, Callable[[int], Work]], between: Work = lambda: None) -> dict[str, Timed]:
    """Time each work, turn by turn. A work is asked once a turn, with the number of calls, for what is then called."""
    timed = {name: Timed([]) for name in works}
    for turn in range(max(effort.rounds, ROUNDS_LEAST)):
        # The one who begins has a colder cache, so they take turns in that too.
        for name in list(works) if turn % 2 else reversed(list(works)):
            work = works[name](effort.calls)
            gc.collect()
            calls = []
            for _call in range(effort.calls):
                began = perf_counter_ns()
                work()
                calls.append((perf_counter_ns() - began) / 1_000)
            timed[name].rounds.append(calls)
            between()
    return timed


def by_rate(name: str, what: str, unit: str, count: int, ours: Timed, theirs: Timed | None = None, **more: Any) -> Row:
    """So many a second, where a call does `count` of them; the ratio says how many times as fast as theirs ours is."""
    row = Row(name=name, what=what, unit=unit, ours=count / ours.p50 * 1e6, at_least=True, **more)
    if theirs is None:
        return row
    return replace(row, theirs=count / theirs.p50 * 1e6, ratio=theirs.ratio(ours))


def walk(values: Sequence[Any], do: Callable[[Any], object]) -> Callable[[int], Work]:
    """Work on one value after the other, from where the last turn ended."""
    place = -1

    def work() -> object:
        nonlocal place
        place += 1
        return do(values[place % len(values)])

    return lambda calls: work


@contextmanager
def make_store() -> Iterator[Replica]:
    """An enrolled store with nothing in it, encrypted, on the disk where temporary files are."""
    with TemporaryDirectory(prefix="store-agent-bench-") as folder, open_replica(Path(folder)) as replica:
        yield replica


def fill(replica: Replica, rows: Iterator[Any]) -> float:
    """Absorb rows as they come from the centre, page by page; returns rows/s of absorbing alone."""
    count, spent_ns = 0, 0
    while arrivals := [Arrival(row.table, row.id, 1, encode_row(row).decode()) for row in islice(rows, CHUNK_ROWS)]:
        began = perf_counter_ns()
        replica.cache.absorb(Absorbed(rows=arrivals))
        spent_ns += perf_counter_ns() - began
        count += len(arrivals)
    return count / max(spent_ns, 1) * 1e9


def machine() -> str:
    """What all this was measured on, and when."""
    python, sqlite = platform.python_version(), sqlcipher.sqlite_version
    return f"{date.today()}: {os.cpu_count()} cores, Python {python}, SQLite {sqlite} (SQLCipher), GC on"
