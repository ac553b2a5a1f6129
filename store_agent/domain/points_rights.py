"""How the right to spend points moves: the centre sets some aside for a store, and the store gives them back."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from typing import ClassVar

from store_agent.domain.operation import Operation, Refusal
from store_agent.domain.points import Account, Batch, in_spending_order, join, put_in, take_out
from store_agent.domain.rights import CoverReason, CoverRule


def set_aside(account: Account, store: str, points: int, at: datetime) -> Account:
    """So many available points become that store's right; fewer where there are fewer. Only the centre does this."""
    points = max(0, min(points, account.available(at)))
    if not points:
        return account
    expiries = {batch.id: batch.expires_at for batch in account.batches}
    account, parts, _missing = take_out(account, points, at, "")
    for id_, part in parts:
        account = join(account, Batch(id_, part, expiries[id_], store))
    return account


def give_back(account: Account, store: str, points: int) -> Account:
    """So many points of that store's right are available to all again, the latest expiring first; they pay what is owed."""
    for batch in reversed(in_spending_order(account.batches)):
        part = max(0, min(points, batch.left)) if batch.held_by == store else 0
        if part:
            points -= part
            rest = (replace(b, left=b.left - part) if b is batch else b for b in account.batches)
            account = replace(account, batches=tuple(b for b in rest if b.left > 0))
            account = put_in(account, replace(batch, left=part, held_by=""))
    return account


def home_share(account: Account, store: str, rule: CoverRule, at: datetime) -> int:
    """How many more points the member's home store should hold, so that they can be spent there with the cable out."""
    balance = account.balance(at)
    wanted = min(rule.home_points_most, balance * rule.home_points_percent // 100)
    return max(0, min(wanted - account.held_by(store, at), account.available(at)))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnPoints(Operation):
    """The store gives back a right to points that it does not need, or that the centre asked for."""

    kind: ClassVar[str] = "return-points"
    table: ClassVar[str] = Account.table
    member_id: str
    points: int
    right_id: str = ""

    @property
    def subject(self) -> str:
        return self.member_id

    def judge(self, before: Account | None) -> Refusal | None:
        held = sum(batch.left for batch in before.batches if batch.held_by == self.store) if before else 0
        return Refusal(CoverReason.NOTHING_TO_RETURN) if self.points < 1 or held < self.points else None

    def effect(self, before: Account | None) -> Account | None:
        return give_back(before, self.store, self.points) if before else None
