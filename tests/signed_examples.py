"""One code of every kind, the keys that signed them, and a reader that stands at a certain place and time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from nacl.signing import SigningKey

from store_agent.codes import PREFIX, SignedCode, base45, cose, key_id_of, read_code, write_code
from store_agent.domain.keys import CodeKind, CodeReason, Key
from store_agent.domain.operation import Fact, Refusal

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


def used(*use_ids: str) -> Callable[[str], Refusal | None]:
    """A store in which these codes were used."""
    facts: dict[str, Fact] = {"used_at": NOW - MINUTE, "store": STORE, "staff": "yating"}
    return lambda use_id: Refusal(CodeReason.REPLAYED, facts) if use_id in use_ids else None
