"""Ctrl+O, by its keys: what is listed, who may decide, how a decision is asked for once more, and what it says."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from textual.pilot import Pilot

from store_agent.desk import cases
from store_agent.domain.cases import Case, CaseState, Remedy
from store_agent.replica import Replica
from store_agent.words import use_language
from tests.case_fixture import bring_cases
from tests.counter_fixture import absorb, counter_at, open_store
from tests.screen_text import screen_text
from tui.app import StoreApp


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    yield
    use_language("en")


@asynccontextmanager
async def counter(
    folder: Path, *, staff: str = "s-mei", size: tuple[int, int] = (80, 24), has_cases: bool = True
) -> AsyncIterator[tuple[Pilot[None], Replica]]:
    with open_store(folder) as replica:
        if has_cases:
            bring_cases(replica)
        async with StoreApp(counter_at(replica, staff=staff)).run_test(size=size) as pilot:
            await pilot.pause()
            yield pilot, replica


async def press(pilot: Pilot[None], *keys: str) -> str:
    for key in keys:
        await pilot.press(key)
        await pilot.pause()
    for _turn in range(3):
        await pilot.pause()
    return screen_text(pilot.app)


def case(replica: Replica, id_: str) -> Case:
    found: Case = replica.view.get("cases", id_)
    return found


@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
@pytest.mark.parametrize("language", ["en", "zh-TW", "zh-HK"])
async def test_open_cases_are_listed_the_oldest_first_with_both_values(
    tmp_path: Path, language: str, size: tuple[int, int]
) -> None:
    use_language(language)
    async with counter(tmp_path, size=size) as (pilot, _replica):
        assert "^O" in await press(pilot)
        shown = await press(pilot, "ctrl+o", "down", "down", "down")
    words = {
        "en": ("25 minutes ago", "NT$30", "points overdrawn", "store: points 80", "there were 50", "approved by 林美"),
        "zh-TW": ("25 分鐘前", "NT$30", "點數透支", "門市：點數 80", "當時有 50", "林美 核准"),
        "zh-HK": ("25 分鐘前", "NT$30", "積分透支", "分店：積分 80", "當時有 50", "林美 核准"),
    }[language]
    assert [word for word in words if word not in shown] == []
    assert shown.index("NT$150") < shown.index("NT$30"), "the oldest is first"
    assert "王小明" in shown


async def test_a_decision_is_asked_for_once_more_and_then_done(tmp_path: Path) -> None:
    async with counter(tmp_path) as (pilot, replica):
        await press(pilot, "ctrl+o", "down", "enter", "down", "down")
        assert "Enter once more does it" in await press(pilot, "4", "0", "enter")
        assert case(replica, "coupon_over.2").open_minor == 150
        shown = await press(pilot, "enter")
        assert "Decided: written off" in shown
        assert "NT$110" in shown, "the rest is still open"
        after = case(replica, "coupon_over.2")
        assert (after.written_off_minor, after.state, after.resolutions[0].staff) == (40, CaseState.OPEN, "s-mei")
        shown = await press(pilot, "enter", "enter", "enter")
        assert case(replica, "coupon_over.2").state is CaseState.RESOLVED
        assert "3 open" in shown


async def test_another_choice_is_asked_for_anew(tmp_path: Path) -> None:
    async with counter(tmp_path) as (pilot, replica):
        await press(pilot, "ctrl+o", "down", "enter", "enter", "down", "enter")
        assert case(replica, "coupon_over.2").resolutions == ()
        assert "Only NT$150" in await press(pilot, "9", "9", "9", "enter", "enter")
        assert "no amount" in await press(pilot, "backspace", "backspace", "backspace", "enter")


async def test_a_case_is_given_to_a_store_or_a_person_that_there_is(tmp_path: Path) -> None:
    async with counter(tmp_path) as (pilot, replica):
        await press(pilot, "ctrl+o", "down", "enter", "up", "up")
        assert "It is not said who" in await press(pilot, *"tpe-999", "enter")
        await press(pilot, *["backspace"] * 7, *"tpe-002", "enter", "enter")
        assert case(replica, "coupon_over.2").at_store == "tpe-002"
        assert "3 open" in await press(pilot)


async def test_a_cashier_sees_the_cases_and_is_told_who_decides(tmp_path: Path) -> None:
    async with counter(tmp_path, staff="s-an") as (pilot, replica):
        assert "Only a lead or a manager decides" in await press(pilot, "ctrl+o", "down", "enter")
        assert cases.resolve(counter_at(replica), "coupon_over.2", Remedy.WRITE_OFF) is not None


async def test_what_only_head_office_can_put_right_says_so(tmp_path: Path) -> None:
    async with counter(tmp_path) as (pilot, _replica):
        assert "Only the head office decides" in await press(pilot, "ctrl+o", "down", "down", "enter")


async def test_without_a_case_it_says_that_there_is_nothing_to_do(tmp_path: Path) -> None:
    async with counter(tmp_path, has_cases=False) as (pilot, replica):
        assert "^O" not in await press(pilot), "the key is in the help alone"
        assert "^O" in await press(pilot, "f1", "end")
        shown = await press(pilot, "escape", "ctrl+o", "enter")
        assert "No case is open." in shown
        bring_cases(replica)
        absorb(replica, [])
    async with counter(tmp_path) as (pilot, _replica):
        assert "4 open" in await press(pilot, "ctrl+o")


async def test_an_amount_in_cents_is_typed_as_people_write_it(tmp_path: Path) -> None:
    async with counter(tmp_path) as (pilot, replica):
        old = case(replica, "coupon_over.2")
        hkd = Case(id="h", kind=old.kind, store=old.store, opened_at=old.opened_at, amount_minor=1640, currency="HKD")
        absorb(replica, [hkd], revision=3)
        shown = await press(pilot, "ctrl+o", "down", "down", "enter")
        assert "16.40" in shown
        await press(pilot, *"6.4", "enter", "enter")
        assert case(replica, "h").recovered_minor == 640
