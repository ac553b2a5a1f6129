"""PINs: a member's, which may spend, and a staff member's, which may approve. What is kept is a hash, never the PIN.

Rows of their own, so that no look at a member or at who works here ever shows one. Hashing is `store_agent.pins`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import pairwise
from typing import ClassVar

from store_agent.domain.operation import Operation, Refusal

TRIES_MOST = 5
"""Wrong PINs in a row. Then it is locked by the count, not by a clock, which whoever guesses could set."""
MEMBER_DIGITS = (4, 6)
STAFF_DIGITS = (6, 12)
"""At least, at most."""


class PinReason(StrEnum):
    """Why a PIN is not taken, in order of precedence."""

    FORM = "pin-form"
    EASY = "pin-easy"
    """All digits the same, or one after the other."""
    UNPROVEN = "pin-unproven"
    """Whoever wants to set it has not shown that they are the member."""
    MISSING = "pin-missing"
    """The member has none."""
    LOCKED = "pin-locked"
    WRONG = "pin-wrong"


class ApprovalReason(StrEnum):
    """Why somebody may not approve, in order of precedence. Who does not exist and a wrong PIN are one: PinReason.WRONG."""

    SAME_PERSON = "approval-same-person"
    ROLE = "approval-role"


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberPin:
    """A member's PIN. It follows the member: only stores that hold them hold it."""

    table: ClassVar[str] = "member_pin"
    id: str
    """The member's."""
    member_id: str
    pin_hash: str
    set_at: datetime | None = None
    store: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffPin:
    """A staff member's PIN. Only their own store holds it."""

    table: ClassVar[str] = "staff_pin"
    id: str
    """The staff member's."""
    store: str
    pin_hash: str
    set_at: datetime | None = None


def refuse_pin(pin: str, digits: tuple[int, int]) -> Refusal | None:
    """Why nobody should have this PIN."""
    least, most = digits
    if not (pin.isascii() and pin.isdigit() and least <= len(pin) <= most):
        return Refusal(PinReason.FORM, {"least": least, "most": most})
    steps = {(int(after) - int(before)) % 10 for before, after in pairwise(pin)}
    return Refusal(PinReason.EASY) if len(steps) == 1 and steps <= {0, 1, 9} else None


@dataclass(frozen=True, slots=True, kw_only=True)
class SetMemberPin(Operation):
    """A member chose a PIN at a counter, after they had shown who they are."""

    kind: ClassVar[str] = "set-member-pin"
    table: ClassVar[str] = MemberPin.table
    member_id: str
    pin_hash: str
    proof: str = ""

    @property
    def subject(self) -> str:
        return self.member_id

    def judge(self, before: MemberPin | None) -> Refusal | None:
        return None if self.pin_hash else Refusal(PinReason.UNPROVEN)

    def effect(self, before: MemberPin | None) -> MemberPin:
        if before is not None and before.set_at is not None and before.set_at > self.at:
            # One that was set later stays, in whichever order the two arrive.
            return before
        return MemberPin(
            id=self.member_id, member_id=self.member_id, pin_hash=self.pin_hash, set_at=self.at, store=self.store
        )
