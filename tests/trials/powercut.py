"""The power goes at any write or sync of a store's two files; it comes up with all that was confirmed, once."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from random import Random

from sqlcipher3 import dbapi2 as sqlcipher

from store_agent.trouble import Trouble
from tests.standing_clock import StandingClock
from tests.trials.after_cut import Broken, check
from tests.trials.day import Day, Terminal, play_day
from tests.trials.disk import Act, Did, written_down
from tests.trials.power import Disk
from tests.trials.powercut_plants import LYING, PLANTS
from tests.trials.small_ballast import small_ballast
from tests.trials.trial import Found, Trial

CUTS_A_DAY = 50
STEPS = 40
AGAIN = 0.3
"""How often the power goes a second time, while the store comes up."""
MEMORY = Path("/dev/shm")
"""What no disk needs to keep is faster there."""


def _play(count: int, seed: int, plant: str) -> Found:
    # Cuts are numbered through all days that there are, so that one number says the day, the moment and what was left.
    figures = {"cuts": 0, "days": 0, "acts": 0, "operations_confirmed": 0, "lost": 0, "torn": 0}
    numbers = range(seed, seed + count)
    where = MEMORY if MEMORY.is_dir() else None
    with small_ballast(), tempfile.TemporaryDirectory(dir=where) as folder:
        for day_number in range(numbers[0] // CUTS_A_DAY, numbers[-1] // CUTS_A_DAY + 1):
            first = day_number * CUTS_A_DAY
            cuts = [n for n in range(first, first + CUTS_A_DAY) if n in numbers]
            began = Path(folder) / f"day-{day_number}"
            began.mkdir()
            with PLANTS[plant].day() if plant else nullcontext():
                day = play_day(began, day_number, STEPS)
            figures["days"] += 1
            figures["acts"] += len(day.acts)
            figures["operations_confirmed"] += len(day.confirmed)
            with PLANTS[plant].after() if plant else nullcontext():
                for number, acts, failure in _cut(day, day_number, cuts, Path(folder), is_lying=plant == LYING):
                    figures["cuts"] += 1
                    if failure:
                        return Found(figures=figures, failure=failure, details=_details(day, acts), seed=number)
    return Found(figures=figures)


def _cut(day: Day, day_number: int, cuts: list[int], folder: Path, *, is_lying: bool) -> Iterator[tuple[int, int, str]]:
    """(number, acts before it, what broke) of each cut of a day."""
    moments = _moments(day.acts, Random(day_number))
    after = {number: moments[number % CUTS_A_DAY] for number in cuts}
    disk, done = Disk(is_lying=is_lying), 0
    for number in sorted(after, key=lambda number: (after[number], number)):
        for act in day.acts[done : after[number]]:
            disk.take(act)
        done = after[number]
        left, random = folder / f"cut-{number}", Random(number)
        left.mkdir()
        disk.after_cut(random, left)
        yield number, done, _look(left, day, done, random)


def _cut_again(left: Path, random: Random) -> tuple[Path, set[str]]:
    """The power goes once more while the store comes up and accepts something; what is left, and what was confirmed."""
    disk, again = Disk.of(left), left.with_name(f"{left.name}-again")
    confirmed: list[tuple[int, str]] = []
    with written_down(left) as recorder:
        clock = StandingClock()
        clock.move(hours=12)
        terminal = Terminal(left, random, clock, "dan", lambda op_id: confirmed.append((len(recorder.acts), op_id)))
        with terminal.replica as replica:
            terminal.accept()
            replica.rest()
            terminal.accept()
    after = random.randint(0, len(recorder.acts))
    for act in recorder.acts[:after]:
        disk.take(act)
    again.mkdir()
    disk.after_cut(random, again)
    return again, {op_id for until, op_id in confirmed if until <= after}


def _moments(acts: list[Act], random: Random) -> list[int]:
    """After how many acts the power goes: anywhere, and every second time beside a sync or the end of a file."""
    edges = [n for n, act in enumerate(acts) if act.did is not Did.WROTE]
    return [
        min(len(acts), max(0, random.choice(edges) + random.randint(0, 2))) if n % 2 else random.randint(0, len(acts))
        for n in range(CUTS_A_DAY)
    ]


def _look(left: Path, day: Day, acts: int, random: Random) -> str:
    """What broke, or empty."""
    is_enrolled, confirmed = acts >= day.enrolled_after, day.confirmed_after(acts)
    try:
        if is_enrolled and random.random() < AGAIN:
            left, more = _cut_again(left, random)
            confirmed |= more
        check(left, day.centre_after(acts), confirmed, is_enrolled=is_enrolled)
    except Broken as broken:
        return str(broken)
    except Trouble as trouble:
        return f"DURABLE: the store does not come up: {trouble}"
    except sqlcipher.DatabaseError as error:
        return f"TORN: {error}"
    except AssertionError as error:
        return f"{error or 'an assertion'}"
    return ""


def _details(day: Day, acts: int) -> str:
    lines = [
        f"{n} {act.did} {act.name} {act.place} {len(act.data)}"
        for n, act in list(enumerate(day.acts))[max(0, acts - 12) : acts + 3]
    ]
    return "\n".join([f"the power went after {acts} of {len(day.acts)} acts:", *lines])


TRIAL = Trial(
    name="powercut",
    about=__doc__ or "",
    count=2_000,
    unit="cuts",
    play=_play,
    plants={name: plant.about for name, plant in PLANTS.items()},
)
