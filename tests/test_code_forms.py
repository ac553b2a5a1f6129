"""The one form of a signed code: that of the RFCs and of other libraries, and nothing that was touched is believed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import cbor2
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from store_agent.codes import PREFIX, SignedCode, base45, cbor, claims, cose, write_code
from store_agent.domain.keys import CodeKind
from store_agent.domain.operation import Refusal
from tests.signed_examples import (
    CARD,
    CODES,
    COUPON,
    KEY,
    KEYS,
    NOW,
    PASS,
    SECRET,
    UUID_A,
    VOUCHER,
    as_text,
    bytes_of,
    read,
    reason,
    secret_for,
    signed,
    text_of,
)


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
