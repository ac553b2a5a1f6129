"""Rights and allowances from the desk to the ledger and back: what holds offline, what is asked for, what it can cost."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from store_agent.config import Settings
from store_agent.desk import baskets, checkout, rights
from store_agent.domain.benefits import Benefit, BenefitKind
from store_agent.domain.campaigns import Campaign
from store_agent.domain.coupons import Coupon, Held
from store_agent.domain.members import Member
from store_agent.domain.operation import Refusal
from store_agent.domain.points import Account, Batch
from store_agent.domain.rights import CoverReason, CoverRule, Policy
from store_agent.entry.store import Keeper
from store_agent.replica.standing import Freeze
from sync.central import cover, own
from sync.wire import AcquireRequest, SightRequest
from tests.chain import Chain, StoreAtEnd

WANG = Member(id="m-wang", phone="+886912345678", name="王小明", home_store="s1")
ACCOUNT = Account(id="m-wang", batches=(Batch("b", 1000),))


def off(minor: int, policy: Policy = Policy.BY_VALUE) -> Campaign:
    benefit = Benefit(kind=BenefitKind.AMOUNT, off_minor=minor)
    return Campaign(id="c", name={"en": "Off"}, benefit=benefit, currency="TWD", policy=policy)


async def two_stores(chain: Chain, *rows: object) -> tuple[StoreAtEnd, StoreAtEnd]:
    """The member is at home in s1, and s2 holds them too."""
    one, two = await chain.store("s1"), await chain.store("s2")
    await chain.write(WANG)
    await chain.write(*rows)
    await chain.settle()
    assert await two.client.sight(SightRequest(phone=WANG.phone)) == WANG.id
    await chain.settle()
    return one, two


def left(store: StoreAtEnd) -> int:
    """What the store may still risk."""
    covered = rights.covered(store.counter)
    assert covered is not None
    return covered.left_minor


def redeem(
    store: StoreAtEnd, chosen: Sequence[str] = (), points: int = 0, approved_by: str = "", total: int = 3000
) -> checkout.Receipt | Refusal:
    member = store.row("member", WANG.id)
    quoted = checkout.quote_for(store.counter, member, baskets.of_total(store.counter, total))
    return checkout.redeem(store.counter, member, quoted, chosen, points, approved_by=approved_by)


def reason(result: checkout.Receipt | Refusal) -> str:
    return str(result.reason) if isinstance(result, Refusal) else ""


async def test_a_new_device_may_risk_what_the_chain_dares_and_all_together_no_more(chain: Chain) -> None:
    async with chain.http() as head_office:
        await head_office.put("/v1/admin/cover", json={"currency": "TWD", "risk_most_minor": 5000})
    stores = [await chain.store(f"s{number}") for number in (1, 2, 3)]
    await chain.settle()
    assert [left(store) for store in stores] == [2000, 2000, 1000]
    async with chain.ledger() as conn:
        assert await cover.outstanding(conn, "TWD") == 5000


async def test_points_offline_by_right_at_home_and_on_allowance_elsewhere(chain: Chain) -> None:
    one, two = await two_stores(chain, ACCOUNT)
    one.cable.plugged = two.cable.plugged = False
    assert rights.held(one.counter)[0] == 300
    assert reason(redeem(one, points=300)) == ""
    assert reason(redeem(two, points=100)) == ""
    assert reason(redeem(two, points=1)) == CoverReason.ABOVE_DAY
    assert reason(redeem(two, points=150, approved_by="boss")) == ""
    assert left(two) == 2000 - 250
    one.cable.plugged = two.cable.plugged = True
    await chain.settle()
    assert (await chain.row("account", WANG.id)).owed == 0
    assert await chain.cases() == []
    assert left(two) == 2000, "what was heard of is granted anew"


@pytest.mark.parametrize("first", ["s1", "s2"])
async def test_a_coupon_used_by_right_and_on_allowance_is_charged_to_the_allowance_whoever_synced_second(
    chain: Chain, first: str
) -> None:
    one, two = await two_stores(chain, off(500), Coupon(id="k", campaign_id="c", member_id=WANG.id))
    assert (await chain.row("coupon", "k")).held == (Held("s1"),)
    one.cable.plugged = two.cable.plugged = False
    assert reason(redeem(one, ["k"])) == ""
    assert reason(redeem(two, ["k"])) == ""
    for store in (one, two) if first == "s1" else (two, one):
        store.cable.plugged = True
        await store.settle()
    await chain.settle()
    assert await chain.cases() == [("coupon_over", "s2", 500)]


async def test_each_use_on_allowance_is_charged_once_and_none_twice(chain: Chain) -> None:
    one, two = await two_stores(chain, off(500), Coupon(id="k", campaign_id="c", member_id=WANG.id))
    three = await chain.store("s3")
    await three.client.sight(SightRequest(phone=WANG.phone))
    await chain.settle()
    for store in (one, two, three):
        store.cable.plugged = False
        assert reason(redeem(store, ["k"])) == ""
    for store in (two, three, one):
        store.cable.plugged = True
        await store.settle()
    assert await chain.cases() == [("coupon_over", "s2", 500), ("coupon_over", "s3", 500)]


@pytest.mark.parametrize("first", ["s1", "s2"])
async def test_points_spent_twice_are_charged_to_the_allowance_whoever_synced_second(chain: Chain, first: str) -> None:
    one, two = await two_stores(chain, Account(id=WANG.id, batches=(Batch("b", 100, held_by="s1"),)))
    one.cable.plugged = two.cable.plugged = False
    assert reason(redeem(one, points=100, total=100)) == ""
    assert reason(redeem(two, points=60, total=60)) == ""
    for store in (one, two) if first == "s1" else (two, one):
        store.cable.plugged = True
        await store.push()
    await chain.settle()
    assert [(kind, store) for kind, store, _amount in await chain.cases()] == [("points_overdrawn", "s2")]


async def test_what_the_centre_must_be_asked_for_is_refused_offline_and_says_so(chain: Chain) -> None:
    one, _two = await two_stores(chain, off(5000), Coupon(id="k", campaign_id="c", member_id=WANG.id))
    one.cable.plugged = False
    assert reason(redeem(one, ["k"])) == CoverReason.NEEDS_NETWORK
    one.cable.plugged = True
    reply = await one.client.acquire(AcquireRequest("just in time", "coupon", "k"))
    assert (reply.amount, reply.recalled) == (1, False)
    await one.settle()
    one.cable.plugged = False
    assert reason(redeem(one, ["k"])) == ""


async def test_a_coupon_in_a_group_counts_offline_in_its_stores_only(chain: Chain) -> None:
    async with chain.http() as head_office:
        await head_office.put("/v1/admin/cover", json={"currency": "TWD", "group_size": 1})
    one, two = await two_stores(chain, off(80), Coupon(id="k", campaign_id="c", member_id=WANG.id))
    assert (await chain.row("coupon", "k")).risked_at == ("s1",)
    assert reason(redeem(two, ["k"])) == CoverReason.OTHER_STORES
    assert reason(redeem(one, ["k"])) == ""


async def test_a_store_that_begins_to_hold_the_member_joins_the_group_while_it_has_room(chain: Chain) -> None:
    _one, two = await two_stores(chain, off(80), Coupon(id="k", campaign_id="c", member_id=WANG.id))
    assert (await chain.row("coupon", "k")).risked_at == ("s1", "s2")
    two.cable.plugged = False
    assert reason(redeem(two, ["k"])) == ""


async def test_what_a_store_gets_with_a_member_is_one_group(chain: Chain) -> None:
    """Found by the simulator: the coupon in which the store was named came as a group of its own, behind all else."""
    await two_stores(chain, off(80), Coupon(id="k", campaign_id="c", member_id=WANG.id))
    found = await chain.ask("select row_id, group_end from feed where stream = 'store/s2' order by position")
    assert {row_id for row_id, _end in found} >= {WANG.id, "k"}
    assert len({end for row_id, end in found if row_id in (WANG.id, "k")}) == 1


async def test_a_right_that_another_store_holds_is_asked_back_and_lent(chain: Chain) -> None:
    one, two = await two_stores(chain, off(500), Coupon(id="k", campaign_id="c", member_id=WANG.id))
    reply = await two.client.acquire(AcquireRequest("first try", "coupon", "k"))
    assert (reply.amount, reply.recalled) == (0, True)
    await one.pull()
    assert rights.give_back(one.counter) == 1
    assert rights.give_back(one.counter) == 0, "once is enough"
    await one.push()
    reply = await two.client.acquire(AcquireRequest("second try", "coupon", "k"))
    assert reply.amount == 1
    await chain.settle()
    assert reason(redeem(one, ["k"])) == "", "at home it is on allowance now"
    assert (await chain.row("coupon", "k")).held == (Held("s2"),)
    assert all(right.state == "done" for right in one.replica.view.all("store_right"))


async def test_asking_again_with_the_same_id_is_answered_the_same(chain: Chain) -> None:
    _one, two = await two_stores(chain, ACCOUNT)
    for _time in range(3):
        reply = await two.client.acquire(AcquireRequest("lost reply", "account", WANG.id, 200))
        assert reply.amount == 200
    await chain.settle()
    assert rights.held(two.counter)[0] == 200


async def test_a_lent_right_that_nobody_used_goes_back_after_ten_minutes(chain: Chain) -> None:
    _one, two = await two_stores(chain, ACCOUNT)
    await two.client.acquire(AcquireRequest("changed mind", "account", WANG.id, 200))
    await two.settle()
    assert rights.give_back(two.counter) == 0
    chain.clock.move(minutes=11)
    assert rights.give_back(two.counter) == 1
    await chain.settle()
    account = await chain.row("account", WANG.id)
    assert account.held_by("s2", chain.clock.now()) == 0
    assert account.balance(chain.clock.now()) == 1000
    assert two.replica.view.find("store_right", "state", "lent") == []


async def test_an_allowance_that_is_used_up_refuses_until_the_line_is_back(chain: Chain) -> None:
    coupons = [Coupon(id=f"k{n}", campaign_id="c", member_id=WANG.id) for n in range(3)]
    _one, two = await two_stores(chain, off(1000), *coupons)
    two.cable.plugged = False
    assert reason(redeem(two, ["k0"])) == ""
    assert reason(redeem(two, ["k1"])) == CoverReason.ABOVE_DAY
    assert reason(redeem(two, ["k1"], approved_by="boss")) == ""
    assert reason(redeem(two, ["k2"], approved_by="boss")) == CoverReason.SPENT
    two.cable.plugged = True
    await two.settle()
    assert reason(redeem(two, ["k2"], approved_by="boss")) == ""


async def test_a_store_that_lost_its_machine_starts_without_the_rights_of_the_old_one(chain: Chain) -> None:
    one, _two = await two_stores(chain, ACCOUNT)
    one.cable.plugged = False
    assert reason(redeem(one, points=300)) == ""
    chain.stores.pop("s1").replica.close()
    again = await chain.store("s1")
    await again.settle()
    account = await chain.row("account", WANG.id)
    assert account.held_by("s1", chain.clock.now()) == 0
    lines = await chain.ask("select entry, amount from right_entry where entry = 'write_off'")
    assert lines == [("write_off", 300)]


async def test_the_head_office_reads_what_may_be_lost_at_most(chain: Chain) -> None:
    _one, two = await two_stores(chain, ACCOUNT, off(500), Coupon(id="k", campaign_id="c", member_id=WANG.id))
    assert reason(redeem(two, ["k"], 50)) == ""
    await chain.settle()
    async with chain.http() as head_office:
        report = (await head_office.get("/v1/admin/exposure")).json()
        twd = next(one for one in report["currencies"] if one["currency"] == "TWD")
        assert (twd["outstanding_minor"], twd["settled_minor"], twd["risk_most_minor"]) == (4000, 550, 400_000)
        assert (twd["lost_minor"], twd["open_minor"]) == (0, 0)
        assert len(twd["devices"]) == 2
        assert {"store": "s1", "granted": 300, "used": 0, "returned": 0, "written_off": 0} in report["points"]
        bound = (await head_office.get("/v1/admin/campaigns/c/bound")).json()
        assert (bound["overshoot_uses"], bound["overshoot_minor"]) == (1, 500)
        lost = (await head_office.post(f"/v1/admin/devices/{two.replica.device}/write-off")).json()
        assert (lost["outstanding_minor"], lost["written_off_minor"]) == (0, 2000)
        assert (await head_office.post("/v1/admin/devices/nobody/write-off")).status_code == 404


async def test_another_rule_reaches_every_device(chain: Chain) -> None:
    one, _two = await two_stores(chain)
    async with chain.http() as head_office:
        changed = await head_office.put("/v1/admin/cover", json={"currency": "TWD", "allowance_minor": 3000})
        assert changed.json()["allowance_minor"] == 3000
        rules = (await head_office.get("/v1/admin/cover")).json()
        assert [rule["currency"] for rule in rules] == ["HKD", "TWD"]
        assert (await head_office.put("/v1/admin/cover", json={"currency": "JPY"})).status_code == 422
    await chain.settle()
    assert left(one) == 3000
    assert CoverRule().allowance_minor == 2000


async def test_a_store_gives_back_what_was_asked_for_and_no_more(chain: Chain) -> None:
    one, two = await two_stores(chain, ACCOUNT)
    reply = await two.client.acquire(AcquireRequest("needs more", "account", WANG.id, 750))
    assert (reply.amount, reply.recalled) == (700, True)
    await one.pull()
    assert [rights.give_back(one.counter) for _time in range(3)] == [1, 0, 0]
    assert rights.held(one.counter)[0] == 250
    await chain.settle()
    assert rights.give_back(one.counter) == 0
    assert rights.held(one.counter)[0] == 250
    assert one.replica.view.find("store_right", "state", "recalled") == []


async def test_what_was_lent_of_a_member_who_is_merged_goes_back_all_the_same(chain: Chain) -> None:
    twin = Member(id="m-twin", phone="+886912345679", name="王小明", home_store="s1")
    _one, two = await two_stores(chain, ACCOUNT, twin, Account(id=twin.id, batches=(Batch("b2", 1000),)))
    assert await two.client.sight(SightRequest(phone=twin.phone)) == twin.id
    await two.client.acquire(AcquireRequest("of the twin", "account", twin.id, 200))
    await chain.settle()
    async with chain.ledger() as conn:
        work = await own.begin(conn, [], chain.clock.now())
        work.batch.merges.append((twin.id, WANG.id))
        await work.finish()
    await chain.settle()
    assert rights.held(two.counter)[0] == 200
    chain.clock.move(minutes=11)
    assert rights.give_back(two.counter) == 1
    await chain.settle()
    assert (await chain.row("account", WANG.id)).held_by("s2", chain.clock.now()) == 0
    assert two.replica.view.find("store_right", "state", "lent") == []


async def test_a_device_that_was_given_up_or_turned_away_gets_no_budget_by_another_rule(chain: Chain) -> None:
    one, two = await two_stores(chain)
    three = await chain.store("s3")
    async with chain.http() as head_office:
        await head_office.post(f"/v1/admin/devices/{two.replica.device}/write-off")
        await head_office.post(f"/v1/admin/devices/{three.replica.device}/revoke")
        await head_office.put("/v1/admin/cover", json={"currency": "TWD", "allowance_minor": 3000})
    outstanding = [
        (await chain.row("allowance", store.replica.device)).outstanding_minor for store in (one, two, three)
    ]
    assert outstanding == [3000, 0, 2000]


async def test_a_coupon_of_several_uses_can_cost_each_of_them_in_each_store(chain: Chain) -> None:
    await two_stores(chain, off(500), Coupon(id="k", campaign_id="c", member_id=WANG.id, uses_limit=3))
    async with chain.http() as head_office:
        bound = (await head_office.get("/v1/admin/campaigns/c/bound")).json()
    assert (bound["coupons"], bound["overshoot_uses"], bound["overshoot_minor"]) == (1, 3, 1500)


async def test_a_right_that_is_asked_back_while_nothing_is_accepted_ends_nothing(chain: Chain) -> None:
    """A frozen journal or a full disk is what keeping in step gets a store out of."""
    one, two = await two_stores(chain, off(500), Coupon(id="k", campaign_id="c", member_id=WANG.id))
    await two.client.acquire(AcquireRequest("asked back", "coupon", "k"))
    await one.pull()
    keeper = Keeper(one.counter, Settings(centre_url="http://centre"))
    keeper._in_step = one.in_step
    one.replica.standing.freeze(Freeze.ROLLED_BACK)
    keeper._give_back()
    assert rights.held(one.counter)[1] == 1
    one.replica.journal.keep(frozen="")
    keeper._give_back()
    assert rights.held(one.counter)[1] == 0
    await keeper._client.close()
