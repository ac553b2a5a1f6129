"""From a key at the counter to the ledger and back to the screen, with the cable out in between. All of it is real."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from random import Random

from textual.pilot import Pilot

from store_agent.clock import SystemClock
from store_agent.domain.benefits import Benefit, BenefitKind
from store_agent.domain.campaigns import Campaign
from store_agent.domain.coupons import Coupon
from store_agent.domain.members import Member
from store_agent.domain.stores import Staff
from store_agent.words import use_language
from sync.in_step import InStep
from tests.chain import Chain, StoreAtEnd
from tui.app import StoreApp

WANG = Member(id="m-wang", phone="+886912345678", name="王小明", home_store="s1")
TEN_OFF = Campaign(
    id="ten", name={"en": "Ten off"}, benefit=Benefit(kind=BenefitKind.AMOUNT, off_minor=10), currency="TWD"
)
COUPON = Coupon(id="k1", campaign_id="ten", member_id="m-wang")
PATIENCE_S = 20.0


def in_step_for_real(store: StoreAtEnd) -> InStep:
    """Both loops on a clock that runs."""
    return InStep(store.session, store.client, SystemClock(), Random(1), long_poll_s=0.5, longest_pause_s=0.2)


async def until(pilot: Pilot[None], seen: Callable[[], bool]) -> None:
    """Let the application run until something is seen."""
    async with asyncio.timeout(PATIENCE_S):
        while not seen():
            await pilot.pause(0.02)


def screen(app: StoreApp) -> str:
    """All text of the screen."""
    return "\n".join("".join(segment.text for segment in strip) for strip in app.screen._compositor.render_strips())


async def test_a_coupon_redeemed_by_three_keys_with_the_cable_out_reaches_the_ledger(chain: Chain) -> None:
    use_language("en")
    store = await chain.store("s1")
    await chain.write(WANG, TEN_OFF, COUPON, Staff(id="amy", name="Amy", store="s1"))
    await store.settle()
    in_step = in_step_for_real(store)
    store.counter.accepted = in_step.poke

    async def keep(changed: Callable[[], None]) -> None:
        in_step._changed = changed
        await in_step.run()

    app = StoreApp(store.counter, keep_in_step=keep)
    async with app.run_test(size=(80, 24)) as pilot:
        await until(pilot, lambda: "n step" in screen(app))
        store.cable.plugged = False
        await until(pilot, lambda: "ffline" in screen(app))
        app.scan("0912345678")
        await until(pilot, lambda: "王小明" in screen(app))
        await pilot.press(*"=100", "enter")
        await until(pilot, lambda: "NT$100" in screen(app))
        await pilot.press("f2", "enter")
        await until(pilot, lambda: store.row("coupon", "k1").uses_left == 0)
        assert (await chain.row("coupon", "k1")).used == (), "the cable is out: the centre knows nothing of it"
        assert store.replica.view.waiting_count() > 0

        store.cable.plugged = True
        await until(pilot, lambda: store.replica.view.waiting_count() == 0)
        await until(pilot, lambda: "ffline" not in screen(app))
    redeemed = await chain.row("coupon", "k1")
    assert [(use.store, use.staff, use.saved_minor) for use in redeemed.used] == [("s1", "amy", 10)]
    assert (await chain.row("account", "m-wang")).balance(chain.clock.now()) == 9
    assert store.row("coupon", "k1") == redeemed
    assert await chain.cases() == []
