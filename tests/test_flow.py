"""The main job from the desk to the ledger and back, with a cable to pull."""

from __future__ import annotations

from store_agent.desk import baskets, checkout, members, overviews
from store_agent.domain.benefits import Benefit, BenefitKind
from store_agent.domain.campaigns import Campaign
from store_agent.domain.coupons import Coupon, CouponReason
from store_agent.domain.members import Member
from store_agent.domain.operation import Refusal
from store_agent.domain.points import EarnPoints
from store_agent.domain.proofs import SpendingProof
from store_agent.domain.stores import Store
from sync.wire import SightRequest
from tests.chain import Chain

WANG = Member(id="m-wang", phone="+886912345678", name="王小明", home_store="s1")
TEN_PERCENT = Campaign(id="c85", name={"en": "85折"}, benefit=Benefit(kind=BenefitKind.PERCENT, pay_percent=85))
COUPON = Coupon(id="k1", campaign_id="c85", member_id="m-wang", code="K1")


async def test_a_coupon_redeemed_with_the_cable_out_is_used_everywhere_once_it_is_back(chain: Chain) -> None:
    one, two = await chain.store("s1"), await chain.store("s2")
    await chain.write(WANG, TEN_PERCENT, COUPON)
    await chain.settle()
    one.cable.plugged = False
    person = members.look_up(one.counter, "0912-345-678")
    assert person == WANG
    quoted = checkout.quote_for(one.counter, person, baskets.of_total(one.counter, 500))
    receipt = checkout.redeem(one.counter, person, quoted, ["k1"], purchase_id="p1")
    assert isinstance(receipt, checkout.Receipt)
    assert (receipt.to_pay_minor, receipt.points_earned, receipt.balance) == (425, 42, 42)
    overview = overviews.member(one.counter, person.id, baskets.empty(one.counter), "en")
    assert overview is not None
    assert (overview.points.balance, overview.points.on_the_way) == (42, 42)
    assert overview.quote.verdicts[0].refusal is not None
    assert overview.quote.verdicts[0].refusal.reason is CouponReason.USED_UP

    one.cable.plugged = True
    await chain.settle()
    assert one.replica.view.waiting_count() == 0
    assert (await chain.row("coupon", "k1")).uses_left == 0
    assert (await chain.row("account", "m-wang")).balance(chain.clock.now()) == 42
    assert one.row("account", "m-wang") == await chain.row("account", "m-wang")
    assert await chain.cases() == []
    assert members.look_up(two.counter, "0912345678") is None, "a store holds only members whom it serves"


async def test_the_same_coupon_at_two_stores_with_the_cable_out_is_one_case_and_nothing_is_lost(chain: Chain) -> None:
    one, two = await chain.store("s1"), await chain.store("s2")
    await chain.write(WANG, TEN_PERCENT, COUPON)
    await chain.settle()
    assert await two.client.sight(SightRequest(phone="+886912345678")) == "m-wang"
    await two.settle()
    for store in (one, two):
        store.cable.plugged = False
        person = members.look_up(store.counter, "0912345678")
        assert person is not None
        quoted = checkout.quote_for(store.counter, person, baskets.of_total(store.counter, 1000))
        assert isinstance(checkout.redeem(store.counter, person, quoted, ["k1"]), checkout.Receipt)
        store.cable.plugged = True
    await chain.settle()
    coupon = await chain.row("coupon", "k1")
    assert [use.store for use in coupon.used] == ["s1", "s2"]
    assert [(kind, store, amount) for kind, store, amount in await chain.cases()] == [("coupon_over", "s2", 150)]
    assert one.row("coupon", "k1") == two.row("coupon", "k1") == coupon
    assert (await chain.row("account", "m-wang")).balance(chain.clock.now()) == 170


async def test_pressing_enter_twice_is_one_purchase(chain: Chain) -> None:
    one = await chain.store("s1")
    await chain.write(WANG)
    await chain.settle()
    quoted = checkout.quote_for(one.counter, WANG, baskets.of_total(one.counter, 500))
    assert isinstance(checkout.redeem(one.counter, WANG, quoted, [], purchase_id="p1"), checkout.Receipt)
    again = checkout.redeem(one.counter, WANG, quoted, [], purchase_id="p1")
    assert isinstance(again, Refusal)
    assert again.reason == "purchase-already-there"
    assert one.row("account", "m-wang").balance(chain.clock.now()) == 50


async def test_someone_who_joins_at_two_stores_offline_becomes_one_member_with_one_welcome_coupon(chain: Chain) -> None:
    welcome = Campaign(
        id="hello", name={"en": "Hello"}, benefit=Benefit(kind=BenefitKind.AMOUNT, off_minor=20), currency="TWD"
    )
    for store_id in ("s1", "s2"):
        await chain.store(
            store_id,
            row=Store(id=store_id, name={"en": store_id}, welcome_campaign="hello", spending_proof=SpendingProof.ANY),
        )
    await chain.write(welcome)
    await chain.settle()
    one, two = chain.stores["s1"], chain.stores["s2"]
    joined = []
    for store in (one, two):
        store.cable.plugged = False
        person = members.register(store.counter, "0912 345 678", "王小明")
        assert isinstance(person, Member)
        quoted = checkout.quote_for(store.counter, person, baskets.of_total(store.counter, 100))
        assert [verdict.saves_minor for verdict in quoted.verdicts] == [20], "usable at once"
        store.counter.accept(EarnPoints(**store.counter.named(), member_id=person.id, points=5))
        joined.append(person)
        store.cable.plugged = True
    await chain.settle()
    first, second = joined
    assert (await chain.row("member", second.id)).alias_of == first.id
    assert (await chain.row("account", first.id)).balance(chain.clock.now()) == 10
    assert await chain.row("account", second.id) is None
    held = await chain.ask("select id from coupon")
    assert held == [(f"welcome/hello/{first.id}",)]
    assert [(kind, store) for kind, store, _amount in await chain.cases()] == [("duplicate_member", "s2")]
    for store in (one, two):
        found = members.find(store.counter, "0912345678")
        assert [member.id for member in found] == [first.id]
        overview = overviews.member(store.counter, second.id, baskets.empty(store.counter), "en")
        assert overview is not None
        assert (overview.member.id, overview.points.balance, overview.points.on_the_way) == (first.id, 10, 0)
