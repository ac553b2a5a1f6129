"""The moment of an operation is never before what the centre last told: no clock that is set back extends a coupon."""

from __future__ import annotations

from datetime import timedelta
from unittest.mock import patch

import pytest

from store_agent.desk import overviews
from store_agent.desk.counter import Counter
from store_agent.domain.coupons import Coupon, CouponReason, RedeemCoupon
from store_agent.domain.members import Member
from tests.chain import Chain, StoreAtEnd


async def story(chain: Chain) -> StoreAtEnd:
    """A coupon ends; the store heard so late in the day that its clock cannot be set back before it."""
    ends_at = chain.clock.now() + timedelta(hours=1)
    await chain.write(
        Member(id="m1", phone="+886912345678", name="王小明", home_store="s1"),
        Coupon(id="k1", campaign_id="c", member_id="m1", valid_until=ends_at),
    )
    store = await chain.store("s1")
    await store.settle()
    chain.clock.move(hours=2)
    await store.settle()
    chain.clock.move(hours=-5)
    store = chain.restart("s1")
    use = RedeemCoupon(**store.counter.named(), coupon_id="k1", campaign_id="c", member_id="m1", saved_minor=9)
    refusal = store.counter.accept(use)
    assert refusal is not None, "a clock that was set back extends a coupon"
    assert refusal.reason is CouponReason.EXPIRED
    return store


async def test_a_clock_that_is_set_back_extends_no_coupon(chain: Chain) -> None:
    store = await story(chain)
    with patch.object(chain.centre, "now", lambda: chain.clock.now() + timedelta(hours=5)):
        await store.pull()
    assert overviews.line(store.counter).clock_ahead_s == -5 * 3600
    assert store.counter.now() == chain.clock.now() + timedelta(hours=5)
    chain.clock.move(hours=6)
    assert store.counter.now() == chain.clock.now(), "and its own time counts where that is later"


async def test_a_late_reply_does_not_turn_the_time_back(chain: Chain) -> None:
    store = await chain.store("s1")
    await store.settle()
    before = store.counter.now()
    with patch.object(chain.centre, "now", lambda: before - timedelta(hours=5)):
        await store.pull()
        assert store.counter.now() == before
        await chain.restart("s1").pull()
    chain.clock.move(hours=-9)
    assert chain.stores["s1"].counter.now() == before


async def test_a_counter_that_believes_its_clock_is_found(chain: Chain) -> None:
    with patch.object(Counter, "now", lambda self: self.clock.now()), pytest.raises(AssertionError, match="extends"):
        await story(chain)
