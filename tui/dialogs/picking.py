"""Taking an order from the shelves: each line is picked, short, or put back; then it is put ready."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, OptionList
from textual.widgets.option_list import Option

from store_agent.desk import pickups
from store_agent.desk.counter import Counter
from store_agent.domain.operation import Refusal
from store_agent.domain.pickups import Line, Pickup, PickupReason, next_line
from store_agent.safe_text import safe_text
from store_agent.scan import ScanKind, read_scan
from store_agent.words import _, later
from tui.columns import row
from tui.dialogs.dialog import Dialog, Outcome
from tui.keys import Key
from tui.naming import spoken
from tui.said import NOTHING, done, told, warned
from tui.scanning import Scanned
from tui.widgets.code_box import FormField

WIDTH = 64


class PickingDialog(Dialog):
    """Scan each piece, or press keys. Enter picks all that is open; when nothing is open, Enter puts it ready."""

    DEFAULT_CSS = """
    PickingDialog OptionList { height: auto; max-height: 9; }
    PickingDialog #place { margin-top: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "pick", "", show=False),
        Binding("f3", "short", "", show=False),
        Binding("f4", "put_back", "", show=False),
        Binding("enter", "go_on", "", show=False, priority=True),
    ]
    KEYS = (
        Key("enter", "go_on", later("All, ready"), ""),
        Key("space", "pick", later("Pick line"), ""),
        Key("f3", "short", later("Not there"), ""),
        Key("f4", "put_back", later("Put back"), ""),
    )

    def __init__(self, counter: Counter, order_id: str) -> None:
        super().__init__(counter)
        self.order_id = order_id
        self.order: Pickup | None = counter.replica.view.get("pickup", order_id)

    def heading(self) -> str:
        return _("Pick order {order_no}").format(order_no=safe_text(self.order.order_no if self.order else ""))

    def parts(self) -> Iterable[Widget]:
        yield OptionList(*self._options(), id="lines")
        place = FormField("", id="place")
        place.border_title = _("Where does it lie? Then Enter")
        place.display = False
        yield place

    def on_mount(self) -> None:
        """Begin at the first line."""
        lines = self.query_one(OptionList)
        lines.highlighted = 0 if lines.option_count else None
        lines.focus()
        self._show_place()

    @property
    def lines(self) -> tuple[Line, ...]:
        """Of the order as it stands."""
        return self.order.lines if self.order else ()

    @property
    def open_lines(self) -> list[Line]:
        """Those about which nothing is decided."""
        return [line for line in self.lines if line.open_quantity]

    def _options(self) -> list[Option]:
        return [Option(_row(line), id=str(line.no)) for line in self.lines]

    def follow(self) -> None:
        """Somebody else may be picking the same order."""
        self.order = self.counter.replica.view.get("pickup", self.order_id)
        lines = self.query_one(OptionList)
        for n, option in enumerate(self._options()):
            lines.replace_option_prompt_at_index(n, option.prompt)
        self._show_place()

    def _show_place(self) -> None:
        place = self.query_one("#place", Input)
        place.display = not self.open_lines
        if place.display:
            place.focus()
        elif self.focused is place:
            self.query_one(OptionList).focus()

    @property
    def line(self) -> Line | None:
        """The one under the bar."""
        at = self.query_one(OptionList).highlighted
        return self.lines[at] if at is not None else None

    def action_pick(self) -> None:
        """Space: all that is open of this line."""
        if line := self.line:
            self._did(pickups.pick(self.counter, self.order_id, line.no, picked=line.open_quantity))

    def action_short(self) -> None:
        """The rest of this line is not there."""
        if line := self.line:
            self._did(pickups.pick(self.counter, self.order_id, line.no, short=line.open_quantity))

    def action_put_back(self) -> None:
        """Undo this line."""
        if line := self.line:
            self._did(pickups.put_back(self.counter, self.order_id, line.no))

    def _did(self, refusal: Refusal | None) -> None:
        if refusal:
            self.refuse(refusal)
        else:
            self.say(NOTHING)
        self.follow()

    def action_go_on(self) -> None:
        """Enter: pick all that is open, or put it ready."""
        if self.is_over:
            return
        if self.open_lines:
            for line in self.open_lines:
                if refusal := pickups.pick(self.counter, self.order_id, line.no, picked=line.open_quantity):
                    self._did(refusal)
                    return
            self.say(told(_("All lines are picked."), _("Type where it lies, then Enter puts it ready.")))
            self.follow()
            return
        shelf = safe_text(self.query_one("#place", Input).value)
        refusal = pickups.mark_ready(self.counter, self.order_id, shelf)
        if refusal and refusal.reason is PickupReason.NOTHING_PICKED:
            self.refuse(refusal, _("Leave with Esc, then F6 rejects the order."))
        elif refusal:
            self.refuse(refusal)
        else:
            order_no = safe_text(self.order.order_no if self.order else "")
            self.finish(Outcome(said=done(_("Order {order_no} is ready.").format(order_no=order_no))))

    def take_scan(self, message: Scanned) -> bool:
        """A product is one piece picked."""
        scan = read_scan(message.text, region=self.counter.store.region)
        gtin = scan.value if scan.kind is ScanKind.PRODUCT else scan.also_gtin
        line = next_line(self.order, gtin) if self.order and gtin else None
        if line:
            self.query_one(OptionList).highlighted = self.lines.index(line)
            self._did(pickups.pick(self.counter, self.order_id, line.no, picked=1))
            return True
        if gtin:
            self.say(warned(_("This product is not in the order."), _("Scan one of the lines above.")))
            return True
        return False


def _row(line: Line) -> Content:
    state, style = _("open"), "$text-warning"
    if not line.open_quantity:
        state, style = (_("not there"), "$text-error") if line.short else (_("picked"), "$text-success")
    done_of = f"{line.picked + line.replaced}/{line.quantity}"
    return row([(spoken(line.name, line.gtin), "", 0), (done_of, "bold", -7), (state, style, 12)], 0, WIDTH)
