"""Signed codes that count once, and each time that one was used: so that two terminals cannot both take it.

What a code says and whether it is sound is `store_agent.codes`. Here is only: was it used already?
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from store_agent.domain.keys import CodeReason
from store_agent.domain.operation import Operation, Refusal


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeUsed:
    """One use of a code."""

    op_id: str
    at: datetime
    store: str
    staff: str = ""
    purchase_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeUse:
    """A code that counts once, by its `use_id`: the id of the key and its own. More than one use is a replay."""

    table: ClassVar[str] = "code_use"
    id: str
    code_kind: str = ""
    """As text: a later version may add kinds."""
    issuer: str = ""
    number: str = ""
    """Of a voucher: the issuer's own, for the settling."""
    amount_minor: int = 0
    currency: str = ""
    expires_at: datetime | None = None
    """After it nobody needs the row: the code counts nowhere any more."""
    used: tuple[CodeUsed, ...] = ()

    @property
    def stores(self) -> tuple[str, ...]:
        """Where it was used: these stores hold the row."""
        return tuple(sorted({use.store for use in self.used}))


def refuse_used(before: CodeUse | None) -> Refusal | None:
    """Why a code that was used is not taken again: when, where and by whom it was."""
    if before is None or not before.used:
        return None
    first = before.used[0]
    return Refusal(CodeReason.REPLAYED, {"used_at": first.at, "store": first.store, "staff": first.staff})


@dataclass(frozen=True, slots=True, kw_only=True)
class UseCode(Operation):
    """A code that counts once was taken, in the same transaction as what it was shown for."""

    kind: ClassVar[str] = "use-code"
    table: ClassVar[str] = CodeUse.table
    use_id: str
    code_kind: str
    member_id: str = ""
    purchase_id: str = ""
    issuer: str = ""
    number: str = ""
    amount_minor: int = 0
    currency: str = ""
    expires_at: datetime | None = None

    @property
    def subject(self) -> str:
        return self.use_id

    def judge(self, before: CodeUse | None) -> Refusal | None:
        return None if before and self._is_in(before) else refuse_used(before)

    def effect(self, before: CodeUse | None) -> CodeUse:
        # A second use is kept all the same: what it was taken for has left the store, and the centre opens a case.
        row = before or CodeUse(
            id=self.use_id,
            code_kind=self.code_kind,
            issuer=self.issuer,
            number=self.number,
            amount_minor=self.amount_minor,
            currency=self.currency,
            expires_at=self.expires_at,
        )
        if self._is_in(row):
            return row
        use = CodeUsed(op_id=self.op_id, at=self.at, store=self.store, staff=self.staff, purchase_id=self.purchase_id)
        return replace(row, used=(*row.used, use))

    def _is_in(self, row: CodeUse) -> bool:
        return any(use.op_id == self.op_id for use in row.used)
