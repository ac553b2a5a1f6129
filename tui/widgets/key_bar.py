"""The line of keys: only those that do something now. A click on one is the key."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual import events
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from store_agent.words import _
from tui.keys import Key


class KeyBar(Widget):
    """Shows each key with its label. What does not fit is in the help (F1); the way out of a dialog always has room."""

    DEFAULT_CSS = """
    KeyBar { dock: bottom; height: 1; padding: 0 1; background: $surface; }
    """

    keys: reactive[tuple[Key, ...]] = reactive(())

    def __init__(self, keys: Sequence[Key] = (), *, id: str | None = None) -> None:
        super().__init__(id=id)
        self.set_reactive(KeyBar.keys, tuple(keys))
        self._places: list[tuple[int, int, str]] = []

    def render(self) -> Content:
        """As many as there is room for."""
        room, column = self.content_size.width, 0
        shown = _fitting(self.keys, room)
        gap = 2 if _width(shown, 2) <= room else 1
        parts: list[tuple[str, str]] = []
        self._places = []
        for key in shown:
            width = _width((key,))
            self._places.append((column, column + width, key.action))
            parts += [(key.cap, "bold $accent"), (f" {_(key.label)}" + " " * gap, "$foreground 55%")]
            column += width + gap
        return Content.assemble(*parts)

    async def on_click(self, event: events.Click) -> None:
        """The mouse works too."""
        at = event.get_content_offset(self)
        for begins, ends, action in self._places:
            if at is not None and begins <= at.x < ends and action:
                await self.app.run_action(action, self.screen)


def _width(keys: Sequence[Key], gap: int = 1) -> int:
    return sum(cell_len(key.cap) + 1 + cell_len(_(key.label)) + gap for key in keys) - gap


def _fitting(keys: Sequence[Key], room: int) -> list[Key]:
    """Rare keys give way first, then the last ones; the way out of a dialog never does."""
    shown = list(keys)
    while shown and _width(shown) > room:
        shown.remove(max(shown, key=lambda key: (key.is_rare, key.action != "leave", keys.index(key))))
    return shown
