"""What it costs at most: every store offline, and the same members spend all they have in each of them at once."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import Any
from unittest.mock import patch

from store_agent.desk import baskets, checkout, rights
from store_agent.domain.allowances import Allowance, UseAllowance
from store_agent.domain.benefits import Benefit, BenefitKind
from store_agent.domain.campaigns import Campaign, Stacking
from store_agent.domain.coupons import Coupon
from store_agent.domain.members import Member
from store_agent.domain.operation import Refusal
from store_agent.domain.points import Account, Batch
from store_agent.domain.rights import RULES
from store_agent.replica.journal import Place
from sync.central import cover
from sync.central.postgres.embedded import EmbeddedPostgres
from tests.chain import Chain, StoreAtEnd, open_chain
from tests.standing_clock import StandingClock
from tests.trials.trial import Found, Trial

MEMBERS = 12
VALUES = {"c-80": 80, "c-500": 500, "c-5000": 5000}
"""Coupons of each policy by value: `group`, `home`, `online_only`."""
BASKET_MINOR = 6000
HOME = "s0"
"""Where all of them are at home."""


def _play(count: int, seed: int, plant: str) -> Found:
    with (
        EmbeddedPostgres(durable=False) as postgres,
        tempfile.TemporaryDirectory() as folder,
        PLANTS.get(plant, nullcontext)(),
    ):
        url = postgres.create_database("exposure")
        return asyncio.run(_offline(url, Path(folder), count, Random(seed), is_tight=bool(plant)))


async def _offline(url: str, folder: Path, count: int, random: Random, *, is_tight: bool) -> Found:
    async with open_chain(url, StandingClock(), folder) as chain:
        # Planted, the chain dares so little that not every device gets what it is meant to have.
        bound = RULES["TWD"].allowance_minor * count // 2 if is_tight else RULES["TWD"].risk_most_minor
        async with chain.http() as head_office:
            await head_office.put("/v1/admin/cover", json={"currency": "TWD", "risk_most_minor": bound})
        await _open(chain, count)
        async with chain.ledger() as conn:
            outstanding = await cover.outstanding(conn, "TWD")
        for store in chain.stores.values():
            store.cable.plugged = False
        order = sorted(chain.stores)
        random.shuffle(order)
        for store_id in order:
            _spend_everything(chain.stores[store_id])
        accepted = {store.id: _on_allowance(store) for store in chain.stores.values()}
        for store_id in random.sample(order, len(order)):
            chain.stores[store_id].cable.plugged = True
            await chain.stores[store_id].settle()
        await chain.settle()
        cases = await chain.cases()
        lost = sum(amount for _kind, _store, amount in cases)
        figures = {
            "stores": count,
            "accepted_on_allowance_minor": sum(accepted.values()),
            "cases": len(cases),
            "became_cases_minor": lost,
            "granted_minor": outstanding,
            "bound_minor": bound,
        }
        return Found(figures=figures, failure=_check(accepted, cases, outstanding, bound))


async def _open(chain: Chain, count: int) -> None:
    for number in range(count):
        await chain.store(f"s{number}", page_rows=2000)
    for name, off_minor in VALUES.items():
        benefit = Benefit(kind=BenefitKind.AMOUNT, off_minor=off_minor)
        await chain.write(
            Campaign(id=name, name={"en": name}, benefit=benefit, currency="TWD", stacking=Stacking.STACKS)
        )
    for number in range(MEMBERS):
        member = f"m{number}"
        async with chain.ledger() as conn:
            await conn.execute(
                "insert into follow select %s, id, %s from store on conflict do nothing", [member, chain.clock.now()]
            )
        await chain.write(Member(id=member, phone=f"+88691200{number:04d}", name=member, home_store=HOME))
        coupons = [Coupon(id=f"{name}/{member}", campaign_id=name, member_id=member) for name in VALUES]
        await chain.write(Account(id=member, batches=(Batch(f"b-{member}", 500),)), *coupons)
    await chain.settle()


def _spend_everything(store: StoreAtEnd) -> None:
    """A cashier who is asked for the most that the program allows, and a manager who always says yes."""
    for number in range(MEMBERS):
        covered = rights.covered(store.counter)
        if number and store.id != HOME and covered and covered.left_minor < min(VALUES.values()):
            return  # Nothing more would be accepted here.
        member: Member = store.row("member", f"m{number}")
        for approved_by in ("", "boss"):
            for name in VALUES:
                _redeem(store, member, [f"{name}/{member.id}"], 0, approved_by)
            for points in (100, 100, 300, 500):
                _redeem(store, member, [], points, approved_by)


def _redeem(store: StoreAtEnd, member: Member, chosen: list[str], points: int, approved_by: str) -> None:
    total_minor = BASKET_MINOR if chosen else points
    quoted = checkout.quote_for(store.counter, member, baskets.of_total(store.counter, total_minor))
    usable = {verdict.coupon_id for verdict in quoted.verdicts if not verdict.refusal}
    if not set(chosen) <= usable:
        return
    result = checkout.redeem(store.counter, member, quoted, chosen, points, approved_by=approved_by)
    assert isinstance(result, (checkout.Receipt, Refusal))


def _on_allowance(store: StoreAtEnd) -> int:
    """What the store's journal says it accepted that no right covered."""
    happened = [entry.operation for entry in store.replica.journal.after(Place(0, 0))]
    return sum(operation.amount_minor for operation in happened if isinstance(operation, UseAllowance))


def _check(accepted: dict[str, int], cases: list[tuple[Any, ...]], outstanding: int, bound: int) -> str:
    """EXPOSE: on allowance ≤ granted ≤ the bound, and no more was lost than was accepted on allowance, at each store."""
    if outstanding > bound:
        return f"EXPOSE: {outstanding} was granted, and the head office dares {bound}"
    if sum(accepted.values()) > outstanding:
        return f"EXPOSE: {sum(accepted.values())} was accepted on allowance, and {outstanding} was granted"
    lost: dict[str, int] = {}
    for _kind, store, amount in cases:
        lost[store] = lost.get(store, 0) + amount
    for store, amount in lost.items():
        if amount > accepted.get(store, 0):
            return f"EXPOSE: {store} lost {amount}, and accepted {accepted.get(store, 0)} on allowance"
    return ""


@contextmanager
def _bound_is_not_looked_at() -> Iterator[None]:
    async def without_bound(conn: Any, allowance: Allowance) -> Allowance:
        wanted = max(0, allowance.target_minor - allowance.outstanding_minor)
        return replace(allowance, granted_minor=allowance.granted_minor + wanted)

    with patch.object(cover, "top_up", without_bound):
        yield


@contextmanager
def _budget_is_not_judged() -> Iterator[None]:
    with patch.object(UseAllowance, "judge", lambda self, before: None):
        yield


@contextmanager
def _allowance_is_not_counted() -> Iterator[None]:
    used = rights.use_allowance

    def nothing(counter: Any, spent: Any, what: Any, amount_minor: int, here: Any) -> UseAllowance:
        return used(counter, spent, what, 1, here)

    with patch.object(rights, "use_allowance", nothing):
        yield


PLANTS: dict[str, Any] = {
    "bound not looked at": _bound_is_not_looked_at,
    "budget not judged": _budget_is_not_judged,
    "allowance not counted": _allowance_is_not_counted,
}
TRIAL = Trial(
    name="exposure",
    about=__doc__ or "",
    count=5,
    unit="stores",
    play=_play,
    plants={
        "bound not looked at": "the centre grants each device its budget, whatever all together come to",
        "budget not judged": "the store accepts on allowance though the budget is used up",
        "allowance not counted": "what is risked is counted too low",
    },
)
