"""Operations that wait for a person: they keep nobody else waiting, and are tried again in their order or dropped."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

import pytest

from store_agent.codec import decode_entry
from store_agent.desk import overviews
from store_agent.domain.cases import CaseKind, CaseState, Remedy
from store_agent.domain.coupons import Coupon, IssueCoupon
from store_agent.domain.members import Member, RegisterMember
from store_agent.domain.points import Account, Batch, EarnPoints
from store_agent.domain.quotas import UseQuota
from store_agent.domain.tags import AddNote
from store_agent.trouble import Trouble
from tests.chain import Chain, StoreAtEnd
from tests.invariants import check_cases, check_converged, check_ledger, check_view
from tests.test_case_flow import balance, cases_of, earn, head_office

EFFECT = EarnPoints.effect


@contextmanager
def crashing() -> Iterator[None]:
    """A rule with a bug: 13 points crash it."""

    def crash(self: EarnPoints, before: Any) -> Any:
        if self.points == 13:
            raise ZeroDivisionError("a bug in a rule")
        return EFFECT(self, before)

    with patch.object(EarnPoints, "effect", crash):
        yield


async def parked_one(chain: Chain) -> tuple[StoreAtEnd, str]:
    """1, then 13 which parks, then 4 and 8 behind it; and 2 for somebody else."""
    store = await chain.store("s1", batch_most=2)
    with crashing():
        earn_ids = []
        for member_id, points in (("m1", 1), ("m1", 13), ("m2", 2), ("m1", 4), ("m1", 8)):
            operation = EarnPoints(**store.counter.named(), member_id=member_id, points=points)
            store.replica.journal.append([operation], store.replica.device, 1)
            earn_ids.append(operation.op_id)
        for _turn in range(4):
            await store.push()
    await store.pull()
    return store, earn_ids[1]


async def test_what_waits_for_a_person_keeps_no_floor_low_and_still_shows(chain: Chain) -> None:
    store, _op_id = await parked_one(chain)
    assert store.replica.floor() == store.replica.journal.last()
    assert store.row("account", "m1").balance(chain.clock.now()) == 26
    line = overviews.line(store.counter)
    assert (line.waiting, line.parked) == (0, 3), "the line has nothing to carry"
    store = chain.restart("s1")
    assert store.row("account", "m1").balance(chain.clock.now()) == 26, "found again from below the floor"
    check_view(store)
    store = chain.restart("s1", without_cache=True)
    await store.settle()
    assert store.row("account", "m1").balance(chain.clock.now()) == 26
    check_view(store)


async def test_one_that_is_tried_again_is_applied_in_its_order_with_all_behind_it(chain: Chain) -> None:
    store, op_id = await parked_one(chain)
    assert await balance(chain) == 1
    with crashing():
        again = await head_office(chain, "POST", f"operations/{op_id}/retry", {})
        assert (again.status_code, again.json()["error"]) == (409, "still-parked")
    [case] = await cases_of(chain)
    assert (case.kind, case.state, case.found["error"]) == (
        CaseKind.PARKED_OPERATION,
        CaseState.OPEN,
        "ZeroDivisionError",
    )
    freed = await head_office(chain, "POST", f"operations/{op_id}/retry", {"staff": "ops", "note": "fixed"})
    assert [one["outcome"] for one in freed.json()] == ["applied"] * 3, freed.text
    account = await chain.row("account", "m1")
    assert [movement.points for movement in account.movements] == [1, 13, 4, 8]
    [case] = await cases_of(chain)
    assert (case.state, case.resolutions[0].remedy, case.resolutions[0].staff) == ("resolved", Remedy.RECOVER, "ops")
    assert await chain.ask("select count(*) from parked") == [(0,)]
    await store.settle()
    assert store.row("account", "m1") == account
    check_view(store)
    await check_cases(chain)
    await check_converged(chain)
    await check_ledger(chain)
    gone = await head_office(chain, "POST", f"operations/{op_id}/retry", {})
    assert (gone.status_code, gone.json()["error"]) == (404, "not-parked")


async def test_one_that_is_dropped_lets_those_behind_it_go_on(chain: Chain) -> None:
    store, op_id = await parked_one(chain)
    [case] = await cases_of(chain)
    body = {"remedy": "write_off", "note": "a test sale"}
    assert (await head_office(chain, "POST", f"cases/{case.id}/resolve", body)).json()["state"] == "resolved"
    assert await chain.ask("select outcome, reason from operation where op_id = %s", op_id) == [("refused", "dropped")]
    assert await balance(chain) == 13
    await store.settle()
    assert store.row("account", "m1").balance(chain.clock.now()) == 13, "what was dropped is shown no more"
    assert store.replica.view.waiting_count() == 0
    for _way in range(2):
        store = chain.restart("s1", without_cache=True)
        await store.settle()
        assert store.row("account", "m1").balance(chain.clock.now()) == 13
    await check_cases(chain)
    await check_converged(chain)


async def test_one_behind_that_crashes_too_gets_a_case_of_its_own(chain: Chain) -> None:
    store, op_id = await parked_one(chain)
    second = earn(store, 13)
    earn(store, 16)
    await store.settle()
    [case] = await cases_of(chain)
    with crashing():
        body = {"remedy": "write_off"}
        assert (await head_office(chain, "POST", f"cases/{case.id}/resolve", body)).status_code == 200
    assert await balance(chain) == 13
    assert {(case.op_ids[0], case.state) for case in await cases_of(chain)} == {(op_id, "resolved"), (second, "open")}
    freed = await head_office(chain, "POST", f"cases/parked_operation.{second}/resolve", {"remedy": "recover"})
    assert freed.json()["state"] == "resolved"
    assert await balance(chain) == 13 + 13 + 16
    await store.settle()
    await check_cases(chain)
    await check_converged(chain)


async def test_who_could_not_be_registered_and_is_another_member_loses_nothing(chain: Chain) -> None:
    store = await chain.store("s1")
    await chain.write(Member(id="m1", phone="+886912345678", name="王小明", home_store="s1"))
    await chain.write(Account(id="m1", batches=(Batch("b1", 5),)), Coupon(id="k1", campaign_id="c", member_id="m9"))
    counter = store.counter
    joins = RegisterMember(**counter.named(), member_id="m9", phone="+886912345678", name="王小明")
    done = [
        joins,
        IssueCoupon(**counter.named(), coupon_id="hello/m9", campaign_id="hello", member_id="m9"),
        UseQuota(**counter.named(), quota_id="c/member/m9", campaign_id="c", member_id="m9", limit=3),
        EarnPoints(**counter.named(), member_id="m9", points=7),
        AddNote(**counter.named(), member_id="m9", text="tall"),
    ]
    store.replica.journal.append(done, store.replica.device, 1)

    def crash(self: RegisterMember, before: Any) -> Any:
        raise ZeroDivisionError

    with patch.object(RegisterMember, "effect", crash):
        await store.push()
    assert (await chain.row("account", "m9")).balance(chain.clock.now()) == 7
    freed = await head_office(chain, "POST", f"operations/{joins.op_id}/retry", {})
    assert [one["case"] for one in freed.json()] == ["duplicate_member"], freed.text
    assert (await balance(chain), (await chain.row("account", "m9")).balance(chain.clock.now())) == (12, 0)
    assert (await chain.row("coupon", "hello/m1")).uses_left == 1
    assert (await chain.row("coupon", "hello/m9")).uses_left == 0
    assert (await chain.row("coupon", "k1")).member_id == "m1"
    assert ((await chain.row("quota", "c/member/m1")).used, (await chain.row("quota", "c/member/m9")).used) == (1, 0)
    assert [note.text for note in (await chain.row("tags", "m1")).notes] == ["tall"]
    assert earn(store, 1, "m9")
    await store.settle()
    assert await balance(chain) == 13
    assert store.row("account", "m1").balance(chain.clock.now()) == 13
    await check_cases(chain)
    await check_converged(chain)


@contextmanager
def of_yesterday(op_id: str) -> Iterator[None]:
    """A centre that is too old for one operation."""

    def decode(data: bytes) -> Any:
        if op_id.encode() in data:
            raise Trouble("An operation is of a kind that this version does not know.")
        return decode_entry(data)

    with patch("sync.central.exchange.decode_entry", decode), patch("sync.central.unparking.decode_entry", decode):
        yield


@pytest.mark.parametrize("is_dropped", [False, True])
async def test_bytes_that_could_not_be_read_are_read_later_or_dropped(chain: Chain, is_dropped: bool) -> None:
    store = await chain.store("s1")
    earn(store, 1)
    op_id = earn(store, 2)
    earn(store, 4)
    with of_yesterday(op_id):
        await store.settle()
        assert store.replica.floor() == store.replica.journal.last()
        still = await head_office(chain, "POST", f"operations/{op_id}/retry", {})
        assert still.status_code == 400
        if is_dropped:
            [case] = await cases_of(chain)
            answer = await head_office(chain, "POST", f"cases/{case.id}/resolve", {"remedy": "write_off"})
            assert answer.json()["state"] == "resolved", answer.text
    if not is_dropped:
        assert (await head_office(chain, "POST", f"operations/{op_id}/retry", {})).status_code == 200
    await store.settle()
    assert await balance(chain) == (5 if is_dropped else 7)
    assert store.row("account", "m1").balance(chain.clock.now()) == await balance(chain)
    assert [case.state for case in await cases_of(chain)] == ["resolved"]
    await check_cases(chain)
    await check_converged(chain)
