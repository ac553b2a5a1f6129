"""The two lines under the box: what just happened, why something may not, or the one thing to do next."""

from __future__ import annotations

from textual.content import Content
from textual.geometry import Size
from textual.reactive import reactive
from textual.widget import Widget

from tui.columns import stacked, wrapped
from tui.said import NOTHING, Said, Tone

SIGNS = {Tone.DONE: "✓", Tone.REFUSED: "✗", Tone.TELLING: "·", Tone.HINT: "→"}


class Notice(Widget):
    """Always there with its two lines, so that nothing jumps when it speaks. The sign says the tone without colour."""

    DEFAULT_CSS = """
    Notice { height: auto; min-height: 2; max-height: 5; margin: 0 1; padding: 0 1; color: $text-muted; }
    Notice.-done { background: $success 18%; color: $text-success; }
    Notice.-refused { background: $error 22%; color: $text-error; }
    Notice.-telling { background: $primary 12%; color: $foreground; }
    """

    said: reactive[Said] = reactive(NOTHING, layout=True)

    def watch_said(self, said: Said) -> None:
        """Each tone has a class of its own."""
        for tone in Tone:
            self.set_class(bool(said.what) and said.tone is tone, f"-{tone}")

    def get_content_height(self, container: Size, viewport: Size, width: int) -> int:
        """As many lines as the sentences need; the style gives it the two that it always has."""
        return len(self._lines(width))

    def render(self) -> Content:
        """The sentence, and under it what to do."""
        return stacked(self._lines(self.content_size.width))

    def _lines(self, width: int) -> list[Content]:
        said = self.said
        if not said.what:
            return [Content("")]
        style = "" if said.tone is Tone.HINT else "bold"
        first, *rest = wrapped(said.what, style, max(10, width))
        lines = [Content.assemble((f"{SIGNS[said.tone]} ", style), first[2:]), *rest]
        return [*lines, *(wrapped(said.instead, "", max(10, width)) if said.instead else ())]
