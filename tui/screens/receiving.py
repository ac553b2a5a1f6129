"""What the counter does with a text that was scanned or typed: each kind goes to one place, and none is ignored."""

from __future__ import annotations

import re
import unicodedata

from store_agent.desk import members, pickups, proofs, scans
from store_agent.domain.coupons import CouponReason
from store_agent.domain.keys import CodeKind
from store_agent.domain.money import EXPONENTS
from store_agent.domain.operation import Refusal
from store_agent.domain.pickups import PickupReason
from store_agent.domain.proofs import Proof, ProofKind
from store_agent.safe_text import safe_text
from store_agent.scan import Scan, ScanKind, ScanReason
from store_agent.words import _
from store_agent.words.formats import money
from store_agent.words.scans import say_scan, say_scan_instead
from tui.bursts import Ending
from tui.naming import with_names
from tui.said import refused, told, warned
from tui.screens.serving import Serving
from tui.widgets.code_box import CodeBox

TOTAL = re.compile(r"[=$]\s*([0-9]{1,9})(?:\.([0-9]{1,2}))?")
SHORTEST_PHONE = 7
TYPED_BY_PEOPLE = (ScanReason.SHORT_NUMBER, ScanReason.NUMBER, ScanReason.TEXT, ScanReason.PHONE_INVALID)


def receive(screen: Serving, text: str, ending: Ending | None) -> None:
    """Go where this text belongs. `ending` is None for what a person typed and confirmed with Enter."""
    total_minor = total_of(text, screen.counter.store.currency)
    # Also from what looks like a scan: a slow line bunches what a person types, and no code looks like this.
    if total_minor is not None:
        screen.set_total(total_minor)
        return
    scan = scans.read(screen.counter, text)
    if refusal := scans.refusal_of(scan):
        screen.say(refused(with_names(screen.counter, refusal)))
        return
    code = scans.signed_in(scan)
    match scan.kind:
        case ScanKind.PHONE | ScanKind.MEMBER_CODE:
            _member(screen, scan)
        case ScanKind.PRODUCT:
            screen.add_product(scan.value)
        case ScanKind.COUPON if code and code.kind is CodeKind.VOUCHER:
            screen.show_voucher(code)
        case ScanKind.COUPON:
            coupon = scans.row_of(screen.counter, "coupon", scan)
            if coupon:
                screen.show_coupon(coupon, code)
            else:
                screen.say(refused(Refusal(CouponReason.UNKNOWN)))
        case ScanKind.PICKUP_CODE:
            order = scans.row_of(screen.counter, "pickup", scan)
            if order:
                screen.show_order(order, code)
            else:
                screen.say(refused(Refusal(PickupReason.UNKNOWN, {"order_no": scan.value})))
        case ScanKind.STAFF_BADGE:
            _badge(screen, scan)
        case ScanKind.INVOICE_LEFT | ScanKind.INVOICE_RIGHT:
            _invoice(screen, scan)
        case ScanKind.CARRIER:
            screen.say(
                told(
                    _("This is a mobile barcode for invoices ({code}).").format(code=scan.value),
                    _("Scan it at the till. For the member ask for the phone number."),
                )
            )
        case ScanKind.UNKNOWN:
            _unknown(screen, scan, ending)


def total_of(text: str, currency: str) -> int | None:
    """`=350` or `$350` in minor units; None where it is no total."""
    found = TOTAL.fullmatch(unicodedata.normalize("NFKC", text).strip().replace(",", ""))
    if found is None:
        return None
    exponent = EXPONENTS.get(currency, 2)
    if found[2] and exponent == 0:
        return None
    whole: int = int(found[1]) * 10**exponent
    return whole + int((found[2] or "").ljust(exponent, "0") or "0")


def _member(screen: Serving, scan: Scan) -> None:
    is_phone = scan.kind is ScanKind.PHONE
    member = (
        members.by_field(screen.counter, "phone", scan.value) if is_phone else members.by_code(screen.counter, scan)
    )
    code = scans.signed_in(scan)
    if member:
        kind = ProofKind.PHONE if is_phone else ProofKind.CARD
        proof = proofs.of_code(screen.counter, code) if code else Proof(kind=kind, member_id=member.id)
        screen.open_member(member.id, proof=proof)
    elif code:
        screen.open_card(code, proofs.of_code(screen.counter, code))
    elif scan.also_gtin and screen.counter.replica.view.get("product", scan.also_gtin):
        screen.add_product(scan.also_gtin)
    else:
        if not is_phone:
            screen.remember_code(scan.value)
        screen.ask_centre(phone=scan.value if is_phone else "", code="" if is_phone else scan.value)


def _badge(screen: Serving, scan: Scan) -> None:
    found = scans.row_of(screen.counter, "staff", scan, "badge")
    if found:
        screen.greet_staff(found.id, safe_text(found.name))
    else:
        screen.say(warned(_("This store knows nobody with this badge."), _("Ask the head office to add it.")))


def _invoice(screen: Serving, scan: Scan) -> None:
    what = _("This is an invoice ({number}).").format(number=safe_text(scan.value, 20))
    if scan.invoice:
        what = _("This is invoice {number} of {money}.").format(
            number=scan.value, money=money(scan.invoice.total_minor, "TWD")
        )
    screen.say(told(what, _("Invoices are not registered on this screen yet; nothing was changed.")))


def _unknown(screen: Serving, scan: Scan, ending: Ending | None) -> None:
    """What people type is searched for, also where a slow line brings it in one packet, as a scanner would."""
    counter, reason = screen.counter, scan.reason or ScanReason.TEXT
    card = members.look_up(counter, scan.value)
    if card:
        screen.open_member(card.id)
        return
    order = pickups.find(counter, scan.value) if len(scan.value) >= 4 else None
    if order:
        screen.show_order(order)
    elif reason in TYPED_BY_PEOPLE or (ending is None and reason is ScanReason.CHECK_DIGIT):
        _search(screen, scan.value, ending)
    else:
        screen.say(warned(say_scan(reason), say_scan_instead(reason)))


def _search(screen: Serving, text: str, ending: Ending | None) -> None:
    hits = members.find(screen.counter, text)
    # Digits that came in one packet may be a foreign code, which must not open whoever's phone ends so.
    is_typed = ending is None or any(character.isalpha() for character in text)
    if len(hits) == 1 and is_typed:
        screen.open_member(hits[0].id)
        return
    if hits or ending is not None:
        screen.query_one(CodeBox).put(text)
    if hits:
        screen.call_after_refresh(screen.choose_hit)
        return
    instead = _("Type fewer characters. F4 registers them, F7 looks for a product of that name.")
    if len(text) >= SHORTEST_PHONE and not any(character.isalpha() for character in text):
        instead = _("A phone number from abroad begins with + and its country, as in +852. F7 looks for a product.")
    screen.say(warned(_("Nobody here is found by “{text}”.").format(text=safe_text(text, 40)), instead))
    screen.query_one(CodeBox).select_all()
