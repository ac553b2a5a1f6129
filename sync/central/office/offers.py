"""What head office offers: campaigns with their shares for each store, and coupons for members or bearers."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

from store_agent.domain.benefits import Benefit, BenefitKind
from store_agent.domain.campaigns import Campaign
from store_agent.domain.coupons import Coupon, IssueCoupon
from store_agent.domain.members import Tier
from store_agent.domain.money import EXPONENTS, allocate
from store_agent.domain.products import ProductSet, to_gtin
from store_agent.domain.quotas import Quota
from store_agent.domain.rights import CoverRule, Policy, policy_by_value
from store_agent.safe_text import safe_text
from store_agent.words import LANGUAGES
from store_agent.words.refusals import say
from sync.central import cover, own, rows
from sync.central.ground import Connection
from sync.central.office import records
from sync.central.office.catalogue import check_store, known_stores
from sync.central.office.imports import Sieve
from sync.central.office.people import Recipients
from sync.central.office.strict import Malformed
from sync.central.own import Own
from sync.central.rows import Key

CHANNELS = ("store", "online")
CLOCK = re.compile(r"([01][0-9]|2[0-3]):[0-5][0-9]|24:00")
ID = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._:@+-]{0,79}")
AMOUNT_MOST = 10**12
CODES_LOCK = 0x434F4445
"""The advisory lock under which codes are given out, so that no two coupons get the same."""


class Campaigns(Sieve):
    """Campaigns as a whole: one that is there is replaced by what is sent. A total becomes shares of its stores."""

    def __init__(self) -> None:
        self._stores: dict[str, str] = {}
        self._shares: dict[str, list[str]] = {}
        self._rules: dict[str, CoverRule] = {}

    async def prepare(self, conn: Connection, records: list[Any]) -> None:
        self._stores = await known_stores(conn)
        self._rules = {currency: await cover.rule(conn, currency) for currency in EXPONENTS}
        ids = [record.id for record in records]
        query = "select id, body ->> 'campaign_id' from quota where body ->> 'campaign_id' = any(%s) and member_id = ''"
        for id_, campaign_id in await (await conn.execute(query, [ids])).fetchall():
            self._shares.setdefault(campaign_id, []).append(id_)

    def keys(self, record: Campaign) -> Iterator[Key]:
        yield (Campaign.table, record.id)
        for id_ in {*self._shares.get(record.id, ()), *(share_id(record.id, store) for store in self._stores)}:
            yield (Quota.table, id_)

    def take(self, work: Own, record: Campaign) -> None:
        check_campaign(record, tuple(self._stores))
        # Said by the centre once, so that no store needs the chain's rule to know what holds with the cable out.
        policy = record.policy or policy_by_value(record.benefit, self._rules[record.currency or "TWD"])
        work.put(replace(record, policy=policy))
        stores = record.stores or tuple(self._stores)
        held = [work.row(Quota.table, id_) for id_ in sorted(self._shares.get(record.id, ()))]
        for quota in shares(record, stores, [quota for quota in held if quota]):
            work.put(quota)


def share_id(campaign_id: str, store: str) -> str:
    """The id of a store's share of a campaign's total (`quotas.blank_quotas`)."""
    return f"{campaign_id}/store/{store}"


def shares(campaign: Campaign, stores: Sequence[str], held: Sequence[Quota]) -> Iterator[Quota]:
    """The stores' shares of the total, as equal as can be, the first ones larger. What a store used it keeps using.

    A store that is not in the campaign any more keeps what it used, and the others share the rest.
    """
    known = {quota.store: quota for quota in held}
    total = campaign.total
    for store, quota in known.items():
        if store not in stores:
            used = max(0, quota.used - quota.given_back)
            total -= used
            yield replace(quota, limit=used)
    if not campaign.total:
        return
    for store, limit in zip(stores, allocate(max(0, total), [1] * len(stores)), strict=True):
        blank = Quota(id=share_id(campaign.id, store), campaign_id=campaign.id, store=store)
        yield replace(known.get(store, blank), limit=limit)


def check_campaign(campaign: Campaign, stores: Sequence[str]) -> None:
    """Whether the campaign makes sense; raises Malformed at the first thing that does not."""
    _check(bool(ID.fullmatch(campaign.id)), "id", "An id is letters, digits and . _ : @ + - up to 80.")
    for column in ("name", "instead"):
        for language, text in getattr(campaign, column).items():
            _check(language in LANGUAGES, column, f"“{language}” is none of {', '.join(LANGUAGES)}.")
            _check_text(f"{column}.{language}", text)
    for store in campaign.stores:
        check_store(store, stores, "stores")
    for store in campaign.risked_at:
        check_store(store, stores, "risked_at")
    _check(not campaign.risked_at or campaign.policy is Policy.GROUP, "risked_at", "Only policy group names stores.")
    _check(len(set(campaign.stores)) == len(campaign.stores), "stores", "A store stands there twice.")
    _check(bool(campaign.stores or stores) or not campaign.total, "total", "There are no stores to share it.")
    _check(set(campaign.channels) <= set(CHANNELS), "channels", "A channel is store or online.")
    _check(set(campaign.weekdays) <= set(range(1, 8)), "weekdays", "A weekday is 1 (Monday) to 7.")
    for column in ("from_time", "until_time"):
        _check(bool(CLOCK.fullmatch(getattr(campaign, column))), column, "A time is HH:MM, 00:00 to 24:00.")
    if campaign.valid_from and campaign.valid_until:
        _check(campaign.valid_from < campaign.valid_until, "valid_until", "It is over before it begins.")
    _check(set(campaign.tiers) <= set(Tier), "tiers", f"A tier is one of {', '.join(Tier)}.")
    for column in ("required_tag", "instead_campaign"):
        _check_text(column, getattr(campaign, column))
    for column in ("minimum_minor", "minimum_quantity", "per_member", "per_member_day", "total"):
        _check(0 <= getattr(campaign, column) <= AMOUNT_MOST, column, "It is 0 or more.")
    _check_currency(campaign)
    for column in ("included", "excluded"):
        _check_products(column, getattr(campaign, column))
    _check_benefit(campaign.benefit)


def _check_currency(campaign: Campaign) -> None:
    if campaign.currency:
        _check(campaign.currency in EXPONENTS, "currency", f"A currency is one of {', '.join(EXPONENTS)}.")
    else:
        _check(not has_amounts(campaign), "currency", "There are amounts, so it needs a currency.")


def has_amounts(campaign: Campaign) -> bool:
    """Whether anything in the campaign is money."""
    benefit = campaign.benefit
    stepped = any(step.at_least_minor or step.off_minor for step in benefit.steps)
    return bool(campaign.minimum_minor or benefit.off_minor or benefit.together_minor is not None or stepped)


def _check_benefit(benefit: Benefit) -> None:
    _check(1 <= benefit.pay_percent <= 100, "benefit.pay_percent", "What is still to pay is 1 to 100 per cent.")
    _check(0 <= benefit.off_minor <= AMOUNT_MOST, "benefit.off_minor", "It is 0 or more.")
    together = benefit.together_minor
    _check(together is None or 0 <= together <= AMOUNT_MOST, "benefit.together_minor", "It is 0 or more.")
    _check(0 <= benefit.at_most <= 10**6, "benefit.at_most", "It is 0 (without limit) or more.")
    _check(1 <= benefit.quantity <= 10**6, "benefit.quantity", "It is 1 or more.")
    for no, step in enumerate(benefit.steps):
        path = f"benefit.steps[{no}]"
        _check(0 <= step.at_least_minor <= AMOUNT_MOST, f"{path}.at_least_minor", "It is 0 or more.")
        _check(1 <= step.pay_percent <= 100, f"{path}.pay_percent", "What is still to pay is 1 to 100 per cent.")
        _check(0 <= step.off_minor <= AMOUNT_MOST, f"{path}.off_minor", "It is 0 or more.")
    for no, part in enumerate(benefit.parts):
        _check_products(f"benefit.parts[{no}]", part)
        _check(bool(part), f"benefit.parts[{no}]", "A part names no product.")
    _check_products("benefit.free", benefit.free)
    kind = benefit.kind
    if kind is BenefitKind.PERCENT:
        _check(benefit.pay_percent < 100, "benefit.pay_percent", "Who pays 100 per cent saves nothing.")
    if kind is BenefitKind.AMOUNT:
        _check(benefit.off_minor > 0, "benefit.off_minor", "An amount off is more than 0.")
    if kind is BenefitKind.THRESHOLD:
        _check(bool(benefit.steps), "benefit.steps", "A threshold needs a step.")
        for no, step in enumerate(benefit.steps):
            _check(step.pay_percent < 100 or step.off_minor > 0, f"benefit.steps[{no}]", "This step saves nothing.")
    if kind is BenefitKind.BUNDLE:
        _check(bool(benefit.parts), "benefit.parts", "A bundle needs its parts.")
        saves = together is not None or benefit.off_minor > 0 or benefit.pay_percent < 100
        _check(saves, "benefit", "A bundle needs together_minor, off_minor or pay_percent.")
    if kind is BenefitKind.GIFT:
        _check(bool(benefit.free), "benefit.free", "A gift names what is given.")


def _check_products(column: str, products: ProductSet) -> None:
    for gtin in products.gtins:
        _check(to_gtin(gtin) == gtin, f"{column}.gtins", f"“{gtin[:20]}” is no product number in 14 digits.")
    for category in products.categories:
        _check(bool(category), f"{column}.categories", "A category has no name.")
        _check_text(f"{column}.categories", category)


def _check_text(column: str, text: str) -> None:
    _check(safe_text(text) == text, column, "It is longer than 80 characters or holds some that cannot be shown.")


def _check(is_so: bool, column: str, why: str) -> None:
    if not is_so:
        raise Malformed(column, why)


class Coupons(Sieve):
    """Coupons put into hands. The same coupon again does nothing."""

    def __init__(self) -> None:
        self._recipients = Recipients()
        self._campaigns: set[str] = set()
        self._codes: dict[str, str] = {}

    async def prepare(self, conn: Connection, records: list[Any]) -> None:
        await self._recipients.look_up(conn, records)
        ids = sorted({record.campaign_id for record in records})
        found = await conn.execute("select id from campaign where id = any(%s)", [ids])
        self._campaigns = {row[0] for row in await found.fetchall()}
        codes = sorted({record.code for record in records if record.code})
        if codes:
            await conn.execute("select pg_advisory_xact_lock(%s)", [CODES_LOCK])
            self._codes = {kept.row.code: kept.row.id for kept in await rows.find(conn, "coupon", "code", codes)}

    def keys(self, record: records.CouponRecord) -> list[Key]:
        return [(Coupon.table, self._issue(record)["coupon_id"])]

    def take(self, work: Own, record: records.CouponRecord) -> None:
        if record.campaign_id not in self._campaigns:
            raise Malformed("campaign_id", f"There is no campaign “{record.campaign_id}”.")
        if record.valid_from and record.valid_until and record.valid_from >= record.valid_until:
            raise Malformed("valid_until", "It is over before it begins.")
        fields = self._issue(record)
        before: Coupon | None = work.row(Coupon.table, fields["coupon_id"])
        if before is not None:
            same = replace(before, **{name: fields[name] for name in fields if name != "coupon_id"})
            if same != before:
                raise Malformed("id", f"Coupon “{before.id}” is there already, with other content.")
            return
        if record.code and self._codes.setdefault(record.code, fields["coupon_id"]) != fields["coupon_id"]:
            raise Malformed("code", "Another coupon has this code.")
        issues = IssueCoupon(op_id=own.new_id(), at=work.now, store="", staff=own.DEVICE, channel="centre", **fields)
        if refusal := work.do(issues):
            raise Malformed("", say(refusal))

    def _issue(self, record: records.CouponRecord) -> dict[str, Any]:
        member_id = self._recipients.find(record)
        if not member_id and not record.code:
            raise Malformed("code", "A coupon needs a member, or a code for whoever bears it.")
        id_ = f"{record.campaign_id}/{member_id}" if member_id else f"{record.campaign_id}/code/{record.code}"
        _check(not record.id or safe_text(record.id, 200) == record.id, "id", "It cannot be shown.")
        return {
            "coupon_id": record.id or id_,
            "campaign_id": record.campaign_id,
            "member_id": member_id,
            "code": record.code,
            "uses_limit": record.uses_limit,
            "valid_from": record.valid_from,
            "valid_until": record.valid_until,
        }
