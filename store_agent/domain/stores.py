"""The chain's stores and who works there: rows that only the centre makes."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

from store_agent.domain.points import PointsRule
from store_agent.domain.proofs import SpendingProof


@dataclass(frozen=True, slots=True, kw_only=True)
class Store:
    """A shop: its name by language, where it is, when it closes, and the rules that differ by store."""

    table: ClassVar[str] = "store"
    id: str
    name: dict[str, str]
    region: str = "TW"
    """ISO 3166 region whose phone numbers may be typed without a country code."""
    zone: str = "Asia/Taipei"
    currency: str = "TWD"
    closing: dict[str, str] = field(default_factory=dict)
    """Closing time (HH:MM) by ISO weekday number as text; a day that is not named is closed."""
    points: PointsRule = field(default_factory=PointsRule)
    welcome_campaign: str = ""
    """The campaign whose coupon a new member gets, if any."""
    spending_proof: SpendingProof = SpendingProof.PROOF


class Role(StrEnum):
    """What a person at the store may do, least first."""

    CASHIER = "cashier"
    LEAD = "lead"
    MANAGER = "manager"
    AUDITOR = "auditor"


@dataclass(frozen=True, slots=True, kw_only=True)
class Staff:
    """Someone who works in a store. The badge is the text of their code."""

    table: ClassVar[str] = "staff"
    id: str
    name: str
    store: str
    role: Role = Role.CASHIER
    badge: str = ""
