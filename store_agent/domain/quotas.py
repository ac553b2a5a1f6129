"""How often a campaign may still be used: by one member, or by one store out of its share of the chain's total.

Both counters only grow, so that what arrives twice or late is seen and never lost.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar

from store_agent.domain.campaigns import Campaign, Situation
from store_agent.domain.operation import Operation, Refusal


class QuotaReason(StrEnum):
    """Why a campaign may not be used once more, or a use not be given back, in order of precedence."""

    NOTHING = "quota-nothing"
    NO_SHARE = "quota-no-share"
    EXHAUSTED = "quota-exhausted"
    NOT_USED = "quota-not-used"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quota:
    """A counter of uses. It belongs to a member or to a store, never to both."""

    table: ClassVar[str] = "quota"
    id: str
    campaign_id: str
    member_id: str = ""
    store: str = ""
    limit: int = 0
    used: int = 0
    given_back: int = 0

    @property
    def left(self) -> int:
        """Never less than none, also where it was used once too often."""
        return max(0, self.limit - self.used + self.given_back)


def blank_quotas(campaign: Campaign, situation: Situation) -> tuple[Quota, ...]:
    """The rows that one use of the campaign counts on, as they are before the first use.

    A member's row starts by itself with the campaign's limit. A store's share is set aside by the centre, so without
    its row there is none.
    """
    member = f"{campaign.id}/member/{situation.member_id}"
    rows: list[Quota] = []
    if campaign.per_member:
        rows.append(Quota(id=member, campaign_id=campaign.id, member_id=situation.member_id, limit=campaign.per_member))
    if campaign.per_member_day:
        day = f"{member}/{situation.local_day}"
        limit = campaign.per_member_day
        rows.append(Quota(id=day, campaign_id=campaign.id, member_id=situation.member_id, limit=limit))
    if campaign.total:
        share = f"{campaign.id}/store/{situation.store}"
        rows.append(Quota(id=share, campaign_id=campaign.id, store=situation.store))
    return tuple(rows)


def refuse_quota(quota: Quota, quantity: int = 1) -> Refusal | None:
    """Why the campaign may not be used so many times more on this counter."""
    if quantity < 1:
        return Refusal(QuotaReason.NOTHING)
    if quota.left >= quantity:
        return None
    reason = QuotaReason.EXHAUSTED if quota.limit else QuotaReason.NO_SHARE
    return Refusal(reason, {"limit": quota.limit, "left": quota.left})


@dataclass(frozen=True, slots=True, kw_only=True)
class UseQuota(Operation):
    """A campaign was used; this counts it on one row. `limit` is that of the blank row, for a first use."""

    kind: ClassVar[str] = "use-quota"
    table: ClassVar[str] = Quota.table
    quota_id: str
    campaign_id: str
    member_id: str = ""
    """Empty where the row is the store's share."""
    limit: int = 0
    quantity: int = 1

    @property
    def subject(self) -> str:
        return self.quota_id

    def judge(self, before: Quota | None) -> Refusal | None:
        return refuse_quota(before or self._blank(), self.quantity)

    def effect(self, before: Quota | None) -> Quota:
        quota = before or self._blank()
        return replace(quota, used=quota.used + max(0, self.quantity))

    def _blank(self) -> Quota:
        store = "" if self.member_id else self.store
        return Quota(
            id=self.quota_id, campaign_id=self.campaign_id, member_id=self.member_id, store=store, limit=self.limit
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class GiveBackQuota(Operation):
    """A use was taken back, and the campaign may be used that often again."""

    kind: ClassVar[str] = "give-back-quota"
    table: ClassVar[str] = Quota.table
    quota_id: str
    quantity: int = 1

    @property
    def subject(self) -> str:
        return self.quota_id

    def judge(self, before: Quota | None) -> Refusal | None:
        if self.quantity < 1:
            return Refusal(QuotaReason.NOTHING)
        used = _standing(before)
        return None if self.quantity <= used else Refusal(QuotaReason.NOT_USED, {"used": used})

    def effect(self, before: Quota | None) -> Quota | None:
        if before is None:
            return None
        # Nobody can give back more than was used, or a return at two stores would make the campaign larger.
        back = max(0, min(self.quantity, _standing(before)))
        return replace(before, given_back=before.given_back + back)


def _standing(quota: Quota | None) -> int:
    return quota.used - quota.given_back if quota else 0
