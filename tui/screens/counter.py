"""The counter: one box for every scan and all typing, and what is known of the customer in front of it."""

from __future__ import annotations

from dataclasses import replace
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical
from textual.widgets import Input, OptionList

from store_agent.codes import SignedCode
from store_agent.desk import baskets, members, vouchers
from store_agent.domain.pickups import IdentityCheck, Pickup, PickupState
from store_agent.safe_text import safe_text
from store_agent.words import _
from store_agent.words.formats import money
from tui.dialogs.board import BoardDialog
from tui.dialogs.cases import CasesDialog
from tui.dialogs.confirm import AskDialog
from tui.dialogs.dialog import Dialog, Outcome
from tui.dialogs.edit import EditDialog
from tui.dialogs.hand_over import HandOverDialog
from tui.dialogs.help import HelpDialog
from tui.dialogs.member_code import MemberCodeDialog
from tui.dialogs.points import PointsDialog
from tui.dialogs.redeem import RedeemDialog
from tui.dialogs.register import RegisterDialog
from tui.dialogs.stock import StockDialog
from tui.dialogs.tag import TagDialog
from tui.keys import COUNTER_KEYS
from tui.said import NOTHING
from tui.scanning import Scanned
from tui.screens.receiving import receive
from tui.screens.serving import Serving
from tui.visits import CounterOverview, begin
from tui.widgets.basket_pane import BasketPane
from tui.widgets.code_box import CodeBox
from tui.widgets.coupon_pane import CouponPane
from tui.widgets.hit_list import HitList
from tui.widgets.key_bar import KeyBar
from tui.widgets.member_card import MemberCard
from tui.widgets.notice import Notice
from tui.widgets.welcome import Welcome

WIDE = 100
"""Columns from which the member's card gets more room."""


class CounterScreen(Serving):
    """State flows down: a key calls one verb, then `overview` is looked at anew and every part repaints itself."""

    DEFAULT_CSS = """
    CounterScreen { layers: base over; background: $background; }
    CounterScreen #body { height: 1fr; margin: 0 1; }
    CounterScreen.-wide MemberCard { width: 42; }
    CounterScreen #right { width: 1fr; margin-left: 1; }
    CounterScreen CodeBox { border: round $primary; background: $surface; padding: 0 1; }
    CounterScreen CodeBox:focus { border: round $primary; }
    CounterScreen #bottom { dock: bottom; height: 2; }
    CounterScreen #bottom KeyBar { dock: none; }
    CounterScreen #bottom StatusBar { dock: none; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        *[Binding(key.key, key.action, key.label, show=False) for key in COUNTER_KEYS if key.action != "cable"],
        Binding("down", "hit('cursor_down')", "", show=False),
        Binding("up", "hit('cursor_up')", "", show=False),
        Binding("pagedown", "scroll_coupons(1)", "", show=False),
        Binding("pageup", "scroll_coupons(-1)", "", show=False),
        Binding("ctrl+d", "remove_line", "", show=False, priority=True),
    ]

    def compose(self) -> ComposeResult:
        yield CodeBox(id="box")
        yield Notice()
        yield Welcome().data_bind(CounterScreen.overview)
        with Horizontal(id="body"):
            yield MemberCard().data_bind(CounterScreen.overview)
            with Vertical(id="right"):
                yield BasketPane().data_bind(CounterScreen.overview)
                yield CouponPane().data_bind(CounterScreen.overview)
        yield HitList()
        with Vertical(id="bottom"):
            yield KeyBar()
            yield self.terminal.make_status_bar()

    def on_mount(self) -> None:
        """The box has the focus and keeps it."""
        self._show_place()
        self.query_one(CodeBox).focus()
        self.refresh_overview()

    def on_resize(self) -> None:
        """More room for the member on a wide screen."""
        self.set_class(self.app.size.width >= WIDE, "-wide")

    def on_screen_resume(self) -> None:
        """Back from a dialog: letters go to the box again."""
        if self.is_mounted and self.query(CodeBox):
            self.query_one(CodeBox).focus()

    def watch_overview(self, overview: CounterOverview | None) -> None:
        """What is possible now, and the one hint."""
        if overview is None or not self.query(KeyBar):
            return
        is_blank = overview.visit.is_blank
        self.query_one(Welcome).display = is_blank
        self.query_one("#body").display = not is_blank
        can = overview.possible | ({"cable"} if self.has_cable else set())
        if not overview.has_cases:
            # Most days there is none: then the key is in the help alone.
            can -= {"cases"}
        self.query_one(KeyBar).keys = tuple(key for key in COUNTER_KEYS if key.action in can)
        self._speak()

    def _show_place(self) -> None:
        self.query_one(CodeBox).border_title = "Store Agent"

    def on_scanned(self, message: Scanned) -> None:
        """A scan, whatever has the focus."""
        message.stop()
        self.query_one(HitList).show(())
        self.query_one(CodeBox).value = ""
        receive(self, message.text, message.ending)

    def on_input_changed(self, message: Input.Changed) -> None:
        """Hits while somebody types."""
        text = message.value.strip()
        is_total = text[:1] in ("=", "$", "＝")
        self.query_one(HitList).show([] if is_total or not text else members.find(self.counter, text))

    def on_input_submitted(self, message: Input.Submitted) -> None:
        """Enter: the hit under the bar, else what is typed."""
        hits = self.query_one(HitList)
        if chosen_id := hits.chosen_id:
            self.open_member(chosen_id)
        elif message.value.strip():
            # What stays in the box is read once more before it goes: what is typed next takes its place.
            self.query_one(CodeBox).select_all()
            receive(self, message.value, None)

    def on_option_list_option_selected(self, message: OptionList.OptionSelected) -> None:
        """A click on a hit."""
        self.open_member(message.option.id or "")

    def action_hit(self, how: str) -> None:
        """Arrows go to the hits while there are some."""
        hits = self.query_one(HitList)
        if hits.display:
            getattr(hits, f"action_{how}")()

    def action_scroll_coupons(self, pages: int) -> None:
        """The coupons and the member, half a page on or back."""
        for pane in (self.query_one(CouponPane), self.query_one(MemberCard)):
            pane.scroll_relative(y=pages * 6, animate=False)

    def show_voucher(self, voucher: SignedCode) -> None:
        """Asked once more, for it cannot be given back here."""
        assert self.visit is not None
        purchase_id, member_id = self.visit.purchase_id, self.visit.member_id
        worth = money(voucher.amount_minor, voucher.currency)
        issuer, number = safe_text(voucher.issuer), safe_text(voucher.subject)
        self._open(
            AskDialog(
                self.counter,
                _("Voucher"),
                _("Voucher {number} of {issuer}: take it for {money}?").format(
                    number=number, issuer=issuer, money=worth
                ),
                lambda _number, _reason: vouchers.take(self.counter, voucher, purchase_id, member_id),
                said=_("Enter {money} at the till as paid by voucher.").format(money=worth),
            )
        )

    def show_order(self, order: Pickup, code: SignedCode | None = None) -> None:
        """A pickup code was shown: hand it over if it is ready, else say where it stands on the board."""
        assert self.visit is not None
        self._clear_box()
        if order.member_id and self.counter.replica.view.get("member", order.member_id):
            self.open_member(order.member_id)
        if order.state is PickupState.READY and not order.cancel_requested:
            self._open(HandOverDialog(self.counter, (order,), IdentityCheck.CODE, code))
        else:
            self._open(BoardDialog(self.counter, order.id))

    def _open(self, dialog: Dialog) -> None:
        if self.is_current:
            self.app.push_screen(dialog, self._came_back)

    def _came_back(self, outcome: Outcome | None) -> None:
        """A dialog ended: say what it did, and go on."""
        assert self.visit is not None
        if outcome is None:
            self.refresh_overview()
        elif outcome.scanned:
            self.on_scanned(outcome.scanned)
        elif outcome.then:
            self.call_later(self._go_on, outcome)
        elif outcome.open_member:
            self.open_member(outcome.open_member, outcome.said, outcome.proof)
        elif outcome.served:
            self._said = outcome.said
            self.visit = replace(begin(self.counter), member_id=self.visit.member_id, card=self.visit.card)
        else:
            self.refresh_overview()
            self.say(outcome.said)

    def _go_on(self, outcome: Outcome) -> None:
        if self.visit and outcome.proof:
            self.visit = replace(self.visit, proof=outcome.proof)
        if outcome.then == "points":
            self.action_points(outcome.chosen)
        else:
            self.action_redeem(outcome.chosen)

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """A key that makes no sense now does nothing, as it is not in the line of keys either."""
        named = {key.action for key in COUNTER_KEYS} - {"quit", "cable", "back", "clear"}
        return not (self.overview and action in named and action not in self.overview.possible)

    def action_redeem(self, chosen: tuple[str, ...] | None = None) -> None:
        """F2."""
        if self.overview and self.overview.of_member:
            self._open(RedeemDialog(self.counter, self.overview, chosen))

    def action_points(self, chosen: tuple[str, ...] | None = None) -> None:
        """F3."""
        if self.overview and self.overview.of_member:
            self._open(PointsDialog(self.counter, self.overview, chosen))

    def action_register(self) -> None:
        """F4: what was typed is in its field already."""
        typed = self.query_one(CodeBox).value
        self.query_one(HitList).show(())
        self._open(RegisterDialog(self.counter, typed or self.look_up.unknown_phone, self._unknown_code))

    def action_edit(self) -> None:
        """F4 with a member open."""
        if self.overview and self.overview.of_member:
            self._open(EditDialog(self.counter, self.overview.of_member.member, self.overview.visit.proof))

    def action_show_code(self) -> None:
        """Ctrl+R."""
        if self.overview and self.overview.of_member:
            self._open(MemberCodeDialog(self.counter, self.overview.of_member.member))

    def action_hand_over(self) -> None:
        """F5."""
        if self.overview and self.overview.ready:
            self._open(HandOverDialog(self.counter, self.overview.ready))

    def action_tag(self) -> None:
        """F6."""
        if self.overview and self.overview.of_member:
            self._open(TagDialog(self.counter, self.overview.of_member))

    def action_stock(self) -> None:
        """F7: what was typed is looked for."""
        typed = self.query_one(CodeBox).value
        self._clear_box()
        self._open(StockDialog(self.counter, typed))

    def action_pickups(self) -> None:
        """F8."""
        self._open(BoardDialog(self.counter))

    def action_cases(self) -> None:
        """Ctrl+O."""
        self._open(CasesDialog(self.counter))

    def action_clear(self) -> None:
        """F9: the next customer."""
        self._clear_box()
        self._said, self._unknown_code = NOTHING, ""
        self.look_up.forget()
        self.visit = begin(self.counter)

    def action_quit(self) -> None:
        """Ctrl+Q."""
        self.app.exit()

    def action_help(self) -> None:
        """F1."""
        self._open(HelpDialog(self.counter))

    def action_remove_line(self) -> None:
        """The last piece that was scanned goes out again."""
        assert self.visit is not None
        if self.visit.basket.lines:
            basket = baskets.remove(self.visit.basket, len(self.visit.basket.lines) - 1)
            self.visit = replace(self.visit, basket=basket)

    def action_back(self) -> None:
        """One step back: what is typed, then what was said, then the basket, then the member."""
        assert self.visit is not None
        if self.query_one(CodeBox).value:
            self._clear_box()
        elif self._said.what:
            self.say(NOTHING)
        elif self.visit.basket.lines or self.visit.shown:
            before = self.visit
            blank = begin(self.counter)
            self.visit = replace(blank, member_id=before.member_id, proof=before.proof, card=before.card)
        else:
            self.action_clear()

    def action_language(self) -> None:
        """F10: the next language."""
        self.call_later(self._speak_next_language)

    async def _speak_next_language(self) -> None:
        """All that is shown is made anew, and nothing is lost."""
        typed = self.query_one(CodeBox).value
        self.terminal.speak_next_language()
        self._said = NOTHING
        await self.recompose()
        self._show_place()
        box = self.query_one(CodeBox)
        box.value = typed
        box.focus()
        self.set_reactive(CounterScreen.overview, None)
        self.refresh_overview()
