"""Finding by the end of a number or any part of a name, whatever is typed."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from store_agent.codec import encode_row
from store_agent.desk import members, pickups
from store_agent.domain.members import Member
from store_agent.domain.products import Product
from store_agent.replica import Replica
from store_agent.replica.cache import Absorbed, Arrival
from tests.test_replica import begin, counter_of

PEOPLE = [
    Member(id="wang", phone="+886912345678", name="王小明", card_no="5500123"),
    Member(id="wang2", phone="+886987654678", name="王大明"),
    Member(id="chan", phone="+85291234567", name="Chan Tai-Man 陳大文"),
    Member(id="jose", phone="+34600111222", name="José O'Neill-Müller"),
    Member(id="rare", phone="+886911000111", name="𠮷田"),
    Member(id="hostile", phone="+886911000999", name='" OR * NEAR( -x'),
]
GOODS = [
    Product(id="04710000000011", name={"zh-TW": "冰美式咖啡", "en": "Iced Americano"}),
    Product(id="00012345678905", name={"zh-TW": "茶", "en": "Coffee cake"}),
]


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Replica]:
    """A store that nobody changes."""
    with begin(tmp_path_factory.mktemp("held")) as replica:
        put(replica, *PEOPLE, *GOODS)
        yield replica


@pytest.fixture
def replica(tmp_path: Path) -> Iterator[Replica]:
    with begin(tmp_path) as replica:
        put(replica, *PEOPLE, *GOODS)
        yield replica


def put(replica: Replica, *rows: Member | Product, revision: int = 2) -> None:
    arrivals = [Arrival(row.table, row.id, revision, encode_row(row).decode()) for row in rows]
    replica.cache.absorb(Absorbed(arrivals))


def found(replica: Replica, text: str, table: str = "member") -> list[str]:
    return sorted(row.id for row in replica.view.search(table, text, 50) if row.id != "m1")


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("678", ["wang", "wang2"]),
        ("5678", ["wang"]),
        ("５６７８", ["wang"]),
        ("+886912345678", ["wang"]),
        ("+886 912-345-678", ["wang"]),
        ("0912345678", ["wang"]),
        ("0912-345-678", ["wang"]),
        ("9123 4567", ["chan"]),
        ("0123", ["wang"]),
        ("0999", ["hostile"]),
        ("404", []),
        ("王", ["wang", "wang2"]),
        ("小明", ["wang"]),
        ("明小", []),
        ("大", ["chan", "wang2"]),
        ("王 明", ["wang", "wang2"]),
        ("tai", ["chan"]),
        ("TAI-man", ["chan"]),
        ("ＴＡＩ", ["chan"]),
        ("陳 chan", ["chan"]),
        ("jose", ["jose"]),
        ("JOSÉ", ["jose"]),
        ("o'neill", ["jose"]),
        ("neill mül", ["jose"]),
        ("𠮷", ["rare"]),
        ("zz", []),
    ],
)
def test_a_member_is_found_by(held: Replica, text: str, ids: list[str]) -> None:
    assert found(held, text) == ids


@pytest.mark.parametrize(
    "text",
    ['"', "*", "NEAR", "-", "-x", "a*", 'x" OR "y', "^王", "name:王", "NOT 王", "(", "%", "_", "\0", "'", "", "   "],
)
def test_nothing_that_is_typed_is_a_command(held: Replica, text: str) -> None:
    assert set(found(held, text)) <= {"hostile", "wang", "wang2", "chan"}
    assert len(found(held, "王")) == 2


def test_a_stray_byte_of_a_terminal_finds_nobody(held: Replica) -> None:
    counter = counter_of(held)
    assert members.find(counter, "card\udc80no") == []
    assert pickups.find(counter, "\udc80") is None
    assert held.view.get("product", "\udc80") is None


def test_operators_are_letters_like_any_others(held: Replica) -> None:
    assert found(held, "NEAR") == found(held, "near(") == ["hostile"]
    assert found(held, "王 OR 陳") == []


def test_a_renamed_member_is_found_under_the_new_name_only(replica: Replica) -> None:
    put(replica, Member(id="wang", phone="+886912345999", name="李小龍"), revision=3)
    assert found(replica, "王") == ["wang2"]
    assert found(replica, "小龍") == ["wang"]
    assert found(replica, "5678") == []
    assert found(replica, "5999") == ["wang"]
    put(replica, Member(id="wang", phone="+886912345678", name="王小明"), revision=2)
    assert found(replica, "小龍") == ["wang"], "an older row changes no index either"
    assert found(replica, "5678") == []


def test_a_change_of_what_nobody_is_found_by_leaves_the_index_alone(replica: Replica) -> None:
    def places() -> list[tuple[int, str]]:
        return list(replica.cache.db.conn.execute("select number, id from member_name order by id"))

    put(replica, Member(id="wang", phone="+886912345678", name="王小明"), revision=3)
    before = places()
    put(replica, Member(id="wang", phone="+886912345678", name="王小明", email="wang@example.tw"), revision=4)
    assert places() == before
    assert "wang" in found(replica, "5678")
    put(replica, Member(id="wang", phone="+886912345999", name="王小明"), revision=5)
    assert places() != before
    assert found(replica, "5999") == ["wang"]
    assert "wang" not in found(replica, "5678")


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("0011", ["04710000000011"]),
        ("4710000000011", ["04710000000011"]),
        ("012345678905", ["00012345678905"]),
        ("咖啡", ["04710000000011"]),
        ("americano iced", ["04710000000011"]),
        ("coffee", ["00012345678905"]),
        ("茶 cake", ["00012345678905"]),
        ("茶cof", []),
    ],
)
def test_a_product_is_found_by(held: Replica, text: str, ids: list[str]) -> None:
    assert found(held, text, "product") == ids


def test_someone_who_joined_with_the_cable_out_is_found_at_once(replica: Replica) -> None:
    counter = counter_of(replica)
    joined = members.register(counter, "0933 444 555", "林志玲")
    assert isinstance(joined, Member)
    for text in ("555", "４４４５５５", "林", "志玲", "0933444555", "+886933444555"):
        assert [member.id for member in members.find(counter, text)] == [joined.id], text


def test_someone_renamed_with_the_cable_out_is_found_under_the_new_name_only(replica: Replica) -> None:
    counter = counter_of(replica)
    assert members.change(counter, "wang", name="José 李小龍") is None
    for text in ("小龍", "jose 李", "5678"):
        assert "wang" in [member.id for member in members.find(counter, text)], text
    assert found(replica, "王") == ["wang2"]
    assert found(replica, "") == found(replica, "zz") == []


def test_those_who_were_renamed_here_take_nobodys_place(replica: Replica) -> None:
    counter = counter_of(replica)
    put(replica, *[Member(id=f"n{n:02d}", phone=f"+88691{n:07d}", name="陳小明") for n in range(30)])
    for n in range(25):
        assert members.change(counter, f"n{n:02d}", name="林志玲") is None
    assert sorted(member.id for member in replica.view.search("member", "陳小明", 20)) == [
        f"n{n:02d}" for n in range(25, 30)
    ]
    assert len(replica.view.search("member", "志玲", 20)) == 20


def test_at_most_so_many_are_found(replica: Replica) -> None:
    put(replica, *[Member(id=f"n{n}", phone=f"+88691{n:07d}", name="陳") for n in range(60)])
    assert len(replica.view.search("member", "陳", 20)) == 20
