"""A framed part of the counter that draws itself as lines from the overview, for the width that it has."""

from __future__ import annotations

from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.reactive import reactive
from textual.widgets import Static

from tui.columns import stacked
from tui.visits import CounterOverview


class Pane(VerticalScroll, can_focus=False):
    """Never has the focus: that stays in the box, so that a scan or a letter always lands there."""

    DEFAULT_CSS = """
    Pane {
        border: round $foreground 22%;
        border-title-color: $text-primary;
        border-title-style: bold;
        border-subtitle-color: $text-muted;
        padding: 0 0 0 1;
        scrollbar-size: 0 1;
        scrollbar-gutter: stable;
        scrollbar-color: $foreground 25%;
        scrollbar-background: $background;
        scrollbar-background-hover: $background;
    }
    Pane > Static { width: 1fr; height: auto; }
    """

    overview: reactive[CounterOverview | None] = reactive(None)

    def compose(self) -> ComposeResult:
        yield Static(markup=False)

    def watch_overview(self, overview: CounterOverview | None) -> None:
        """One assignment repaints it."""
        if overview is not None and self.is_mounted:
            self._draw(overview)

    def on_resize(self) -> None:
        """Lines are made for the width."""
        if self.overview is not None:
            self._draw(self.overview)

    def _draw(self, overview: CounterOverview) -> None:
        # A column between the text and the bar that scrolls it, which has its place also while it is not there.
        width = self.scrollable_content_region.width - 1
        self.query_one(Static).update(stacked(self.lines(overview, max(10, width))))

    def lines(self, overview: CounterOverview, width: int) -> list[Content]:
        """What is shown, from the top."""
        raise NotImplementedError
