"""Files of head office into the ledger: what is right is taken, what is broken is told, what did not change costs nothing."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.central.endpoints import Declined
from sync.central.office.columns import columns_of
from sync.central.office.records import MemberRecord
from sync.central.office.sheets import Record, read_records
from tests.head_office import CAMPAIGN, HeadOffice, gtin, in_pieces, open_head_office
from tests.postgres_fixture import FreshDatabase
from tests.standing_clock import StandingClock

HEADER = "id,phone,name,home_store,points\n"


@pytest.fixture
async def office(fresh_database: FreshDatabase, clock: StandingClock) -> AsyncIterator[HeadOffice]:
    async with open_head_office(fresh_database(), clock) as office:
        yield office


async def test_a_csv_of_members_is_taken_and_followed_by_the_home_store(office: HeadOffice) -> None:
    sheet = "\ufeff" + HEADER + 'm1,0912-345-678,"王小明, Jr",s1,120\r\nm2,5123 4567,Chan,s2,\n'
    assert await office.bring("members", sheet, kind="text/csv") == {
        "taken": 2,
        "unchanged": 0,
        "refused": 0,
        "errors": [],
        "errors_left_out": 0,
    }
    one, two = await office.rows("member", "m1", "m2")
    assert (one.phone, one.name, one.home_store) == ("+886912345678", "王小明, Jr", "s1")
    assert two.phone == "+85251234567", "the home store's region says whose phone it is"
    [account] = await office.rows("account", "m1")
    assert account.balance(office.clock.now()) == 120
    assert account.held_by("s1", office.clock.now()) == 36, "of them the home store may spend so many offline"
    assert await office.count("select count(*) from follow where member_id = 'm1' and store = 's1'") == 1
    assert await office.count("select count(*) from feed where stream = 'store/s1' and row_id = 'm1'") == 2


async def test_the_same_file_again_writes_and_publishes_nothing(office: HeadOffice) -> None:
    sheet = HEADER + "".join(f"m{n},09{n:08d},Name {n},s1,{n}\n" for n in range(10_000_000, 10_000_700))
    first = await office.bring("members", sheet)
    assert (first["taken"], first["refused"]) == (700, 0), first
    feed, heads = "select count(*) from feed", "select sum(position) from head"
    before = await office.count(feed), await office.count(heads)
    again = await office.bring("members", sheet.replace("Name 10000003,", "Other,"))
    assert (again["taken"], again["unchanged"], again["refused"]) == (1, 699, 0)
    assert await office.count(feed) == before[0] + 1
    assert await office.count(heads) == before[1] + 1


async def test_broken_rows_are_told_and_the_good_ones_taken(office: HeadOffice) -> None:
    lines = [
        b"id,phone,name,home_store,joined_at,tier,email",
        "m1,0912345678,王小明,s1,2026-01-31T18:00:00+08:00,gold,a@b.tw".encode(),
        b"m2,0212,X,s1,,,",
        b"m3,0912345679,,s1,,,",
        b"m4,0912345680,Y,s9,,,",
        b"m5,0912345681,Y,s1,2026-01-31T18:00:00,,",
        b"m6,0912345682,Y,s1,,diamond,",
        b"m7,0912345683,Y,s1,,,nobody",
        b"m8,+886912345678,Y,s1,,,",
        b'm9,0912345684,"Y,s1,,,',
        b"m10,0912345685,Y,s1,,",
        b"m11,0912345686,\xa4\xfd,s1,,,",
        b"m12,0912345687,a\x00b,s1,,,",
        b"m13,0912345688," + b"x" * 10_000_000 + b",s1,,,",
        b"bad id!,0912345689,Z,s1,,,",
        b",0912345689,Z,s1,,,",
        b"",
        b'=1+1,0912345690,"Z ""the"" 2nd\nline",s1,,,',
        b'm18,0912345690,"Z ""the"" 2nd\nline",s1,,,',
    ]
    report = await office.bring("members", b"\n".join(lines))
    errors = {error["row"]: (error["column"], error["why"]) for error in report["errors"]}
    assert {row: column for row, (column, _why) in errors.items()} == {
        3: "phone",
        4: "name",
        5: "home_store",
        6: "joined_at",
        7: "tier",
        8: "email",
        9: "phone",
        10: "",
        11: "",
        12: "",
        13: "",
        14: "",
        15: "id",
        16: "",
        18: "id",
    }, report
    assert "m1" in errors[9][1]
    assert "quote" in errors[10][1]
    assert "UTF-8" in errors[12][1]
    assert (report["taken"], report["refused"]) == (2, 15)
    one, last = await office.rows("member", "m1", "m18")
    assert (one.tier, one.joined_at.isoformat()) == ("gold", "2026-01-31T18:00:00+08:00")
    assert last.name == 'Z "the" 2nd line'


@pytest.mark.parametrize(
    ("sheet", "error"),
    [
        (b"", "empty"),
        (b"\xef\xbb\xbf \r\n ", "empty"),
        ("id,name\nm1,王\n".encode("utf-16"), "not-utf-8"),
        ("id,name\nm1,王\n".encode("utf-16-le"), "not-utf-8"),
        ("id,name\nm1,王小明\nm2,陳大文\n".encode("big5"), "not-utf-8"),
        (b"id,nmae\nm1,x\n", "header"),
        (b"name\nx\n", "header"),
        (b"id,name,name\n", "header"),
        (b'"id,name\nm1,x\n', "header"),
        (b"x" * 10_000_000, "header"),
        (b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", "not-utf-8"),
    ],
    ids=lambda value: value if isinstance(value, str) else repr(value[:12]),
)
async def test_a_file_that_cannot_be_one_is_declined_as_a_whole(office: HeadOffice, sheet: bytes, error: str) -> None:
    answer = await office.bring("members", sheet, status=422)
    assert answer["error"] == error
    assert await office.count("select count(*) from member") == 0


async def test_json_lines_and_arrays_are_read_in_any_pieces(office: HeadOffice) -> None:
    lines = b'{"id": "m1", "phone": "0912345678", "name": "a"}\nnonsense\n\n{"id": "m2", "nmae": "b"}\n[1]\n'
    report = await office.bring("members", lines)
    assert [(error["row"], error["column"]) for error in report["errors"]] == [(2, ""), (4, "nmae"), (5, "")]
    tea = '{"gtin": "' + gtin(1) + '", "name": {"zh-TW": "茶 \\"[{,"}, "price_minor.TWD": 35}'
    array = "[ " + tea + ', {}, 7, {"gtin": "4711"}]'
    report = await office.bring("products", in_pieces(bytes([byte]) for byte in array.encode()))
    assert (report["taken"], [error["row"] for error in report["errors"]]) == (1, [2, 3, 4])
    [product] = await office.rows("product", gtin(1).zfill(14))
    assert (product.name, product.price_minor) == ({"zh-TW": '茶 "[{,'}, {"TWD": 35})
    cut = await office.bring("products", array[:-20].encode())
    assert (cut["unchanged"], cut["errors"][-1]["why"]) == (1, "The file ends in the middle of the array.")


async def test_products_prices_and_stock_go_together(office: HeadOffice) -> None:
    tea, milk = gtin(1), gtin(2)
    await office.bring("products", f"gtin,name.zh-TW,price_minor.TWD,categories\n{tea},茶,35,drink|tea\n")
    prices = await office.bring("prices", f"gtin,currency,price_minor\n{tea},HKD,1250\n{milk},HKD,1\n{tea},USD,1\n")
    assert [(error["row"], error["column"]) for error in prices["errors"]] == [(3, "gtin"), (4, "currency")]
    [product] = await office.rows("product", tea.zfill(14))
    assert product.price_minor == {"TWD": 35, "HKD": 1250}
    assert product.categories == ("drink", "tea")
    sheet = f"store,gtin,on_hand,safety\ns1,{tea},10,2\ns9,{tea},1,\ns1,{tea[:-1]}0,1,\ns1,{tea},-4,\ns1,{tea},1.5,\n"
    stock = await office.bring("stock", sheet)
    assert [(e["row"], e["column"]) for e in stock["errors"]] == [
        (3, "store"),
        (4, "gtin"),
        (5, "on_hand"),
        (6, "on_hand"),
    ]


async def test_stock_opens_with_the_figure_and_then_only_moves_by_differences(office: HeadOffice) -> None:
    tea = gtin(1)
    await office.bring("products", f"gtin,name.zh-TW\n{tea},茶\n")
    await office.bring("stock", f"store,gtin,on_hand,safety\ns1,{tea},10,2\n")
    report = await office.bring("stock", f"store,gtin,on_hand\ns1,{tea},7\n")
    assert report["taken"] == 1
    [row] = await office.rows("stock", f"s1/{tea.zfill(14)}")
    assert (row.on_hand, row.safety) == (7, 2)
    moves = "select count(*) from operation where device = 'centre' and kind = 'move-stock'"
    assert await office.count(moves) == 1
    assert (await office.bring("stock", f"store,gtin,on_hand\ns1,{tea},7\n"))["unchanged"] == 1
    assert await office.count(moves) == 1


async def test_staff_tag_words_and_campaigns_are_taken_and_checked(office: HeadOffice) -> None:
    staff = await office.bring("staff", "id,name,store,role\nlin,林,s1,lead\nx,X,s1,boss\ny,Y,s7,\nz,,s1,\n")
    assert [error["column"] for error in staff["errors"]] == ["role", "store", "name"]
    words = await office.bring(
        "tag-words", "id,labels.zh-TW,sensitive,roles\n敏感肌,敏感肌,no,lead|manager\nvip,,maybe,\n"
    )
    assert (words["taken"], words["errors"][0]["column"]) == (1, "sensitive")
    steps = '"[{""at_least_minor"": 1000, ""off_minor"": 100}]"'
    campaigns = await office.bring(
        "campaigns",
        "id,benefit.kind,benefit.pay_percent,benefit.steps,currency,from_time\n"
        f"c85,percent,85,,,\nthree,threshold,,{steps},TWD,\nfour,threshold,,{steps},,\nfive,percent,0,,,\n"
        "six,percent,90,,,25:00\nseven,free,,,,\n",
    )
    assert campaigns["taken"] == 2
    columns = [error["column"] for error in campaigns["errors"]]
    assert columns == ["currency", "benefit.pay_percent", "from_time", "benefit.kind"]


async def test_an_empty_cell_leaves_what_is_there(office: HeadOffice) -> None:
    await office.bring("members", "id,phone,name,email\nm1,0912345678,Lin,a@b.tw\n")
    report = await office.bring("members", "id,name,email\nm1,Lin Xiao,\n")
    assert report["taken"] == 1
    [member] = await office.rows("member", "m1")
    assert (member.phone, member.name, member.email) == ("+886912345678", "Lin Xiao", "a@b.tw")


async def test_hostile_names_are_made_harmless(office: HeadOffice) -> None:
    await office.bring("members", [{"id": "m1", "phone": "0912345678", "name": "\u202eevil\u0007 \x1b[31m王"}])
    [member] = await office.rows("member", "m1")
    assert member.name == "evil [31m王"
    report = await office.bring("members", [{"id": "m2", "phone": "0912345679", "name": "\u202e"}])
    assert report["errors"][0]["column"] == "name"


async def test_only_a_hundred_errors_are_told_one_by_one(office: HeadOffice) -> None:
    report = await office.bring("members", "id,phone\n" + "m,1\n" * 350)
    assert (report["refused"], len(report["errors"]), report["errors_left_out"]) == (350, 100, 250)


async def test_a_list_of_many_chunks_is_taken_whole_and_what_did_not_change_is_not_sent_again(
    office: HeadOffice,
) -> None:
    rows = [f"m{n},09{n:08d},會員{n},s{n % 2 + 1},{n % 300}\n".encode() for n in range(10_000_000, 10_001_600)]
    report = await office.bring("members", in_pieces([HEADER.encode(), *rows]))
    assert (report["taken"], report["refused"]) == (1_600, 0), report
    published = await office.count("select count(*) from feed")
    again = await office.bring("members", in_pieces([HEADER.encode(), *rows]))
    assert (again["taken"], again["unchanged"]) == (0, 1_600)
    assert await office.count("select count(*) from feed") == published


async def test_campaigns_sent_whole_are_there_as_sent(office: HeadOffice) -> None:
    assert (await office.bring("campaigns", [CAMPAIGN, {**CAMPAIGN, "nmae": "x"}]))["errors"][0]["column"] == "nmae"


async def read(pieces: list[bytes]) -> list[Record]:
    return [record async for record in read_records(in_pieces(pieces), columns_of(MemberRecord))]


@given(
    st.binary(max_size=300), st.integers(1, 50), st.sampled_from([b"", b"id,name\n", b"[", b'{"id":"', b'[{"a":"\\'])
)
async def test_any_bytes_give_records_or_are_declined(data: bytes, size: int, start: bytes) -> None:
    data = start + data
    pieces = [data[at : at + size] for at in range(0, len(data), size)]
    try:
        records = await read(pieces)
    except Declined:
        return
    assert all((record.values is None) is bool(record.why) for record in records)
    assert [record.row for record in records] == sorted({record.row for record in records})
    assert records == await read([data]), "how it arrives makes no difference"
