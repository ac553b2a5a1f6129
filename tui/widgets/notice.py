"""The two lines under the box: what just happened, why something may not, or the one thing to do next."""

from __future__ import annotations

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from tui.said import NOTHING, Said, Tone

SIGNS = {Tone.DONE: "✓", Tone.REFUSED: "✗", Tone.TELLING: "·", Tone.HINT: "→"}


class Notice(Widget):
    """Always there and always as high, so that nothing jumps when it speaks. The sign says the tone without colour."""

    DEFAULT_CSS = """
    Notice { height: 2; margin: 0 1; padding: 0 1; color: $text-muted; }
    Notice.-done { background: $success 18%; color: $text-success; }
    Notice.-refused { background: $error 22%; color: $text-error; }
    Notice.-telling { background: $primary 12%; color: $foreground; }
    """

    said: reactive[Said] = reactive(NOTHING)

    def watch_said(self, said: Said) -> None:
        """Each tone has a class of its own."""
        for tone in Tone:
            self.set_class(bool(said.what) and said.tone is tone, f"-{tone}")

    def render(self) -> Content:
        """The sentence, and under it what to do."""
        said = self.said
        if not said.what:
            return Content("")
        first = Content.assemble(
            (f"{SIGNS[said.tone]} ", "bold"), (said.what, "bold" if said.tone is not Tone.HINT else "")
        )
        return Content("\n").join([first, Content(f"  {said.instead}")]) if said.instead else first
