"""Waiting until stores are in step, and laying the centre's figures beside theirs."""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Callable

from store_agent.demo.machine import Machine
from store_agent.desk import figures, overviews
from store_agent.desk.counter import Counter
from store_agent.trouble import Trouble
from store_agent.words import _

SETTLE_S = 60.0
LOOK_S = 0.05
LOOKS = 5
"""The centre goes on by itself (it tells stores what others have), so two figures may be of two moments: look again."""
POSITIONS = ("position_chain", "position_store")


async def settle(machine: Machine, *counters: Counter) -> None:
    """All in step: first what they have to say is said, then what came of it is read."""
    for counter in counters:
        await until(_is_heard(counter))
    for counter in counters:
        await come_into_step(machine, counter)


async def come_into_step(machine: Machine, counter: Counter) -> None:
    """Nothing waits, and both streams are read to where the centre says that they end."""
    await until(_is_heard(counter))
    ends = await asyncio.to_thread(machine.figures, counter.store_id)
    await until(lambda: all(figures.positions(counter)[name] >= ends[name] for name in POSITIONS))


def _is_heard(counter: Counter) -> Callable[[], bool]:
    return lambda: not overviews.line(counter).waiting


async def until(seen: Callable[[], bool]) -> None:
    """Wait for something to be seen; Trouble where it never is."""
    loop = asyncio.get_running_loop()
    ends_at = loop.time() + SETTLE_S
    while not seen():
        if loop.time() > ends_at:
            raise Trouble(_("A store does not come into step within {seconds} seconds.").format(seconds=int(SETTLE_S)))
        await asyncio.sleep(LOOK_S)


async def compare(machine: Machine, *counters: Counter) -> int:
    """Print the centre's figures beside each store's; 0 if they agree."""
    for _look in range(LOOKS):
        await settle(machine, *counters)
        columns = []
        for counter in counters:
            columns += [await asyncio.to_thread(machine.figures, counter.store_id), figures.of_store(counter)]
        if _is_of_one_moment(columns):
            break
    differs = _print(columns, [counter.store_id for counter in counters])
    print(_("The centre and both stores agree.") if not differs else _("{n} figures differ.").format(n=differs))
    return 1 if differs else 0


def _pairs(columns: list[dict[str, int]]) -> list[tuple[dict[str, int], dict[str, int]]]:
    return list(zip(columns[::2], columns[1::2], strict=True))


def _is_of_one_moment(columns: list[dict[str, int]]) -> bool:
    return all(centre[name] == store[name] for centre, store in _pairs(columns) for name in POSITIONS)


def _columns(text: str) -> int:
    """How many columns of a terminal it takes: a Chinese character is two wide."""
    return sum(2 if unicodedata.east_asian_width(letter) in "WF" else 1 for letter in text)


def _print(columns: list[dict[str, int]], stores: list[str]) -> int:
    heads = [head for store in stores for head in (f"{_('centre')}:{store}", store)]
    print(f"\n{'':22}" + "".join(" " * (17 - _columns(head)) + head for head in heads))
    differs = 0
    for name in sorted(set().union(*columns)):
        same = all(centre.get(name, 0) == store.get(name, 0) for centre, store in _pairs(columns))
        differs += not same
        values = "".join(f"{column.get(name, 0):>17,}" for column in columns)
        print(f"{name:22}{values}{'' if same else '  ≠'}")
    print()
    return differs
