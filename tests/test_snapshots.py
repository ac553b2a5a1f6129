"""A store that has nothing takes one file: from wherever it was cut, checked, in place at once, and never in clear."""

from __future__ import annotations

from store_agent.domain.coupons import Coupon
from store_agent.domain.members import Member
from store_agent.domain.points import EarnPoints
from store_agent.domain.products import Product
from tests.chain import Chain, StoreAtEnd
from tests.invariants import check_converged, check_view

PEOPLE = 60


async def a_store(chain: Chain, people: int = PEOPLE, *, snapshot_rows: int | None = 1) -> StoreAtEnd:
    """A store with members, none of whom it has heard of yet."""
    store = await chain.store("s1", snapshot_rows=snapshot_rows)
    members = [
        Member(id=f"m{n:04d}", phone=f"+88691200{n:04d}", name="王小明", email=f"ming{n}@example.com", home_store="s1")
        for n in range(people)
    ]
    await chain.write(*members, *(Coupon(id=f"k{n}", campaign_id="c", member_id=f"m{n:04d}") for n in range(people)))
    await chain.write(Product(id="04712026000013", name={"en": "Tea"}))
    return store


async def test_a_new_store_takes_a_snapshot_and_then_the_tail(chain: Chain) -> None:
    store = await a_store(chain)
    await store.pull()
    assert store.cable.carried[-2].startswith("POST /v1/snapshot")
    assert store.replica.cache.count("member") == PEOPLE
    assert [m.id for m in store.replica.view.search("member", "0007", 5)] == ["m0007"]
    assert len(store.replica.view.search("member", "小明", 50)) == 50
    counter = store.counter
    assert counter.accept(EarnPoints(**counter.named(), member_id="m0001", points=5)) is None
    check_view(store)
    await store.settle()
    check_view(store)
    await check_converged(chain)
    assert {"GET /v1/pull"} < set(store.cable.carried)
