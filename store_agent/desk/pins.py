"""Asking for a PIN, and setting one. A try is written down before it is looked at, so that pulling the plug gains none."""

from __future__ import annotations

from hashlib import sha256

from store_agent.desk.counter import Counter
from store_agent.domain.members import Member
from store_agent.domain.operation import Refusal
from store_agent.domain.pins import MEMBER_DIGITS, TRIES_MOST, MemberPin, PinReason, SetMemberPin, StaffPin, refuse_pin
from store_agent.domain.proofs import Proof, ProofKind
from store_agent.pins import hash_pin, is_pin

MARK = 16
"""Characters of a hash's own hash: a new PIN has its own count."""


def ask_member(counter: Counter, member_id: str, pin: str) -> Proof | Refusal:
    """The member typed their PIN: what that proves, or why it does not."""
    member_id = counter.replica.view.canonical(member_id)
    row: MemberPin | None = counter.replica.view.get(MemberPin.table, member_id)
    if row is None:
        return Refusal(PinReason.MISSING)
    refusal = try_pin(counter, f"member/{member_id}", row.pin_hash, pin)
    return refusal or Proof(kind=ProofKind.PIN, member_id=member_id)


def try_staff(counter: Counter, staff_id: str, pin: str) -> Refusal | None:
    """Whether this is that person's PIN. Nobody learns from the answer who has one, or who works here."""
    row: StaffPin | None = counter.replica.view.get(StaffPin.table, staff_id)
    here = row if row is not None and row.store == counter.store_id else None
    return try_pin(counter, f"staff/{staff_id}", here.pin_hash if here else "", pin)


def try_pin(counter: Counter, whose: str, pin_hash: str, pin: str) -> Refusal | None:
    """One try, counted on disk before it is judged; a right one sets the count back."""
    journal, name = counter.replica.journal, f"pin-tries/{whose}/{_mark(pin_hash)}"
    # Both in one transaction: two terminals guessing at once have no more tries than one.
    if journal.count_up(name, TRIES_MOST) > TRIES_MOST:
        return Refusal(PinReason.LOCKED)
    if not is_pin(pin, pin_hash):
        return Refusal(PinReason.WRONG)
    journal.keep(**{name: "0"})
    return None


def unlock_member(counter: Counter, member_id: str) -> None:
    """A lead or a manager answered for the member: they may try again."""
    row: MemberPin | None = counter.replica.view.get(MemberPin.table, member_id)
    if row is not None:
        counter.replica.journal.keep(**{f"pin-tries/member/{member_id}/{_mark(row.pin_hash)}": "0"})


def has_pin(counter: Counter, member_id: str) -> bool:
    """Whether it makes sense to ask for it."""
    return counter.replica.view.get(MemberPin.table, member_id) is not None


def set_member(counter: Counter, member: Member, pin: str, proof: Proof) -> Refusal | None:
    """The member chose a PIN. Who only knows a phone number could spend with one, so it wants the same proof."""
    if not proof.may_spend_of(member.id) or proof.kind is ProofKind.JOINED:
        # Who has just joined may turn out to be a member of long standing, whose PIN a stranger must not set.
        return Refusal(PinReason.UNPROVEN)
    if refusal := refuse_pin(pin, MEMBER_DIGITS):
        return refusal
    named = counter.named() | {"approved_by": proof.approved_by}
    return counter.accept(SetMemberPin(**named, member_id=member.id, pin_hash=hash_pin(pin), proof=str(proof.kind)))


def _mark(pin_hash: str) -> str:
    return sha256(pin_hash.encode()).hexdigest()[:MARK]
