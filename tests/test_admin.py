"""What head office and web shop ask of the centre over HTTP, and what stores see of it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace
from typing import Any

import httpx
import pytest

from store_agent.domain.pickups import PickupState
from sync.central import own
from sync.central.office.admin import ADMIN_ENDPOINTS
from tests.head_office import CAMPAIGN, TOKEN, HeadOffice, gtin, open_head_office
from tests.postgres_fixture import FreshDatabase
from tests.standing_clock import StandingClock

TEA = gtin(1)
ORDER: dict[str, Any] = {
    "order_no": "W-1001",
    "store": "s1",
    "member_id": "m1",
    "lines": [{"gtin": TEA, "quantity": 2, "unit_minor": 35, "name": {"zh-TW": "茶"}}],
    "total_minor": 70,
}


@pytest.fixture
async def office(fresh_database: FreshDatabase, clock: StandingClock) -> AsyncIterator[HeadOffice]:
    """A head office with a product, stock of it, and two members."""
    async with open_head_office(fresh_database(), clock) as office:
        await office.bring("products", f"gtin,name.zh-TW\n{TEA},茶\n")
        await office.bring("stock", f"store,gtin,on_hand,safety\ns1,{TEA},10,1\ns2,{TEA},4,0\n")
        await office.bring("members", "id,phone,name,home_store\nm1,0912345678,王小明,s1\nm2,0912345679,Lin,\n")
        yield office


async def stock(office: HeadOffice) -> tuple[int, int, int]:
    [row] = await office.rows("stock", f"s1/{TEA.zfill(14)}")
    return row.on_hand, row.held, row.sellable


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Bearer wrong", "Basic " + TOKEN, TOKEN, "Bearer 密碼"])
async def test_without_the_token_nothing_is_told_or_taken(office: HeadOffice, header: str) -> None:
    for endpoint in ADMIN_ENDPOINTS:
        answer = await office.http.request(
            endpoint.method,
            endpoint.path.replace("{", "").replace("}", ""),
            headers=[(b"authorization", header.encode())],
            content=b"x" * 5_000_000,
        )
        assert (answer.status_code, answer.json()["error"]) == (401, "token"), endpoint.path


async def test_a_centre_without_a_token_declines_every_token(
    fresh_database: FreshDatabase, clock: StandingClock
) -> None:
    async with open_head_office(fresh_database(), clock, token="") as office:
        for header in ("", "Bearer", "Bearer ", f"Bearer {TOKEN}"):
            answer = await office.http.get("/v1/admin/stores", headers={"authorization": header})
            assert answer.status_code == 401


async def test_an_order_is_placed_once_and_its_pieces_are_promised(office: HeadOffice) -> None:
    placed = await office.ask("POST", "orders", ORDER)
    assert placed["code"].startswith("SAP-")
    assert await office.ask("POST", "orders", ORDER) == placed
    assert await stock(office) == (10, 2, 7)
    other = await office.ask("POST", "orders", {**ORDER, "total_minor": 71}, status=409)
    assert other["error"] == "order-differs"
    order = await office.ask("GET", "orders/W-1001")
    assert (order["state"], order["lines"][0]["quantity"], order["member_id"]) == ("placed", 2, "m1")
    assert await office.count("select count(*) from feed where stream = 'store/s1' and tbl = 'pickup'") == 1
    groups = (
        "select count(distinct group_end) from feed where stream = 'store/s1' and (tbl = 'pickup' or tbl = 'stock')"
    )
    assert await office.count(groups) == 2, "the order and its holds are one group, the opening stock is another"


async def test_the_same_order_twice_at_once_is_one(office: HeadOffice) -> None:
    replies = await asyncio.gather(*(office.ask("POST", "orders", ORDER) for _time in range(6)))
    assert all(reply == replies[0] for reply in replies)
    assert await stock(office) == (10, 2, 7)


async def test_a_store_holds_the_member_whose_order_it_serves(office: HeadOffice) -> None:
    await office.ask("POST", "orders", {**ORDER, "member_id": "m2"})
    assert (await office.ask("GET", "members/m2"))["stores"] == ["s1"]
    assert await office.count("select count(*) from feed where stream = 'store/s1' and row_id = 'm2'") == 1


async def test_a_cancelled_order_gives_its_pieces_free_once(office: HeadOffice) -> None:
    await office.ask("POST", "orders", ORDER)
    for _time in range(2):
        standing = await office.ask("POST", "orders/W-1001/cancel", {"asked_by": "customer"})
        assert standing == {"order_no": "W-1001", "state": "cancelled", "cancel_requested": False}
    assert await stock(office) == (10, 0, 9)
    kinds = "select count(*) from operation where device = 'centre' and kind = 'cancel-pickup'"
    assert await office.count(kinds) == 1


async def test_from_ready_on_a_cancel_is_a_request_to_the_store(office: HeadOffice) -> None:
    await office.ask("POST", "orders", ORDER)
    await _bring_to(office, PickupState.READY)
    for _time in range(2):
        standing = await office.ask("POST", "orders/W-1001/cancel", {})
        assert (standing["state"], standing["cancel_requested"]) == ("ready", True)
    assert (await stock(office))[1] == 2, "the store lets go of it, or it was handed over"


async def test_the_centre_may_take_the_risk_and_cancel_a_ready_order_at_once(office: HeadOffice) -> None:
    await office.ask("POST", "orders", ORDER)
    await _bring_to(office, PickupState.READY)
    standing = await office.ask("POST", "orders/W-1001/cancel", {"at_our_risk": True})
    assert (standing["state"], standing["cancel_requested"]) == ("cancelled", False)


async def test_an_order_that_was_handed_over_cannot_be_cancelled(office: HeadOffice) -> None:
    await office.ask("POST", "orders", ORDER)
    await _bring_to(office, PickupState.HANDED_OVER)
    answer = await office.ask("POST", "orders/W-1001/cancel", {}, status=409)
    assert answer["error"] == "pickup-already-handed-over"
    assert len(answer["sentence"]) > 10


async def _bring_to(office: HeadOffice, state: PickupState) -> None:
    order_id = (await office.ask("GET", "orders/W-1001"))["id"]
    async with office.centre.pool.connection() as conn, conn.transaction():
        work = await own.begin(conn, [("pickup", order_id)], office.clock.now())
        work.put(replace(work.row("pickup", order_id), state=state, ready_at=office.clock.now()))
        await work.finish()


@pytest.mark.parametrize(
    "change",
    [
        {"store": "s9"},
        {"member_id": "nobody"},
        {"phone": "0912345678"},
        {"lines": []},
        {"lines": [{"gtin": "123", "quantity": 1}]},
        {"lines": [{"gtin": TEA, "quantity": 0}]},
        {"lines": [{"gtin": TEA, "quantity": 1, "colour": "red"}]},
        {"placed_at": "2026-01-31T18:00:00"},
        {"total_minor": -1},
        {"total_minor": 2**70},
        {"hold": {"amount": 100000}},
        {"hold": {"amuont": 1}},
        {"order_no": ""},
        {"order_no": "a\u0000b"},
        {"order_no": "a/b"},
    ],
    ids=repr,
)
async def test_an_order_that_makes_no_sense_is_declined_and_leaves_nothing(
    office: HeadOffice, change: dict[str, Any]
) -> None:
    answer = await office.ask("POST", "orders", {**ORDER, **change}, status=422)
    assert answer["error"] == "malformed"
    assert await stock(office) == (10, 0, 9)
    assert await office.count("select count(*) from web_order") == 0


async def test_a_total_is_shared_out_to_the_stores(office: HeadOffice) -> None:
    await office.ask("POST", "campaigns", {**CAMPAIGN, "total": 5})
    one, two = await office.rows("quota", "c85/store/s1", "c85/store/s2")
    assert (one.limit, two.limit, one.store) == (3, 2, "s1")
    assert await office.ask("POST", "campaigns", {**CAMPAIGN, "total": 5}) == {
        "taken": 0,
        "unchanged": 1,
        "refused": 0,
        "errors": [],
        "errors_left_out": 0,
    }
    await office.ask("POST", "campaigns", {**CAMPAIGN, "total": 8, "stores": ["s2"]})
    one, two = await office.rows("quota", "c85/store/s1", "c85/store/s2")
    assert (one.limit, two.limit) == (0, 8)


@pytest.mark.parametrize(
    ("change", "column"),
    [
        ({"benefit": {"kind": "percent", "pay_percent": 0}}, "benefit.pay_percent"),
        ({"benefit": {"kind": "percent", "pay_percent": 101}}, "benefit.pay_percent"),
        ({"benefit": {"kind": "amount", "off_minor": 100}}, "currency"),
        ({"benefit": {"kind": "threshold"}, "currency": "TWD"}, "benefit.steps"),
        ({"benefit": {"kind": "gift"}}, "benefit.free"),
        ({"benefit": {"kind": "bundle", "parts": [{}]}}, "benefit.parts[0]"),
        ({"stores": ["s9"]}, "stores"),
        ({"from_time": "9:00"}, "from_time"),
        ({"weekdays": [0]}, "weekdays"),
        ({"valid_from": "2026-01-31T18:00:00"}, "zone"),
        ({"valid_from": "2026-02-01T00:00:00Z", "valid_until": "2026-01-01T00:00:00Z"}, "valid_until"),
        ({"included": {"gtins": [TEA]}}, "included.gtins"),
        ({"minimum_minr": 3}, "minimum_minr"),
        ({"total": -1}, "total"),
    ],
)
async def test_a_campaign_that_makes_no_sense_is_declined(
    office: HeadOffice, change: dict[str, Any], column: str
) -> None:
    answer = await office.ask("POST", "campaigns", {**CAMPAIGN, **change}, status=422)
    assert column in answer["sentence"]
    assert await office.rows("campaign", "c85") == [None]


async def test_coupons_are_put_into_hands_once(office: HeadOffice) -> None:
    await office.ask("POST", "campaigns", CAMPAIGN)
    coupons: list[Any] = [
        {"campaign_id": "c85", "member_id": "m1"},
        {"campaign_id": "c85", "phone": "0912-345-679", "valid_until": "2027-01-01T00:00:00+08:00"},
        {"campaign_id": "c85", "code": "SPRING", "uses_limit": 100},
        {"campaign_id": "c85"},
        {"campaign_id": "c0", "member_id": "m1"},
        {"campaign_id": "c85", "id": "other", "code": "SPRING"},
        {"campaign_id": "c85", "phone": "0987654321"},
        "nonsense",
    ]
    report = await office.ask("POST", "coupons", coupons)
    assert report["taken"] == 3
    assert [(error["row"], error["column"]) for error in report["errors"]] == [
        (4, "code"),
        (5, "campaign_id"),
        (6, "code"),
        (7, "phone"),
        (8, ""),
    ]
    again = await office.ask("POST", "coupons", coupons[:3])
    assert again["unchanged"] == 3
    other = await office.ask("POST", "coupons", [{**coupons[2], "uses_limit": 5}])
    assert other["errors"][0]["column"] == "id"
    assert [coupon["campaign_id"] for coupon in (await office.ask("GET", "members/m2"))["coupons"]] == ["c85"]
    assert await office.count("select count(*) from feed where stream = 'store/s1' and tbl = 'coupon'") == 1


async def test_points_are_given_once_for_each_id_of_the_sender(office: HeadOffice) -> None:
    grants = [
        {"id": "g1", "member_id": "m1", "points": 100},
        {"id": "g2", "phone": "0912345679", "points": 5, "expires_at": "2027-01-01T00:00:00Z"},
        {"id": "g3", "member_id": "m1", "points": 0},
        {"id": "g1", "member_id": "m1", "points": 100},
    ]
    report = await office.ask("POST", "points", grants)
    assert (report["taken"], report["unchanged"], report["refused"]) == (2, 1, 1)
    assert (await office.ask("POST", "points", grants[:2]))["unchanged"] == 2
    assert (await office.ask("POST", "points", [{**grants[0], "points": 7}]))["errors"][0]["column"] == "id"
    assert (await office.ask("GET", "members/m1"))["points"] == 100
    assert (await office.ask("GET", "members?phone=0912345679"))["points"] == 5


async def test_segment_tags_are_set_without_touching_those_of_staff(office: HeadOffice) -> None:
    first = await office.ask("PUT", "members/m1/tags", {"tags": ["vip", "tea"]})
    office.clock.move(hours=1)
    second = await office.ask("PUT", "members/m1/tags", {"tags": ["tea", "new"]})
    assert [tag["name"] for tag in second["tags"]] == ["new", "tea"]
    assert second["tags"][1] == first["tags"][0], "a tag that stays keeps its moment"
    before = await office.count("select count(*) from feed")
    await office.ask("PUT", "members/m1/tags", {"tags": ["tea", "new"]})
    assert await office.count("select count(*) from feed") == before
    await office.ask("PUT", "members/nobody/tags", {"tags": []}, status=404)


async def test_a_code_enrols_a_device_that_can_be_revoked(office: HeadOffice) -> None:
    made = await office.ask("POST", "enrolment-codes", {"store": "s1", "hours": 2})
    enrolled = await office.http.post(
        "/v1/enrol", json={"code": made["code"], "public_key": "0" * 64, "name": "counter"}
    )
    device = enrolled.json()["device"]
    [one, _two] = await office.ask("GET", "stores")
    assert [view["id"] for view in one["devices"]] == [device]
    assert (one["operations"], one["open_cases"], one["members"]) == (0, 0, 1)
    revoked = await office.ask("POST", f"devices/{device}/revoke")
    assert revoked["revoked_at"]
    assert await office.ask("POST", f"devices/{device}/revoke") == revoked
    await office.ask("POST", "devices/other/revoke", status=404)
    await office.ask("POST", "enrolment-codes", {"store": "s9"}, status=404)
    assert await office.ask("GET", "cases") == {"cases": [], "totals": [], "page": 1, "more": False}


async def test_availability_is_said_to_the_chain_once_for_what_changed(office: HeadOffice) -> None:
    assert await office.say_availability() == 1
    assert await office.say_availability() == 0
    await office.ask("POST", "orders", ORDER)
    await office.ask("POST", "orders", {**ORDER, "order_no": "W-1002"})
    assert await office.say_availability() == 1
    [row] = await office.rows("availability", TEA.zfill(14))
    assert [(one.store, one.sellable) for one in row.stores] == [("s1", 5), ("s2", 4)]
    assert await office.count("select count(*) from feed where stream = 'chain' and tbl = 'availability'") == 2
    said = await asyncio.gather(*(office.say_availability() for _time in range(3)))
    assert sum(said) == 0


@pytest.mark.parametrize(
    ("method", "path", "content", "status"),
    [
        ("POST", "orders", b"", 422),
        ("POST", "orders", b"{", 422),
        ("POST", "orders", b"[" * 100_000, 422),
        ("POST", "orders", b"\xff\xfe", 422),
        ("POST", "orders", b'{"order_no": "\\u0000"}', 422),
        ("POST", "orders", b" " * 5_000_000, 413),
        ("POST", "coupons", b"{}", 422),
        ("GET", "orders/%00", b"", 422),
        ("GET", "orders/%ff%fe", b"", 404),
        ("GET", "orders/" + "x" * 1000, b"", 422),
        ("GET", "members", b"", 422),
        ("GET", "members?phone=%00", b"", 422),
        ("GET", "members?phone=12", b"", 404),
        ("GET", "cases?store=%00", b"", 422),
        ("GET", "cases?page=0", b"", 422),
        ("GET", "cases?page=%E4%B8%80", b"", 422),
        ("GET", "cases?kind=coffee", b"", 422),
        ("GET", "cases?state=coffee", b"", 422),
        ("POST", "cases/nothing/resolve", b'{"remedy": "write_off"}', 404),
        ("POST", "cases/nothing/resolve", b'{"remedy": "coffee"}', 422),
        ("POST", "operations/nothing/retry", b"{}", 404),
        ("GET", "nowhere", b"", 404),
        ("DELETE", "orders", b"", 405),
        ("POST", "import/coffee", b"id\n", 404),
        ("POST", "import/members", b"[" * 100_000, 200),
    ],
)
async def test_bad_input_gets_a_problem_and_never_a_crash(
    office: HeadOffice, method: str, path: str, content: bytes, status: int
) -> None:
    answer: httpx.Response = await office.http.request(method, "/v1/admin/" + path, content=content)
    assert answer.status_code == status, answer.text
    if status != 200:
        assert set(answer.json()) == {"error", "sentence"}
