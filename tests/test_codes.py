"""Signed codes: every kind comes back as it was said, and each way to be wrong is refused by its own name."""

from __future__ import annotations

import uuid
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
import qrcode

from store_agent import qr
from store_agent.codes import PREFIX, SignedCode, SignedScan, cbor, claims, signed_reader, write_code
from store_agent.codes.reading import CHARACTERS_MOST
from store_agent.domain.keys import CodeKind, CodeReason
from store_agent.domain.operation import Refusal
from store_agent.optics import read_luminance
from store_agent.scan import ScanKind, ScanReason, read_scan
from store_agent.trouble import Trouble
from store_agent.words.refusals import say, say_instead
from tests.signed_examples import (
    ALL,
    BADGE,
    CARD,
    CHAIN,
    CODE_ID,
    CODES,
    COUPON,
    DAY,
    GIFTCO,
    GIFTCO_SECRET,
    JOIN,
    KEY,
    MINUTE,
    NEXT_KEY,
    NEXT_SECRET,
    NOW,
    PASS,
    PICKUP,
    SECRET,
    UUID_A,
    UUID_B,
    VOUCHER,
    as_text,
    bytes_of,
    read,
    reason,
    signed,
    text_of,
    used,
)


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
    (CodeReason.REPLAYED, text_of(PASS), {"refuse_used": used(f"{KEY.id}:{CODE_ID}")}),
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
    # In which money a till counts is a desk's question.
    assert {wanted for wanted, _text, _changes in REFUSALS} == set(CodeReason) - {CodeReason.OTHER_CURRENCY}


def test_a_code_of_this_moment_is_taken_by_a_clock_that_is_a_little_slow_and_never_after_its_end() -> None:
    slow = NOW - 2 * MINUTE
    assert isinstance(read(text_of(PASS), now=slow, keys=(replace(KEY, valid_from=NOW),)), SignedCode)
    assert isinstance(read(text_of(PASS), now=PASS.expires_at - timedelta(microseconds=1)), SignedCode)
    assert reason(text_of(PASS), now=PASS.expires_at) == "code-expired"


def test_a_use_of_another_issuers_code_with_the_same_number_is_no_replay() -> None:
    assert isinstance(read(text_of(PASS), refuse_used=used(f"{GIFTCO.id}:{CODE_ID}")), SignedCode)


def test_a_code_by_the_next_key_counts_beside_one_by_the_earlier_until_that_ends() -> None:
    earlier, later = write_code(CARD, SECRET), write_code(CARD, NEXT_SECRET)
    assert isinstance(read(earlier), SignedCode)
    assert isinstance(read(later), SignedCode)
    ended = (replace(KEY, valid_until=NOW + DAY), NEXT_KEY)
    assert reason(earlier, keys=ended, now=NOW + DAY) == "code-key-not-valid"
    assert isinstance(read(later, keys=ended, now=NOW + DAY), SignedCode)


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
