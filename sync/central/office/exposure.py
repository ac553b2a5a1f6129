"""What the chain dares with the cable out, and what came of it: the head office's rule, its bound, and the report."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated

from msgspec import Meta, Struct, json

from store_agent.domain.allowances import Allowance
from store_agent.domain.campaigns import Campaign
from store_agent.domain.money import EXPONENTS
from store_agent.domain.rights import CoverRule, Policy, policy_by_value, worth_most_minor
from sync.central import cover, ledger, rows
from sync.central.cover import Line
from sync.central.endpoints import Declined
from sync.central.ground import Connection
from sync.central.office.records import Incoming

UNHEARD = timedelta(days=1)
"""A device of which nothing was heard for so long is named in the report."""
Minor = Annotated[int, Meta(ge=0, le=10**12)]
Count = Annotated[int, Meta(ge=0, le=10**6)]


class CoverRequest(Incoming, frozen=True, kw_only=True):
    """How much the chain dares, in minor units. What is not named stays as it is."""

    currency: str
    risk_most_minor: Minor | None = None
    allowance_minor: Minor | None = None
    transaction_minor: Minor | None = None
    points_day_minor: Minor | None = None
    coupons_day_minor: Minor | None = None
    home_points_most: Count | None = None
    home_points_percent: Annotated[int, Meta(ge=0, le=100)] | None = None
    group_size: Annotated[int, Meta(ge=0, le=10_000)] | None = None
    group_most_minor: Minor | None = None
    home_most_minor: Minor | None = None
    lent_minutes: Annotated[int, Meta(ge=1, le=24 * 60)] | None = None


class DeviceRisk(Struct, frozen=True):
    """What one device was granted, what of it was heard of, and what is still out."""

    device: str
    store: str
    granted_minor: int
    settled_minor: int
    written_off_minor: int
    outstanding_minor: int
    heard_at: datetime | None
    is_unheard: bool
    is_revoked: bool


class Exposure(Struct, frozen=True):
    """What can go wrong at most with every store offline, and what did, in one currency."""

    currency: str
    risk_most_minor: int
    outstanding_minor: int
    """On allowance and not settled: the bound of what may be lost just now."""
    granted_minor: int
    settled_minor: int
    written_off_minor: int
    lost_minor: int
    """What cases of this currency say was lost for good: written off, by fraud or not."""
    open_minor: int
    """What cases of this currency say may be lost: nobody has decided yet."""
    devices: list[DeviceRisk]
    unheard: list[str]
    """Devices of which nothing was heard for a day."""


class RightsHeld(Struct, frozen=True):
    """The double entry of one store's rights, from its beginning."""

    store: str
    granted: int
    used: int
    returned: int
    written_off: int


class ExposureReport(Struct, frozen=True):
    """Everything that stores are covered for."""

    currencies: list[Exposure]
    points: list[RightsHeld]
    coupons: list[RightsHeld]


class Bound(Struct, frozen=True):
    """What one campaign can cost more than it should, at most, with every store offline."""

    campaign: str
    policy: str
    coupons: int
    """In people's hands, with uses left."""
    overshoot_uses: int | None
    """Uses more than there are; None: without limit, by design."""
    overshoot_minor: int | None
    """What those are worth at most; None where that depends on the basket. The chain's allowances bound it in any case."""
    risk_most_minor: int


async def rules(conn: Connection) -> list[CoverRule]:
    """The rule of each currency."""
    return [await cover.rule(conn, currency) for currency in sorted(EXPONENTS)]


async def change_rule(conn: Connection, request: CoverRequest, now: datetime) -> CoverRule:
    """Another rule; every device's budget follows it. What was granted already stays granted until it is settled."""
    if request.currency not in EXPONENTS:
        raise Declined(422, "malformed", f"A currency is one of {', '.join(sorted(EXPONENTS))}.")
    said = {name: value for name in request.__struct_fields__ if (value := getattr(request, name)) is not None}
    rule = replace(await cover.rule(conn, request.currency), **said)
    await conn.execute(
        "insert into cover_rule values (%s, %s) on conflict (currency) do update set body = excluded.body",
        [rule.currency, json.encode(rule).decode()],
    )
    # What was given up, or is turned away, is given nothing anew: nobody would ever say what became of it.
    query = (
        "select id from allowance join device using (id) where currency = %s and revoked_at is null and not exists"
        " (select 1 from right_entry where resource = 'allowance' and entry = 'write_off'"
        " and right_entry.device = allowance.id) order by id"
    )
    found = await conn.execute(query, [rule.currency])
    keys = [(Allowance.table, row[0]) for row in await found.fetchall()]
    known = await rows.load(conn, keys, lock=True)
    for key in keys:
        before: Allowance = known[key].row
        after = await cover.top_up(conn, cover.with_rule(before, rule))
        if after != before:
            minor = after.granted_minor - before.granted_minor
            await cover.enter(
                conn, [Line("allow", after.store, "allowance", minor, "rule", after.id)] if minor else [], now
            )
            # One by one, as each counts for what the next may be granted.
            await ledger.write_own(conn, [after], now, known)
    return rule


async def report(conn: Connection, now: datetime) -> ExposureReport:
    """Granted, used, settled, unheard-of devices: by currency, by device, by store."""
    return ExposureReport(
        [await _exposure(conn, currency, now) for currency in sorted(EXPONENTS)],
        await _held(conn, "account/"),
        await _held(conn, "coupon/"),
    )


async def _exposure(conn: Connection, currency: str, now: datetime) -> Exposure:
    found = await conn.execute(
        "select allowance.body::text, heard_at, revoked_at is not null from allowance join device using (id)"
        " where currency = %s order by outstanding_minor desc, id",
        [currency],
    )
    devices = [
        _device(json.decode(body, type=Allowance), heard_at, gone, now)
        for body, heard_at, gone in await found.fetchall()
    ]
    return Exposure(
        currency,
        (await cover.rule(conn, currency)).risk_most_minor,
        sum(max(0, one.outstanding_minor) for one in devices),
        sum(one.granted_minor for one in devices),
        sum(one.settled_minor for one in devices),
        sum(one.written_off_minor for one in devices),
        *await _lost(conn, currency),
        devices,
        [one.device for one in devices if one.is_unheard],
    )


async def _lost(conn: Connection, currency: str) -> tuple[int, int]:
    found = await conn.execute(
        "select coalesce(sum((body ->> 'written_off_minor')::bigint), 0), coalesce(sum((body ->> 'amount_minor')::bigint"
        " - (body ->> 'recovered_minor')::bigint - (body ->> 'reversed_minor')::bigint"
        " - (body ->> 'written_off_minor')::bigint), 0) from cases where body ->> 'currency' = %s",
        [currency],
    )
    row = await found.fetchone()
    return (int(row[0]), int(row[1])) if row else (0, 0)


def _device(allowance: Allowance, heard_at: datetime | None, is_revoked: bool, now: datetime) -> DeviceRisk:
    return DeviceRisk(
        allowance.id,
        allowance.store,
        allowance.granted_minor,
        allowance.used_minor,
        allowance.written_off_minor,
        allowance.outstanding_minor,
        heard_at,
        heard_at is None or now - heard_at > UNHEARD,
        is_revoked,
    )


async def _held(conn: Connection, prefix: str) -> list[RightsHeld]:
    found = await conn.execute(
        "select store, entry, sum(amount) from right_entry where starts_with(resource, %s) group by 1, 2 order by 1, 2",
        [prefix],
    )
    by_store: dict[str, dict[str, int]] = {}
    for store, entry, amount in await found.fetchall():
        by_store.setdefault(store, {})[entry] = int(amount)
    return [
        RightsHeld(store, *(sums.get(entry, 0) for entry in ("grant", "use", "return", "write_off")))
        for store, sums in by_store.items()
    ]


async def bound(conn: Connection, campaign_id: str) -> Bound:
    """What this campaign can cost more than it should; from its policy and the coupons in people's hands."""
    kept = (await rows.load(conn, [(Campaign.table, campaign_id)], lock=False)).get((Campaign.table, campaign_id))
    if kept is None:
        raise Declined(404, "unknown", f"There is no campaign “{campaign_id[:80]}”.")
    campaign: Campaign = kept.row
    dares = await cover.rule(conn, campaign.currency or "TWD")
    policy = campaign.policy or policy_by_value(campaign.benefit, dares)
    found = await conn.execute(
        "select count(*), coalesce(sum(coalesce((body ->> 'uses_limit')::bigint, 1)), 0) from coupon"
        " where body ->> 'campaign_id' = %s",
        [campaign_id],
    )
    coupons, uses_most = map(int, await found.fetchone() or (0, 0))
    each: int | None = {Policy.GROUP: len(campaign.risked_at) or dares.group_size, Policy.OPEN: None}.get(policy, 0)
    worth = worth_most_minor(campaign.benefit)
    if policy in (Policy.HOME, Policy.QUOTA):
        # Elsewhere it is risked, at most once in each other store.
        stores = await (await conn.execute("select count(*) from store")).fetchone()
        each = max(0, int(stores[0]) - 1) if stores else 0
    # Whoever may risk a coupon may risk each of its uses.
    uses = None if each is None else each * uses_most
    return Bound(
        campaign.id,
        str(policy),
        coupons,
        uses,
        None if uses is None or worth is None else min(uses * worth, dares.risk_most_minor),
        dares.risk_most_minor,
    )


async def write_off(conn: Connection, device_id: str, now: datetime) -> DeviceRisk:
    """A person at head office gives a lost device's budget up: it counts as lost until the device is heard of."""
    key = (Allowance.table, device_id)
    kept = (await rows.load(conn, [key], lock=True)).get(key)
    if kept is None:
        raise Declined(404, "unknown", f"There is no device “{device_id[:80]}”.")
    before: Allowance = kept.row
    minor = max(0, before.outstanding_minor)
    after = replace(before, written_off_minor=before.written_off_minor + minor, target_minor=0)
    await cover.enter(conn, [Line("write_off", before.store, "allowance", minor, "head office", device_id)], now)
    await ledger.write_own(conn, [after], now, {key: kept})
    found = await conn.execute("select heard_at, revoked_at is not null from device where id = %s", [device_id])
    heard_at, gone = await found.fetchone() or (None, False)
    return _device(after, heard_at, gone, now)
