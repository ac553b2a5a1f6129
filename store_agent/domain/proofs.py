"""How it is known who stands at the counter, and whether that is enough to spend what is theirs.

A phone number finds and earns. Spending wants the app's pass, the member's PIN, or a person who answers for it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from store_agent.domain.coupons import Coupon
from store_agent.domain.operation import Refusal


class ProofKind(StrEnum):
    """How a member was identified, weakest first."""

    NONE = ""
    FOUND = "found"
    """By a part of the name or the end of a number: chosen from a list."""
    PHONE = "phone"
    CARD = "card"
    """A code that many may have seen."""
    JOINED = "joined"
    """They signed up here a moment ago, and have nothing but their welcome."""
    PASS = "pass"
    """Short-lived and signed: their own phone is in their hand."""
    PIN = "pin"
    APPROVED = "approved"
    """A lead or a manager answers for it."""


SPENDING = frozenset({ProofKind.JOINED, ProofKind.PASS, ProofKind.PIN, ProofKind.APPROVED})


class SpendingProof(StrEnum):
    """What a chain asks for before points or a member's coupons are spent."""

    PROOF = "proof"
    ANY = "any"
    """Nothing: whoever was found may spend."""


class ProofReason(StrEnum):
    """Why somebody may not spend, in order of precedence."""

    WANTED = "proof-wanted"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownCode:
    """A signed code that counts once and was shown in this visit."""

    use_id: str
    code_kind: str
    coupon_id: str = ""
    """Of a coupon: it counts for that coupon alone, and is used up only with it."""
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """What was shown in one visit. Another member, another purchase: another proof."""

    kind: ProofKind = ProofKind.NONE
    member_id: str = ""
    codes: tuple[ShownCode, ...] = ()
    approved_by: str = ""

    def may_spend_of(self, member_id: str) -> bool:
        """Whether this member's points and coupons may be spent."""
        return self.kind in SPENDING and self.member_id == member_id

    def shows(self, coupon_id: str) -> bool:
        """Whether the coupon's own signed code was shown."""
        return any(code.coupon_id == coupon_id for code in self.codes if code.coupon_id)

    def also(self, code: ShownCode) -> Proof:
        """The same, with one code more."""
        return replace(self, codes=(*(one for one in self.codes if one.use_id != code.use_id), code))

    def used_up(self, coupon_ids: Collection[str]) -> list[ShownCode]:
        """The codes that a checkout with these coupons uses up."""
        return [code for code in self.codes if not code.coupon_id or code.coupon_id in coupon_ids]


NO_PROOF = Proof()


def stronger(before: Proof, new: Proof) -> Proof:
    """What is proven once more was shown. Of another member, only the coupons that were shown remain."""
    coupons = tuple(code for code in before.codes if code.coupon_id)
    if before.member_id and before.member_id != new.member_id:
        before = Proof(codes=coupons)
    kinds = list(ProofKind)
    strongest = before if kinds.index(before.kind) > kinds.index(new.kind) else new
    proof = replace(strongest, codes=before.codes)
    for code in new.codes:
        proof = proof.also(code)
    return proof


def refuse_spending(
    wanted: SpendingProof, proof: Proof, member_id: str, coupons: Iterable[Coupon], points: int
) -> Refusal | None:
    """Why this member's points or coupons may not be spent on what was shown. A bearer's coupon proves itself."""
    if wanted is SpendingProof.ANY or proof.may_spend_of(member_id):
        return None
    theirs = [coupon for coupon in coupons if coupon.member_id and not proof.shows(coupon.id)]
    return Refusal(ProofReason.WANTED) if points or theirs else None
