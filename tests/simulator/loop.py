"""An event loop in which nothing is left to chance: time is only said, and a seed decides who goes first.

It has no sockets and no threads. Knows nothing of stores or centres.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from random import Random
from typing import Any, TypeVar

T = TypeVar("T")


class Stalled(Exception):
    """Nobody will ever do anything again, though somebody waits."""


class NumberedTask(asyncio.Task[Any]):
    """A task whose place in a set does not depend on where it lies in memory."""

    def __init__(self, job: Coroutine[Any, Any, Any], *, loop: SeededLoop, **how: Any) -> None:
        loop.tasks_made += 1
        self._number = loop.tasks_made
        super().__init__(job, loop=loop, **how)

    def __hash__(self) -> int:
        return self._number


class SeededLoop(asyncio.BaseEventLoop):
    """Tasks that could go on now go on in an order that the seed decides; where none can, time jumps to the next timer."""

    def __init__(self, random: Random) -> None:
        super().__init__()
        self._random = random
        self._passed_s = 0.0
        self._clock_resolution = 1e-9
        self._selector = self
        self.tasks_made = 0
        self.set_task_factory(lambda loop, job, **how: NumberedTask(job, loop=self, **how))

    def time(self) -> float:
        return self._passed_s

    def select(self, timeout_s: float | None) -> list[Any]:
        """In place of a selector: nothing comes from outside, so all that can happen is that time passes."""
        if timeout_s is None:
            raise Stalled("nothing is left to happen")
        self._passed_s += timeout_s
        return []

    def _process_events(self, event_list: list[Any]) -> None:
        pass

    def _write_to_self(self) -> None:
        pass

    def _run_once(self) -> None:
        self._shuffle()
        super()._run_once()  # type: ignore[misc]

    def _shuffle(self) -> None:
        """Only whole tasks change places: what a future does at once when it is done stays where it was."""
        ready = self._ready  # type: ignore[attr-defined]
        if len(ready) < 2:
            return
        places = [n for n, handle in enumerate(ready) if isinstance(_owner(handle), asyncio.Task)]
        handles = [ready[n] for n in places]
        self._random.shuffle(handles)
        for n, handle in zip(places, handles, strict=True):
            ready[n] = handle

    def run_in_executor(self, *_how: Any) -> Any:  # type: ignore[override]
        raise AssertionError("a thread would be left to chance")


def _owner(handle: Any) -> object:
    return getattr(handle._callback, "__self__", None)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Whatever is thrown away is thrown away when its last owner lets go, and not at some moment."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def run(job: Coroutine[Any, Any, T], random: Random) -> T:
    """Run one job to its end in a loop of its own, and whatever it left behind."""
    loop = SeededLoop(random)
    asyncio.set_event_loop(loop)
    with _no_collection():
        try:
            return loop.run_until_complete(job)
        finally:
            left = sorted(asyncio.all_tasks(loop), key=hash)
            for task in left:
                task.cancel()
            if left:
                loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
            loop.run_until_complete(loop.shutdown_asyncgens())
            asyncio.set_event_loop(None)
            loop.close()
