"""Keys and codes at the centre: made, followed, revoked, minted from the ledger, and believed in a store by its stream."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from nacl.signing import SigningKey

from store_agent.codes import SignedCode, key_id_of, read_code, write_code
from store_agent.domain.benefits import Benefit, BenefitKind
from store_agent.domain.campaigns import Campaign
from store_agent.domain.coupons import Coupon
from store_agent.domain.keys import CodeKind, CodeReason, Key
from store_agent.domain.members import Member, Tier
from store_agent.domain.operation import Refusal
from store_agent.domain.pickups import Pickup
from store_agent.domain.points import Account, Batch
from store_agent.domain.stores import Staff
from sync.central.office.minting import LIVES
from sync.central.office.signing import NOTICE
from tests.chain import SEALING, Chain, StoreAtEnd

GIFTCO_SECRET = bytes(range(32))
GIFTCO_PUBLIC = bytes(SigningKey(GIFTCO_SECRET).verify_key)
PHONE = "+886912345678"


async def ask(chain: Chain, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
    """A request of head office; what is answered."""
    async with chain.http() as http:
        content = None if body is None else msgspec.json.encode(body)
        answer = await http.request(method, "/v1/admin/" + path, content=content)
    assert answer.status_code == status, answer.text
    return answer.json()


async def make_key(chain: Chain, **body: Any) -> Key:
    return msgspec.convert(await ask(chain, "POST", "keys", body), Key)


async def mint(chain: Chain, kind: CodeKind, **body: Any) -> str:
    return str((await ask(chain, "POST", "codes", {"kind": kind, **body}))["code"])


def read(store: StoreAtEnd, text: str, now: datetime, *key_ids: str) -> SignedCode | Refusal:
    """What a store makes of a code, with nothing but the rows that its stream brought."""
    keys = [key for id_ in key_ids if (key := store.row("key", id_))]
    return read_code(text, keys, now, keys[0].chain if keys else "", store.id)


def reason(found: SignedCode | Refusal) -> str | None:
    return str(found.reason) if isinstance(found, Refusal) else None


@pytest.fixture
async def sold(chain: Chain) -> StoreAtEnd:
    """A store and a ledger with one of each thing that a code can be for. The store holds none of the members."""
    store = await chain.store("s1")
    now = chain.clock.now()
    await chain.write(
        Member(id="m1", phone=PHONE, name="王小明", tier=Tier.GOLD),
        Account(id="m1", batches=(Batch("o1", 120, now + timedelta(days=99)),)),
        Campaign(id="c85", benefit=Benefit(kind=BenefitKind.PERCENT, pay_percent=85)),
        Coupon(id="k1", campaign_id="c85", member_id="m1", valid_until=now + timedelta(days=3)),
        Coupon(id="k2", campaign_id="c85"),
        Pickup(id="p1", order_no="W-1", store="s1", placed_at=now),
        Staff(id="yating", name="Yating", store="s1"),
    )
    return store


ASKED: dict[CodeKind, dict[str, Any]] = {
    CodeKind.MEMBER_CARD: {"member_id": "m1"},
    CodeKind.MEMBER_PASS: {"phone": "0912-345-678"},
    CodeKind.JOIN: {"member_id": "m1", "stores": ["s1"]},
    CodeKind.COUPON: {"coupon_id": "k1", "channels": ["store"]},
    CodeKind.PICKUP: {"order_no": "W-1"},
    CodeKind.VOUCHER: {"issuer": "giftco", "number": "V-77", "amount_minor": 100},
    CodeKind.STAFF_BADGE: {"staff_id": "yating"},
}
SUBJECTS = {
    CodeKind.COUPON: "m1",
    CodeKind.PICKUP: "p1",
    CodeKind.VOUCHER: "V-77",
    CodeKind.STAFF_BADGE: "yating",
}


@pytest.mark.parametrize("kind", list(CodeKind))
async def test_a_code_of_every_kind_is_made_by_the_centre_and_believed_with_the_cable_out(
    chain: Chain, sold: StoreAtEnd, kind: CodeKind
) -> None:
    keys = [await make_key(chain), await make_key(chain, issuer="giftco")]
    await sold.settle()
    sold.cable.plugged = False
    code = read(sold, await mint(chain, kind, **ASKED[kind]), chain.clock.now(), *(key.id for key in keys))
    assert isinstance(code, SignedCode)
    assert (code.kind, code.subject) == (kind, SUBJECTS.get(kind, "m1"))
    assert code.issuer == ("giftco" if kind is CodeKind.VOUCHER else "chain")


async def test_a_card_serves_a_member_whom_the_store_never_saw(chain: Chain, sold: StoreAtEnd) -> None:
    key = await make_key(chain)
    await sold.settle()
    assert sold.row("member", "m1") is None
    code = read(sold, await mint(chain, CodeKind.MEMBER_CARD, phone=PHONE), chain.clock.now(), key.id)
    assert isinstance(code, SignedCode)
    assert (code.member_id, code.tier, code.points, code.may_spend) == ("m1", "gold", 120, False)
    assert code.expires_at - code.starts_at == LIVES[CodeKind.MEMBER_CARD]


async def test_a_coupons_code_ends_with_the_coupon_and_a_bearers_belongs_to_nobody(
    chain: Chain, sold: StoreAtEnd
) -> None:
    key = await make_key(chain)
    await sold.settle()
    bound = read(sold, await mint(chain, CodeKind.COUPON, coupon_id="k1"), chain.clock.now(), key.id)
    bearer = read(sold, await mint(chain, CodeKind.COUPON, coupon_id="k2"), chain.clock.now(), key.id)
    assert isinstance(bound, SignedCode)
    assert isinstance(bearer, SignedCode)
    assert bound.expires_at == chain.clock.now() + timedelta(days=3)
    assert (bound.member_id, bearer.member_id, bearer.campaign_id) == ("m1", "", "c85")
    assert bound.use_id != bearer.use_id


async def test_the_next_key_is_heard_of_before_it_signs_and_the_earlier_one_goes_on_counting(
    chain: Chain, sold: StoreAtEnd
) -> None:
    first = await make_key(chain)
    card = await mint(chain, CodeKind.MEMBER_CARD, member_id="m1", expires_at=_in(chain, 300))
    second = await make_key(chain, overlap_days=10)
    assert second.valid_from == chain.clock.now() + NOTICE
    await sold.settle()
    ids = (first.id, second.id)
    asked = {"kind": CodeKind.MEMBER_CARD, "member_id": "m1"}
    assert (await ask(chain, "POST", "codes", asked))["key_id"] == first.id
    chain.clock.move(days=1)
    sold.cable.plugged = False
    minted = await ask(chain, "POST", "codes", asked)
    assert minted["key_id"] == second.id
    for text in (card, minted["code"]):
        assert isinstance(read(sold, text, chain.clock.now(), *ids), SignedCode)
    assert await chain.ask("select key_id from signing_secret") == [(second.id,)], "nothing is signed with the first"
    chain.clock.move(days=10)
    assert reason(read(sold, card, chain.clock.now(), *ids)) == "code-key-not-valid"
    assert isinstance(read(sold, minted["code"], chain.clock.now(), *ids), SignedCode)


def _in(chain: Chain, days: int) -> str:
    return (chain.clock.now() + timedelta(days=days)).isoformat()


async def test_two_keys_of_an_issuer_are_active_at_a_time(chain: Chain) -> None:
    first, second = await make_key(chain), await make_key(chain)
    declined = await ask(chain, "POST", "keys", {}, status=409)
    assert declined["error"] == "keys-active"
    await make_key(chain, issuer="giftco")
    await ask(chain, "POST", f"keys/{second.id}/revoke")
    third = await make_key(chain)
    assert third.valid_from == chain.clock.now() + NOTICE, "the first one still signs"
    listed = await ask(chain, "GET", "keys")
    assert [key["id"] for key in listed if key["issuer"] == "chain"][-1] == first.id
    assert {key["id"] for key in listed} >= {first.id, second.id, third.id}
    assert len({key["chain"] for key in listed}) == 1


async def test_a_revocation_arrives_in_the_stream_and_ends_every_code_by_that_key(
    chain: Chain, sold: StoreAtEnd
) -> None:
    key = await make_key(chain)
    card = await mint(chain, CodeKind.MEMBER_CARD, member_id="m1")
    await sold.settle()
    revoked = await ask(chain, "POST", f"keys/{key.id}/revoke")
    assert isinstance(read(sold, card, chain.clock.now(), key.id), SignedCode), "it has not heard of it yet"
    await sold.settle()
    assert reason(read(sold, card, chain.clock.now(), key.id)) == CodeReason.REVOKED_KEY
    chain.clock.move(hours=1)
    assert await ask(chain, "POST", f"keys/{key.id}/revoke") == revoked, "the first time counts"
    assert await chain.ask("select * from signing_secret") == []
    asked = {"kind": "member-card", "member_id": "m1"}
    assert (await ask(chain, "POST", "codes", asked, status=409))["error"] == "key-missing"
    assert (await make_key(chain)).valid_from == chain.clock.now(), "no other key signs"
    assert (await ask(chain, "POST", "keys/00000000/revoke", status=404))["error"] == "key-unknown"


async def test_a_third_party_signs_vouchers_with_a_key_of_its_own_and_nothing_else(
    chain: Chain, sold: StoreAtEnd
) -> None:
    key = await make_key(chain, issuer="giftco", public_key=GIFTCO_PUBLIC.hex())
    assert (key.id, key.purposes) == (key_id_of(GIFTCO_PUBLIC), ("voucher",))
    await sold.settle()
    now = chain.clock.now()
    voucher = SignedCode(
        kind=CodeKind.VOUCHER,
        chain=key.chain,
        issuer="giftco",
        subject="V-1",
        code_id="00" * 8,
        valid_from_at=now,
        expires_at=now + timedelta(days=9),
        amount_minor=500,
        currency="TWD",
    )
    card = SignedCode(
        kind=CodeKind.MEMBER_CARD, chain=key.chain, subject="m1", issued_at=now, expires_at=now + timedelta(days=9)
    )
    assert isinstance(read(sold, write_code(voucher, GIFTCO_SECRET), now, key.id), SignedCode)
    assert reason(read(sold, write_code(card, GIFTCO_SECRET), now, key.id)) == CodeReason.NOT_ENTITLED
    assert (await ask(chain, "POST", "codes", {"kind": "voucher", **ASKED[CodeKind.VOUCHER]}, status=409))[
        "error"
    ] == "key-missing"
    again = {"issuer": "giftco", "public_key": GIFTCO_PUBLIC.hex()}
    assert (await ask(chain, "POST", "keys", again, status=409))["error"] == "key-known"


@pytest.mark.parametrize(
    "body",
    [
        {"issuer": "Gift Co"},
        {"public_key": "00"},
        {"public_key": "zz" * 32},
        {"public_key": "00" * 32},
        {"public_key": "ff" * 32},
        {"issuer": "giftco", "purposes": ["member-card"]},
        {"purposes": []},
        {"purposes": ["no-such-kind"]},
        {"valid_from": "2020-01-01T00:00:00Z"},
        {"valid_until": "2020-01-01T00:00:00Z"},
        {"overlap_days": 0},
        {"secret": "00" * 32},
    ],
)
async def test_what_can_be_no_key_is_not_taken(chain: Chain, body: dict[str, Any]) -> None:
    assert (await ask(chain, "POST", "keys", body, status=422))["error"] == "malformed"
    assert await ask(chain, "GET", "keys") == []


@pytest.mark.parametrize(
    "body",
    [
        {"kind": "no-such-kind"},
        {"kind": "member-card"},
        {"kind": "member-card", "member_id": "nobody"},
        {"kind": "member-card", "member_id": "m1", "expires_at": "2020-01-01T00:00:00Z"},
        {"kind": "member-pass", "member_id": "m1", "expires_at": "2026-11-21T05:00:00Z"},
        {"kind": "coupon", "coupon_id": "nothing"},
        {"kind": "coupon", "coupon_id": "k1", "stores": ["nowhere"]},
        {"kind": "coupon", "coupon_id": "k1", "channels": ["post"]},
        {"kind": "voucher"},
        {"kind": "voucher", "number": "V\u202e", "amount_minor": 5},
        {"kind": "staff-badge", "staff_id": "nobody"},
    ],
)
async def test_what_can_be_no_code_is_not_signed(chain: Chain, sold: StoreAtEnd, body: dict[str, Any]) -> None:
    await make_key(chain)
    assert (await ask(chain, "POST", "codes", body, status=422))["error"] == "malformed"


async def test_a_secret_key_is_in_no_stream_no_answer_and_no_row(chain: Chain, sold: StoreAtEnd) -> None:
    key = await make_key(chain)
    await mint(chain, CodeKind.MEMBER_CARD, member_id="m1")
    [(secret,)] = await chain.ask("select secret from signing_secret where key_id = %s", key.id)
    assert len(secret) > 32, "sealed"
    secret = SEALING.open(bytes(secret), SEALING.mark)
    assert bytes(SigningKey(bytes(secret)).verify_key).hex() == key.public_key
    listed = msgspec.json.encode(await ask(chain, "GET", "keys")).decode()
    told = [listed, *(body for (body,) in await chain.ask("select body from feed"))]
    assert any(key.public_key in text for text in told)
    assert not any(bytes(secret).hex() in text for text in told)
    granted = await chain.ask(
        "select grantee from information_schema.role_table_grants where table_name = 'signing_secret'"
    )
    assert "PUBLIC" not in {grantee for (grantee,) in granted}


async def test_a_code_of_one_chain_is_told_to_be_another_chains(chain: Chain, sold: StoreAtEnd) -> None:
    key = await make_key(chain)
    await sold.settle()
    now = chain.clock.now()
    theirs = SignedCode(
        kind=CodeKind.MEMBER_CARD, chain="zzzzzz", subject="m1", issued_at=now, expires_at=now + timedelta(days=9)
    )
    assert reason(read(sold, write_code(theirs, GIFTCO_SECRET), now, key.id)) == CodeReason.OTHER_CHAIN
    ours = SignedCode(
        kind=CodeKind.MEMBER_CARD, chain=key.chain, subject="m1", issued_at=now, expires_at=now + timedelta(days=9)
    )
    assert reason(read(sold, write_code(ours, GIFTCO_SECRET), now, key.id)) == CodeReason.UNKNOWN_KEY
