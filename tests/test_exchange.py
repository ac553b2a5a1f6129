"""Two processes of the centre on one ledger: pushing at once, waking each other, and no change that falls between."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import httpx
import pytest

from store_agent.codec import encode_row
from store_agent.domain.coupons import Coupon, IssueCoupon, RedeemCoupon
from store_agent.domain.members import Member
from store_agent.domain.points import EarnPoints
from store_agent.domain.stores import Store
from sync import wire
from sync.central import exchange, feed, ledger
from sync.client import Client
from tests.chain import URL, Chain, StoreAtEnd, open_chain
from tests.invariants import check_converged, check_ledger
from tests.postgres_fixture import FreshDatabase
from tests.standing_clock import StandingClock

WANG = Member(id="m1", phone="+886912345678", name="王小明", home_store="s1")


@pytest.fixture
async def both(
    fresh_database: FreshDatabase, clock: StandingClock, tmp_path: Path
) -> AsyncIterator[tuple[Chain, Chain]]:
    """Two processes of the centre."""
    url = fresh_database()
    (tmp_path / "other").mkdir()
    async with open_chain(url, clock, tmp_path) as one, open_chain(url, clock, tmp_path / "other") as other:
        yield one, other


async def through(chain: Chain, store: StoreAtEnd, request: wire.PushRequest) -> wire.PushReply:
    transport = httpx.ASGITransport(chain.app)
    async with Client(URL, device=store.replica.device, secret=store.secret, transport=transport) as client:
        return await client.push(request)


async def test_many_pushes_through_two_processes_at_once_count_everything_once(both: tuple[Chain, Chain]) -> None:
    one, other = both
    stores = [await chain.store(f"s{n}", batch_most=5) for n, chain in enumerate((one, other, one, other))]
    members = [f"m{n}" for n in range(5)]
    for store in stores:
        for n in range(15):
            # Each store in another order, so that row locks cross.
            member_id = members[(n * (1 + int(store.id[1]))) % 5]
            named = store.counter.named()
            assert store.counter.accept(EarnPoints(**named, member_id=member_id, points=1)) is None
            issue = IssueCoupon(**store.counter.named(), coupon_id=f"hello/{member_id}", campaign_id="c")
            store.counter.accept(issue)

    async def empty(store: StoreAtEnd) -> None:
        for _turn in range(12):
            request = store.session.draft()
            if not isinstance(request, wire.PushRequest):
                return
            # Both processes get it at the same moment, as after a lost reply.
            replies = await asyncio.gather(*(through(chain, store, request) for chain in both))
            for reply in replies:
                store.session.received(reply)

    await asyncio.gather(*map(empty, stores))
    total = 0
    for member_id in members:
        account = await one.row("account", member_id)
        total += account.balance(one.clock.now())
    assert total == 4 * 15
    for chain in both:
        await chain.settle()
    for chain in both:
        await check_converged(chain)
        await check_ledger(chain)
    assert await one.cases() == [], "a coupon with the same id from four stores is one coupon and nobody's fault"
    assert await one.ask("select count(*) from coupon") == [(5,)]


async def someone_waits(chain: Chain) -> None:
    """Until one session of this database waits for another one."""
    query = "select 1 from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'"
    while not await chain.ask(query):
        await asyncio.sleep(0.01)


async def test_a_store_that_begins_to_hold_a_member_misses_nothing_that_is_written_meanwhile(chain: Chain) -> None:
    two = await chain.store("s2")
    await chain.write(Store(id="s1", name={}), WANG)
    coupon = Coupon(id="k1", campaign_id="c", member_id="m1")
    async with chain.centre.pool.connection() as writer:
        await writer.execute("begin")
        await ledger.write_own(writer, [coupon], chain.clock.now(), {})
        sighting = asyncio.create_task(two.client.sight(wire.SightRequest(phone=WANG.phone)))
        waiting = asyncio.create_task(someone_waits(chain))
        await asyncio.wait((sighting, waiting), return_when=asyncio.FIRST_COMPLETED, timeout=5)
        await writer.execute("commit")
        assert await sighting == "m1"
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
    await two.settle()
    assert two.row("coupon", "k1") == coupon


async def test_a_pull_that_waits_wakes_when_anyone_pushes_through_either_process(both: tuple[Chain, Chain]) -> None:
    one, other = both
    await one.write(WANG)
    reader, near, far = await one.store("s1"), await one.store("s2"), await other.store("s3")
    for store in (reader, near, far):
        assert await store.client.sight(wire.SightRequest(phone=WANG.phone)) == "m1"
    await one.settle()
    await other.settle()
    for store in (near, far):
        waiting = asyncio.create_task(reader.client.pull(reader.session.cursors(), 500, 20))
        while not one.centre.waiting._waiting:
            await asyncio.sleep(0.01)
        earned = EarnPoints(**store.counter.named(), member_id="m1", points=3)
        assert store.counter.accept(earned) is None
        await store.push()
        reply = await asyncio.wait_for(waiting, 5)
        assert [row.table for row in reply.streams["store/s1"].rows] == ["account"]
        reader.session.absorb(reply)
    assert one.centre.waiting._waiting == {}, "nobody is remembered who does not wait"


async def test_a_pull_that_nobody_wakes_comes_back_empty(chain: Chain) -> None:
    store = await chain.store("s1")
    await store.settle()
    reply = await store.client.pull(store.session.cursors(), 500, 0.05)
    assert [page.rows for page in reply.streams.values()] == [[], []]


async def test_a_request_with_too_many_operations_is_sent_in_parts(chain: Chain) -> None:
    store = await chain.store("s1", batch_most=3000)
    drafts = [EarnPoints(**store.counter.named(), member_id="m1", points=1) for _n in range(1100)]
    assert store.counter.accept(*drafts) is None
    await store.settle()
    assert (await chain.row("account", "m1")).balance(chain.clock.now()) == 1100


async def test_a_merged_twin_is_welcomed_with_all_that_the_one_who_stays_has(chain: Chain) -> None:
    store = await chain.store("s1")
    await chain.write(Member(id="m2", phone=WANG.phone, name="王小明", alias_of="m1"))
    await chain.write(
        Member(id="m1", phone=WANG.phone, name="王小明"), Coupon(id="k1", campaign_id="c", member_id="m1")
    )
    assert await store.client.sight(wire.SightRequest(phone=WANG.phone)) == "m1"
    await store.settle()
    assert store.replica.view.canonical("m2") == "m1"
    assert [coupon.id for coupon in store.replica.view.of_member("coupon", "m2")] == []
    assert [coupon.id for coupon in store.replica.view.of_member("coupon", "m1")] == ["k1"]


async def test_a_sight_of_nobody_or_of_rubbish_finds_nobody(chain: Chain) -> None:
    store = await chain.store("s1")
    await chain.write(Member(id="m1", phone=WANG.phone, name="王小明"))
    for request in (wire.SightRequest(), wire.SightRequest(phone="+1"), wire.SightRequest(code="'; drop table member")):
        assert await store.client.sight(request) == ""
    with pytest.raises(Exception, match="cannot be kept"):
        await store.client.sight(wire.SightRequest(phone="a\0b"))


async def test_a_group_larger_than_a_page_comes_whole(chain: Chain) -> None:
    async with chain.ledger() as conn:
        rows = [Store(id=f"x{n}", name={}) for n in range(20)]
        await feed.publish(conn, {"chain": [("store", row.id, 1, encode_row(row).decode()) for row in rows]})
    page = (await exchange.pull(chain.centre.pool, {"chain": 0}, 7)).streams["chain"]
    assert len(page.rows) == 20


async def test_a_coupon_that_two_stores_use_in_the_same_moment_is_one_case(both: tuple[Chain, Chain]) -> None:
    one, other = both
    await one.write(WANG, Coupon(id="k1", campaign_id="c", member_id="m1"))
    stores = [await one.store("s1"), await other.store("s2")]
    for store in stores:
        await store.client.sight(wire.SightRequest(phone=WANG.phone))
        await store.settle()
        use = RedeemCoupon(**store.counter.named(), coupon_id="k1", campaign_id="c", member_id="m1", saved_minor=9)
        assert store.counter.accept(use) is None
    await asyncio.gather(*(store.push() for store in stores))
    assert [(kind, amount) for kind, _store, amount in await one.cases()] == [("coupon_over", 9)]
    assert len((await one.row("coupon", "k1")).used) == 2
