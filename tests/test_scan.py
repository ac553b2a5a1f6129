"""Any text to what it is: the vectors of the field, the borders between the kinds, and any text at all."""

from __future__ import annotations

import json
import string
import time
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from store_agent import qr
from store_agent.scan import (
    InvoiceItem,
    Scan,
    ScanKind,
    ScanReason,
    brand_patterns,
    business_number_is_valid,
    make_code,
    read_scan,
)
from store_agent.scan.pictures import scan_pictures
from store_agent.scan.plain_codes import ALPHABET, NUMBERS, PREFIXES
from store_agent.trouble import Trouble

CODES = Path(__file__).parents[2] / "shared" / "codes"
TODAY = date(2026, 11, 20)
PETROL = "DE428972561110715819500000509000005492217427024804859nozbd7t7L+KffoUVC5eNQw=="
PETROL += ":**ceepos**:1:1:1:95無鉛汽油:47.301:28.6"
MARKET = "EZ937100001090908630000000320000003480000000054911841" + "a" * 22 + "==:**:1:1:1:超市商品:1:840"
OWN = {kind: make_code(kind, 987_654_321) for kind in PREFIXES.values()}


def kind_and_value(text: str, region: str = "TW") -> tuple[str, str]:
    scan = read_scan(text, region, TODAY)
    return scan.kind.value, scan.value


def reason(text: str, region: str = "TW") -> ScanReason | None:
    return read_scan(text, region, TODAY).reason


# Phones


@pytest.mark.parametrize("region", ["TW", "HK"])
@pytest.mark.parametrize(
    "text",
    [
        "0912-345-678",
        "0912345678",
        "+886 912 345 678",
        "886912345678",
        "+8860912345678",
        "8860912345678",
        "００８８６９１２３４５６７８",
        "0９１２３４５６７８",
        "00886912345678",
        "(0912) 345 678",
        "0912–345–678",
        "tel:+886912345678",
        "0912345678\r\n",
        " 0912345678 ",
    ],
)
def test_a_taiwanese_mobile_reads_the_same_however_it_is_written(text: str, region: str) -> None:
    assert kind_and_value(text, region) == ("phone", "+886912345678")


def test_a_mobile_without_its_zero_is_one_in_taiwan_only() -> None:
    assert kind_and_value("912345678") == ("phone", "+886912345678")
    assert kind_and_value("９１２３４５６７８") == ("phone", "+886912345678")
    assert reason("912345678", "HK") is ScanReason.NUMBER


@pytest.mark.parametrize("text", ["85291234567", "+852 9123 4567", "0085291234567", "852 9123-4567"])
@pytest.mark.parametrize("region", ["TW", "HK"])
def test_a_hong_kong_number_with_its_country_reads_in_both_regions(text: str, region: str) -> None:
    assert kind_and_value(text, region) == ("phone", "+85291234567")


def test_eight_digits_are_a_phone_in_hong_kong_where_such_a_number_exists() -> None:
    assert kind_and_value("9123 4567", "HK") == ("phone", "+85291234567")
    assert kind_and_value("23456789", "HK") == ("phone", "+85223456789")
    assert reason("71234567", "HK") is ScanReason.PHONE_INVALID
    assert reason("81234567", "HK") is ScanReason.PHONE_INVALID, "a number that follows a person is no line"
    assert reason("9123 4567", "TW") is ScanReason.TEXT


def test_other_countries_want_a_plus_or_two_zeros() -> None:
    assert kind_and_value("+81 90 1234 5678") == ("phone", "+819012345678")
    assert kind_and_value("0081 90 1234 5678") == ("phone", "+819012345678")
    assert kind_and_value("002 852 9123 4567") == ("phone", "+85291234567"), "as Taiwan dials"


@pytest.mark.parametrize(
    "text", ["0912-345-67", "0999999999", "+886 12345", "+999123456789", "88612345678", "0912 345 6789"]
)
def test_what_is_written_like_a_phone_and_is_none_says_so(text: str) -> None:
    scan = read_scan(text)
    assert (scan.kind, scan.reason) == (ScanKind.UNKNOWN, ScanReason.PHONE_INVALID)


def test_a_phone_that_could_be_a_product_says_that_as_well() -> None:
    assert kind_and_value("96385074", "TW") == ("product", "00000096385074")
    scan = read_scan("96385074", "HK")
    assert (scan.kind, scan.value, scan.also_gtin) == (ScanKind.PHONE, "+85296385074", "00000096385074")
    assert read_scan("]E496385074", "HK").kind is ScanKind.PRODUCT, "a scanner that says what it read settles it"


# Products


@pytest.mark.parametrize(
    ("text", "gtin"),
    [
        ("4710088410139", "04710088410139"),
        ("4006381333931", "04006381333931"),
        ("036000291452", "00036000291452"),
        ("0036000291452", "00036000291452"),
        ("20614141123456", "20614141123456"),
        ("65833254", "00000065833254"),
        ("4710088410139\t", "04710088410139"),
        ("]E04710088410139", "04710088410139"),
        ("0104710088410139", "04710088410139"),
        ("01047100884101391726123110LOT7", "04710088410139"),
        ("]C10104710088410139", "04710088410139"),
        ("\x1d0104710088410139", "04710088410139"),
        ("10LOT7\x1d0104710088410139", "04710088410139"),
        ("1726123110LOT7\x1d0104710088410139\x1d21SERIAL", "04710088410139"),
        ("(01)04710088410139(10)LOT7", "04710088410139"),
        ("(10)LOT7(01)04710088410139", "04710088410139"),
        ("https://id.gs1.org/01/04710088410139/10/LOT7?17=261231", "04710088410139"),
        ("４７１００８８４１０１３９", "04710088410139"),
    ],
)
def test_a_product_is_always_fourteen_digits(text: str, gtin: str) -> None:
    assert kind_and_value(text) == ("product", gtin)


def test_a_wrong_check_digit_makes_no_product() -> None:
    assert reason("4710088410138") is ScanReason.CHECK_DIGIT
    assert reason("96385075") is ScanReason.CHECK_DIGIT
    assert reason("]E04710088410138") is ScanReason.CHECK_DIGIT
    assert reason("(01)04710088410138") is ScanReason.GS1_WITHOUT_PRODUCT
    assert reason("00000000") is ScanReason.CHECK_DIGIT


def test_what_a_box_contains_is_not_the_product() -> None:
    assert reason("\x1d02047100884101393712") is ScanReason.GS1_WITHOUT_PRODUCT


@given(st.integers(1, 10**13 - 1))
def test_one_wrong_digit_never_reads_as_a_product(body: int) -> None:
    # The second to last, so that one number is surely sound: of ten check digits one fits.
    products = [digit for digit in range(10) if read_scan(f"]E0{body:013d}{digit}").kind is ScanKind.PRODUCT]
    assert len(products) == 1


# Invoices


def test_the_left_code_of_an_invoice_is_read_whole() -> None:
    scan = read_scan(PETROL, today=TODAY)
    assert (scan.kind, scan.value, scan.reason) == (ScanKind.INVOICE_LEFT, "DE42897256", None)
    invoice = scan.invoice
    assert invoice is not None
    assert (invoice.issued_on, invoice.random_code) == (date(2022, 7, 15), "8195")
    assert (invoice.untaxed_minor, invoice.total_minor) == (1289, 1353)
    assert (invoice.buyer, invoice.seller) == ("22174270", "24804859")
    assert invoice.items == (InvoiceItem(name="95無鉛汽油", quantity="47.301", price="28.6"),)
    assert invoice.is_complete


def test_a_consumer_has_no_business_number() -> None:
    invoice = read_scan(MARKET, today=TODAY).invoice
    assert invoice is not None
    assert (invoice.total_minor, invoice.buyer, invoice.seller) == (840, "", "54911841")


def test_a_seller_who_cannot_split_the_tax_states_no_untaxed_amount() -> None:
    invoice = read_scan(MARKET.replace("00000320", "00000000"), today=TODAY).invoice
    assert invoice is not None
    assert invoice.untaxed_minor is None


def test_an_invoice_with_more_lines_than_its_code_says_so() -> None:
    invoice = read_scan(MARKET.replace(":1:1:1:", ":1:3:1:") + ":袋", today=TODAY).invoice
    assert invoice is not None
    assert (len(invoice.items), invoice.items_total, invoice.is_complete) == (1, 3, False)


def test_lines_that_cannot_be_read_do_not_spoil_the_invoice() -> None:
    for tail in ("", ":", ":**********", ":**:x:y:z", ":**:1:1:2:5ZWG5ZOB", ":**:1:1:1:name:one:two"):
        scan = read_scan(MARKET[:77] + tail, today=TODAY)
        assert scan.invoice is not None, tail
        assert scan.invoice.items == ()
        assert not scan.invoice.is_complete


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (PETROL[:20] + PETROL[21:], ScanReason.INVOICE_LENGTH),
        (PETROL[:20] + "0" + PETROL[20:], ScanReason.INVOICE_LENGTH),
        ("DF6226941311107083970000000030000000300000000054911841" + "a" * 22 + ":**:1:1:1", ScanReason.INVOICE_LENGTH),
        (PETROL[:60], ScanReason.INVOICE_LENGTH),
        (PETROL.replace("1110715", "11x0715"), ScanReason.INVOICE_FIELDS),
        (PETROL.replace("00000549", "00000001"), ScanReason.INVOICE_FIELDS),
        (PETROL.replace("1110715", "1110231"), ScanReason.INVOICE_DATE),
        (PETROL.replace("1110715", "0220715"), ScanReason.INVOICE_DATE),
        (PETROL.replace("1110715", "2022071"), ScanReason.INVOICE_DATE),
        (PETROL.replace("1110715", "2020715"), ScanReason.INVOICE_FUTURE),
        (PETROL.replace("1110715", "1151121"), ScanReason.INVOICE_FUTURE),
        (PETROL.replace("24804859", "24804858"), ScanReason.INVOICE_SELLER),
    ],
)
def test_an_invoice_that_cannot_be_true_is_refused_with_the_fault(text: str, why: ScanReason) -> None:
    scan = read_scan(text, today=TODAY)
    assert (scan.kind, scan.reason, scan.invoice) == (ScanKind.UNKNOWN, why, None)


def test_an_invoice_of_today_is_good_and_the_header_alone_is_enough() -> None:
    assert read_scan(PETROL.replace("1110715", "1151120"), today=TODAY).kind is ScanKind.INVOICE_LEFT
    assert read_scan(PETROL[:77], today=TODAY).kind is ScanKind.INVOICE_LEFT
    assert read_scan(PETROL).kind is ScanKind.INVOICE_LEFT, "without a day, today's own"


def test_the_right_code_of_an_invoice_begins_with_two_stars() -> None:
    assert kind_and_value("**:牛奶:1:89") == ("invoice-right", ":牛奶:1:89")
    assert kind_and_value("**" + " " * 100) == ("invoice-right", "")


def test_the_barcode_of_an_invoice_asks_for_its_left_code() -> None:
    assert reason("11108DE428972568195") is ScanReason.INVOICE_BARCODE


@pytest.mark.parametrize("number", ["22174270", "24804859", "54911841", "04595257", "10458570", "10458575"])
def test_a_business_number_is_divisible_by_five(number: str) -> None:
    assert business_number_is_valid(number)


@pytest.mark.parametrize(
    "number", ["22174271", "2217427", "00000000", "1045857a", "１０４５８５７０", "10458570\n", ""]
)
def test_another_business_number_is_not(number: str) -> None:
    assert not business_number_is_valid(number)


def test_a_seven_in_the_seventh_place_counts_as_one_or_as_nothing() -> None:
    # Digits sum to 35 and to 34.
    assert business_number_is_valid("00000075") is True
    assert business_number_is_valid("00000074") is True
    assert business_number_is_valid("00000073") is False


# Carriers, and what is no member's code


@pytest.mark.parametrize("text", ["/ABC1234", "/AB+12.3", "/-------", "/ABC1234\r\n", "/ABC1234\n"])
def test_a_carrier_is_a_slash_and_seven_characters(text: str) -> None:
    assert kind_and_value(text) == ("carrier", text.strip())


@pytest.mark.parametrize("text", ["/ABC,123", "/abc1234", "/ABC123", "/ABC12345", "/ABC1234\n\n", "／ABC1234"])
def test_what_is_nearly_a_carrier_is_none(text: str) -> None:
    assert read_scan(text).kind is ScanKind.UNKNOWN
    assert reason(text) in (ScanReason.CARRIER_FORM, ScanReason.TEXT)


def test_what_identifies_a_person_elsewhere_identifies_no_member_here() -> None:
    assert reason("AB12345678901234") is ScanReason.CITIZEN_CERTIFICATE
    assert reason("U" + "0123456789abcdef" * 2) is ScanReason.LINE_USER
    assert reason("https://liff.line.me/123-abc") is ScanReason.LINK


# Our own codes


@pytest.mark.parametrize("kind", PREFIXES.values())
def test_our_own_codes_are_read_back(kind: ScanKind) -> None:
    assert kind_and_value(OWN[kind]) == (kind.value, OWN[kind])
    assert kind_and_value(OWN[kind].lower() + "\r") == (kind.value, OWN[kind]), "CapsLock"
    assert len(OWN[kind]) == 14


def test_letters_that_look_like_digits_are_those_digits() -> None:
    code = make_code(ScanKind.MEMBER_CODE, 1)
    misread = code[:4] + code[4:].replace("0", "O").replace("1", "l")
    assert misread != code
    assert kind_and_value(misread) == ("member-code", code)


@given(
    st.integers(0, NUMBERS - 1), st.sampled_from(list(PREFIXES.values())), st.integers(0, 9), st.sampled_from(ALPHABET)
)
def test_one_wrong_character_or_a_swap_is_noticed(number: int, kind: ScanKind, place: int, other: str) -> None:
    code = make_code(kind, number)
    letters = list(code)
    letters[4 + place] = other
    assert (read_scan("".join(letters)).kind is kind) == ("".join(letters) == code)
    letters = list(code)
    if place < 9:
        letters[4 + place], letters[5 + place] = letters[5 + place], letters[4 + place]
    assert (read_scan("".join(letters)).kind is kind) == ("".join(letters) == code)
    for prefix, named in PREFIXES.items():
        assert read_scan(prefix + code[4:]).kind is (named if named is kind else ScanKind.UNKNOWN)


@given(st.lists(st.integers(0, NUMBERS - 1), unique=True, min_size=2, max_size=2))
def test_two_numbers_never_have_one_code(numbers: list[int]) -> None:
    assert make_code(ScanKind.COUPON, numbers[0]) != make_code(ScanKind.COUPON, numbers[1])


def test_a_damaged_code_says_so_and_a_name_does_not() -> None:
    assert reason("SAM-0000000001") is ScanReason.CODE_CHECK
    assert reason(OWN[ScanKind.COUPON][:-1]) is ScanReason.CODE_CHECK
    assert reason("Sam-Wong") is ScanReason.TEXT


def test_there_is_no_code_for_another_kind_or_too_large_a_number() -> None:
    for kind, number in [(ScanKind.PHONE, 1), (ScanKind.COUPON, NUMBERS), (ScanKind.COUPON, -1)]:
        with pytest.raises(ValueError, match="no code"):
            make_code(kind, number)


def test_a_signed_code_waits_for_someone_who_can_read_it() -> None:
    assert reason("SA1:ABC $%*+") is ScanReason.SIGNED_CODE
    told = Scan(kind=ScanKind.COUPON, value="c1")
    asked: list[str] = []

    def read_signed(text: str) -> Scan:
        asked.append(text)
        return told

    assert read_scan("SA1:ABC \r", read_signed=read_signed) is told
    assert asked == ["SA1:ABC "], "the space is a part of the code"


# Brands


def test_a_brand_can_name_its_own_codes() -> None:
    patterns = brand_patterns([(r"BR(?P<value>[0-9]{8})", "member-code"), (r"[0-9]{8}", "coupon")])
    assert read_scan("BR12345678", patterns=patterns) == Scan(kind=ScanKind.MEMBER_CODE, value="12345678")
    assert read_scan("96385074", "HK", patterns=patterns).kind is ScanKind.COUPON, "before phones and products"
    assert read_scan("/ABC1234", patterns=brand_patterns([(".*", "coupon")])).kind is ScanKind.CARRIER
    assert read_scan("BR1", patterns=patterns).reason is ScanReason.TEXT


@pytest.mark.parametrize(
    ("expression", "kind"),
    [
        ("(", "coupon"),
        ("[0-9]+", "phone"),
        ("[0-9]+", "voucher"),
        ("(a+)+b", "coupon"),
        ("(a|a)*b", "coupon"),
        ("(?:a{1,9}){1,99}b", "coupon"),
        ("a*a*a*a*b", "coupon"),
        ("x" * 300, "coupon"),
        ("a{99999999999}", "coupon"),
    ],
)
def test_a_pattern_that_is_wrong_or_endless_is_trouble(expression: str, kind: str) -> None:
    with pytest.raises(Trouble):
        brand_patterns([(expression, kind)])


def test_the_worst_pattern_that_is_allowed_ends_soon() -> None:
    patterns = brand_patterns([(".*a.*b.*c", "coupon")])
    begun = time.process_time()
    read_scan("ab" * 150, patterns=patterns)
    assert time.process_time() - begun < 2


# What people type, and any text


@pytest.mark.parametrize("text", ["678", "5678", "345678", "１２３", "12"])
def test_a_short_number_is_for_a_search(text: str) -> None:
    assert reason(text) is ScanReason.SHORT_NUMBER


@pytest.mark.parametrize("text", ["王小明", "Chan Tai Man", "DE42897256", "95折", "a@b.tw", "[/]", "SA1", "*", "/"])
def test_a_name_is_for_a_search(text: str) -> None:
    scan = read_scan(text)
    assert (scan.kind, scan.value, scan.reason) == (ScanKind.UNKNOWN, text, ScanReason.TEXT)


def test_nothing_is_nothing() -> None:
    for text in ("", " ", "\r\n", "\t", "\u3000", "\x1d"):
        assert reason(text) is ScanReason.EMPTY
    assert reason("9" * 8000) is ScanReason.TOO_LONG


def test_one_suffix_goes_and_separators_stay() -> None:
    for suffix in ("", "\r", "\n", "\r\n", "\t"):
        assert kind_and_value("0104710088410139" + suffix)[0] == "product"
    assert reason("ab\x1dcd\r") is ScanReason.GS1_WITHOUT_PRODUCT
    assert read_scan("ab\x1dcd\r").value == "ab\x1dcd"


PIECES = [
    PETROL,
    PETROL[:77],
    MARKET,
    "**",
    "/ABC1234",
    "SA1:",
    "0912345678",
    "+886",
    "00852",
    "96385074",
    "]E0",
    "]",
    "\x1d",
]
PIECES += ["01", "04710088410139", "(01)", "\r\n", "\t", "SAM-", "９", "🧋", "\ud800", "\x00", ":", " ", *OWN.values()]


@given(
    text=st.one_of(
        st.text(),
        st.text(string.digits + "+- ()", max_size=20),
        st.text(string.ascii_uppercase + string.digits + "/.-+:*]\x1d", max_size=90),
        st.lists(st.sampled_from(PIECES) | st.text(max_size=2), max_size=4).map("".join),
    ),
    region=st.sampled_from(["TW", "HK"]),
)
def test_every_text_is_exactly_one_kind_and_unknown_has_a_reason(text: str, region: str) -> None:
    scan = read_scan(text, region, TODAY)
    assert (scan.kind is ScanKind.UNKNOWN) == (scan.reason is not None)
    assert (scan.invoice is not None) == (scan.kind is ScanKind.INVOICE_LEFT)
    assert scan == read_scan(text, region, TODAY)
    if scan.kind is ScanKind.PRODUCT:
        assert len(scan.value) == 14
        assert read_scan("]E0" + scan.value, region).value == scan.value
    if scan.kind is ScanKind.PHONE:
        assert read_scan(scan.value, region).value == scan.value
    if scan.kind in OWN:
        assert read_scan(scan.value, region) == scan


# Pictures


def test_pictures_are_described_for_a_machine(tmp_path: Path) -> None:
    qr.save(PETROL, tmp_path / "invoice.png")
    qr.save(OWN[ScanKind.COUPON], tmp_path / "coupon.png")
    (tmp_path / "text.png").write_text("no picture")
    Image.new("L", (80, 80), 255).save(tmp_path / "white.png")
    names = ["invoice.png", "coupon.png", "text.png", "white.png"]
    found = scan_pictures([tmp_path / name for name in names], today=TODAY)
    assert [Path(picture["file"]).name for picture in found] == names
    assert json.loads(json.dumps(found)) == found
    invoice, coupon = found[0]["codes"][0], found[1]["codes"][0]
    assert (invoice["format"], invoice["text"], invoice["kind"]) == ("QRCode", PETROL, "invoice-left")
    assert invoice["invoice"]["issued_on"] == "2022-07-15"
    assert coupon == {
        "format": "QRCode",
        "text": OWN[ScanKind.COUPON],
        "kind": "coupon",
        "value": OWN[ScanKind.COUPON],
    }
    assert found[2]["codes"] == []
    assert "is not a picture" in found[2]["trouble"]
    assert found[3] == {"file": str(tmp_path / "white.png"), "codes": []}


def test_a_barcode_in_a_picture_is_a_product_whatever_its_digits() -> None:
    (picture,) = scan_pictures([CODES / "zxing-ean13-3-02.png"], "HK")
    assert picture["codes"] == [
        {"format": "EAN13", "text": "9780764544200", "kind": "product", "value": "09780764544200"}
    ]


def test_bytes_that_are_no_text_are_shown_as_hex() -> None:
    (picture,) = scan_pictures([CODES / "zxing-qrcode-2-33.png"])
    (code,) = picture["codes"]
    assert (code["kind"], code["reason"]) == ("unknown", "opaque")
    assert bytes.fromhex(code["hex"]).startswith(b"\x01\x10AD:SUB:")
    assert "text" not in code


def test_an_invoice_in_big5_is_read_because_it_says_so(tmp_path: Path) -> None:
    import qrcode

    for encoding, kind in (("0", "invoice-left"), ("1", "unknown")):
        made = qrcode.QRCode(border=4)
        made.add_data(MARKET.replace(":1:1:1:", f":1:1:{encoding}:").encode("big5"))
        made.make_image().save(tmp_path / "invoice.png")
        (picture,) = scan_pictures([tmp_path / "invoice.png"], today=TODAY)
        assert picture["codes"][0]["kind"] == kind
    # With the charset configured, it is read in either case.
    (picture,) = scan_pictures([tmp_path / "invoice.png"], fallback="big5", today=TODAY)
    assert picture["codes"][0]["invoice"]["items"][0]["name"] == "超市商品"
