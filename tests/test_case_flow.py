"""Cases on their way: opened with the answer, seen at the store, decided at either end, and operations that wait freed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any
from unittest.mock import patch

import httpx
import psycopg
import pytest

from store_agent.desk import cases as desk
from store_agent.domain.cases import Case, CaseKind, CaseReason, CaseState, Remedy, ResolveCase
from store_agent.domain.members import Link, LinkMember, Member, RegisterMember
from store_agent.domain.points import Account, Batch, EarnPoints, RedeemPoints
from store_agent.domain.stores import Role, Staff
from sync.central import devices
from tests.chain import Chain, StoreAtEnd
from tests.invariants import check_cases, check_converged
from tests.plants import PLANTS

WANG = Member(id="m1", phone="+886912345678", name="王小明", home_store="s1")


async def two_stores(chain: Chain, **how: Any) -> tuple[StoreAtEnd, StoreAtEnd]:
    """Both hold Wang, who has 50 points; amy is a lead at s2."""
    one, two = await chain.store("s1", **how), await chain.store("s2", **how)
    async with chain.ledger() as conn:
        await conn.execute(
            "insert into follow values ('m1', 's1', %(at)s), ('m1', 's2', %(at)s)", {"at": chain.clock.at}
        )
    await chain.write(WANG, Account(id="m1", batches=(Batch("b1", 50),)))
    await chain.write(Staff(id="amy", name="Amy", store="s2", role=Role.LEAD), Staff(id="bo", name="Bo", store="s2"))
    await chain.settle()
    return one, two


def spend(store: StoreAtEnd, points: int, member_id: str = "m1") -> str:
    named = store.counter.named()
    use = RedeemPoints(**named, member_id=member_id, points=points, value_minor=points, currency="TWD")
    assert store.counter.accept(use) is None
    return use.op_id


def earn(store: StoreAtEnd, points: int, member_id: str = "m1") -> str:
    operation = EarnPoints(**store.counter.named(), member_id=member_id, points=points)
    assert store.counter.accept(operation) is None
    return operation.op_id


async def overdraw(chain: Chain, one: StoreAtEnd, two: StoreAtEnd) -> Case:
    """40 points at one store and 40 at the other, where 50 were."""
    spend(one, 40)
    spend(two, 40)
    await one.settle()
    await two.settle()
    await chain.settle()
    [case] = await cases_of(chain)
    return case


async def cases_of(chain: Chain) -> list[Case]:
    ids = await chain.ask("select id from cases order by id")
    return [await chain.row("cases", id_) for (id_,) in ids]


async def balance(chain: Chain) -> int:
    account: Account = await chain.row("account", "m1")
    return account.balance(chain.clock.now())


async def head_office(chain: Chain, method: str, path: str, body: Any = None) -> httpx.Response:
    async with chain.http() as line:
        return await line.request(method, f"/v1/admin/{path}", json=body)


async def test_what_two_stores_overdraw_is_one_case_of_the_points_beyond_and_both_values(chain: Chain) -> None:
    one, two = await two_stores(chain)
    case = await overdraw(chain, one, two)
    assert (case.kind, case.store, case.staff, case.member_id) == (CaseKind.POINTS_OVERDRAWN, "s2", "amy", "m1")
    assert (case.amount_minor, case.currency, case.open_minor) == (30, "TWD", 30), "30 of the 40, and not all of them"
    assert (case.assumed, case.found["balance"], case.found["over"]) == ({"points": 40}, 10, 30)
    assert (case.reason, case.subject, case.happened_at) == ("points-not-enough", "account/m1", chain.clock.at)
    assert desk.open_cases(two.counter) == [case]
    assert desk.open_cases(one.counter) == [], "a case goes to the store where it happened"
    [(mine, answers)] = await chain.ask(
        "select group_end, (select group_end from feed where tbl = 'answer' and row_id = %s) from feed"
        " where stream = 'store/s2' and tbl = 'cases'",
        case.op_ids[0],
    )
    assert mine == answers, "the case comes with the answer or not at all"
    await check_cases(chain)
    await check_converged(chain)


async def test_a_lead_decides_a_part_and_head_office_takes_the_rest_back(chain: Chain) -> None:
    one, two = await two_stores(chain)
    case = await overdraw(chain, one, two)
    assert desk.resolve(two.counter, case.id, Remedy.RECOVER, 10, note="paid in cash") is None
    assert desk.open_cases(two.counter)[0].open_minor == 20, "seen at once, with the cable out too"
    await chain.settle()
    answer = await head_office(chain, "POST", f"cases/{case.id}/resolve", {"remedy": "reverse", "staff": "cfo"})
    assert answer.status_code == 200, answer.text
    assert (answer.json()["state"], answer.json()["reversed_minor"]) == ("resolved", 20)
    account = await chain.row("account", "m1")
    assert account.balance(chain.clock.now()) == -30 + 20, "what was taken back is points again"
    await chain.settle()
    assert desk.open_cases(two.counter) == []
    assert two.row("account", "m1") == account
    kinds = await chain.ask("select kind from operation where device = 'centre' order by seq")
    assert kinds == [("resolve-case",), ("reverse-points",)]
    late = await head_office(chain, "POST", f"cases/{case.id}/resolve", {"remedy": "fraud"})
    assert (late.status_code, late.json()["error"]) == (409, "case-closed")
    await check_cases(chain)
    await check_converged(chain)


async def test_a_store_that_reverses_takes_back_exactly_what_counted(chain: Chain) -> None:
    one, two = await two_stores(chain, batch_most=1, page_rows=1)
    case = await overdraw(chain, one, two)
    # Both decide about all of it, neither knowing of the other.
    assert desk.resolve(two.counter, case.id, Remedy.REVERSE) is None
    first = await head_office(chain, "POST", f"cases/{case.id}/resolve", {"remedy": "reverse", "amount_minor": 12})
    assert first.status_code == 200
    await chain.settle()
    case = await chain.row("cases", case.id)
    assert (case.state, case.reversed_minor, [one.amount_minor for one in case.resolutions]) == (
        CaseState.RESOLVED,
        30,
        [12, 18],
    )
    assert (await chain.row("account", "m1")).balance(chain.clock.now()) == 0, "30 came back, and not 42"
    await check_cases(chain)
    await check_converged(chain)


async def test_the_centre_asks_its_own_list_who_is_a_lead(chain: Chain) -> None:
    one, two = await two_stores(chain)
    case = await overdraw(chain, one, two)
    two.counter.staff = "bo"
    refusal = desk.resolve(two.counter, case.id, Remedy.WRITE_OFF)
    assert refusal is not None
    assert refusal.reason is CaseReason.ROLE
    forged = ResolveCase(
        **two.counter.named(), case_id=case.id, remedy=Remedy.WRITE_OFF, amount_minor=30, role=Role.MANAGER
    )
    two.replica.journal.append([forged], two.replica.device, 1)
    await chain.settle()
    assert (await chain.row("cases", case.id)).state is CaseState.OPEN
    assert two.row("cases", case.id).state is CaseState.OPEN


async def test_a_case_is_given_to_another_store(chain: Chain) -> None:
    one, two = await two_stores(chain)
    case = await overdraw(chain, one, two)
    body = {"remedy": "reassign", "to_store": "s1", "to_person": "amy"}
    assert (await head_office(chain, "POST", f"cases/{case.id}/resolve", body)).status_code == 200
    await chain.settle()
    assert [one.id for one in desk.open_cases(one.counter)] == [case.id]
    assert desk.open_cases(two.counter) == []
    await check_converged(chain)
    for store in (one, two):
        told = await head_office(chain, "GET", f"stores/{store.id}/figures")
        assert told.json()["cases_rows"] == 1
    unknown = await head_office(chain, "POST", f"cases/{case.id}/resolve", {"remedy": "reassign", "to_store": "s9"})
    assert unknown.status_code == 404


async def test_head_office_lists_by_store_kind_and_state_and_sums_up(chain: Chain) -> None:
    one, two = await two_stores(chain)
    case = await overdraw(chain, one, two)
    await head_office(chain, "POST", f"cases/{case.id}/resolve", {"remedy": "recover", "amount_minor": 5})
    await head_office(
        chain, "POST", f"cases/{case.id}/resolve", {"remedy": "fraud", "amount_minor": 7, "note": "again"}
    )
    for query, count in {
        "": 1,
        "?store=s2": 1,
        "?store=s1": 0,
        "?kind=points_overdrawn&state=open": 1,
        "?state=resolved": 0,
        "?page=2": 0,
    }.items():
        told = (await head_office(chain, "GET", f"cases{query}")).json()
        assert len(told["cases"]) == count, query
    [total] = (await head_office(chain, "GET", "cases?state=resolved")).json()["totals"]
    assert total == {
        "kind": "points_overdrawn",
        "currency": "TWD",
        "cases": 1,
        "open_cases": 1,
        "amount_minor": 30,
        "open_minor": 18,
        "recovered_minor": 5,
        "reversed_minor": 0,
        "written_off_minor": 7,
    }


async def test_what_comes_a_month_late_is_one_case_a_day(chain: Chain) -> None:
    store = await chain.store("s1")
    for points in (1, 2):
        earn(store, points)
    chain.clock.move(days=31)
    earn(store, 4)
    await store.settle()
    [case] = await cases_of(chain)
    assert (case.kind, case.amount_minor, case.found["days"]) == (CaseKind.LATE_OPERATION, 0, 31)
    assert await balance(chain) == 7, "it happened"
    assert [row[0] for row in await chain.ask("select outcome from operation order by seq")] == [
        "applied_with_case",
        "applied_with_case",
        "applied",
    ]


async def test_who_joined_twice_is_a_case_that_says_what_differs_and_no_name(chain: Chain) -> None:
    one, two = await chain.store("s1"), await chain.store("s2")
    await chain.write(WANG, Staff(id="amy", name="Amy", store="s2", role=Role.MANAGER))
    await one.settle()
    await two.settle()
    joins = RegisterMember(**two.counter.named(), member_id="m9", phone=WANG.phone, name="王大明")
    two.replica.journal.append([joins], two.replica.device, 1)
    await chain.settle()
    [case] = desk.open_cases(two.counter)
    assert (case.kind, case.member_id, case.assumed, case.found) == (
        CaseKind.DUPLICATE_MEMBER,
        "m1",
        {"member": "m9"},
        {"member": "m1", "differs": "name"},
    )
    assert desk.resolve(two.counter, case.id, Remedy.MERGE) is None
    await chain.settle()
    assert (await chain.row("cases", case.id)).state is CaseState.RESOLVED
    await check_converged(chain)


async def test_an_identity_of_another_member_is_a_case_and_merging_puts_both_together(chain: Chain) -> None:
    one, two = await two_stores(chain)
    line = Link("line", "U1")
    other = Member(id="m2", phone="+886900000002", name="小明", home_store="s2")
    await chain.write(replace(WANG, links=(line,)), other, Account(id="m2", batches=(Batch("b2", 7),)))
    await chain.write(replace(other, id="m3", alias_of="m2"))
    await chain.settle()
    assert two.counter.accept(LinkMember(**two.counter.named(), member_id="m2", link=line)) is None
    await chain.settle()
    [case] = desk.open_cases(two.counter)
    assert (case.kind, case.assumed["member"], case.found["member"]) == (CaseKind.DUPLICATE_MEMBER, "m2", "m1")
    assert desk.resolve(two.counter, case.id, Remedy.MERGE) is None
    earn(two, 1, "m2")
    earn(two, 2, "m1")
    await chain.settle()
    earn(two, 4, "m2")
    two.replica.journal.append([EarnPoints(**two.counter.named(), member_id="m3", points=8)], two.replica.device, 1)
    await chain.settle()
    assert (await chain.row("member", "m2")).alias_of == (await chain.row("member", "m3")).alias_of == "m1"
    assert await balance(chain) == 50 + 7 + 1 + 2 + 4 + 8
    assert (await chain.row("account", "m2")).balance(chain.clock.now()) == 0
    for store in (one, two):
        assert store.row("account", "m1") == await chain.row("account", "m1")
    await check_cases(chain)
    await check_converged(chain)


async def broken_once(chain: Chain) -> None:
    """A limit is broken in a transaction that fails at its end and is done again; then the reply is lost."""
    one, two = await two_stores(chain)
    spend(one, 40)
    await one.settle()
    spend(two, 40)
    fails = [psycopg.errors.DeadlockDetected("somebody else was there")]
    advance = devices.advance

    async def fail_once(*what: Any) -> None:
        if fails:
            raise fails.pop()
        await advance(*what)

    with patch.object(devices, "advance", fail_once):
        await two.settle()
    await chain.settle()
    await check_cases(chain)
    [case] = await cases_of(chain)
    assert case.amount_minor == (await chain.row("account", "m1")).owed, "CASE: what went over, and no more"


async def test_a_broken_limit_is_one_case_also_where_its_transaction_is_done_again(chain: Chain) -> None:
    await broken_once(chain)


@pytest.mark.parametrize(
    "plant",
    ["two cases for one limit", "a case of the whole operation", "a case lost when its transaction is done again"],
)
async def test_a_planted_bug_about_cases_is_found(chain: Chain, plant: str) -> None:
    with PLANTS[plant](), pytest.raises(AssertionError, match="CASE"):
        await broken_once(chain)


async def test_a_member_who_was_merged_meanwhile_gets_the_points_back(chain: Chain) -> None:
    one, two = await two_stores(chain)
    case = await overdraw(chain, one, two)
    moved = replace(case, subject="account/m0")
    await chain.write(moved, replace(WANG, id="m0", phone="+886900000000", alias_of="m1"))
    await chain.settle()
    assert desk.resolve(two.counter, case.id, Remedy.REVERSE) is None
    await chain.settle()
    assert await balance(chain) == 0
