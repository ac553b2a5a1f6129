"""One person who registered twice: at the same moment, with the cable out, and what is done later under the old id."""

from __future__ import annotations

import asyncio

from store_agent.desk import members
from store_agent.domain.coupons import IssueCoupon, RedeemCoupon, RestoreCoupon
from store_agent.domain.members import ChangeMember, Member, RegisterMember
from store_agent.domain.points import EarnPoints
from store_agent.domain.quotas import GiveBackQuota, UseQuota
from store_agent.domain.tags import AddNote
from sync.wire import SightRequest
from tests.chain import Chain, StoreAtEnd
from tests.invariants import check_converged, check_ledger

PHONE = "+886912345678"


def register(store: StoreAtEnd, phone: str = PHONE) -> Member:
    joined = members.register(store.counter, phone, "王小明")
    assert isinstance(joined, Member)
    return joined


def earn(store: StoreAtEnd, member_id: str, points: int) -> None:
    assert store.counter.accept(EarnPoints(**store.counter.named(), member_id=member_id, points=points)) is None


async def balance(chain: Chain, member_id: str) -> int:
    account = await chain.row("account", member_id)
    return int(account.balance(chain.clock.now())) if account else 0


async def test_the_same_phone_at_three_stores_in_the_same_moment_is_one_member(chain: Chain) -> None:
    stores = [await chain.store(f"s{n}", batch_most=2) for n in range(3)]
    joined = [register(store) for store in stores]
    for store, member in zip(stores, joined, strict=True):
        for points in (1, 2, 4):
            earn(store, member.id, points)
    await asyncio.gather(*(store.push() for store in stores))
    await chain.settle()
    await chain.settle()
    staying = {(await chain.row("member", member.id)).alias_of or member.id for member in joined}
    assert len(staying) == 1
    assert await balance(chain, staying.pop()) == 21
    assert [kind for kind, _store, _amount in await chain.cases()] == ["duplicate_member"] * 2
    await check_converged(chain)
    await check_ledger(chain)
    for store in stores:
        found = members.look_up(store.counter, "0912345678")
        assert found is not None
        assert store.row("account", found.id).balance(chain.clock.now()) == 21


async def test_what_is_done_later_under_the_old_id_reaches_the_one_who_stays(chain: Chain) -> None:
    one, two = await chain.store("s1"), await chain.store("s2")
    first, second = register(one), register(two)
    counter = two.counter
    hello = f"hello/{second.id}"
    used = RedeemCoupon(**counter.named(), coupon_id=hello, campaign_id="hello", member_id=second.id)
    quota_id = f"c/member/{second.id}"
    done = [
        IssueCoupon(**counter.named(), coupon_id=hello, campaign_id="hello", member_id=second.id),
        used,
        UseQuota(**counter.named(), quota_id=quota_id, campaign_id="c", member_id=second.id, limit=3),
    ]
    assert counter.accept(*done) is None
    await one.settle()
    await two.settle()
    # These name only a row, whose id has the member's in it, and come long after the merge.
    later = [
        RestoreCoupon(**counter.named(), coupon_id=hello, use_op_id=used.op_id),
        GiveBackQuota(**counter.named(), quota_id=quota_id),
    ]
    two.replica.journal.append(later, two.replica.device, 1)
    await chain.settle()
    two.replica.journal.append([AddNote(**counter.named(), member_id=second.id, text="tall")], two.replica.device, 1)
    await chain.settle()
    assert (await chain.row("coupon", f"hello/{first.id}")).uses_left == 1
    quota = await chain.row("quota", f"c/member/{first.id}")
    assert (quota.used, quota.given_back) == (1, 1)
    assert [note.text for note in (await chain.row("tags", first.id)).notes] == ["tall"]
    assert await chain.ask("select id from coupon union all select id from quota order by 1") == [
        (f"c/member/{first.id}",),
        (f"hello/{first.id}",),
    ]


async def test_registering_twice_in_one_batch_is_one_member(chain: Chain) -> None:
    store = await chain.store("s1")
    counter = store.counter
    drafts = [
        RegisterMember(**counter.named(), member_id=member_id, phone=PHONE, name="王小明") for member_id in ("a", "b")
    ]
    store.replica.journal.append(drafts, store.replica.device, 1)
    earn(store, "b", 5)
    await store.settle()
    assert (await chain.row("member", "b")).alias_of == "a"
    assert (await balance(chain, "a"), await balance(chain, "b")) == (5, 0)
    assert store.row("account", "a").balance(chain.clock.now()) == 5


async def test_a_member_who_is_there_is_never_merged_by_a_second_registration_under_the_same_id(chain: Chain) -> None:
    store = await chain.store("s1")
    await chain.write(
        Member(id="m1", phone=PHONE, name="王小明", home_store="s1"),
        Member(id="m2", phone="+886987654321", name="李大華", home_store="s1"),
    )
    await store.settle()
    earn(store, "m1", 3)
    await store.settle()
    # A faulty store registers m1 anew, with the number of somebody else, and goes on.
    again = RegisterMember(**store.counter.named(), member_id="m1", phone="+886987654321", name="王小明")
    store.replica.journal.append([again], store.replica.device, 1)
    earn(store, "m1", 4)
    await store.settle()
    assert (await chain.row("member", "m1")).alias_of == ""
    assert await balance(chain, "m1") == 7
    assert await balance(chain, "m2") == 0


async def test_a_correction_at_two_stores_keeps_the_phone_and_both_stores_agree(chain: Chain) -> None:
    one, two = await chain.store("s1"), await chain.store("s2")
    member = register(one)
    await chain.settle()
    assert await two.client.sight(SightRequest(phone=PHONE)) == member.id
    await chain.settle()
    for store, name in ((one, "王大明"), (two, "王中明")):
        change = ChangeMember(**store.counter.named(), member_id=member.id, name=name)
        assert store.counter.accept(change) is None
    await asyncio.gather(one.push(), two.push())
    await chain.settle()
    assert one.row("member", member.id) == two.row("member", member.id) == await chain.row("member", member.id)
    await check_converged(chain)
