"""F7: a product here and in other stores, each figure with its age, and what can be done about it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from store_agent.desk import stock
from store_agent.desk.counter import Counter
from store_agent.domain.operation import Refusal
from store_agent.domain.products import Product
from store_agent.domain.stock import INWARD, MoveReason
from store_agent.safe_text import safe_text
from store_agent.scan import ScanKind, read_scan
from store_agent.words import _, later
from store_agent.words.formats import age, money
from store_agent.words.names import name_of
from tui.columns import pair, row, stacked
from tui.dialogs.confirm import AskDialog
from tui.dialogs.dialog import Dialog, Outcome
from tui.keys import Key
from tui.naming import spoken, staff_name
from tui.said import NOTHING, told
from tui.scanning import Scanned

WIDTH = 66
ADJUSTS = (
    MoveReason.ADJUST_DAMAGED,
    MoveReason.ADJUST_LOST,
    MoveReason.ADJUST_FOUND,
    MoveReason.ADJUST_SAMPLE,
    MoveReason.RETURN,
    MoveReason.TRANSFER_IN,
    MoveReason.TRANSFER_OUT,
)


class StockDialog(Dialog):
    """A field to find with, the hits, and the statement of the one that was chosen."""

    DEFAULT_CSS = """
    StockDialog OptionList { height: auto; max-height: 8; }
    StockDialog #shelf { height: auto; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down", "move('cursor_down')", "", show=False),
        Binding("up", "move('cursor_up')", "", show=False),
        Binding("f2", "shelf_empty", "", show=False),
        Binding("f3", "receive", "", show=False),
        Binding("f4", "adjust", "", show=False),
        Binding("f6", "count", "", show=False),
    ]
    CHOOSING = (Key("enter", "", later("Open"), ""), Key("↑ ↓", "", later("Choose"), ""))
    KEYS = (
        Key("f2", "shelf_empty", later("Shelf is empty"), ""),
        Key("f3", "receive", later("Receive"), ""),
        Key("f4", "adjust", later("Adjust"), ""),
        Key("f6", "count", later("Count"), ""),
    )

    def __init__(self, counter: Counter, text: str = "") -> None:
        super().__init__(counter)
        self.text = safe_text(text)
        self.shelf: stock.Shelf | None = None
        self.seen_at: datetime = counter.now()

    def heading(self) -> str:
        return _("Stock")

    def keys(self) -> tuple[Key, ...]:
        if self.shelf:
            return self.KEYS
        return self.CHOOSING if self.is_mounted and self.query_one(OptionList).option_count > 1 else ()

    def parts(self) -> Iterable[Widget]:
        yield Input(self.text, placeholder=_("Scan a product, or type a part of its name or number"), id="product")
        hits = OptionList(id="hits")
        hits.can_focus = False
        hits.display = False
        yield hits
        yield Static("", id="shelf", markup=False)

    def follow(self) -> None:
        """The figures of the product that is shown."""
        if self.shelf:
            self._open(self.shelf.product.id)

    def on_input_changed(self, message: Input.Changed) -> None:
        """Hits while typing."""
        found = stock.find(self.counter, message.value) if message.value.strip() else []
        hits = self.query_one(OptionList)
        hits.clear_options()
        hits.add_options([Option(self._hit(product), id=product.id) for product in found])
        hits.highlighted = 0 if found else None
        hits.display = len(found) > 1
        self.say(NOTHING)
        if len(found) == 1:
            self._open(found[0].id)
        else:
            self.shelf = None
            self.query_one("#shelf", Static).update("")
        self.show_keys()
        if message.value.strip() and not found:
            self.say(told(_("No product like this."), _("Type fewer characters, or scan it.")))

    def _hit(self, product: Product) -> Content:
        price_minor = product.price_minor.get(self.counter.store.currency)
        price = money(price_minor) if price_minor is not None else ""
        return row([(spoken(product.name, product.id), "", 0), (price, "$foreground 55%", -10)], 0, WIDTH)

    def on_input_submitted(self) -> None:
        """Enter opens the hit under the bar."""
        hits = self.query_one(OptionList)
        if hits.highlighted is not None and hits.option_count:
            self._open(hits.get_option_at_index(hits.highlighted).id or "")

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """A click on a hit."""
        self._open(message.option.id or "")

    def action_move(self, how: str) -> None:
        """Arrows go to the hits."""
        getattr(self.query_one(OptionList), f"action_{how}")()

    def take_scan(self, message: Scanned) -> bool:
        """A product is looked up here."""
        scan = read_scan(message.text, region=self.counter.store.region)
        gtin = scan.value if scan.kind is ScanKind.PRODUCT else scan.also_gtin
        if gtin:
            self.query_one(Input).value = ""
            self._open(gtin)
        return bool(gtin)

    def _open(self, gtin: str) -> None:
        shelf = stock.look_up(self.counter, gtin)
        if isinstance(shelf, Refusal):
            self.refuse(shelf)
            return
        if self.shelf is None or self.shelf.product.id != gtin:
            self.seen_at = self.counter.now()
        self.shelf = shelf
        self.query_one(OptionList).display = False
        self.query_one("#shelf", Static).update(self._statement(shelf))
        self.show_keys()

    def _statement(self, shelf: stock.Shelf) -> Content:
        here, now = shelf.stock, self.counter.now()
        price_minor = shelf.product.price_minor.get(self.counter.store.currency)
        place = _("Shelf {place}").format(place=safe_text(shelf.product.shelf)) if shelf.product.shelf else ""
        lines = [
            pair((spoken(shelf.product.name), "bold $text-primary"), (money(price_minor or 0), "bold"), WIDTH),
            pair((shelf.product.id.lstrip("0"), "$foreground 55%"), (place, "$foreground 55%"), WIDTH),
            Content(""),
            _figure(_("On hand"), here.on_hand, _since(here.moved_at, now), "$text-error" if here.is_negative else ""),
            _figure(_("Held for orders"), here.held, "", ""),
            _figure(_("Kept back for safety"), here.safety, "", ""),
            _figure(
                _("Can be sold"), here.sellable, "", "bold $text-success" if here.sellable else "bold $text-warning"
            ),
        ]
        counted = _("never counted")
        if here.counted_at:
            counted = _("counted {age} by {staff}, {sold} sold since").format(
                age=_since(here.counted_at, now), staff=staff_name(self.counter, here.counted_by), sold=here.sold_since
            )
        lines.append(Content.styled(counted, "$foreground 55%"))
        if here.shelf_empty_at:
            words = _("{staff} found the shelf empty, {age}.").format(
                staff=staff_name(self.counter, here.shelf_empty_by), age=_since(here.shelf_empty_at, now)
            )
            lines.append(Content.styled(f"! {words}", "bold $text-warning"))
        if shelf.elsewhere:
            lines += [Content(""), Content.styled(_("Other stores"), "$text-primary")]
            for other in shelf.elsewhere[:5]:
                name = spoken(shelf.store_names.get(other.store, {}), other.store)
                lines.append(_figure(name, other.sellable, _since(other.as_of_at, now), ""))
        return stacked(lines)

    def _ask(self, ask: AskDialog) -> None:
        self.app.push_screen(ask, self._asked)

    def _asked(self, outcome: Outcome | None) -> None:
        if outcome and outcome.said.what:
            self.say(outcome.said)
        self.follow()

    def _shelf(self) -> stock.Shelf | None:
        if self.shelf is None:
            self.say(told(_("Choose a product first.")))
        return self.shelf

    def action_shelf_empty(self) -> None:
        """The shelf is empty, whatever the number says."""
        if not (shelf := self._shelf()):
            return
        if shelf.stock.shelf_empty_at:
            refusal = stock.mark_shelf_empty(self.counter, shelf.product.id)
            if refusal:
                self.refuse(refusal)
            return
        name = spoken(shelf.product.name)
        question = _("Is the shelf of {name} empty? It will be promised to nobody until goods come or are counted.")
        self._ask(
            AskDialog(
                self.counter,
                _("Shelf is empty"),
                question.format(name=name),
                lambda _number, _reason: stock.mark_shelf_empty(self.counter, shelf.product.id),
                said=_("{name}: the shelf is empty, everybody knows it now.").format(name=name),
            )
        )

    def action_receive(self) -> None:
        """Goods came."""
        if shelf := self._shelf():
            name = spoken(shelf.product.name)
            self._ask(
                AskDialog(
                    self.counter,
                    _("Receive"),
                    _("How many of {name} came?").format(name=name),
                    lambda number, _reason: stock.receive(self.counter, shelf.product.id, number),
                    number="",
                    said=_("{name} is received.").format(name=name),
                )
            )

    def action_adjust(self) -> None:
        """Pieces are gone or more, for a reason."""
        if shelf := self._shelf():
            gtin, name = shelf.product.id, spoken(shelf.product.name)

            def adjust(number: int, reason: str) -> Refusal | None:
                why = MoveReason(reason)
                return stock.move(self.counter, gtin, number if why in INWARD else -number, why)

            self._ask(
                AskDialog(
                    self.counter,
                    _("Adjust"),
                    _("What happened to {name}, and to how many?").format(name=name),
                    adjust,
                    number="",
                    reasons=[(str(reason), name_of(str(reason))) for reason in ADJUSTS],
                    said=_("{name} is adjusted.").format(name=name),
                )
            )

    def action_count(self) -> None:
        """Somebody counted; what is sold meanwhile is not forgotten."""
        if shelf := self._shelf():
            gtin, name, seen, began_at = shelf.product.id, spoken(shelf.product.name), shelf.stock.on_hand, self.seen_at
            self._ask(
                AskDialog(
                    self.counter,
                    _("Count"),
                    _("How many of {name} are there? The number says {count}.").format(name=name, count=seen),
                    lambda number, _reason: stock.count(self.counter, gtin, number, seen, began_at),
                    number="",
                    said=_("{name} is counted.").format(name=name),
                )
            )


def _figure(name: str, number: int, age_words: str, style: str) -> Content:
    return row([(name, "", 0), (age_words, "$foreground 55%", -24), (f"{number:,}", style or "bold", -7)], 0, WIDTH)


def _since(at: datetime | None, now: datetime) -> str:
    return age((now - at).total_seconds()) if at else ""
