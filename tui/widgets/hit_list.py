"""The members that were found, right under the box while somebody types."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content
from textual.widgets import OptionList
from textual.widgets.option_list import Option

from store_agent.domain.members import Member
from store_agent.words import ngettext
from store_agent.words.masking import masked_name, masked_phone
from store_agent.words.names import name_of
from tui.columns import row
from tui.naming import person


class HitList(OptionList, can_focus=False):
    """Never has the focus: the box sends it the arrows. One hit is chosen already, of several none."""

    DEFAULT_CSS = """
    HitList {
        layer: over; dock: top; margin: 3 0 0 1; max-height: 20; display: none;
        border: round $primary; background: $surface; padding: 0 1;
        border-subtitle-color: $text-muted; scrollbar-size: 0 1;
    }
    HitList > .option-list--option-highlighted { background: $primary 40%; color: $foreground; text-style: bold; }
    """

    def show(self, members: Sequence[Member]) -> None:
        """Show these instead; none at all hides the list."""
        width = max(20, self.app.size.width - 8)
        # A docked widget's margin is not taken off its width.
        self.styles.width = self.app.size.width - 2
        self.clear_options()
        self.add_options([Option(_row(member, width), id=member.id) for member in members])
        many = ngettext("{count} member", "{count} members", len(members)).format(count=len(members))
        self.border_subtitle = f"{many}  ·  ↑ ↓  Enter"
        self.highlighted = 0 if len(members) == 1 else None
        self.display = bool(members)

    @property
    def chosen_id(self) -> str:
        """The member under the bar, or empty."""
        if self.highlighted is None or not self.display:
            return ""
        return self.get_option_at_index(self.highlighted).id or ""


def _row(member: Member, width: int) -> Content:
    return row(
        [
            # Whoever types a part of a name sees many people, of whom one stands here.
            (masked_name(person(member)), "bold", 0),
            (masked_phone(member.phone), "", -16),
            (name_of(str(member.tier)), "$foreground 55%", 10),
        ],
        0,
        width,
    )
