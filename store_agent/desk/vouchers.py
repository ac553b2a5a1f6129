"""A third party's voucher pays a part of what the till asks for: taken once, and reported to the centre for the settling."""

from __future__ import annotations

from store_agent.codes import SignedCode
from store_agent.desk.counter import Counter
from store_agent.domain.code_uses import UseCode
from store_agent.domain.keys import CodeReason
from store_agent.domain.operation import Refusal


def take(counter: Counter, voucher: SignedCode, purchase_id: str = "", member_id: str = "") -> Refusal | None:
    """Take it. The cashier enters its amount at the till as a means of payment."""
    if voucher.currency != counter.store.currency:
        return Refusal(CodeReason.OTHER_CURRENCY, {"other": voucher.currency, "currency": counter.store.currency})
    return counter.accept(
        UseCode(
            **counter.named(purchase_id),
            use_id=voucher.use_id,
            code_kind=str(voucher.kind),
            member_id=member_id,
            purchase_id=purchase_id,
            issuer=voucher.issuer,
            number=voucher.subject,
            amount_minor=voucher.amount_minor,
            currency=voucher.currency,
            expires_at=voucher.expires_at,
        )
    )
