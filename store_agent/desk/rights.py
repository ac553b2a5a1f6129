"""What a redemption is covered by: which rights this store holds, what it would have to ask for, what it may risk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from store_agent.desk.counter import Counter
from store_agent.domain.allowances import Allowance, Risked, UseAllowance
from store_agent.domain.campaigns import Campaign, Situation
from store_agent.domain.coupons import Coupon, ReturnCoupon
from store_agent.domain.operation import Operation, Refusal
from store_agent.domain.points import Account, PointsRule
from store_agent.domain.points_rights import ReturnPoints
from store_agent.domain.rights import Cover, CoverReason, Policy, Right, policy_by_value, rule_for


@dataclass(frozen=True, slots=True)
class Want:
    """What the centre is asked to set aside: uses of a coupon, or points of an account."""

    table: str
    subject: str
    amount: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Covered:
    """For how much this device may still stand with the cable out."""

    left_minor: int
    most_minor: int
    currency: str


def covered(counter: Counter) -> Covered | None:
    """What is left of this device's allowance; None where it was given none."""
    allowance: Allowance | None = counter.replica.view.get(Allowance.table, counter.replica.device)
    if allowance is None or not allowance.target_minor:
        return None
    return Covered(left_minor=allowance.left_minor, most_minor=allowance.target_minor, currency=allowance.currency)


def held(counter: Counter) -> tuple[int, int]:
    """Points, and uses of coupons, that only this store can spend."""
    view, store, now = counter.replica.view, counter.store_id, counter.now()
    points = sum(account.held_by(store, now) for account in view.all(Account.table))
    return points, sum(coupon.held_by(store) for coupon in view.all(Coupon.table))


def lacking(
    counter: Counter, member_id: str, coupons: Sequence[tuple[Coupon, Campaign | None]], points: int
) -> tuple[Want, ...]:
    """What this store holds no right to, though it is about to be spent."""
    view, store = counter.replica.view, counter.store_id
    wants = [
        Want(Coupon.table, coupon.id, 1)
        for coupon, campaign in coupons
        if not coupon.held_by(store) and policy_of(campaign, counter.store.currency) is not Policy.OPEN
    ]
    account: Account | None = view.get(Account.table, member_id) if points else None
    missing = points - account.held_by(store, counter.now()) if account else 0
    if missing > 0:
        wants.append(Want(Account.table, member_id, missing))
    return tuple(wants)


def policy_of(campaign: Campaign | None, currency: str) -> Policy:
    """The policy of a campaign. One that this store does not know of is asked for each time."""
    if campaign is None:
        return Policy.ONLINE_ONLY
    return campaign.policy or policy_by_value(campaign.benefit, rule_for(campaign.currency or currency))


def cover_coupon(counter: Counter, coupon: Coupon, campaign: Campaign | None) -> Cover | Refusal:
    """By what this store may use the coupon now, or which cover is missing."""
    if coupon.held_by(counter.store_id):
        return Cover.RIGHT
    policy = policy_of(campaign, counter.store.currency)
    if policy is Policy.OPEN:
        return Cover.OPEN
    if policy is Policy.ONLINE_ONLY:
        return Refusal(CoverReason.NEEDS_NETWORK)
    if policy is Policy.GROUP:
        named = coupon.risked_at or (campaign.risked_at if campaign else ())
        return Cover.ALLOWANCE if counter.store_id in named else Refusal(CoverReason.OTHER_STORES)
    if policy is Policy.QUOTA and not coupon.member_id:
        return Refusal(CoverReason.NEEDS_NETWORK)
    return Cover.ALLOWANCE


def risked_points(counter: Counter, member_id: str, points: int) -> int:
    """Of so many points, those that no right of this store covers."""
    account: Account | None = counter.replica.view.get(Account.table, member_id)
    return max(0, points - (account.held_by(counter.store_id, counter.now()) if account else 0))


def points_covered(counter: Counter, here: Situation) -> int:
    """Points of a member that this store may spend without asking: by right, and within what it may risk."""
    view, rule = counter.replica.view, counter.store.points
    account: Account | None = view.get(Account.table, here.member_id)
    held = account.held_by(counter.store_id, counter.now()) if account else 0
    allowance: Allowance | None = view.get(Allowance.table, counter.replica.device)
    if allowance is None:
        return held
    spent = allowance.spent.get(f"{Risked.POINTS}/{here.member_id}", 0) if allowance.day == here.local_day else 0
    minor = min(allowance.left_minor, allowance.transaction_minor, allowance.points_day_minor - spent)
    return held + max(0, minor) // rule.value_minor * rule.value_points


def worth_at_most(rule: PointsRule, points: int) -> int:
    """What so many points cost the chain if they were spent twice: a step that is begun counts whole."""
    return -(-points // rule.value_points) * rule.value_minor


def use_allowance(counter: Counter, spent: Operation, what: Risked, amount_minor: int, here: Situation) -> UseAllowance:
    """The operation that counts what was risked, in one group with what was spent."""
    named = counter.named(spent.group) | {"approved_by": spent.approved_by}
    return UseAllowance(
        **named,
        device_id=counter.replica.device,
        spent_by=spent.op_id,
        what=what,
        # A gift has no price here, and is not free of risk.
        amount_minor=max(1, amount_minor),
        currency=counter.store.currency,
        member_id=here.member_id,
        day=here.local_day,
    )


def give_back(counter: Counter) -> int:
    """Give back what the centre asks for, and what was lent just in time and not used; how many rights that were."""
    view, given = counter.replica.view, 0
    with view.moment():
        due = [
            right
            for state in ("recalled", "lent")
            for right in view.find(Right.table, "state", state)
            if right.is_due(counter.now())
        ]
    for right in due:
        given += _give_back(counter, right)
    return given


def _give_back(counter: Counter, right: Right) -> bool:
    # Drafted under the journal's lock: another terminal may be spending it just now.
    given: list[Operation] = []

    def draft() -> Sequence[Operation]:
        view = counter.replica.view
        # The member whose it was may be another one by now.
        subject = "/".join(view.canonical(part) for part in right.subject.split("/"))
        is_given = any(getattr(one, "right_id", "") == right.id for one in view.waiting_over(right.of_table, subject))
        given[:] = [] if is_given else _returns(counter, right, view.get(right.of_table, subject))
        return given

    counter.accept_drafted(draft)
    return bool(given)


def _returns(counter: Counter, right: Right, row: Coupon | Account | None) -> list[Operation]:
    store = counter.store_id
    if isinstance(row, Coupon) and (uses := min(right.amount, row.held_by(store))):
        return [ReturnCoupon(**counter.named(), coupon_id=row.id, uses=uses, right_id=right.id)]
    if isinstance(row, Account):
        held = sum(batch.left for batch in row.batches if batch.held_by == store)
        if points := min(right.amount, held):
            return [ReturnPoints(**counter.named(), member_id=row.id, points=points, right_id=right.id)]
    return []
