"""The counter where a right is missing: asked for, risked, approved or refused, by keys."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from textual.pilot import Pilot

from store_agent.domain.allowances import Allowance, UseAllowance
from store_agent.domain.pins import StaffPin
from store_agent.domain.points import Account, Batch
from store_agent.pins import hash_pin
from store_agent.replica import Replica
from store_agent.words import use_language
from tests.counter_fixture import STORE, WANG, absorb, counter_at, open_store
from tests.screen_text import scan, screen_text
from tests.test_counter import happened, press
from tui.app import StoreApp

PIN = "246810"


@pytest.fixture
def replica(tmp_path: Path) -> Iterator[Replica]:
    """Of the member's 320 points this store holds none, and it may risk NT$150, of which NT$50 for one member a day."""
    use_language("en")
    with open_store(tmp_path / "store") as opened:
        allowance = Allowance(
            id=opened.device, store=STORE, granted_minor=150, target_minor=150, transaction_minor=100,
            points_day_minor=50, coupons_day_minor=100,
        )  # fmt: skip
        account = Account(id=WANG, batches=(Batch("b1", 320),))
        absorb(opened, [account, allowance, StaffPin(id="s-mei", store=STORE, pin_hash=hash_pin(PIN))], revision=2)
        opened.cache.keep(offline_since="2026-11-14T05:00:00+00:00")
        yield opened


async def pay_with_points(pilot: Pilot[None], points: str) -> str:
    await scan(pilot, "0912345678")
    return await press(pilot, *"=350", "enter", "f3", *points, "enter")


async def test_points_that_no_right_covers_are_risked_within_the_allowance_and_the_line_says_what_is_left(
    replica: Replica,
) -> None:
    app = StoreApp(counter_at(replica))
    async with app.run_test(size=(120, 40)) as pilot:
        assert "covered: NT$150 of NT$150 left" in screen_text(app)
        shown = await pay_with_points(pilot, "50")
        assert "50 points paid NT$50." in shown
        assert "covered: NT$100 of NT$150 left" in shown
    [used] = happened(replica, "use-allowance")
    assert isinstance(used, UseAllowance)
    assert (used.amount_minor, used.member_id, used.device_id) == (50, WANG, replica.device)


async def test_with_the_line_down_no_more_is_offered_than_is_covered(replica: Replica) -> None:
    app = StoreApp(counter_at(replica))
    async with app.run_test(size=(80, 24)) as pilot:
        await scan(pilot, "0912345678")
        shown = await press(pilot, *"=350", "enter", "f3")
        assert "│ 50 " in shown
        shown = await press(pilot, "enter")
        assert "50 points paid NT$50." in shown


async def test_above_the_cap_a_manager_approves_by_f8_and_it_is_done(replica: Replica) -> None:
    app = StoreApp(counter_at(replica))
    async with app.run_test(size=(80, 24)) as pilot:
        shown = await pay_with_points(pilot, "60")
        assert "With the line down this member may use NT$50 a day" in shown
        assert "F8" in shown
        await press(pilot, "f8")
        shown = await press(pilot, *PIN, "enter")
        assert "60 points paid NT$60." in shown
    [used] = happened(replica, "use-allowance")
    assert used.approved_by == "s-mei"


async def test_what_was_approved_is_this_number_and_no_other(replica: Replica) -> None:
    app = StoreApp(counter_at(replica))
    async with app.run_test(size=(80, 24)) as pilot:
        await pay_with_points(pilot, "60")
        shown = await press(pilot, "backspace", "backspace", *"70")
        assert "A manager approves" not in shown
        shown = await press(pilot, "f8")
        assert "PIN" not in shown
    assert happened(replica, "redeem-points") == []


async def test_beyond_the_budget_nobody_can_approve_and_nothing_is_used(replica: Replica) -> None:
    app = StoreApp(counter_at(replica))
    async with app.run_test(size=(80, 24)) as pilot:
        await pay_with_points(pilot, "200")
        await press(pilot, "f8")
        shown = await press(pilot, *PIN, "enter")
        assert "allowance for the line being down is used up" in shown
        assert "A manager approves" not in shown
    assert happened(replica, "redeem-points") == []


async def test_the_centre_is_asked_first_and_enter_pressed_meanwhile_does_nothing(replica: Replica) -> None:
    counter = counter_at(replica)
    asked: list[Any] = []
    may_answer = asyncio.Event()

    async def acquire(wants: Sequence[Any]) -> None:
        asked.append(wants)
        await may_answer.wait()
        absorb(replica, [Account(id=WANG, batches=(Batch("b1", 120), Batch("b1", 200, held_by=STORE)))], revision=3)

    counter.acquire = acquire
    app = StoreApp(counter)
    async with app.run_test(size=(80, 24)) as pilot:
        shown = await pay_with_points(pilot, "200")
        assert "One moment" in shown
        await press(pilot, "enter", "enter")
        may_answer.set()
        shown = await press(pilot)
        assert "200 points paid NT$200." in shown
    assert len(asked) == 1
    assert len(happened(replica, "redeem-points")) == 1
    assert happened(replica, "use-allowance") == []


async def test_who_leaves_while_the_centre_is_asked_has_used_nothing(replica: Replica) -> None:
    counter = counter_at(replica)
    may_answer = asyncio.Event()

    async def acquire(wants: Sequence[Any]) -> None:
        await may_answer.wait()

    counter.acquire = acquire
    app = StoreApp(counter)
    async with app.run_test(size=(80, 24)) as pilot:
        await pay_with_points(pilot, "40")
        await press(pilot, "escape")
        may_answer.set()
        await press(pilot)
    assert happened(replica, "redeem-points") == []
