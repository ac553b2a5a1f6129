"""F8: the web orders of this store by promised time. Enter is the next step of the order under the bar."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widget import Widget
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from store_agent.desk import pickups
from store_agent.desk.counter import Counter
from store_agent.domain.operation import Refusal
from store_agent.domain.pickups import WORK, Pickup, PickupState, RejectReason
from store_agent.safe_text import safe_text
from store_agent.scan import ScanKind, read_scan
from store_agent.words import _, later
from store_agent.words.formats import age, moment
from store_agent.words.names import name_of
from tui.columns import row
from tui.dialogs.confirm import AskDialog
from tui.dialogs.dialog import Dialog, Outcome
from tui.dialogs.hand_over import HandOverDialog
from tui.dialogs.picking import PickingDialog
from tui.keys import Key
from tui.naming import person
from tui.said import done, told
from tui.scanning import Scanned
from tui.widgets.pickup_words import state_of

MINUTE_S = 60
LATE_S = 0
ORDER_NO = 10
FAINT = "$foreground 55%"
SOON_S = 30 * MINUTE_S
REASONS = (RejectReason.NOT_IN_STOCK, RejectReason.DAMAGED, RejectReason.STORE_CLOSED, RejectReason.OTHER)


class BoardDialog(Dialog):
    """All orders with something left to do. A step that somebody else has done already says who and when."""

    DEFAULT_CSS = """
    BoardDialog > .frame { width: 100%; height: 100%; }
    BoardDialog OptionList { height: 1fr; }
    BoardDialog #head { height: 1; color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("f5", "hand_over", "", show=False),
        Binding("f6", "reject", "", show=False),
        Binding("f7", "extend", "", show=False),
    ]
    KEYS = (
        Key("enter", "next_step", later("Next step"), ""),
        Key("f5", "hand_over", later("Hand over"), ""),
        Key("f6", "reject", later("Reject"), ""),
        Key("f7", "extend", later("Keep longer"), ""),
    )

    def __init__(self, counter: Counter, order_id: str = "") -> None:
        super().__init__(counter)
        self.orders = pickups.board(counter)
        self.order_id = order_id

    def heading(self) -> str:
        return _("Pickups")

    def parts(self) -> Iterable[Widget]:
        yield Static("", id="head", markup=False)
        yield OptionList(id="orders")

    def on_mount(self) -> None:
        """The order that was asked for, or the most urgent one, is under the bar."""
        self.query_one(OptionList).focus()
        self.call_after_refresh(self._fill)

    def on_resize(self) -> None:
        """Columns are made for the width."""
        self._fill()

    def follow(self) -> None:
        """Another terminal, or the centre, moved an order on; the bar stays on its order, wherever that stands now."""
        if self.order:
            self.order_id = self.order.id
        self.orders = pickups.board(self.counter)
        self._fill()

    @property
    def order(self) -> Pickup | None:
        """The one under the bar."""
        place = self.query_one(OptionList).highlighted
        return self.orders[place] if place is not None and place < len(self.orders) else None

    def _fill(self) -> None:
        board = self.query_one(OptionList)
        chosen = self.order_id or (self.order.id if self.order else "")
        self.order_id = ""
        width = max(40, board.scrollable_content_region.width - 1)
        board.clear_options()
        board.add_options([Option(self._row(order, width), id=order.id) for order in self.orders])
        places = [order.id for order in self.orders]
        work = [n for n, order in enumerate(self.orders) if order.state in WORK]
        board.highlighted = places.index(chosen) if chosen in places else next(iter(work), 0) if places else None
        self.query_one("#head", Static).update(self._columns(_head(), width))
        self.query_one(".frame").border_subtitle = _("{count} open").format(count=len(self.orders))
        if not self.orders:
            self.say(told(_("No order waits here."), _("New orders come by themselves.")))

    @staticmethod
    def _columns(cells: list[tuple[str, str]], width: int) -> Content:
        widths = [8, ORDER_NO, 0, -4, 13, 14, 7]
        return row([(text, style, cells) for (text, style), cells in zip(cells, widths, strict=True)], 2, width)

    def _row(self, order: Pickup, width: int) -> Content:
        now = self.counter.now()
        state, style = state_of(order)
        due, due_style = _due(order, now)
        pieces = sum(line.quantity for line in order.lines)
        return self._columns(
            [
                (due, due_style),
                (safe_text(order.order_no), "bold"),
                (self._customer(order), ""),
                (str(pieces), ""),
                (state, style),
                (age((now - (order.history[-1].at if order.history else order.placed_at)).total_seconds()), FAINT),
                (safe_text(order.shelf), "$text-accent"),
            ],
            width,
        )

    def _customer(self, order: Pickup) -> str:
        member = self.counter.replica.view.get("member", order.member_id) if order.member_id else None
        return person(member) if member else "–"

    def on_option_list_option_selected(self) -> None:
        """Enter, or a click."""
        self.action_next_step()

    def action_next_step(self) -> None:
        """What comes next for this order."""
        order = self.order
        if order is None:
            return
        match order.state:
            case PickupState.PLACED:
                self._step(pickups.accept(self.counter, order.id), _("Order {order_no} is accepted."), order)
            case PickupState.ACCEPTED:
                refusal = pickups.start_picking(self.counter, order.id)
                self._step(refusal, _("You are picking order {order_no}."), order)
                if refusal is None:
                    self._open(PickingDialog(self.counter, order.id))
            case PickupState.PICKING:
                self._open(PickingDialog(self.counter, order.id))
            case PickupState.READY if order.cancel_requested:
                self._ask_release(order)
            case PickupState.READY if self._is_over_time(order):
                self._ask_expire(order)
            case PickupState.READY:
                self.action_hand_over()
            case PickupState.EXPIRED:
                self._ask_return(order)
            case _:
                self.follow()

    def action_hand_over(self) -> None:
        """Give it to whoever came."""
        order = self.order
        if order and order.state in WORK and order.state is not PickupState.READY:
            words = _("Order {order_no} is not ready yet.").format(order_no=safe_text(order.order_no))
            self.say(told(words, _("Enter is its next step.")))
        elif order:
            self._open(HandOverDialog(self.counter, (order,)))

    def action_reject(self) -> None:
        """The store cannot give it."""
        if order := self.order:
            self._open(
                AskDialog(
                    self.counter,
                    _("Reject"),
                    _("Why can order {order_no} not be given?").format(order_no=safe_text(order.order_no)),
                    lambda _number, reason: pickups.reject(self.counter, order.id, RejectReason(reason)),
                    reasons=[(str(reason), name_of(str(reason))) for reason in REASONS],
                    said=_("Order {order_no} is rejected.").format(order_no=safe_text(order.order_no)),
                )
            )

    def action_extend(self) -> None:
        """Keep it some days more."""
        if order := self.order:
            self._open(
                AskDialog(
                    self.counter,
                    _("Keep longer"),
                    _("Keep order {order_no} how many days longer?").format(order_no=safe_text(order.order_no)),
                    lambda number, _reason: pickups.extend_hold(self.counter, order.id, number),
                    number="3",
                    said=_("Order {order_no} is kept longer.").format(order_no=safe_text(order.order_no)),
                )
            )

    def _ask_release(self, order: Pickup) -> None:
        self._open(
            AskDialog(
                self.counter,
                _("Cancel"),
                _("The customer asked to cancel. Put order {order_no} back?").format(
                    order_no=safe_text(order.order_no)
                ),
                lambda _number, _reason: pickups.release_cancelled(self.counter, order.id),
                said=_("Order {order_no} is cancelled.").format(order_no=safe_text(order.order_no)),
            )
        )

    def _is_over_time(self, order: Pickup) -> bool:
        until = pickups.expires_at(self.counter, order)
        return until is not None and self.counter.now() >= until

    def _ask_expire(self, order: Pickup) -> None:
        self._open(
            AskDialog(
                self.counter,
                _("Not collected"),
                _("Order {order_no} was kept until its time. Give up waiting? F5 still hands it over.").format(
                    order_no=safe_text(order.order_no)
                ),
                lambda _number, _reason: pickups.expire(self.counter, order.id),
                said=_("Order {order_no} waits no longer.").format(order_no=safe_text(order.order_no)),
            )
        )

    def _ask_return(self, order: Pickup) -> None:
        self._open(
            AskDialog(
                self.counter,
                _("Back to the shelf"),
                _("Nobody came for order {order_no}. Put it back on the shelf?").format(
                    order_no=safe_text(order.order_no)
                ),
                lambda _number, _reason: pickups.return_to_shelf(self.counter, order.id),
                said=_("Order {order_no} is back on the shelf.").format(order_no=safe_text(order.order_no)),
            )
        )

    def _step(self, refusal: Refusal | None, words: str, order: Pickup) -> None:
        if refusal:
            self.refuse(refusal)
        else:
            self.say(done(words.format(order_no=safe_text(order.order_no))))
        self.follow()

    def _open(self, dialog: Dialog) -> None:
        self.app.push_screen(dialog, self._came_back)

    def _came_back(self, outcome: Outcome | None) -> None:
        if outcome and outcome.scanned:
            self.on_scanned(outcome.scanned)
            return
        if outcome and outcome.said.what:
            self.say(outcome.said)
        self.follow()

    def take_scan(self, message: Scanned) -> bool:
        """A pickup code brings its order under the bar."""
        scan = read_scan(message.text, region=self.counter.store.region)
        if scan.kind is not ScanKind.PICKUP_CODE:
            return False
        order = pickups.find(self.counter, scan.value)
        if order and order.id in [other.id for other in self.orders]:
            self.order_id = order.id
            self._fill()
            return True
        return False


def _head() -> list[tuple[str, str]]:
    words = (_("Promised"), _("Order"), _("Customer"), _("Qty"), _("State"), _("Since"), _("Lies at"))
    return [(word, "$foreground 55%") for word in words]


def _due(order: Pickup, now: datetime) -> tuple[str, str]:
    """When it was promised; late ones say so in words too."""
    at = order.promised_at or order.placed_at
    left_s = (at - now).total_seconds()
    waits = order.state in (PickupState.PLACED, PickupState.ACCEPTED, PickupState.PICKING)
    words = moment(at, now)
    short = words if len(words) <= 5 else words[5:] if words[:4].isdigit() else words
    if waits and left_s < LATE_S:
        return f"! {short}", "bold $text-error"
    if waits and left_s < SOON_S:
        return short, "bold $text-warning"
    return short, ""
