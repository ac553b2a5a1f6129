"""What was shown in a visit, for whoever spends: from a scan to the proof, and from the proof to what is written down."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from store_agent.codes import SignedCode
from store_agent.desk.counter import Counter
from store_agent.domain.code_uses import UseCode
from store_agent.domain.coupons import Coupon, RedeemCoupon
from store_agent.domain.keys import CodeKind
from store_agent.domain.operation import Operation, Refusal
from store_agent.domain.points import RedeemPoints
from store_agent.domain.proofs import Proof, ProofKind, ShownCode, refuse_spending
from store_agent.domain.quotes import Quote


def of_code(counter: Counter, code: SignedCode) -> Proof:
    """What a member's signed code proves: a card that it is they, a pass that they may spend."""
    kind = ProofKind.PASS if code.may_spend else ProofKind.CARD
    proof = Proof(kind=kind, member_id=counter.replica.view.canonical(code.member_id))
    return proof.also(shown(code)) if code.use_id else proof


def shown(code: SignedCode) -> ShownCode:
    """What is remembered of a code that counts once, until it is used."""
    return ShownCode(use_id=code.use_id, code_kind=str(code.kind), coupon_id=code.coupon_id, expires_at=code.expires_at)


def refuse(
    counter: Counter, proof: Proof, member_id: str, quoted: Quote, chosen: Sequence[str], points: int
) -> Refusal | None:
    """Why points or coupons may not be spent on what was shown in this visit."""
    coupons: list[Coupon] = [quoted.offers[coupon_id].coupon for coupon_id in chosen if coupon_id in quoted.offers]
    return refuse_spending(counter.store.spending_proof, proof, member_id, coupons, points)


def carry(counter: Counter, proof: Proof, operations: Sequence[Operation], purchase_id: str) -> list[Operation]:
    """The same operations with the proof on those that spend, and the codes that are used up by them."""
    if not operations:
        return []
    carried = [_with_proof(operation, proof) for operation in operations]
    coupon_ids = [operation.coupon_id for operation in operations if isinstance(operation, RedeemCoupon)]
    return [*carried, *use_up(counter, proof.used_up(coupon_ids), purchase_id, proof.member_id)]


def use_up(counter: Counter, codes: Sequence[ShownCode], group: str, member_id: str = "") -> list[Operation]:
    """These codes count no more."""
    return [
        UseCode(
            **counter.named(group),
            use_id=code.use_id,
            code_kind=code.code_kind,
            member_id=member_id if code.code_kind != CodeKind.PICKUP else "",
            purchase_id=group,
            expires_at=code.expires_at,
        )
        for code in codes
    ]


def _with_proof(operation: Operation, proof: Proof) -> Operation:
    if isinstance(operation, RedeemCoupon | RedeemPoints):
        return replace(operation, proof=str(proof.kind), approved_by=operation.approved_by or proof.approved_by)
    return operation
