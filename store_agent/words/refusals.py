"""What a refusal says, and what to do instead: two sentences for every reason of every noun.

The reasons stand here by their value, so that this file needs no noun; `tests/test_words.py` holds both together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime

from store_agent.domain.operation import Fact, Refusal
from store_agent.safe_text import safe_text
from store_agent.words import _, later
from store_agent.words.formats import moment, money
from store_agent.words.names import CODED_FACTS, names_of


@dataclass(frozen=True, slots=True)
class Words:
    """The English of both sentences, with the facts that they mention in braces."""

    what: str
    instead: str


UNKNOWN = Words(
    later("This cannot be done here ({reason})."),
    later("Bring this store in step with the centre and update Store Agent, or ask a manager."),
)

WORDS: dict[str, Words] = {
    "member-unknown": Words(
        later("This store does not know this member."),
        later("Search again by phone number, or register them."),
    ),
    "member-already-there": Words(
        later("This member is already registered."),
        later("Open the member; nothing more is needed."),
    ),
    "member-phone-invalid": Words(
        later("This is no phone number."),
        later("Ask for the number again, with the country code if it is from abroad."),
    ),
    "member-phone-taken": Words(
        later("Another member already has this phone number."),
        later("Open that member and ask whether it is the same person."),
    ),
    "member-name-missing": Words(
        later("The name is missing."),
        later("Type the name that the customer wants to be called by."),
    ),
    "member-name-long": Words(
        later("The name is longer than {most} characters."),
        later("Shorten the name."),
    ),
    "member-email-invalid": Words(
        later("This is no mail address."),
        later("Correct it, or leave it empty."),
    ),
    "member-link-there": Words(
        later("This is already linked to the member."),
        later("Nothing more is needed."),
    ),
    "member-merged": Words(
        later("This member was merged into another one."),
        later("Search by phone number and open the member who remains."),
    ),
    "points-no-account": Words(
        later("This member has no points yet."),
        later("Earn points with this purchase first."),
    ),
    "points-nothing": Words(
        later("No points were entered."),
        later("Enter 1 point or more."),
    ),
    "points-not-enough": Words(
        later("{points} points are too many: the member has {balance}."),
        later("Use {balance} or fewer, and take the rest in another way."),
    ),
    "points-step": Words(
        later("Points are redeemed in steps of {step}."),
        later("Enter a multiple of {step}."),
    ),
    "points-above-total": Words(
        later("The points are worth more than what is to pay."),
        later("Use {most} points or fewer."),
    ),
    "points-unknown-movement": Words(
        later("This member has no such entry of points."),
        later("Look it up in the member's history and choose the entry there."),
    ),
    "points-already-reversed": Words(
        later("Of this entry only {left} points are left to take back."),
        later("Take back {left} or fewer; it may have been done before."),
    ),
    "purchase-already-there": Words(
        later("This purchase was already recorded by {staff}, {since_at}."),
        later("Nothing more is needed."),
    ),
    "purchase-empty": Words(
        later("The basket is empty."),
        later("Scan a product, or enter the total."),
    ),
    "purchase-negative": Words(
        later("What is to pay does not fit the total."),
        later("Check the amounts; returns are taken at the till."),
    ),
    "campaign-unknown": Words(
        later("This store does not know the campaign of this coupon."),
        later("Wait until the store is in step with the centre, or ask a manager."),
    ),
    "campaign-online-only": Words(
        later("This offer counts for online orders only."),
        later("Show the customer how to use it in the online shop, or offer a coupon for this store."),
    ),
    "campaign-other-store": Words(
        later("This offer does not count in this store."),
        later("It counts in: {stores}."),
    ),
    "campaign-other-channel": Words(
        later("This offer does not count here."),
        later("It counts: {channels}."),
    ),
    "campaign-not-yet": Words(
        later("This offer begins {from_at}."),
        later("Ask the customer to come back then."),
    ),
    "campaign-ended": Words(
        later("This offer ended {ended_at}."),
        later("Look whether another coupon of the member counts."),
    ),
    "campaign-weekday": Words(
        later("This offer does not count today."),
        later("It counts on: {weekdays}."),
    ),
    "campaign-hour": Words(
        later("This offer does not count at this hour."),
        later("It counts from {from_time} to {until_time}."),
    ),
    "campaign-currency": Words(
        later("This offer is in {currency} and the basket in {basket_currency}."),
        later("Choose a coupon in {basket_currency}."),
    ),
    "campaign-member-needed": Words(
        later("This offer is for members."),
        later("Find or register the member first."),
    ),
    "campaign-tier": Words(
        later("This offer is for another tier of members."),
        later("It is for: {tiers}. Look for another coupon of the member."),
    ),
    "campaign-tag": Words(
        later("This offer is for a group of members to which this one does not belong."),
        later("Look for another coupon of the member."),
    ),
    "campaign-first-purchase": Words(
        later("This offer is for the first purchase only."),
        later("Look for another coupon of the member."),
    ),
    "coupon-unknown": Words(
        later("This store does not know this coupon."),
        later("Wait until the store is in step with the centre, or scan the code again."),
    ),
    "coupon-not-yet": Words(
        later("This coupon counts from {from_at}."),
        later("Ask the customer to come back then."),
    ),
    "coupon-expired": Words(
        later("This coupon expired {expired_at}."),
        later("Look for another coupon of the member."),
    ),
    "coupon-used-up": Words(
        later("This coupon was already used ({used_at}, {store})."),
        later("Look for another coupon of the member."),
    ),
    "coupon-other-member": Words(
        later("This coupon belongs to another member."),
        later("Open the member to whom it belongs, or look for a coupon of this one."),
    ),
    "coupon-already-issued": Words(
        later("This coupon was already issued."),
        later("Nothing more is needed."),
    ),
    "coupon-not-used": Words(
        later("This coupon was not used in that purchase."),
        later("Look at the coupon's history and choose the use to take back."),
    ),
    "quota-nothing": Words(
        later("The number is not 1 or more."),
        later("Enter 1 or more."),
    ),
    "quota-no-share": Words(
        later("This store has no share of this offer."),
        later("Look for another coupon, or ask a manager for a share."),
    ),
    "quota-exhausted": Words(
        later("The limit of {limit} for this offer is reached ({left} left)."),
        later("Look for another coupon of the member."),
    ),
    "quota-not-used": Words(
        later("Only {used} uses can be taken back."),
        later("Take back {used} or fewer."),
    ),
    "quote-not-usable": Words(
        later("One of the chosen coupons does not count for this basket."),
        later("Take it out; its line says why."),
    ),
    "quote-alone": Words(
        later("One of the chosen coupons counts only alone."),
        later("Take that one alone, or take it out."),
    ),
    "quote-best-one": Words(
        later("Only one of these coupons counts at a time."),
        later("Take the one that saves most."),
    ),
    "quote-changed": Words(
        later("What this saves has changed since it was shown."),
        later("Nothing was used. Look at the new amounts, then confirm again."),
    ),
    "quote-quota": Words(
        later("The offer is not left often enough for all the chosen coupons."),
        later("Take one of them out."),
    ),
    "pickup-unknown": Words(
        later("This store has no order {order_no}."),
        later("Check the number; a new order may need a moment to arrive."),
    ),
    "pickup-elsewhere": Words(
        later("Order {order_no} is for store {store}."),
        later("Send the customer there, or ask that store to send it over."),
    ),
    "pickup-already-handed-over": Words(
        later("Order {order_no} was already handed over by {staff}, {since_at}."),
        later("If the customer has nothing, ask a manager and look at the history together."),
    ),
    "pickup-already-rejected": Words(
        later("Order {order_no} was already rejected by {staff}, {since_at}."),
        later("Tell the customer; a new order is made online."),
    ),
    "pickup-already-cancelled": Words(
        later("Order {order_no} was already cancelled, {since_at}."),
        later("Do not hand it over; put the goods back on the shelf."),
    ),
    "pickup-already-returned": Words(
        later("The goods of order {order_no} went back to the shelf, {since_at}, by {staff}."),
        later("A new order is made online."),
    ),
    "pickup-already-expired": Words(
        later("Order {order_no} expired {since_at}."),
        later("Ask a manager; a new order is made online."),
    ),
    "pickup-already-accepted": Words(
        later("Order {order_no} was already accepted by {staff}, {since_at}."),
        later("Go on with picking."),
    ),
    "pickup-already-picking": Words(
        later("{staff} is already picking order {order_no}, since {since_at}."),
        later("Help them, or take another order."),
    ),
    "pickup-already-ready": Words(
        later("Order {order_no} was already ready, {since_at}, by {staff}."),
        later("Go on with handing it over."),
    ),
    "pickup-already-cancel-requested": Words(
        later("Cancelling order {order_no} was already asked for, {since_at}."),
        later("Confirm the cancel, or wait for the head office."),
    ),
    "pickup-already-picked": Words(
        later("This line of order {order_no} was already decided by {staff}, {since_at}."),
        later("Go on with the next line, or put this one back first."),
    ),
    "pickup-already-extended": Words(
        later("Order {order_no} was already kept longer by {staff}, {since_at}."),
        later("Nothing more is needed."),
    ),
    "pickup-cancel-requested": Words(
        later("The customer asked to cancel order {order_no}, {since_at}."),
        later("Do not hand it over; confirm the cancel, or have the customer withdraw it."),
    ),
    "pickup-no-cancel-request": Words(
        later("Nobody asked to cancel order {order_no}."),
        later("To stop the order yourself, reject it with a reason."),
    ),
    "pickup-not-accepted": Words(
        later("Order {order_no} is not accepted yet."),
        later("Accept it first."),
    ),
    "pickup-not-ready": Words(
        later("Order {order_no} is not ready yet."),
        later("Finish picking and mark it ready first."),
    ),
    "pickup-still-held": Words(
        later("Order {order_no} is still kept for the customer."),
        later("Put the goods back only once it is cancelled, rejected or expired."),
    ),
    "pickup-no-such-line": Words(
        later("Order {order_no} has no line {line}."),
        later("Scan a product that is on the order."),
    ),
    "pickup-bad-quantity": Words(
        later("The number of pieces makes no sense."),
        later("Enter 1 or more."),
    ),
    "pickup-bad-substitute": Words(
        later("This cannot stand in for the product."),
        later("Scan another product, and enter how many of it."),
    ),
    "pickup-more-than-ordered": Words(
        later("{quantity} are more than the {open} that are still open in order {order_no}."),
        later("Enter {open} or fewer."),
    ),
    "pickup-more-than-waiting": Words(
        later("{quantity} are more than the {waiting} that wait for the customer in order {order_no}."),
        later("Enter {waiting} or fewer."),
    ),
    "pickup-lines-open": Words(
        later("Order {order_no} has {open} lines that nobody decided."),
        later("Pick each, or mark it as short or replaced."),
    ),
    "pickup-nothing-picked": Words(
        later("Nothing of order {order_no} was picked."),
        later("Reject the order if nothing is there."),
    ),
    "pickup-nothing-to-return": Words(
        later("Nothing of order {order_no} waits to go back."),
        later("Nothing more is needed."),
    ),
    "pickup-unpaid": Words(
        later("Order {order_no} is not paid: {total_minor}."),
        later("Take the money at the till first, then hand it over."),
    ),
    "pickup-identity-unchecked": Words(
        later("Nobody checked who collects order {order_no}."),
        later("Ask for the pickup code, the last digits of the phone, or a document."),
    ),
    "pickup-proxy-not-named": Words(
        later("The customer did not name {receiver} to collect order {order_no}."),
        later("Have the customer name them online, or ask a manager to approve."),
    ),
    "pickup-no-expiry": Words(
        later("Order {order_no} is kept without an end."),
        later("To stop it, cancel or reject it."),
    ),
    "pickup-not-expired": Words(
        later("Order {order_no} is kept until {expires_at}."),
        later("Wait until then, or cancel it with the customer."),
    ),
    "pickup-bad-days": Words(
        later("Order {order_no} cannot be kept {days} days longer."),
        later("Enter 1 to {most} days."),
    ),
    "stock-unknown-reason": Words(
        later("“{reason}” is no reason for a stock movement."),
        later("Choose a reason from the list."),
    ),
    "stock-nothing-moved": Words(
        later("No number of pieces was entered."),
        later("Enter 1 or more."),
    ),
    "stock-wrong-direction": Words(
        later("{quantity} does not go with the reason “{reason}”."),
        later("Choose another reason, or change the sign of the number."),
    ),
    "stock-bad-count": Words(
        later("A count cannot be {quantity}."),
        later("Count again and enter 0 or more."),
    ),
    "stock-counted-meanwhile": Words(
        later("{staff} counted this product meanwhile, {since_at}."),
        later("Look at that count; count again if it is wrong."),
    ),
    "stock-already-empty": Words(
        later("{staff} already reported the shelf as empty, {since_at}."),
        later("Nothing more is needed."),
    ),
    "tag-bad-name": Words(
        later("A tag has 1 to {limit} characters."),
        later("Change the tag."),
    ),
    "tag-unknown-word": Words(
        later("“{tag}” is not one of the chain's tags."),
        later("Choose one from the list, or write a note."),
    ),
    "tag-already-there": Words(
        later("The member already has the tag “{tag}”, by {staff}, {since_at}."),
        later("Nothing more is needed."),
    ),
    "tag-not-there": Words(
        later("The member does not have the tag “{tag}”."),
        later("Nothing more is needed."),
    ),
    "tag-read-only": Words(
        later("The tag “{tag}” comes from the head office."),
        later("Ask the head office to change it, or add a note."),
    ),
    "tag-added-again": Words(
        later("{staff} added the tag “{tag}” again, {since_at}."),
        later("Look at it once more, then take it away if it is still wrong."),
    ),
    "tag-note-empty": Words(
        later("The note is empty."),
        later("Write something, or leave it."),
    ),
    "tag-note-too-long": Words(
        later("The note has {length} characters; at most {limit} fit."),
        later("Shorten the note."),
    ),
    "tag-note-already-there": Words(
        later("This note was already written by {staff}, {since_at}."),
        later("Nothing more is needed."),
    ),
    "product-unknown": Words(
        later("This store does not know the product {gtin}."),
        later("Scan it again; if it is new, enter only the total and tell the head office."),
    ),
    "product-no-price": Words(
        later("The product {gtin} has no price in this store."),
        later("Type the price from the shelf, or ask a manager."),
    ),
    "code-too-long": Words(
        later("This is longer than a signed code can be."),
        later("Scan the code on the customer's phone again, by itself."),
    ),
    "code-malformed": Words(
        later("This signed code is not complete."),
        later("Scan it again, flat and bright; else find the member by phone number."),
    ),
    "code-trailing": Words(
        later("Something that does not belong there stands behind this signed code."),
        later("Do not take it. Ask the customer to open the code anew in the app."),
    ),
    "code-unknown-form": Words(
        later("This signed code is of a newer kind than this store can read."),
        later("Find the member by phone number, and update Store Agent."),
    ),
    "code-unknown-key": Words(
        later("This store does not know the key of this signed code."),
        later("Bring the store in step with the centre and scan again; until then do not take it."),
    ),
    "code-forged": Words(
        later("This signed code is forged or was altered."),
        later("Do not take it. Find the member by phone number, and tell a manager."),
    ),
    "code-revoked-key": Words(
        later("The key of this signed code was revoked ({issuer})."),
        later("Do not take it. Ask the customer to open the code anew in the app."),
    ),
    "code-key-not-valid": Words(
        later("The key of this signed code does not count at this time ({issuer})."),
        later("Check this machine's date; then ask the customer to open the code anew in the app."),
    ),
    "code-other-chain": Words(
        later("This signed code is of another chain."),
        later("Ask for the code of this chain, or for the phone number."),
    ),
    "code-not-entitled": Words(
        later("Whoever signed this code may not make codes of this kind ({issuer})."),
        later("Do not take it, and tell the head office."),
    ),
    "code-wrong-kind": Words(
        later("This signed code is for something else."),
        later("Ask the customer for the code that is needed here."),
    ),
    "code-other-store": Words(
        later("This signed code does not count in this store."),
        later("It counts in: {stores}."),
    ),
    "code-other-channel": Words(
        later("This signed code does not count here."),
        later("It counts: {channels}."),
    ),
    "code-other-currency": Words(
        later("This voucher is in {other}, and this till counts {currency}."),
        later("Ask for another means of payment."),
    ),
    "code-not-yet": Words(
        later("This signed code counts from {from_at}."),
        later("Check this machine's date; else ask the customer to come back then."),
    ),
    "code-expired": Words(
        later("This signed code expired {expired_at}."),
        later("Ask the customer to open the code anew in the app, or find the member by phone number."),
    ),
    "cover-not-held": Words(
        later("The right to this was used up or given back just now."),
        later("Press Enter again: the centre is asked anew."),
    ),
    "cover-needs-network": Words(
        later("This is checked with the centre each time, and the centre cannot be reached."),
        later("Try again once the line is back, or offer something else; the coupon is not used up."),
    ),
    "cover-other-stores": Words(
        later("With the line down, this coupon counts in other stores only."),
        later("Try again once the line is back; the coupon is not used up."),
    ),
    "cover-none": Words(
        later("This device has no allowance to accept this with the line down."),
        later("Try again once the line is back, or ask the head office for an allowance."),
    ),
    "cover-above-transaction": Words(
        later("{amount_minor} at once is more than may be risked with the line down ({most_minor})."),
        later("Ask a manager to approve it, use less, or try again once the line is back."),
    ),
    "cover-above-day": Words(
        later("With the line down this member may use {most_minor} a day; {left_minor} of it is left."),
        later("Use less, ask a manager to approve it, or try again once the line is back."),
    ),
    "cover-spent": Words(
        later("This store's allowance for the line being down is used up: {left_minor} of {most_minor} is left."),
        later("Wait until the line is back: then it is filled again. Rights that this store holds still work."),
    ),
    "cover-nothing-to-return": Words(
        later("This store holds no such right."),
        later("Nothing needs to be given back."),
    ),
    "code-replayed": Words(
        later("This signed code was already used {used_at} ({store}, {staff})."),
        later("Ask the customer to open the code anew in the app."),
    ),
    "case-unknown": Words(
        later("There is no such case here."),
        later("Look at the list again."),
    ),
    "case-elsewhere": Words(
        later("This case is another store's."),
        later("Ask that store, or the head office."),
    ),
    "case-role": Words(
        later("Only a lead or a manager decides about cases."),
        later("Let one of them scan their badge."),
    ),
    "case-head-office": Words(
        later("Only the head office decides about this case."),
        later("Call the head office."),
    ),
    "case-closed": Words(
        later("{staff} has decided about this case already, at {since_at}."),
        later("Nothing more is needed."),
    ),
    "case-no-remedy": Words(
        later("A case of this kind is not decided so."),
        later("Choose one of the ways that are shown."),
    ),
    "case-no-receiver": Words(
        later("It is not said who should decide instead."),
        later("Name a store or a person."),
    ),
    "case-note-long": Words(
        later("The note is longer than {most} characters."),
        later("Shorten the note."),
    ),
    "case-bad-amount": Words(
        later("This is no amount for this case."),
        later("Enter an amount above nothing; a case without an amount has none."),
    ),
    "case-more-than-open": Words(
        later("Only {open_minor} of this case is still open."),
        later("Enter that or less."),
    ),
    "proof-wanted": Words(
        later("Spending wants the app's pass or the member's PIN; a phone number only finds and earns."),
        later("Scan the pass, or let the customer type the PIN. A lead or a manager may approve it."),
    ),
    "pin-form": Words(
        later("A PIN has {least} to {most} digits."),
        later("Type digits only."),
    ),
    "pin-easy": Words(
        later("This PIN is too easy to guess."),
        later("Choose one whose digits are neither all the same nor one after the other."),
    ),
    "pin-unproven": Words(
        later("A PIN is set only by whoever has shown the pass, the PIN before, or with an approval."),
        later("Scan the pass of the app, or ask a lead or a manager to approve."),
    ),
    "pin-missing": Words(
        later("This member has no PIN."),
        later("Ask for the pass of the app. A lead or a manager may approve it."),
    ),
    "pin-locked": Words(
        later("This PIN is locked: it was wrong too often."),
        later("Ask for the pass of the app, or let another lead or manager approve. A new PIN unlocks it."),
    ),
    "pin-wrong": Words(
        later("This is not the PIN."),
        later("Type it again, slowly."),
    ),
    "approval-same-person": Words(
        later("Nobody approves their own work."),
        later("Another lead or manager approves it with their own PIN."),
    ),
    "approval-role": Words(
        later("This person may not approve it."),
        later("Ask a lead or a manager of this store."),
    ),
}


class _Shown(Mapping[str, str]):
    """The facts of a refusal, each as its name says. One that is missing is a dash: a sentence never fails."""

    def __init__(self, facts: Mapping[str, Fact]) -> None:
        self._facts = facts

    def __getitem__(self, name: str) -> str:
        fact = self._facts.get(name, "–")
        if name.endswith("_at") and isinstance(fact, datetime):
            return moment(fact)
        if name.endswith("_minor") and isinstance(fact, int):
            return money(fact, str(self._facts.get("currency", "")))
        if name in CODED_FACTS:
            return safe_text(names_of(str(fact)))
        return safe_text(str(fact))

    def __iter__(self) -> Iterator[str]:
        return iter(self._facts)

    def __len__(self) -> int:
        return len(self._facts)


def say(refusal: Refusal) -> str:
    """Why it may not happen, in the language that is spoken now. A reason from a newer centre is named as it is."""
    return _fill(_words(refusal).what, refusal)


def say_instead(refusal: Refusal) -> str:
    """What to do instead."""
    return _fill(_words(refusal).instead, refusal)


def _words(refusal: Refusal) -> Words:
    return WORDS.get(refusal.reason.value, UNKNOWN)


def _fill(sentence: str, refusal: Refusal) -> str:
    return _(sentence).format_map(_Shown({"reason": refusal.reason.value, **refusal.facts}))
