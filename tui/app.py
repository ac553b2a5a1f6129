"""The program with a screen: it keeps in step in the background, says trouble in one place, and holds no rule."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path
from typing import ClassVar, Protocol

from textual.binding import Binding, BindingType
from textual.message import Message
from textual.reactive import reactive

from store_agent.desk import overviews
from store_agent.desk.counter import Counter
from store_agent.safe_text import safe_text
from store_agent.trouble import Trouble
from store_agent.words import LANGUAGES, _, language, use_language
from store_agent.words.formats import use_store
from tui.naming import spoken
from tui.said import Said, told, troubled
from tui.scanning import ScanningApp
from tui.screens.counter import CounterScreen
from tui.screens.looking_up import LookUp, Sight
from tui.speaking import Speaking, TroubleFound
from tui.themes import THEMES
from tui.widgets.status_bar import Distance, StatusBar

AGAIN_S = 5.0
"""How long after a trouble it is tried again to keep in step."""
GLANCE_S = 1.0
"""How often it is looked whether another terminal did something."""

KeepInStep = Callable[[Callable[[], None]], Awaitable[None]]
"""Runs until cancelled; calls what it is given when rows came or the line's state turned."""


class Cable(Protocol):
    """The demo's cable to the centre."""

    @property
    def is_plugged(self) -> bool: ...

    def pull(self) -> None: ...

    def plug(self) -> None: ...


class StoreApp(Speaking, ScanningApp[None]):
    """One terminal of a store. Everything it needs is handed in; all it knows it reads through the counter."""

    CSS_PATH = Path(__file__).parent / "store.tcss"
    ENABLE_COMMAND_PALETTE = False
    TITLE = "Store Agent"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("f12", "cable", "", show=False)]

    distance: reactive[Distance | None] = reactive(None)
    place: reactive[str] = reactive("")

    class Glanced(Message, bubble=False):
        """Time to look whether anything is new."""

    def __init__(
        self,
        counter: Counter,
        *,
        keep_in_step: KeepInStep | None = None,
        cable: Cable | None = None,
        sight: Sight | None = None,
    ) -> None:
        super().__init__()
        self.counter = counter
        self.cable = cable
        self._keep_in_step = keep_in_step
        self._sight = sight
        self._seen: object = None
        self._trouble = ""
        for theme in THEMES:
            self.register_theme(theme)
        self.theme = THEMES[0].name
        self.set_class(self.no_color or self.console.color_system in (None, "standard"), "-few-colours")

    def on_mount(self) -> None:
        """Open the counter, and begin to keep in step."""
        store = self.counter.store
        use_store(store.zone, store.currency)
        self.show_place()
        self.look()
        self.push_screen(CounterScreen(self.counter, LookUp(self._sight), has_cable=self.cable is not None))
        self.set_interval(GLANCE_S, self.glance)
        if self._keep_in_step:
            self.run_worker(self._step(self._keep_in_step), group="step", exclusive=True)

    async def _step(self, keep_in_step: KeepInStep) -> None:
        """Keep in step for as long as the program runs; what stops it is said, and then it goes on."""
        while True:
            try:
                await keep_in_step(self.glance)
                return
            except Trouble as trouble:
                self.post_message(TroubleFound(trouble))
                await self.counter.clock.sleep(AGAIN_S)

    def glance(self) -> None:
        """Look whether anything is new, once what was asked before is done."""
        self.post_message(self.Glanced())

    def make_status_bar(self) -> StatusBar:
        """The last line of a screen, with what the app knows."""
        bar = StatusBar()
        bar.place, bar.distance = self.place, self.distance
        return bar

    def watch_place(self, place: str) -> None:
        """On every screen, also under a dialog."""
        for bar in self._status_bars():
            bar.place = place

    def watch_distance(self, distance: Distance | None) -> None:
        """On every screen, also under a dialog."""
        for bar in self._status_bars():
            bar.distance = distance

    def _status_bars(self) -> Iterator[StatusBar]:
        for screen in self.screen_stack if self._running else ():
            yield from screen.query(StatusBar)

    def show_place(self) -> None:
        """Store and staff, as people call them."""
        store = self.counter.store
        staff = self.counter.replica.view.get("staff", self.counter.staff)
        parts = [spoken(store.name, store.id), safe_text(staff.name if staff else self.counter.staff)]
        self.place = " · ".join(part for part in parts if part)

    def look(self) -> None:
        """How far this store is from the centre."""
        self._measure(overviews.line(self.counter))

    def _measure(self, line: overviews.LineOverview) -> None:
        is_heard = line.heard_at is not None or line.is_ready
        self.distance = Distance(
            self.counter.now(),
            line.waiting,
            line.offline_since,
            line.behind,
            is_heard,
            line.cover,
            line.arriving,
            is_frozen=bool(line.frozen),
            is_catching_up=line.is_catching_up,
        )

    def on_store_app_glanced(self) -> None:
        """Repaint only where something is new: here, at another terminal, or from the centre."""
        if not self.is_running:
            return  # The screens are being taken down.
        replica = self.counter.replica
        line = overviews.line(self.counter)
        self._measure(line)
        seen = (replica.journal.last(), replica.cache.last_answer(), replica.cache.cursors(), line)
        if seen != self._seen:
            self._seen = seen
            store = self.counter.store
            use_store(store.zone, store.currency)
            self.show_place()
            for screen in self.screen_stack:
                if screen.is_mounted and (follow := getattr(screen, "follow", None)):
                    follow()

    def on_trouble_found(self, message: TroubleFound) -> None:
        """The one place where trouble is said. The same one again is not said again while it lasts."""
        message.stop()
        self.say(troubled(message.trouble))

    def say(self, said: Said) -> None:
        """On the screen on top."""
        if say := getattr(self.screen, "say", None):
            say(said)

    def speak_next_language(self) -> None:
        """zh-TW, zh-HK, English, and round again."""
        use_language(LANGUAGES[(LANGUAGES.index(language()) + 1) % len(LANGUAGES)])
        self.show_place()

    def action_cable(self) -> None:
        """Only in the demo: pull the cable, or plug it back in."""
        if self.cable is None:
            return
        if self.cable.is_plugged:
            self.cable.pull()
            self.say(told(_("The cable is out."), _("Everything goes on; F12 plugs it back in.")))
        else:
            self.cable.plug()
            self.say(told(_("The cable is in again."), _("What waited is sent now.")))

    def action_help_quit(self) -> None:
        """Ctrl+C is for copying; people who mean to leave are told how."""
        self.say(told(_("Ctrl+Q ends the program.")))
