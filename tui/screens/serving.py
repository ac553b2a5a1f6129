"""Whom the counter serves: the visit, what is known of it, and what is said. Where it stands on the screen is elsewhere."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, cast

from textual.reactive import reactive
from textual.screen import Screen

from store_agent.codes import SignedCode
from store_agent.desk import baskets, proofs
from store_agent.desk.counter import Counter
from store_agent.domain.coupons import Coupon
from store_agent.domain.operation import Refusal
from store_agent.domain.pickups import Pickup
from store_agent.domain.proofs import Proof, ProofKind, stronger
from store_agent.domain.quotes import VerdictKind
from store_agent.words import _
from tui.coupon_words import coupon_name, lacking
from tui.hints import next_step
from tui.naming import with_names
from tui.said import NOTHING, Said, Tone, done, hinted, refused, told
from tui.screens.looking_up import LookUp
from tui.speaking import Speaking
from tui.visits import CounterOverview, Visit, begin, look
from tui.widgets.code_box import CodeBox
from tui.widgets.hit_list import HitList
from tui.widgets.notice import Notice

if TYPE_CHECKING:
    from tui.app import StoreApp


class Serving(Speaking, Screen[None]):
    """State flows down: each verb here changes the visit, and the overview is looked at anew."""

    visit: reactive[Visit | None] = reactive(None)
    overview: reactive[CounterOverview | None] = reactive(None)

    def __init__(self, counter: Counter, look_up: LookUp, has_cable: bool = False) -> None:
        super().__init__()
        self.counter = counter
        self.look_up = look_up
        self.has_cable = has_cable
        self._said = NOTHING
        self.set_reactive(Serving.visit, begin(counter))
        self._unknown_code = ""
        """A card that was scanned and is nobody's yet: registering offers it."""

    @property
    def terminal(self) -> StoreApp:
        """The program that this screen is in."""
        return cast("StoreApp", self.app)

    def refresh_overview(self) -> None:
        """Look again at everything that is shown."""
        assert self.visit is not None
        self.overview = look(self.counter, self.visit)
        self.terminal.look()

    def follow(self) -> None:
        """Rows came, or another terminal accepted something."""
        if found := self.look_up.arrived(self.counter):
            self.open_member(found)
        else:
            self.refresh_overview()

    def watch_visit(self) -> None:
        """Another customer, another basket."""
        if self.is_mounted:
            self.refresh_overview()

    def say(self, said: Said) -> None:
        """What just happened, or why not."""
        self._said = said
        self._speak()
        if said.tone is Tone.REFUSED:
            # Whoever scans looks at the goods and not at the screen.
            self.app.bell()

    def _speak(self) -> None:
        """What was said stays until something else is; a hint stands where there is nothing to say, or below it."""
        overview, said = self.overview, self._said
        hint = next_step(overview, self.counter.now()) if overview else ""
        if not said.what and hint:
            said = hinted(hint)
        elif said.tone is Tone.DONE and not said.instead and hint:
            said = replace(said, instead=f"→ {hint}")
        for notice in self.query(Notice):
            notice.said = said

    def _clear_box(self) -> None:
        self.query_one(CodeBox).value = ""
        self.query_one(HitList).show(())

    def open_member(self, member_id: str, said: Said = NOTHING, proof: Proof | None = None) -> None:
        """Serve this member; the goods on the counter stay in the basket."""
        assert self.visit is not None
        before, self._unknown_code = self.visit, ""
        self._clear_box()
        if before.member_id and before.member_id != member_id and before.basket.lines and not said.what:
            said = told(_("Another member now; the basket stayed."), _("F9 begins anew."))
        self._said = said
        member_id = self.counter.replica.view.canonical(member_id)
        shown = stronger(before.proof, proof or Proof(kind=ProofKind.FOUND, member_id=member_id))
        self.visit = replace(before, member_id=member_id, proof=shown, card=None)
        self._speak()

    def open_card(self, card: SignedCode, proof: Proof) -> None:
        """Serve whom this store does not hold by what their card says; the centre sends the rest when it can."""
        assert self.visit is not None
        self._clear_box()
        self.visit = replace(self.visit, member_id=proof.member_id, proof=stronger(self.visit.proof, proof), card=card)
        if question := self.look_up.ask(self, code=card.member_id, by_card=True):
            self.run_worker(question, exclusive=True, group="sight")

    def ask_centre(self, *, phone: str = "", code: str = "") -> None:
        """Nobody of this store: the centre may know them."""
        if question := self.look_up.ask(self, phone=phone, code=code):
            self.run_worker(question, exclusive=True, group="sight")

    def choose_hit(self) -> None:
        """Several were found: the bar goes to the first, and nothing is opened yet."""
        self.query_one(HitList).highlighted = 0

    def show_order(self, order: Pickup, code: SignedCode | None = None) -> None:
        """A pickup code was shown; what opens then is the work of the screen that has the dialogs."""
        raise NotImplementedError

    def show_voucher(self, voucher: SignedCode) -> None:
        """Somebody else's promise to pay was shown."""
        raise NotImplementedError

    def add_product(self, gtin: str) -> None:
        """One piece into the basket."""
        assert self.visit is not None
        basket = baskets.add(self.counter, self.visit.basket, gtin)
        self._clear_box()
        if isinstance(basket, Refusal):
            self.say(refused(with_names(self.counter, basket)))
        else:
            self._said = NOTHING
            self.visit = replace(self.visit, basket=basket)

    def set_total(self, total_minor: int) -> None:
        """A basket of which only the total is known."""
        assert self.visit is not None
        self._clear_box()
        self._said = NOTHING
        self.visit = replace(self.visit, basket=baskets.of_total(self.counter, total_minor))

    def show_coupon(self, coupon: Coupon, code: SignedCode | None = None) -> None:
        """A coupon was shown: it counts for this basket, if it may. Its signed code proves that it is theirs."""
        assert self.visit is not None
        self._clear_box()
        if code:
            self.visit = replace(self.visit, proof=self.visit.proof.also(proofs.shown(code)))
        if coupon.member_id and coupon.member_id != self.visit.member_id and not self.visit.member_id:
            self.open_member(coupon.member_id, told(_("The coupon's member is opened.")))
            return
        others = tuple(other for other in self.visit.shown if other.id != coupon.id)
        self.visit = replace(self.visit, shown=(*others, coupon))
        if not self.visit.member_id:
            self.say(
                told(_("The coupon is noted."), _("Scan the member, and the products or =350: then it is taken off."))
            )
            return
        quote = self.overview.quote if self.overview else None
        verdict = next((one for one in quote.verdicts if one.coupon_id == coupon.id), None) if quote else None
        if quote is None or verdict is None:
            return
        name = coupon_name(quote, coupon.id)
        if verdict.refusal:
            self.say(refused(verdict.refusal))
        elif self.overview and coupon.id in self.overview.chosen:
            self.say(told(_("{name} is taken off.").format(name=name)))
        elif verdict.kind is VerdictKind.USABLE:
            self.say(
                told(_("{name} is in the list.").format(name=name), _("Other coupons save more; F2 lets you choose."))
            )
        else:
            self.say(told(_("{name} is in the list.").format(name=name), lacking(quote, verdict)))

    def remember_code(self, code: str) -> None:
        """A card that is nobody's yet."""
        self._unknown_code = code

    def greet_staff(self, staff_id: str, name: str) -> None:
        """A badge says who stands here from now on."""
        self.counter.staff = staff_id
        self.terminal.show_place()
        self.say(done(_("{name} is at the counter now.").format(name=name)))
