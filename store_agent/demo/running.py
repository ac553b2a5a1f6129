"""`store-agent demo`: with the counter's screen, or as a tour without one."""

from __future__ import annotations

import signal
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from types import FrameType

from store_agent.demo.cable import Cable
from store_agent.demo.machine import Machine, build, serve_beside
from store_agent.demo.sample import TAICHUNG, TAIPEI, progress
from store_agent.desk import overviews
from store_agent.entry.store import Keeper, open_counter, open_replica
from store_agent.logs import open_logs
from store_agent.trouble import Trouble
from store_agent.words import _

LONGEST_PAUSE_S = 3.0
"""In a demo nobody wants to wait half a minute after the cable is in again."""


def run_demo(members: int, tour: bool, lang: str | None = None) -> int:
    """Run it; 0 if all was well. The language was chosen before."""
    if not tour and not (sys.stdin.isatty() and sys.stderr.isatty()):
        raise Trouble(_("The demo needs a terminal."), _("Try `store-agent demo --tour`."))
    for name in ("SIGTERM", "SIGHUP"):
        if hasattr(signal, name):  # Windows knows no SIGHUP.
            signal.signal(getattr(signal, name), _end)
    told = _Told()
    with build(members, told) as machine:
        told.done()
        print(_("Codes to scan, as pictures: {folder}").format(folder=machine.pictures), flush=True)
        if tour:
            from store_agent.demo.tour import walk

            return walk(machine)
        return open_counter_with_cable(machine)


def _end(_number: int, _frame: FrameType | None) -> None:
    """SIGTERM, or a terminal that is closed, ends the demo as Ctrl-C does: by the way that cleans up."""
    raise KeyboardInterrupt


class _Told:
    """What is being done, on one line that is written over where somebody looks at it."""

    def __init__(self) -> None:
        self._last = ""
        self._live = sys.stderr.isatty()

    def __call__(self, what: str, done: int, total: int) -> None:
        if self._live:
            share = f" {done}/{total}" if total > 1 else ""
            print(f"\r\x1b[K{what}{share} …", end="", file=sys.stderr, flush=True)
        elif what != self._last:
            print(f"{what} …", file=sys.stderr, flush=True)
        self._last = what

    def done(self) -> None:
        if self._live:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)


def open_counter_with_cable(machine: Machine) -> int:
    """The counter of the first store, its line to the centre through a cable; the second store runs beside."""
    from tui.app import StoreApp

    host, port = machine.centre_url.removeprefix("http://").split(":")
    cable = Cable(host, int(port))
    settings = replace(machine.stores[TAIPEI], centre_url=cable.url)
    open_logs(settings.data_path)
    beside = serve_beside(machine, TAICHUNG)
    try:
        with open_replica(settings) as replica:
            counter = open_counter(replica)
            keeper = Keeper(counter, settings, longest_pause_s=LONGEST_PAUSE_S)

            async def keep(changed: Callable[[], None]) -> None:
                await cable.lay()
                started = False

                def look() -> None:
                    nonlocal started
                    if not started and overviews.line(counter).is_ready:
                        started = True
                        progress(counter)
                    changed()

                try:
                    await keeper.run(look)
                finally:
                    await cable.take_up()

            run: Callable[[Callable[[], None]], Awaitable[None]] = keep
            app = StoreApp(counter, keep_in_step=run, cable=cable, sight=keeper.sight)
            app.run()
            return app.return_code or 0
    finally:
        beside.let_go()
