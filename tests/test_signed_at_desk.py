"""Every kind of signed code at a desk, and each way in which it can be wrong: its own refusal, in every language."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from store_agent.codes import SignedCode, cbor, cose, write_code
from store_agent.codes.cose import seal
from store_agent.desk import pickups, proofs, scans, vouchers
from store_agent.desk.counter import Counter
from store_agent.domain.code_uses import CodeUse
from store_agent.domain.keys import CodeKind, CodeReason
from store_agent.domain.members import Member
from store_agent.domain.operation import Refusal
from store_agent.domain.pickups import IdentityCheck
from store_agent.scan import ScanKind
from store_agent.words import LANGUAGES, language, use_language
from store_agent.words.refusals import say, say_instead
from tests.counter_fixture import LI, STORE, WANG, HeldClock, absorb, counter_at, open_store
from tests.screen_text import scan, screen_text
from tests.signed_examples import (
    BADGE,
    CARD,
    CODES,
    COUPON,
    DAY,
    GIFTCO,
    GIFTCO_SECRET,
    JOIN,
    KEY,
    NEXT_SECRET,
    NOW,
    PASS,
    PICKUP,
    SECRET,
    VOUCHER,
    as_text,
    bytes_of,
    secret_for,
)
from tests.test_counter import press
from tui.app import StoreApp

SHOPS = (STORE,)
SUBJECTS = {
    CodeKind.MEMBER_CARD: {"subject": WANG},
    CodeKind.MEMBER_PASS: {"subject": WANG},
    CodeKind.JOIN: {"subject": LI, "stores": SHOPS},
    CodeKind.COUPON: {"subject": WANG, "coupon_id": "k-c85", "campaign_id": "c85", "stores": SHOPS},
    CodeKind.PICKUP: {"subject": "o-ready", "order_no": "W1001", "stores": SHOPS},
    CodeKind.VOUCHER: {"stores": SHOPS},
    CodeKind.STAFF_BADGE: {"subject": "s-mei", "stores": SHOPS},
}
"""Of what this store has."""
GOOD = tuple(replace(code, **SUBJECTS[code.kind]) for code in CODES)  # type: ignore[arg-type]
MINUTE = timedelta(minutes=1)


def text_of(code: SignedCode, **changes: Any) -> str:
    return write_code(replace(code, **changes), secret_for(code))


def forged(code: SignedCode) -> str:
    """By somebody who has the key's id, but not the key."""
    sound = cose.unseal(bytes_of(text_of(code)))
    other = cose.unseal(seal(sound.payload, NEXT_SECRET))
    return as_text(cbor.encode([sound.protected, {}, sound.payload, other.signature]))


def altered(code: SignedCode) -> str:
    """One letter of what it says was changed, under the signature that it had."""
    sound = cose.unseal(bytes_of(text_of(code)))
    payload = bytearray(sound.payload)
    place = payload.index(code.subject[-1:].encode() if code.subject else code.chain[-1:].encode())
    payload[place] ^= 1
    return as_text(cbor.encode([sound.protected, {}, bytes(payload), sound.signature]))


def other(kind: CodeKind) -> CodeKind:
    return CodeKind.STAFF_BADGE if kind is not CodeKind.STAFF_BADGE else CodeKind.MEMBER_CARD


SCOPED = {code.kind for code in GOOD if code.stores}
ONCE = {code.kind for code in GOOD if code.use_id}
WAYS: dict[str, CodeReason] = {
    "forged": CodeReason.FORGED,
    "altered": CodeReason.FORGED,
    "expired": CodeReason.EXPIRED,
    "not yet": CodeReason.NOT_YET,
    "other chain": CodeReason.OTHER_CHAIN,
    "other store": CodeReason.OTHER_STORE,
    "revoked key": CodeReason.REVOKED_KEY,
    "unknown key": CodeReason.UNKNOWN_KEY,
    "replayed": CodeReason.REPLAYED,
    "wrong type": CodeReason.WRONG_KIND,
    "wrong signer": CodeReason.NOT_ENTITLED,
    "trailing": CodeReason.TRAILING,
}
APPLIES = [
    pytest.param(code, way, id=f"{code.kind}-{way}")
    for code in GOOD
    for way in WAYS
    if (way != "other store" or code.kind in SCOPED) and (way != "replayed" or code.kind in ONCE)
]


@pytest.fixture
def counter(tmp_path: Path) -> Iterator[Counter]:
    before = language()
    with open_store(tmp_path) as replica:
        absorb(replica, [replace(one, valid_from=NOW - 9 * DAY, valid_until=None) for one in (KEY, GIFTCO)])
        yield counter_at(replica, HeldClock(NOW))
    use_language(before)


def wrong_in(counter: Counter, code: SignedCode, way: str) -> tuple[str, dict[str, Any]]:
    """The text of a code that is wrong in one way, and what else is as it should not be."""
    match way:
        case "forged":
            return forged(code), {}
        case "altered":
            return altered(code), {}
        case "expired":
            counter.clock = HeldClock(code.expires_at)
        case "not yet":
            counter.clock = HeldClock(code.starts_at - 3 * MINUTE)
        case "other chain":
            return text_of(code, chain="othera"), {}
        case "other store":
            return text_of(code, stores=("hkg-001",)), {}
        case "revoked key":
            by = GIFTCO if code.kind is CodeKind.VOUCHER else KEY
            absorb(counter.replica, [replace(by, revoked_at=NOW - DAY)], revision=5)
        case "unknown key":
            return write_code(code, NEXT_SECRET), {}
        case "replayed":
            use(counter, code)
        case "wrong type":
            return text_of(code), {"wanted": [other(code.kind)]}
        case "wrong signer":
            by_another = SECRET if code.kind is CodeKind.VOUCHER else GIFTCO_SECRET
            return write_code(code, by_another), {}
        case "trailing":
            return as_text(bytes_of(text_of(code)) + b"\0"), {}
    return text_of(code), {}


def use(counter: Counter, code: SignedCode) -> None:
    """Take it once, with the verb that takes such a code."""
    signed = scans.signed_in(scans.read(counter, text_of(code)))
    assert signed is not None
    if code.kind is CodeKind.VOUCHER:
        assert vouchers.take(counter, signed) is None
    elif code.kind is CodeKind.PICKUP:
        shown = proofs.shown(signed)
        assert pickups.hand_over(counter, "o-ready", IdentityCheck.CODE, shown=shown, paid_here=True) is None
    else:
        assert counter.accept(*proofs.use_up(counter, [proofs.shown(signed)], "p1", WANG)) is None


@pytest.mark.parametrize("code", GOOD, ids=lambda code: str(code.kind))
def test_each_kind_is_taken_and_names_what_this_store_has(counter: Counter, code: SignedCode) -> None:
    found = scans.read(counter, text_of(code))
    assert scans.refusal_of(found) is None
    tables = {
        ScanKind.MEMBER_CODE: "member",
        ScanKind.PICKUP_CODE: "pickup",
        ScanKind.STAFF_BADGE: "staff",
        ScanKind.COUPON: "coupon",
    }
    row = scans.row_of(counter, tables[found.kind], found)
    assert (row is None) is (code.kind is CodeKind.VOUCHER)


@pytest.mark.parametrize(("code", "way"), APPLIES)
def test_each_kind_that_is_wrong_in_some_way_is_refused_for_that_in_every_language(
    counter: Counter, code: SignedCode, way: str
) -> None:
    text, more = wrong_in(counter, code, way)
    refusal = scans.refusal_of(scans.read(counter, text, **more))
    assert isinstance(refusal, Refusal)
    assert refusal.reason is WAYS[way]
    said = set()
    for spoken in LANGUAGES:
        use_language(spoken)
        assert "–" not in say(refusal) + say_instead(refusal), "a fact is missing"
        said.add(say(refusal))
    assert len(said) >= 2, "Chinese is not English"


@pytest.mark.parametrize("spoken", LANGUAGES)
def test_no_two_ways_have_the_same_words(spoken: str) -> None:
    before = language()
    use_language(spoken)
    said = [say(Refusal(reason)) for reason in CodeReason]
    use_language(before)
    assert len(set(said)) == len(said)


def test_a_voucher_is_taken_once_and_written_down_for_the_settling(counter: Counter) -> None:
    voucher = next(code for code in GOOD if code.kind is CodeKind.VOUCHER)
    use(counter, voucher)
    row: CodeUse = counter.replica.view.get(CodeUse.table, f"{GIFTCO.id}:{voucher.code_id}")
    assert (row.issuer, row.number, row.amount_minor, row.currency) == ("giftco", "V-77", 10000, "TWD")
    signed = replace(voucher, key_id=GIFTCO.id)
    again = vouchers.take(counter, signed)
    assert again is not None
    assert again.reason is CodeReason.REPLAYED
    foreign = vouchers.take(counter, replace(signed, currency="HKD", code_id="11" * 8))
    assert foreign is not None
    assert foreign.reason is CodeReason.OTHER_CURRENCY


async def test_by_keys_a_voucher_is_asked_for_once_and_the_second_scan_says_so(counter: Counter) -> None:
    use_language("en")
    voucher = text_of(next(code for code in GOOD if code.kind is CodeKind.VOUCHER))
    app = StoreApp(counter)
    async with app.run_test(size=(80, 24)) as pilot:
        await scan(pilot, voucher)
        assert "NT$10,000" in screen_text(app)
        shown = await press(pilot, "enter")
        assert "Enter NT$10,000 at the till" in shown
        await scan(pilot, voucher)
        assert "already used" in screen_text(app)


async def test_by_keys_a_signed_pickup_code_hands_over_and_counts_once(counter: Counter) -> None:
    use_language("en")
    code = text_of(next(code for code in GOOD if code.kind is CodeKind.PICKUP))
    app = StoreApp(counter)
    async with app.run_test(size=(80, 24)) as pilot:
        await scan(pilot, code)
        assert "Hand over an order" in screen_text(app)
        assert "handed over" in await press(pilot, "f2", "enter")
        await scan(pilot, code)
        assert "already used" in screen_text(app)


async def test_by_keys_whom_the_store_never_saw_is_served_and_earns_by_the_card(counter: Counter) -> None:
    use_language("en")
    card = replace(CARD, subject="m-elsewhere", tier="gold", points=1234)
    app = StoreApp(counter)
    async with app.run_test(size=(80, 24)) as pilot:
        await scan(pilot, text_of(card))
        shown = screen_text(app)
        for expected in ("By their card", "gold", "1,234 points", "as of"):
            assert expected in shown
        shown = await press(pilot, *"=350", "enter", "f2", "enter")
        assert "Points 1,234 → 1,269." in shown
        assert "1,269 points" in shown
    kinds = {entry.operation.kind: entry.operation for entry in counter.replica.view.waiting()}
    assert set(kinds) == {"record-purchase", "earn-points"}
    assert {getattr(operation, "member_id", "") for operation in kinds.values()} == {"m-elsewhere"}


async def test_by_keys_a_code_of_someone_who_just_joined_serves_them_once(counter: Counter) -> None:
    use_language("en")
    join = text_of(replace(JOIN, subject="m-online", stores=SHOPS))
    app = StoreApp(counter)
    async with app.run_test(size=(80, 24)) as pilot:
        await scan(pilot, join)
        assert "By their card" in screen_text(app)
        await press(pilot, *"=350", "enter", "f2", "enter", "f9")
        await scan(pilot, join)
        assert "already used" in screen_text(app)


async def test_by_keys_a_signed_badge_says_who_stands_here(counter: Counter) -> None:
    use_language("en")
    app = StoreApp(counter)
    async with app.run_test(size=(80, 24)) as pilot:
        await scan(pilot, text_of(replace(BADGE, subject="s-mei", stores=SHOPS)))
        assert "林美" in screen_text(app)
    assert counter.staff == "s-mei"


def test_the_examples_hold_one_of_each_kind() -> None:
    assert (
        {code.kind for code in GOOD}
        == set(CodeKind)
        == {CARD.kind, PASS.kind, COUPON.kind, PICKUP.kind}
        | {
            VOUCHER.kind,
            BADGE.kind,
            JOIN.kind,
        }
    )


async def test_by_keys_the_rows_of_whom_a_card_served_replace_it_when_they_come_and_the_pass_still_counts(
    counter: Counter,
) -> None:
    use_language("en")
    seen = replace(PASS, subject="m-elsewhere", issued_at=NOW, expires_at=NOW + 5 * MINUTE)

    async def sight(_phone: str, code: str) -> str:
        absorb(counter.replica, [Member(id=code, phone="+886977000111", name="遠方客")], revision=9)
        return code

    app = StoreApp(counter, sight=sight)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, *"=350", "enter")
        await scan(pilot, text_of(seen))
        await pilot.pause()
        shown = screen_text(app)
        assert "遠方客" in shown
        assert "By their card" not in shown
        assert "NT$350" in shown
        visit = app.screen.visit  # type: ignore[attr-defined]
        assert visit.proof.may_spend_of("m-elsewhere")
        assert visit.card is None
