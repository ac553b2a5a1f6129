"""What the ledger makes of operations that come late, broken, against its limits, or that crash its own rules."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from unittest.mock import patch

from store_agent.codec import decode_entry
from store_agent.desk import pickups
from store_agent.domain.benefits import Benefit, BenefitKind
from store_agent.domain.campaigns import Campaign
from store_agent.domain.coupons import Coupon, RedeemCoupon
from store_agent.domain.members import Member
from store_agent.domain.pickups import Line, Pickup, PickupState
from store_agent.domain.points import EarnPoints
from store_agent.domain.quotas import Quota, UseQuota
from store_agent.domain.stock import Stock, stock_id
from store_agent.domain.tags import AddNote
from store_agent.trouble import Trouble
from tests.chain import Chain, StoreAtEnd

GTIN = "04710000000011"
WANG = Member(id="m1", phone="+886912345678", name="王小明", home_store="s1")


def earn(store: StoreAtEnd, member_id: str, points: int) -> EarnPoints:
    operation = EarnPoints(**store.counter.named(), member_id=member_id, points=points)
    assert store.counter.accept(operation) is None
    return operation


async def balance(chain: Chain, member_id: str) -> int:
    account = await chain.row("account", member_id)
    return int(account.balance(chain.clock.now())) if account else 0


async def outcomes(chain: Chain) -> list[str]:
    return [row[0] for row in await chain.ask("select outcome from operation order by seq")]


def crash(self: EarnPoints, before: Any) -> Any:
    if self.points == 13:
        raise ZeroDivisionError("a bug in a rule")
    return EFFECT(self, before)


EFFECT = EarnPoints.effect


async def test_an_operation_that_crashes_a_rule_parks_and_only_its_own_subject_waits(chain: Chain) -> None:
    store = await chain.store("s1")
    for member_id, points in (("m1", 1), ("m1", 13), ("m2", 2)):
        earn(store, member_id, points)
    with patch.object(EarnPoints, "effect", crash):
        await store.push()
    assert await outcomes(chain) == ["applied", "parked", "applied"]
    earn(store, "m1", 4)
    earn(store, "m2", 5)
    await store.settle()
    assert await outcomes(chain) == ["applied", "parked", "applied", "parked", "applied"]
    assert (await balance(chain, "m1"), await balance(chain, "m2")) == (1, 7)
    assert await chain.cases() == [("parked_operation", "s1", 0)]
    assert store.replica.outbox(9) == [], "nothing is sent for ever"
    assert store.row("account", "m1").balance(chain.clock.now()) == 18, "the store shows what it did"


async def test_an_operation_of_an_unknown_kind_is_kept_and_nothing_waits_behind_it(chain: Chain) -> None:
    store = await chain.store("s1")
    earn(store, "m1", 1)
    unknown = earn(store, "m1", 2)
    earn(store, "m1", 4)

    def of_yesterday(data: bytes) -> Any:
        if unknown.op_id.encode() in data:
            raise Trouble("An operation is of a kind that this version does not know.")
        return decode_entry(data)

    with patch("sync.central.exchange.decode_entry", of_yesterday):
        await store.settle()
    assert await outcomes(chain) == ["applied", "parked", "applied"]
    assert await balance(chain, "m1") == 5
    kept = await chain.ask("select data from operation where outcome = 'parked'")
    assert unknown.op_id.encode() in bytes(kept[0][0]), "its bytes wait for a version that can read them"
    assert await chain.cases() == [("parked_operation", "s1", 0)]


async def test_what_postgres_cannot_keep_parks_alone_and_stops_nobody(chain: Chain) -> None:
    store = await chain.store("s1")
    earn(store, "m1", 1)
    # An id longer than an index can hold, of characters that do not compress.
    endless = "".join(chr(0x4E00 + (n * 7919) % 20000) for n in range(3000))
    earn(store, endless, 2)
    earn(store, "m1", 4)
    await store.settle()
    assert await outcomes(chain) == ["applied", "parked", "applied"]
    assert await balance(chain, "m1") == 5
    assert await chain.cases() == [("parked_operation", "s1", 0)]
    earn(store, "m1", 8)
    await store.settle()
    assert await balance(chain, "m1") == 13


async def test_operations_at_the_limits_of_size_go_through(chain: Chain) -> None:
    store = await chain.store("s1")
    counter = store.counter
    text = "王" * 1000
    assert counter.accept(AddNote(**counter.named(), member_id="m1", text=text)) is None
    big = RedeemCoupon(**counter.named(), coupon_id="k", campaign_id="c", purchase_id="p" * 60_000)
    assert counter.replica.journal.append([big], store.replica.device, 1)
    earn(store, "m2", 2**53)
    await store.settle()
    assert await outcomes(chain) == ["applied", "applied_with_case", "applied"]
    assert await balance(chain, "m2") == 2**53


async def test_a_refusal_found_late_is_one_case_and_the_fact_stays(chain: Chain) -> None:
    one, two = await chain.store("s1"), await chain.store("s2")
    await chain.write(WANG, Coupon(id="k1", campaign_id="c", member_id="m1"))
    async with chain.ledger() as conn:
        await conn.execute("insert into follow values ('m1', 's2', %s)", [chain.clock.now()])
    await chain.write(Coupon(id="k2", campaign_id="c", member_id="m1", uses_limit=1))
    await chain.settle()
    for store in (one, two):
        named = store.counter.named()
        use = RedeemCoupon(**named, coupon_id="k2", campaign_id="c", member_id="m1", saved_minor=30, currency="TWD")
        assert store.counter.accept(use) is None
    await chain.settle()
    assert await chain.cases() == [("coupon_over", "s2", 30)]
    assert len((await chain.row("coupon", "k2")).used) == 2


CAMPAIGN = Campaign(
    id="c",
    benefit=Benefit(kind=BenefitKind.AMOUNT, off_minor=10),
    currency="TWD",
    per_member=1,
    per_member_day=1,
    total=2,
)


async def use_quota(chain: Chain, store: StoreAtEnd, quota_id: str, limit: int, member_id: str = "m1") -> Quota:
    counter = store.counter
    use = UseQuota(**counter.named(), quota_id=quota_id, campaign_id="c", member_id=member_id, limit=limit)
    counter.replica.journal.append([use], store.replica.device, 1)
    await store.settle()
    quota: Quota = await chain.row("quota", quota_id)
    return quota


async def test_the_campaigns_own_limit_counts_whatever_the_store_took_it_for(chain: Chain) -> None:
    store = await chain.store("s1")
    await chain.write(WANG, CAMPAIGN)
    for quota_id in ("c/member/m1", "c/member/m1/2026-11-21"):
        assert (await use_quota(chain, store, quota_id, limit=99)).limit == 1
        assert await use_quota(chain, store, quota_id, limit=99) == Quota(
            id=quota_id, campaign_id="c", member_id="m1", limit=1, used=2
        )
    assert [kind for kind, _store, _amount in await chain.cases()] == ["quota_over"] * 2


async def test_a_store_cannot_make_its_own_share(chain: Chain) -> None:
    store = await chain.store("s1")
    await chain.write(WANG, CAMPAIGN)
    assert (await use_quota(chain, store, "c/store/s1", limit=99, member_id="")).limit == 0
    assert await chain.cases() == [("quota_over", "s1", 0)]
    await chain.write(Quota(id="c/store/s2", campaign_id="c", store="s1", limit=5))
    assert (await use_quota(chain, store, "c/store/s2", limit=1, member_id="")).left == 4


async def pick_from_a_cancelled_order(chain: Chain, batch_most: int) -> None:
    store = await chain.store("s1", batch_most=batch_most)
    order = Pickup(
        id="o1", order_no="A1", store="s1", placed_at=chain.clock.now(), lines=(Line(no=1, gtin=GTIN, quantity=2),)
    )
    shelf = stock_id("s1", GTIN)
    await chain.write(order, Stock(id=shelf, store="s1", gtin=GTIN, on_hand=10, held=2))
    await store.settle()
    assert pickups.accept(store.counter, "o1") is None
    await store.settle()
    # The web shop cancels, and gives the promise back; the store does not know yet and goes to its shelf.
    cancelled = replace(await chain.row("pickup", "o1"), state=PickupState.CANCELLED)
    await chain.write(cancelled, replace(await chain.row("stock", shelf), held=0))
    assert pickups.pick(store.counter, "o1", 1, picked=1) is None
    assert pickups.pick(store.counter, "o1", 1, short=1) is None
    await store.settle()
    row = await chain.row("stock", shelf)
    assert (row.on_hand, row.held) == (9, 0), "the piece is gone, and the promise was given back once"
    assert store.row("stock", shelf) == row


async def test_a_pick_on_an_order_that_was_cancelled_meanwhile_releases_nothing_twice(chain: Chain) -> None:
    await pick_from_a_cancelled_order(chain, 500)
    assert await chain.cases() == [("order_conflict", "s1", 0)] * 2


async def test_the_same_holds_where_a_step_and_its_stock_come_in_different_batches(chain: Chain) -> None:
    await pick_from_a_cancelled_order(chain, 1)
    assert await chain.cases() == [("order_conflict", "s1", 0)] * 2
