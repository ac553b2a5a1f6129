"""F5: giving a customer the order that lies ready. A number says how it was seen that it is theirs; Enter is done."""

from __future__ import annotations

from collections.abc import Iterable
from typing import ClassVar

from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widget import Widget
from textual.widgets import Input, Static

from store_agent.codes import SignedCode
from store_agent.desk import pickups, proofs, scans
from store_agent.desk.counter import Counter
from store_agent.domain.pickups import IdentityCheck, Line, Pickup, PickupReason
from store_agent.safe_text import safe_text
from store_agent.scan import ScanKind
from store_agent.words import _, later
from store_agent.words.formats import moment, money
from tui.columns import pair, row, stacked
from tui.dialogs.dialog import Dialog, Outcome
from tui.keys import Key
from tui.naming import spoken
from tui.said import done, told
from tui.scanning import Scanned
from tui.widgets.code_box import FormField
from tui.widgets.pickup_words import CHECKS, state_of

WIDTH = 66


class HandOverDialog(Dialog):
    """The pieces, who may have them, and whether they are paid."""

    DEFAULT_CSS = """
    HandOverDialog VerticalScroll { height: auto; max-height: 9; scrollbar-size: 0 1; }
    HandOverDialog #order { height: auto; }
    HandOverDialog #checks { height: auto; margin-top: 1; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "hand_over", "", show=False),
        Binding("f2", "paid", "", show=False),
        Binding("f3", "proxy", "", show=False),
        Binding("f5", "next_order", "", show=False),
        *[Binding(str(n), f"check({n})", "", show=False) for n in range(1, len(CHECKS) + 1)],
    ]
    # No field has the focus, so that a number is a choice.
    AUTO_FOCUS = ""
    KEYS = (
        Key("1-4", "", later("Check"), ""),
        Key("enter", "hand_over", later("Hand over"), ""),
        Key("f3", "proxy", later("Other person"), ""),
        Key("f2", "paid", later("Paid"), ""),
        Key("f5", "next_order", later("Next"), ""),
    )

    def __init__(
        self,
        counter: Counter,
        orders: tuple[Pickup, ...],
        check: IdentityCheck = IdentityCheck.NONE,
        shown: SignedCode | None = None,
    ) -> None:
        super().__init__(counter)
        self.orders = orders
        self.place = 0
        self.check = check
        self.shown = shown
        """The signed code that was scanned."""
        self.paid_here = False

    @property
    def order(self) -> Pickup:
        """The one that is handed over."""
        return self.orders[self.place]

    def keys(self) -> tuple[Key, ...]:
        idle = {"paid"} if all(order.paid for order in self.orders) else set()
        idle |= {"next_order"} if len(self.orders) == 1 else set()
        return tuple(key for key in self.KEYS if key.action not in idle)

    def heading(self) -> str:
        return _("Hand over an order")

    def parts(self) -> Iterable[Widget]:
        with VerticalScroll(can_focus=False):
            yield Static(self._order(), id="order", markup=False)
        yield Static(self._checks(), id="checks", markup=False)
        proxy = FormField("", id="proxy")
        proxy.border_title = _("Collected by somebody else: their name")
        proxy.display = False
        yield proxy

    def _order(self) -> Content:
        order = self.order
        state, style = state_of(order)
        count = f"  {self.place + 1}/{len(self.orders)}" if len(self.orders) > 1 else ""
        lines = [pair((f"{safe_text(order.order_no)}{count}", "bold"), (state, style), WIDTH)]
        if order.shelf:
            lines.append(pair((_("Lies at"), "$foreground 55%"), (safe_text(order.shelf), "bold $text-accent"), WIDTH))
        lines += [_line(line) for line in order.lines]
        until = pickups.expires_at(self.counter, order)
        if until:
            lines.append(pair((_("Kept until"), "$foreground 55%"), (moment(until, self.counter.now()), ""), WIDTH))
        paid = _("paid") if order.paid else _("paid at the till just now") if self.paid_here else _("NOT PAID")
        sum_ = f"{money(order.total_minor, order.currency)}  {paid}"
        lines.append(pair((_("Total"), ""), (sum_, "" if order.paid or self.paid_here else "bold $text-error"), WIDTH))
        if order.proxy_name:
            words = _("{name} may collect it too.").format(name=safe_text(order.proxy_name))
            lines.append(Content.styled(words, "$text-secondary"))
        return stacked(lines)

    def _checks(self) -> Content:
        lines = [Content.styled(_("How did you see that it is theirs?"), "$text-primary")]
        for n, (check, words) in enumerate(CHECKS, 1):
            is_it = check is self.check
            sign = "(●)" if is_it else "( )"
            lines.append(Content.styled(f" {n} {sign} {_(words)}", "bold $text-success" if is_it else ""))
        return stacked(lines)

    def _redraw(self) -> None:
        self.query_one("#order", Static).update(self._order())
        self.query_one("#checks", Static).update(self._checks())

    def action_check(self, number: int) -> None:
        """A number: how it was checked."""
        self.check = CHECKS[number - 1][0]
        self._redraw()

    def action_paid(self) -> None:
        """The money was taken at the till."""
        self.paid_here = not self.paid_here
        self._redraw()

    def action_proxy(self) -> None:
        """Somebody else stands here; whom the customer named is entered already."""
        proxy = self.query_one("#proxy", Input)
        proxy.display = not proxy.display
        proxy.value = safe_text(self.order.proxy_name) if proxy.display else ""
        self.set_focus(proxy if proxy.display else None)

    def action_next_order(self) -> None:
        """The member's next order that is ready."""
        self.place = (self.place + 1) % len(self.orders)
        self._redraw()

    def on_input_submitted(self) -> None:
        """Enter in the name's field."""
        self.set_focus(None)
        if self.check is IdentityCheck.NONE:
            self.say(told(_("How did you see that it is theirs?"), _("Press a number, then Enter.")))
        else:
            self.action_hand_over()

    def action_hand_over(self) -> None:
        """They have it."""
        if self.is_over:
            return
        proxy = self.query_one("#proxy", Input)
        refusal = pickups.hand_over(
            self.counter,
            self.order.id,
            self.check,
            receiver_name=safe_text(proxy.value),
            is_proxy=bool(proxy.display and proxy.value.strip()),
            paid_here=self.paid_here and not self.order.paid,
            shown=proofs.shown(self.shown) if self.shown and self.shown.subject == self.order.id else None,
        )
        if refusal is None:
            words = _("Order {order_no} is handed over.").format(order_no=safe_text(self.order.order_no))
            self.finish(Outcome(said=done(words)))
        elif refusal.reason is PickupReason.UNPAID:
            self.refuse(refusal, _("Take the money at the till, press F2, then Enter."))
        else:
            self.refuse(refusal)

    def take_scan(self, message: Scanned) -> bool:
        """The order's own code, scanned, is the check."""
        scan = scans.read(self.counter, message.text)
        if refusal := scans.refusal_of(scan):
            self.refuse(refusal)
            return True
        order = scans.row_of(self.counter, "pickup", scan) if scan.kind is ScanKind.PICKUP_CODE else None
        ids = [one.id for one in self.orders]
        if order is None or order.id not in ids:
            return False
        self.place = ids.index(order.id)
        self.shown = scans.signed_in(scan)
        self.action_check(1)
        return True


def _line(line: Line) -> Content:
    """What the customer gets of a line."""
    waiting = line.waiting
    names = [(spoken(line.name, line.gtin), waiting)]
    if line.waiting_substitute:
        name = _("{name} (instead)").format(name=spoken(line.substitute_name, line.substitute_gtin))
        names = [one for one in names if one[1]] + [(name, line.waiting_substitute)]
    short = _("short {count}").format(count=line.short) if line.short else ""
    rows = [
        row([(f"  {name}", "", 0), (short, "$text-warning", -12), (f"{count} ×", "bold", -6)], 0, WIDTH)
        for name, count in names
    ]
    return stacked(rows)
