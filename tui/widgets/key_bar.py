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
    """Shows each key with its label; what does not fit is in the help (F1), which stands first."""

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
        words = sum(cell_len(key.cap) + cell_len(_(key.label)) + 1 for key in self.keys)
        gap = 2 if words + 2 * (len(self.keys) - 1) <= room else 1
        parts: list[tuple[str, str]] = []
        self._places = []
        for key in self.keys:
            label = f" {_(key.label)}"
            width = cell_len(key.cap) + cell_len(label)
            if column + width > room:
                break
            self._places.append((column, column + width, key.action))
            parts += [(key.cap, "bold $accent"), (label + " " * gap, "$foreground 55%")]
            column += width + gap
        return Content.assemble(*parts)

    async def on_click(self, event: events.Click) -> None:
        """The mouse works too."""
        at = event.get_content_offset(self)
        for begins, ends, action in self._places:
            if at is not None and begins <= at.x < ends and action:
                await self.app.run_action(action, self.screen)
