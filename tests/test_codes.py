"""Signed codes: one form and no other, nothing believed that was touched, and each way to be wrong by its own name."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import cbor2
import pytest
import qrcode
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.signing import SigningKey

from store_agent import qr
from store_agent.codes import (
    PREFIX,
    SignedCode,
    SignedScan,
    base45,
    cbor,
    claims,
    cose,
    key_id_of,
    read_code,
    signed_reader,
    write_code,
)
from store_agent.codes.reading import CHARACTERS_MOST
from store_agent.domain.keys import CodeKind, CodeReason, Key
from store_agent.domain.operation import Refusal
from store_agent.optics import read_luminance
from store_agent.scan import ScanKind, ScanReason, read_scan
from store_agent.trouble import Trouble
from store_agent.words.refusals import say, say_instead

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
CHAIN, STORE = "3fa9c1", "xinyi"
ALL = tuple(kind.value for kind in CodeKind)
SECRET, NEXT_SECRET, GIFTCO_SECRET = bytes(range(32)), bytes(range(1, 33)), bytes(range(2, 34))
CODE_ID = "0011223344556677"
UUID_A, UUID_B = "019aa2b0-5f3e-7c31-9a4e-2f6a1c0d9b77", "019aa2b0-5f3e-7c31-9a4e-2f6a1c0d9b78"


def key_of(secret: bytes, **fields: Any) -> Key:
    public = bytes(SigningKey(secret).verify_key)
    made = Key(id=key_id_of(public), public_key=public.hex(), chain=CHAIN, purposes=ALL, valid_from=NOW - DAY)
    return replace(made, **fields)


KEY, NEXT_KEY = key_of(SECRET), key_of(NEXT_SECRET)
GIFTCO = key_of(GIFTCO_SECRET, issuer="giftco", purposes=("voucher",))
KEYS = (KEY, NEXT_KEY, GIFTCO)

COMMON: dict[str, Any] = {"chain": CHAIN, "expires_at": NOW + 30 * DAY}
CARD = SignedCode(kind=CodeKind.MEMBER_CARD, **COMMON, issued_at=NOW, subject="m0000001", tier="gold", points=1234)
PASS = replace(CARD, kind=CodeKind.MEMBER_PASS, expires_at=NOW + 5 * MINUTE, code_id=CODE_ID)
COUPON = SignedCode(
    kind=CodeKind.COUPON,
    **COMMON,
    valid_from_at=NOW,
    code_id=CODE_ID,
    subject="m0000001",
    coupon_id=UUID_A,
    campaign_id="member-85",
    stores=(STORE,),
    channels=("store",),
)
PICKUP = SignedCode(
    kind=CodeKind.PICKUP, **COMMON, issued_at=NOW, code_id=CODE_ID, subject=UUID_A, order_no="W-1001", stores=(STORE,)
)
VOUCHER = SignedCode(
    kind=CodeKind.VOUCHER,
    chain=CHAIN,
    issuer="giftco",
    expires_at=NOW + DAY,
    valid_from_at=NOW,
    code_id="00" * 8,
    subject="V-77",
    amount_minor=10000,
    currency="TWD",
    stores=(STORE,),
)
BADGE = SignedCode(kind=CodeKind.STAFF_BADGE, **COMMON, issued_at=NOW, subject="yating", stores=(STORE,))
JOIN = SignedCode(kind=CodeKind.JOIN, **COMMON, issued_at=NOW, code_id=CODE_ID, subject=UUID_A)
CODES = (CARD, PASS, COUPON, PICKUP, VOUCHER, BADGE, JOIN)


def secret_for(code: SignedCode) -> bytes:
    return GIFTCO_SECRET if code.kind is CodeKind.VOUCHER else SECRET


def text_of(code: SignedCode) -> str:
    return write_code(code, secret_for(code))


def read(text: str, **changes: Any) -> SignedCode | Refusal:
    asked: dict[str, Any] = {"keys": KEYS, "now": NOW, "chain": CHAIN, "store": STORE}
    return read_code(text, **{**asked, **changes})


def reason(text: str, **changes: Any) -> str | None:
    found = read(text, **changes)
    return str(found.reason) if isinstance(found, Refusal) else None


def as_text(data: bytes) -> str:
    return PREFIX + base45.encode(data)


def bytes_of(text: str) -> bytes:
    return base45.decode(text.removeprefix(PREFIX))


def signed(payload: bytes, secret: bytes = SECRET) -> str:
    """Any bytes, soundly signed: what whoever holds a key could make."""
    return as_text(cose.seal(payload, secret))


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        (b"AB", "BB8"),
        (b"Hello!!", "%69 VD92EX0"),
        (b"base-45", "UJCLQE7W581"),
        (b"ietf!", "QED8WEX0"),
        (b"\xff\xff", "FGW"),
    ],
)
def test_base45_is_that_of_the_rfc(data: bytes, text: str) -> None:
    assert base45.encode(data) == text
    assert base45.decode(text) == data


@pytest.mark.parametrize("text", ["A", "BB8A", "GGW", ":::", "::", "bb8", "BB8\n", "ＢＢ８", "BB_"])
def test_what_is_no_base45_has_no_meaning(text: str) -> None:
    with pytest.raises(ValueError, match="base45"):
        base45.decode(text)


@given(st.binary())
def test_every_bytes_come_back_and_no_text_ends_in_a_space(data: bytes) -> None:
    text = base45.encode(data)
    assert base45.decode(text) == data
    assert not text.endswith(" "), "or it would be lost where scanned texts are stripped"


@given(st.text(base45.ALPHABET, max_size=40))
def test_no_two_texts_of_base45_mean_the_same(text: str) -> None:
    try:
        data = base45.decode(text)
    except ValueError:
        return
    assert base45.encode(data) == text


def test_what_is_signed_is_the_structure_of_the_rfc() -> None:
    """RFC 9052, 4.4, with the protected header and the content of the COSE working group's examples."""
    wanted = "846a5369676e61747572653143a10126405454686973206973207468652063 6f6e74656e742e".replace(" ", "")
    assert cose.signed_bytes(bytes.fromhex("a10126"), b"This is the content.").hex() == wanted


# Made with pycose 1.1.0 and, byte for byte the same, with cwt 3.3.0 over cryptography: from the same secret keys, none
# of our code. Ed25519 is deterministic, so equal bytes show both ways: they read ours, and we read theirs.
INDEPENDENT = {
    CodeKind.MEMBER_CARD: (
        "8449a20127044456475aa7a0582ea502686d303030303030310366336661396331041a6b28a440061a6b0117403a00010000"
        "830164676f6c641904d258408cd724eeb9bfb4fa7bb4775f40b5d19f758d3d16dda97a047e0bca28f3f62801d1a0fb6c444d"
        "ac3812610e9930b9543e633b07015c84bfd0fcb04f5cb9fe7b09"
    ),
    CodeKind.VOUCHER: (
        "8449a20127044456475aa7a05843a7016667696674636f0264562d37370366336661396331041a6b0268c0051a6b01174007"
        "4800000000000000003a00010000850519271063545744816578696e796980584025ec4e6e1cb74fddbebf51ff35894a2e27"
        "4755eb6851f149a1822b0c5de7a77ffe582eaa189cceddaff78d1079fe43bfeb4c47141d328d56eaef34db4e054306"
    ),
}


@pytest.mark.parametrize("code", [CARD, VOUCHER], ids=lambda code: str(code.kind))
def test_independent_libraries_make_the_same_bytes(code: SignedCode) -> None:
    theirs = bytes.fromhex(INDEPENDENT[code.kind])
    assert bytes_of(write_code(code, SECRET)) == theirs
    keys = [replace(KEY, issuer="giftco")] if code.kind is CodeKind.VOUCHER else KEYS
    assert isinstance(read(as_text(theirs), keys=keys), SignedCode)


@pytest.mark.parametrize("code", CODES, ids=lambda code: str(code.kind))
def test_every_kind_comes_back_as_it_was_said(code: SignedCode) -> None:
    key = GIFTCO if code.kind is CodeKind.VOUCHER else KEY
    assert read(text_of(code)) == replace(code, key_id=key.id, issuer=key.issuer)


def test_every_kind_has_one_form() -> None:
    assert {form.kind for form in claims.FORMS} == {code.kind for code in CODES} == set(CodeKind)
    assert len({form.number for form in claims.FORMS}) == len(claims.FORMS)


def test_what_a_code_may_do_is_told_by_its_kind() -> None:
    assert [code.kind for code in CODES if code.may_spend] == [CodeKind.MEMBER_PASS]
    assert {code.kind for code in CODES if code.member_id} == claims.MEMBERS
    assert {code.kind for code in CODES if not code.use_id} == {CodeKind.MEMBER_CARD, CodeKind.STAFF_BADGE}
    assert replace(PASS, key_id="a").use_id != replace(PASS, key_id="b").use_id


def test_a_member_card_is_about_190_characters_and_a_qr_code_of_version_8() -> None:
    text = text_of(CARD)
    assert len(text) <= 200
    assert version_of(text) <= 8


@pytest.mark.parametrize("code", CODES, ids=lambda code: str(code.kind))
def test_every_kind_fits_version_10_also_with_ids_that_are_uuids(code: SignedCode) -> None:
    # A coupon with three such ids has no room for a store; its campaign names them.
    stores = () if code.campaign_id else code.stores
    long = replace(code, subject=UUID_B, campaign_id=code.campaign_id and UUID_B, stores=stores)
    assert version_of(text_of(code)) <= 9
    assert version_of(text_of(long)) <= 10


def test_the_longest_text_that_is_read_is_what_version_10_holds() -> None:
    assert version_of("A" * CHARACTERS_MOST) == 10
    assert version_of("A" * (CHARACTERS_MOST + 1)) == 11


def version_of(text: str) -> int:
    made = qrcode.QRCode(error_correction=qrcode.constants.ERROR_CORRECT_M)
    made.add_data(text)
    made.make(fit=True)
    assert all(part.mode == qrcode.util.MODE_ALPHA_NUM for part in made.data_list)
    return int(made.version)


@pytest.mark.parametrize("code", CODES, ids=lambda code: str(code.kind))
def test_a_code_goes_through_a_picture_and_comes_back(code: SignedCode) -> None:
    text = text_of(code)
    [seen] = read_luminance(qr.picture(text, module_px=4))
    assert seen.text == text
    assert isinstance(read(seen.text), SignedCode)


OTHER_CHAIN = replace(CARD, chain="othera")
REFUSALS: list[tuple[CodeReason, str, dict[str, Any]]] = [
    (CodeReason.TOO_LONG, PREFIX + "0" * 400, {}),
    (CodeReason.MALFORMED, "", {}),
    (CodeReason.MALFORMED, PREFIX, {}),
    (CodeReason.MALFORMED, "sa1:" + text_of(CARD)[4:], {}),
    (CodeReason.MALFORMED, text_of(CARD)[:-30], {}),
    (CodeReason.MALFORMED, PREFIX + "no base45", {}),
    (CodeReason.TRAILING, as_text(bytes_of(text_of(CARD)) + b"\0"), {}),
    (CodeReason.TRAILING, signed(claims.encode(CARD) + b"\0"), {}),
    (CodeReason.UNKNOWN_FORM, "SA2:" + text_of(CARD)[4:], {}),
    (CodeReason.UNKNOWN_FORM, as_text(cbor.encode([cbor.encode({1: -7, 4: b"kkkk"}), {}, b"", b"s" * 64])), {}),
    (CodeReason.UNKNOWN_FORM, signed(cbor.encode({3: CHAIN, 4: 1, claims.DETAILS: [8]})), {}),
    (CodeReason.UNKNOWN_KEY, text_of(CARD), {"keys": ()}),
    (CodeReason.UNKNOWN_KEY, text_of(CARD), {"keys": (NEXT_KEY, GIFTCO)}),
    (CodeReason.OTHER_CHAIN, text_of(OTHER_CHAIN), {"keys": ()}),
    (CodeReason.OTHER_CHAIN, text_of(OTHER_CHAIN), {}),
    (CodeReason.FORGED, text_of(CARD), {"keys": (replace(NEXT_KEY, id=KEY.id),)}),
    (CodeReason.FORGED, text_of(CARD), {"keys": (replace(KEY, public_key="not hex"),)}),
    (CodeReason.REVOKED_KEY, text_of(CARD), {"keys": (replace(KEY, revoked_at=NOW + DAY),)}),
    (CodeReason.KEY_NOT_VALID, text_of(CARD), {"keys": (replace(KEY, valid_until=NOW),)}),
    (CodeReason.KEY_NOT_VALID, text_of(CARD), {"keys": (replace(KEY, valid_from=NOW + DAY),)}),
    (CodeReason.NOT_ENTITLED, write_code(CARD, GIFTCO_SECRET), {}),
    (CodeReason.NOT_ENTITLED, write_code(CARD, GIFTCO_SECRET), {"keys": (replace(GIFTCO, purposes=ALL),)}),
    (CodeReason.NOT_ENTITLED, write_code(VOUCHER, SECRET), {}),
    (CodeReason.NOT_ENTITLED, text_of(CARD), {"keys": (replace(KEY, purposes=("coupon",)),)}),
    (CodeReason.WRONG_KIND, text_of(BADGE), {"wanted": [CodeKind.MEMBER_PASS]}),
    (CodeReason.OTHER_STORE, text_of(COUPON), {"store": "mongkok"}),
    (CodeReason.OTHER_CHANNEL, text_of(COUPON), {"channel": "online"}),
    (CodeReason.NOT_YET, text_of(CARD), {"now": NOW - 3 * MINUTE}),
    (CodeReason.EXPIRED, text_of(PASS), {"now": NOW + 5 * MINUTE}),
    (CodeReason.REPLAYED, text_of(PASS), {"seen": {f"{KEY.id}:{CODE_ID}"}}),
]


@pytest.mark.parametrize(("wanted", "text", "changes"), REFUSALS, ids=lambda value: str(value)[:24])
def test_each_way_to_be_wrong_is_refused_by_its_name(wanted: CodeReason, text: str, changes: dict[str, Any]) -> None:
    refusal = read(text, **changes)
    assert isinstance(refusal, Refusal)
    assert refusal.reason is wanted
    for sentence in (say(refusal), say_instead(refusal)):
        assert "–" not in sentence, "a fact is missing"
        assert sentence.endswith(".")


def test_there_is_a_real_code_for_every_reason() -> None:
    assert {wanted for wanted, _text, _changes in REFUSALS} == set(CodeReason)


def test_a_code_of_this_moment_is_taken_by_a_clock_that_is_a_little_slow_and_never_after_its_end() -> None:
    slow = NOW - 2 * MINUTE
    assert isinstance(read(text_of(PASS), now=slow, keys=(replace(KEY, valid_from=NOW),)), SignedCode)
    assert isinstance(read(text_of(PASS), now=PASS.expires_at - timedelta(microseconds=1)), SignedCode)
    assert reason(text_of(PASS), now=PASS.expires_at) == "code-expired"


def test_a_use_of_another_issuers_code_with_the_same_number_is_no_replay() -> None:
    assert isinstance(read(text_of(PASS), seen={f"{GIFTCO.id}:{CODE_ID}"}), SignedCode)


def test_a_code_by_the_next_key_counts_beside_one_by_the_earlier_until_that_ends() -> None:
    earlier, later = write_code(CARD, SECRET), write_code(CARD, NEXT_SECRET)
    assert isinstance(read(earlier), SignedCode)
    assert isinstance(read(later), SignedCode)
    ended = (replace(KEY, valid_until=NOW + DAY), NEXT_KEY)
    assert reason(earlier, keys=ended, now=NOW + DAY) == "code-key-not-valid"
    assert isinstance(read(later, keys=ended, now=NOW + DAY), SignedCode)


def changed(code: SignedCode, **parts: Any) -> dict[Any, Any]:
    """The claims of a code with others in their place; `_` before the number of a claim, None for one that is left out."""
    said: dict[Any, Any] = cbor2.loads(claims.encode(code))
    for name, value in parts.items():
        number = claims.DETAILS if name == "details" else int(name.strip("_"))
        said[number] = value
        if value is None:
            del said[number]
    return said


NOW_S = int(NOW.timestamp())
OTHER_CLAIMS: list[dict[str, Any]] = [
    {"_7": bytes(8)},
    {"_1": "chain"},
    {"_8": 1},
    {"_2": None},
    {"_3": None},
    {"_4": None},
    {"_6": None},
    {"_2": ""},
    {"_2": 5},
    {"_2": b"m1"},
    {"_2": "m" * 81},
    {"_2": "m1\u202e"},
    {"_2": "m1\n"},
    {"_4": -1},
    {"_4": 2**32},
    {"_4": str(NOW_S)},
    {"_4": NOW_S},
    {"_6": NOW_S + 40 * 86_400},
    {"details": []},
    {"details": ["gold", 1]},
    {"details": [1, "gold"]},
    {"details": [1, "gold", 1, 1]},
    {"details": [1, "gold", "1"]},
    {"details": [1, "gold", -1]},
    {"details": [1, "gold", 10**13]},
    {"details": [1, ["gold"], 1]},
    {"details": {1: 1}},
]
SOUNDLY_SIGNED_AND_WRONG: list[bytes] = [
    b"",
    b"\xa0",
    cbor.encode([1, 2]),
    *(cbor.encode(changed(CARD, **parts)) for parts in OTHER_CLAIMS),
    cbor.encode(changed(PASS, _4=NOW_S + 3600)),
    cbor.encode(changed(PASS, _7=bytes(7))),
    cbor.encode(changed(PASS, _7=bytes(17))),
    cbor.encode(changed(COUPON, details=[3, UUID_A, "c", [], []])),
    cbor.encode(changed(COUPON, details=[3, bytes(15), "c", [], []])),
    cbor.encode(changed(COUPON, details=[3, "c", "c", "xinyi", []])),
    cbor.encode(changed(COUPON, details=[3, "c", "c", [""], []])),
    cbor.encode(changed(COUPON, details=[3, "c", "c", [[["deep"]]], []])),
    cbor.encode(changed(COUPON, details=[3, "c", "c", ["s"] * 21, []])),
    # Not the one way to write it.
    cbor2.dumps(cbor2.CBORTag(61, changed(CARD))),
    cbor2.dumps(changed(CARD, _4=float(NOW_S + 86_400))),
    cbor2.dumps(changed(CARD, details=[1, "gold", True])),
    cbor2.dumps(changed(CARD, details=[1, "gold", None])),
    cbor2.dumps(changed(CARD, details=[1, "gold", 2**70])),
    cbor2.dumps(dict(reversed(changed(CARD).items()))),
    cbor2.dumps(changed(CARD), indefinite_containers=True),
    claims.encode(CARD).replace(b"\x82\x01", b"\x98\x02\x01"),
    b"\xa6" + claims.encode(CARD)[1:] + b"\x02\x61m",
    claims.encode(CARD).replace(b"gold", b"go\xff\xfe"),
    claims.encode(CARD).replace(b"\x64gold", b"\x78\x04gold"),
    b"\x9b" + b"\xff" * 8,
    b"\x5b" + b"\xff" * 8,
    b"\xbb" + b"\xff" * 8,
    b"\x81" * 60,
    b"\xc2\x41\x01",
    b"\xd8\x23\x61(",
]


@pytest.mark.parametrize("payload", SOUNDLY_SIGNED_AND_WRONG, ids=range(len(SOUNDLY_SIGNED_AND_WRONG)))
def test_what_is_soundly_signed_in_another_form_is_malformed(payload: bytes) -> None:
    if payload != claims.encode(CARD):
        assert reason(signed(payload)) == "code-malformed"


PROTECTED = cbor.encode({1: -8, 4: bytes.fromhex(KEY.id)})


@pytest.mark.parametrize(
    "parts",
    [
        [1],
        {},
        "text",
        [PROTECTED, {}, b"p"],
        [PROTECTED, {}, b"p", b"s" * 64, b""],
        [PROTECTED, {4: b"kkkk"}, b"p", b"s" * 64],
        [PROTECTED, [], b"p", b"s" * 64],
        [PROTECTED, {}, "p", b"s" * 64],
        [PROTECTED, {}, b"p", b"s" * 63],
        [PROTECTED, {}, b"p", 5],
        [{1: -8}, {}, b"p", b"s" * 64],
        [b"", {}, b"p", b"s" * 64],
        [cbor.encode({1: -8}), {}, b"p", b"s" * 64],
        [cbor.encode({1: -8, 4: "kkkk"}), {}, b"p", b"s" * 64],
        [cbor.encode({1: -8, 4: b"kkkkk"}), {}, b"p", b"s" * 64],
        [cbor.encode({1: -8, 2: [1], 4: b"kkkk"}), {}, b"p", b"s" * 64],
    ],
)
def test_an_envelope_of_another_form_is_malformed(parts: Any) -> None:
    assert reason(as_text(cbor.encode(parts))) == "code-malformed"
    tagged = cbor2.dumps(cbor2.CBORTag(18, cbor2.loads(bytes_of(text_of(CARD)))))
    assert reason(as_text(tagged)) == "code-malformed"


def mutations_of(data: bytes) -> Iterator[bytes]:
    """Every bit turned, every byte left out, doubled, or joined by some other."""
    for place in range(len(data)):
        for bit in range(8):
            yield data[:place] + bytes([data[place] ^ 1 << bit]) + data[place + 1 :]
        yield data[:place] + data[place + 1 :]
        for more in (0, 1, data[place], 0xFF):
            yield data[:place] + bytes([more]) + data[place:]


@pytest.mark.parametrize("code", [CARD, COUPON, VOUCHER], ids=lambda code: str(code.kind))
def test_no_byte_of_a_code_can_be_turned_left_out_or_added(code: SignedCode) -> None:
    data = bytes_of(text_of(code))
    tried = {mutated for mutated in mutations_of(data) if mutated != data}
    assert len(tried) > 10 * len(data)
    assert [mutated.hex() for mutated in tried if not isinstance(read(as_text(mutated)), Refusal)] == []


def test_no_character_of_a_code_can_be_another() -> None:
    text = text_of(CARD)
    taken = [
        (place, letter)
        for place in range(len(text))
        for letter in base45.ALPHABET
        if letter != text[place] and not isinstance(read(text[:place] + letter + text[place + 1 :]), Refusal)
    ]
    assert taken == []


EDITS = st.binary(min_size=4, max_size=20)
"""Which code, and then three bytes an edit. One draw, as five thousand examples are to take seconds."""


def edited(data: bytes, edits: bytes) -> bytes:
    """The bytes with some turned, put in, or left out."""
    changing = bytearray(data)
    for kind, where, value in zip(edits[::3], edits[1::3], edits[2::3], strict=False):
        place = where % len(changing)
        if kind % 3 == 0:
            changing[place] ^= value
        elif kind % 3 == 1:
            changing.insert(place, value)
        else:
            del changing[place]
    return bytes(changing)


SEALED = [bytes_of(text_of(code)) for code in CODES]
PAYLOADS = [claims.encode(code) for code in CODES]


@settings(max_examples=5000, deadline=None, database=None)
@given(EDITS)
def test_no_edit_of_a_code_is_taken_and_none_crashes(edits: bytes) -> None:
    sealed = SEALED[edits[0] % len(CODES)]
    data = edited(sealed, edits[1:])
    if data != sealed:
        assert isinstance(read(as_text(data)), Refusal)


@settings(max_examples=1500, deadline=None, database=None)
@given(EDITS)
def test_whatever_a_key_signs_is_refused_or_is_the_one_way_to_say_it(edits: bytes) -> None:
    code = CODES[edits[0] % len(CODES)]
    payload = edited(PAYLOADS[edits[0] % len(CODES)], edits[1:])
    found = read(signed(payload, secret_for(code)))
    if isinstance(found, SignedCode):
        assert claims.encode(found if found.kind is CodeKind.VOUCHER else replace(found, issuer="")) == payload


@settings(max_examples=500, deadline=None, database=None)
@given(
    st.one_of(st.text(max_size=400), st.binary(max_size=200).map(as_text), st.text(base45.ALPHABET).map(PREFIX.__add__))
)
def test_no_text_crashes_the_reader(text: str) -> None:
    assert isinstance(read(text), Refusal)


@pytest.mark.parametrize(
    "code",
    [
        replace(CARD, subject=""),
        replace(CARD, subject="m\u200b1"),
        replace(CARD, subject="m\ud800"),
        replace(CARD, points=-1),
        replace(CARD, expires_at=NOW),
        replace(CARD, issued_at=None),
        replace(PASS, code_id=""),
        replace(PASS, code_id="xyz"),
        replace(PASS, expires_at=NOW + 16 * MINUTE),
        replace(COUPON, stores=("",)),
        replace(COUPON, stores=tuple(f"store-{number:02}" for number in range(20))),
    ],
)
def test_a_code_that_nobody_could_read_is_not_written(code: SignedCode) -> None:
    with pytest.raises(Trouble):
        text_of(code)


def test_the_same_code_is_written_the_same_and_fractions_of_a_second_are_dropped() -> None:
    assert text_of(CARD) == text_of(replace(CARD, issued_at=NOW + timedelta(microseconds=999_999)))


@pytest.mark.parametrize("coupon_id", [UUID_A, UUID_A.upper(), uuid.UUID(UUID_A).hex, "c-1"])
def test_an_id_comes_back_as_it_was_whether_it_is_a_uuid_or_only_looks_like_one(coupon_id: str) -> None:
    found = read(text_of(replace(COUPON, coupon_id=coupon_id, stores=())))
    assert isinstance(found, SignedCode)
    assert found.coupon_id == coupon_id


SCANS = [
    (CARD, ScanKind.MEMBER_CODE, "m0000001"),
    (PASS, ScanKind.MEMBER_CODE, "m0000001"),
    (JOIN, ScanKind.MEMBER_CODE, UUID_A),
    (COUPON, ScanKind.COUPON, UUID_A),
    (VOUCHER, ScanKind.COUPON, "V-77"),
    (PICKUP, ScanKind.PICKUP_CODE, UUID_A),
    (BADGE, ScanKind.STAFF_BADGE, "yating"),
]


@pytest.mark.parametrize(("code", "kind", "value"), SCANS, ids=lambda value: str(value)[:12])
def test_a_signed_code_is_one_of_the_kinds_that_a_counter_knows(code: SignedCode, kind: ScanKind, value: str) -> None:
    scan = read_scan(text_of(code) + "\r\n", read_signed=signed_reader(read))
    assert isinstance(scan, SignedScan)
    assert (scan.kind, scan.value, scan.reason, scan.refusal) == (kind, value, None, None)
    assert scan.signed
    assert scan.signed.kind is code.kind


def test_a_signed_code_that_is_refused_is_unknown_and_says_why() -> None:
    text = text_of(replace(CARD, chain="othera"))
    scan = read_scan(text, read_signed=signed_reader(read))
    assert isinstance(scan, SignedScan)
    assert (scan.kind, scan.value, scan.reason) == (ScanKind.UNKNOWN, text, ScanReason.SIGNED_CODE)
    assert scan.refusal == Refusal(CodeReason.OTHER_CHAIN)
    assert scan.signed is None
