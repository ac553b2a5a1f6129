"""A device's allowance: a bounded budget for what no right covers. What is granted and used only grows.

Granted less used is what this device may still risk. The centre counts a use when it hears of it, and only then grants
anew: a store that does not sync runs out by arithmetic, and no clock has a part in it.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import ClassVar

from store_agent.domain.operation import Fact, Operation, Refusal
from store_agent.domain.rights import CoverReason


class Risked(StrEnum):
    """What is spent on allowance."""

    POINTS = "points"
    COUPON = "coupon"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allowance:
    """The budget of one device, with the caps that a manager may lift. The id is the device's."""

    table: ClassVar[str] = "allowance"
    id: str
    store: str
    currency: str = "TWD"
    granted_minor: int = 0
    used_minor: int = 0
    written_off_minor: int = 0
    """Of what was granted: a person at the centre took it back, as the device is lost."""
    target_minor: int = 0
    """What the device may risk until it is heard of again, as the head office has it; the centre grants up to it."""
    transaction_minor: int = 0
    points_day_minor: int = 0
    coupons_day_minor: int = 0
    day: str = ""
    """The day on the store's calendar that `spent` is of, YYYY-MM-DD."""
    spent: dict[str, int] = field(default_factory=dict)
    """On that day, by kind and member: `points/m1`."""
    group: str = ""
    """The checkout that used it last, and how much of it."""
    group_minor: int = 0

    @property
    def left_minor(self) -> int:
        """What may still be risked."""
        return max(0, self.outstanding_minor)

    @property
    def outstanding_minor(self) -> int:
        """Granted and not settled: at the centre, what this device may have risked without anybody knowing."""
        return self.granted_minor - self.used_minor - self.written_off_minor

    def cap_minor(self, what: Risked) -> int:
        """For one member and day."""
        return self.points_day_minor if what is Risked.POINTS else self.coupons_day_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class UseAllowance(Operation):
    """Something was spent that no right covered. In one group with the operation that spent it."""

    kind: ClassVar[str] = "use-allowance"
    table: ClassVar[str] = Allowance.table
    device_id: str
    spent_by: str
    """The op_id of what was spent."""
    what: Risked
    amount_minor: int
    currency: str
    member_id: str = ""
    day: str = ""
    """On the store's calendar, YYYY-MM-DD."""

    @property
    def subject(self) -> str:
        return self.device_id

    def judge(self, before: Allowance | None) -> Refusal | None:
        if before is None or before.currency != self.currency:
            return Refusal(CoverReason.NONE)
        # Whoever stands at the counter by now cannot have been the different person.
        is_approved = self.approved_by not in ("", self.staff)
        if not is_approved and (refusal := self._judge_caps(before)):
            return refusal
        if self.amount_minor > before.left_minor:
            left, granted = before.left_minor, before.target_minor
            facts: dict[str, Fact] = {"amount_minor": self.amount_minor, "left_minor": left, "most_minor": granted}
            return Refusal(CoverReason.SPENT, {**facts, "currency": self.currency})
        return None

    def _judge_caps(self, before: Allowance) -> Refusal | None:
        """What a manager's approval lifts."""
        at_once = self.amount_minor + (before.group_minor if self.group and before.group == self.group else 0)
        if at_once > before.transaction_minor:
            facts: dict[str, Fact] = {
                "amount_minor": at_once,
                "most_minor": before.transaction_minor,
                "currency": self.currency,
            }
            return Refusal(CoverReason.ABOVE_TRANSACTION, facts)
        # On an earlier day than the last, the clock was set back: what was spent counts on, as it will be counted.
        so_far = before.spent.get(self._key, 0) if self.day <= before.day else 0
        if so_far + self.amount_minor > before.cap_minor(self.what):
            left = max(0, before.cap_minor(self.what) - so_far)
            facts = {"amount_minor": self.amount_minor, "left_minor": left, "most_minor": before.cap_minor(self.what)}
            return Refusal(CoverReason.ABOVE_DAY, facts | {"currency": self.currency})
        return None

    def effect(self, before: Allowance | None) -> Allowance:
        allowance = before or Allowance(id=self.device_id, store=self.store, currency=self.currency)
        amount_minor = max(0, self.amount_minor)
        same_group = bool(self.group) and allowance.group == self.group
        # A clock that was set back does not begin the earlier day anew.
        begins = self.day > allowance.day
        spent = {} if begins else dict(allowance.spent)
        spent[self._key] = spent.get(self._key, 0) + amount_minor
        return replace(
            allowance,
            used_minor=allowance.used_minor + amount_minor,
            day=self.day if begins else allowance.day,
            spent=spent,
            group=self.group,
            group_minor=amount_minor + (allowance.group_minor if same_group else 0),
        )

    @property
    def _key(self) -> str:
        return f"{self.what}/{self.member_id}"
