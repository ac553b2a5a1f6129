"""What stores are covered for: the chain's rule, which rights follow from a change, and what each device may risk.

Only the centre sets anything aside, under the lock of the row that it is of. Every step has a line in `right_entry`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import msgspec

from store_agent.domain.allowances import Allowance, UseAllowance
from store_agent.domain.campaigns import Campaign
from store_agent.domain.coupons import Coupon, Held, RedeemCoupon, ReturnCoupon
from store_agent.domain.money import allocate
from store_agent.domain.operation import Operation
from store_agent.domain.points import Account, RedeemPoints
from store_agent.domain.points_rights import ReturnPoints, home_share, set_aside
from store_agent.domain.rights import Cover, CoverRule, Policy, Right, policy_by_value, rule_for
from sync.central import rows
from sync.central.ground import Connection
from sync.central.rows import Key

RISK_LOCK = 0x5249534B
"""The advisory lock under which allowances are granted, so that all together stay within the chain's bound."""


@dataclass(frozen=True, slots=True)
class Line:
    """One line of the double entry: what was set aside, used, given back, settled, granted or written off."""

    entry: str
    store: str
    resource: str
    amount: int
    cause: str
    device: str = ""


@dataclass(frozen=True, slots=True)
class Home:
    """A member's home store, and the stores that hold them."""

    store: str
    currency: str
    followers: tuple[str, ...]


async def rule(conn: Connection, currency: str) -> CoverRule:
    """How much the chain dares in this currency."""
    found = await conn.execute("select body::text from cover_rule where currency = %s", [currency])
    row = await found.fetchone()
    return msgspec.json.decode(row[0], type=CoverRule) if row else rule_for(currency)


async def follow_up(
    conn: Connection,
    changed: Mapping[Key, Any],
    known: Mapping[Key, rows.Kept],
    now: datetime,
    operations: Sequence[Operation] = (),
    device: str = "",
) -> list[Any]:
    """The rows as they are once rights followed from what happened; to be written with it, in the same transaction."""
    lines = [line for operation in operations for line in _used(operation, device)]
    # What was just asked back is wanted elsewhere.
    given_back = {operation.member_id for operation in operations if isinstance(operation, ReturnPoints)}
    after: dict[Key, Any] = {}
    homes = await _homes(conn, changed)
    rules: dict[str, CoverRule] = {}
    for home in homes.values():
        if home.currency not in rules:
            rules[home.currency] = await rule(conn, home.currency)
    for key, row in changed.items():
        if key[0] == Account.table and key[1] not in given_back and (own := homes.get(key[1])):
            points = home_share(row, own.store, rules[own.currency], now)
            if points:
                after[key] = set_aside(row, own.store, points, now)
                lines.append(Line("grant", own.store, f"account/{row.id}", points, "home"))
    for coupon, held in (await _fresh_coupons(conn, changed, known, homes, rules)).items():
        after[Coupon.table, coupon.id] = held
        lines += [Line("grant", one.store, f"coupon/{coupon.id}", one.uses, "issued") for one in held.held]
    for allowance in [row for key, row in changed.items() if key[0] == Allowance.table]:
        granted = await top_up(conn, allowance)
        if granted != allowance:
            after[Allowance.table, allowance.id] = granted
            minor = granted.granted_minor - allowance.granted_minor
            lines.append(Line("allow", allowance.store, "allowance", minor, "settled", allowance.id))
    await enter(conn, lines, now)
    return list(after.values())


def _used(operation: Operation, device: str) -> list[Line]:
    match operation:
        case RedeemCoupon(cover=Cover.RIGHT):
            return [Line("use", operation.store, f"coupon/{operation.coupon_id}", 1, operation.op_id, device)]
        case RedeemPoints(cover=Cover.RIGHT | Cover.ALLOWANCE) if operation.points > operation.risked:
            amount = operation.points - operation.risked
            return [Line("use", operation.store, f"account/{operation.member_id}", amount, operation.op_id, device)]
        case ReturnCoupon():
            return [Line("return", operation.store, f"coupon/{operation.coupon_id}", operation.uses, operation.op_id)]
        case ReturnPoints():
            return [
                Line("return", operation.store, f"account/{operation.member_id}", operation.points, operation.op_id)
            ]
        case UseAllowance():
            minor = operation.amount_minor
            return [Line("settle", operation.store, "allowance", minor, operation.op_id, operation.device_id)]
    return []


async def _homes(conn: Connection, changed: Mapping[Key, Any]) -> dict[str, Home]:
    """By member whose points or coupons change: where they are at home."""
    members = {key[1] for key in changed if key[0] == Account.table}
    members |= {row.member_id for key, row in changed.items() if key[0] == Coupon.table and row.member_id}
    if not members:
        return {}
    found = await conn.execute(
        "select member.id, store.id, store.body ->> 'currency', array(select store from follow"
        " where follow.member_id = member.id order by since_at, store) from unnest(%s::text[]) as wanted (id)"
        " join member on member.id = wanted.id join store on store.id = member.body ->> 'home_store'",
        [sorted(members)],
    )
    return {
        id_: Home(store, currency or "TWD", tuple(stores)) for id_, store, currency, stores in await found.fetchall()
    }


async def _fresh_coupons(
    conn: Connection,
    changed: Mapping[Key, Any],
    known: Mapping[Key, rows.Kept],
    homes: Mapping[str, Home],
    rules: Mapping[str, CoverRule],
) -> dict[Coupon, Coupon]:
    """Coupons that were not there before, as their campaign's policy has them held."""
    fresh = [row for key, row in changed.items() if key[0] == Coupon.table and key not in known]
    if not fresh:
        return {}
    wanted = {(Campaign.table, coupon.campaign_id) for coupon in fresh}
    campaigns = {key: kept.row for key, kept in (await rows.load(conn, wanted, lock=False)).items()}
    campaigns |= {key: row for key, row in changed.items() if key in wanted}
    stores = await _all_stores(conn) if any(not coupon.member_id for coupon in fresh) else ()
    held = {}
    for coupon in fresh:
        campaign = campaigns.get((Campaign.table, coupon.campaign_id))
        if campaign and (after := hold(coupon, campaign, homes.get(coupon.member_id), stores, rules)) != coupon:
            held[coupon] = after
    return held


async def _all_stores(conn: Connection) -> tuple[str, ...]:
    return tuple(row[0] for row in await (await conn.execute("select id from store order by id")).fetchall())


def hold(
    coupon: Coupon, campaign: Campaign, home: Home | None, stores: Sequence[str], rules: Mapping[str, CoverRule]
) -> Coupon:
    """A new coupon with its rights where the campaign's policy puts them."""
    currency = home.currency if home else campaign.currency or "TWD"
    dares = rules.get(currency) or rule_for(currency)
    policy = campaign.policy or policy_by_value(campaign.benefit, dares)
    usable = [store for store in stores if not campaign.stores or store in campaign.stores]
    if policy is Policy.GROUP:
        near = (home.store, *home.followers) if home else tuple(usable)
        named = campaign.risked_at or tuple(dict.fromkeys((*filter(None, [coupon.issued_store]), *near)))
        return replace(coupon, risked_at=named[: dares.group_size])
    if coupon.held:
        return coupon
    if policy is Policy.QUOTA and not coupon.member_id and usable:
        parts = zip(usable, allocate(coupon.uses_limit, [1] * len(usable)), strict=True)
        return replace(coupon, held=tuple(Held(store, uses) for store, uses in parts if uses))
    if policy in (Policy.HOME, Policy.QUOTA) and home:
        return replace(coupon, held=(Held(home.store, coupon.uses_limit),))
    return coupon


async def named_too(
    conn: Connection, member_id: str, store: str, currency: str
) -> tuple[list[Coupon], dict[Key, rows.Kept]]:
    """A member's coupons that this store may now risk as well, as others of its group are not yet k; and as they were."""
    found = await rows.find(conn, Coupon.table, "member_id", [member_id])
    keys = [(Coupon.table, kept.row.id) for kept in found if kept.row.risked_at and store not in kept.row.risked_at]
    known = await rows.load(conn, keys, lock=True)
    most = (await rule(conn, currency)).group_size if keys else 0
    room = [kept.row for kept in known.values() if len(kept.row.risked_at) < most and kept.row.uses_left]
    return [replace(coupon, risked_at=(*coupon.risked_at, store)) for coupon in room], known


async def begin_allowance(conn: Connection, device: str, store: str, currency: str, now: datetime) -> Allowance:
    """What a new device may risk."""
    dares = await rule(conn, currency)
    allowance = await top_up(conn, with_rule(Allowance(id=device, store=store, currency=currency), dares))
    await enter(conn, [Line("allow", store, "allowance", allowance.granted_minor, "enrolled", device)], now)
    return allowance


def with_rule(allowance: Allowance, dares: CoverRule) -> Allowance:
    """The same budget under the chain's rule as it is by now."""
    return replace(
        allowance,
        target_minor=dares.allowance_minor,
        transaction_minor=dares.transaction_minor,
        points_day_minor=dares.points_day_minor,
        coupons_day_minor=dares.coupons_day_minor,
    )


async def top_up(conn: Connection, allowance: Allowance) -> Allowance:
    """Granted up to the device's target again, as far as all devices together stay within the chain's bound."""
    wanted = allowance.target_minor - allowance.outstanding_minor
    if wanted <= 0:
        return allowance
    await conn.execute("select pg_advisory_xact_lock(%s)", [RISK_LOCK])
    most = (await rule(conn, allowance.currency)).risk_most_minor
    others = await outstanding(conn, allowance.currency, without=allowance.id)
    room = most - others - max(0, allowance.outstanding_minor)
    return replace(allowance, granted_minor=allowance.granted_minor + max(0, min(wanted, room)))


async def outstanding(conn: Connection, currency: str, *, without: str = "") -> int:
    """What all devices together may have risked without anybody knowing: granted, and not settled nor written off."""
    found = await conn.execute(
        "select coalesce(sum(greatest(outstanding_minor, 0)), 0) from allowance where currency = %s and id <> %s",
        [currency, without],
    )
    row = await found.fetchone()
    return int(row[0]) if row else 0


async def done_with(conn: Connection, changed: Mapping[Key, Any], operations: Sequence[Operation]) -> list[Any]:
    """Lent or recalled rights that were given back, or of which nothing is left: there is nothing more to give back."""
    subjects = {key[1]: row for key, row in changed.items() if key[0] in (Account.table, Coupon.table)}
    given = {(one.right_id, one.store) for one in operations if isinstance(one, (ReturnCoupon, ReturnPoints))}
    if not subjects and not given:
        return []
    found = await conn.execute(
        "select id, body::text from store_right where state <> 'done'"
        " and (subject = any(%s::text[]) or id = any(%s::text[])) order by 1",
        [sorted(subjects), sorted(id_ for id_, _store in given)],
    )
    ended = []
    for id_, body in await found.fetchall():
        right = msgspec.json.decode(body, type=Right)
        key = (right.of_table, right.subject)
        if (id_, right.store) in given or (key in changed and not held_of(changed[key], right.store)):
            ended.append(replace(right, state="done"))
    return ended


def held_of(row: Any, store: str) -> int:
    """How much of a coupon or an account is a store's right, expired or not."""
    if isinstance(row, Coupon):
        return row.held_by(store)
    if isinstance(row, Account):
        return sum(batch.left for batch in row.batches if batch.held_by == store)
    return 0


async def enter(conn: Connection, lines: Iterable[Line], now: datetime) -> None:
    """Write lines of the double entry."""
    kept = list(lines)
    if not kept:
        return
    columns = [
        [getattr(line, name) for line in kept] for name in ("entry", "store", "device", "resource", "amount", "cause")
    ]
    await conn.execute(
        "insert into right_entry (at, entry, store, device, resource, amount, cause)"
        " select %s, * from unnest(%s::text[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::text[])",
        [now, *columns],
    )
