"""What the counter says while nobody is served: what to do, and how far the first rows have come."""

from __future__ import annotations

from rich.cells import cell_len
from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from store_agent.desk.overviews import LineOverview
from store_agent.words import _
from tui.columns import fit
from tui.visits import CounterOverview
from tui.widgets.status_bar import FEW, arriving_in_words

BAR_CELLS = 40
"""Wide enough to see it grow, narrow enough for every window."""


class Welcome(Widget):
    """In the middle of an empty counter."""

    DEFAULT_CSS = """
    Welcome { height: 1fr; width: 1fr; content-align: center middle; text-align: center; color: $text-muted; }
    """

    overview: reactive[CounterOverview | None] = reactive(None)

    def render(self) -> Content:
        """One invitation and four examples; or how far the first rows have come."""
        overview = self.overview
        if overview is None:
            return Content("")
        line = overview.line
        if line.arriving or (not line.is_ready and (not overview.is_store_known or line.behind > FEW)):
            return _arriving(line)
        examples = [
            ("678", _("the last digits of a phone or a card")),
            ("王", _("any part of a name")),
            ("=350", _("a basket of that total")),
        ]
        lines = [
            Content.styled(_("Scan a card, phone number, product or pickup code"), "bold $foreground"),
            Content(""),
        ]
        lines += [Content.styled(_("or type, then Enter:"), "$foreground 55%")]
        widest = max(cell_len(means) for _typed, means in examples)
        for typed, means in examples:
            example = (fit(typed, 6, right=True), "bold $text-accent")
            lines.append(Content.assemble(example, (f"  {fit(means, widest)}", "$foreground 55%")))
        return Content("\n").join(lines)


def _arriving(line: LineOverview) -> Content:
    title = _("Getting the first rows from the centre…")
    if line.arriving:
        filled = line.arriving.percent * BAR_CELLS // 100
        rest = f"{'━' * filled}{'─' * (BAR_CELLS - filled)}\n{arriving_in_words(line.arriving)}"
    elif line.behind:
        rest = _("{count} to go").format(count=f"{line.behind:,}")
    else:
        rest = _("waiting for the centre")
    can = _("What happens meanwhile is kept and sent later.")
    return Content("\n").join([Content.styled(title, "bold $foreground"), Content(rest), Content(""), Content(can)])
