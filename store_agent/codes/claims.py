"""What a signed code says: a CWT claims set (RFC 8392), exactly one form for each kind of code.

A new kind is one line in `FORMS`. A form is never changed, for codes of it are in people's pockets: it gets a new number.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from store_agent.codes import cbor
from store_agent.domain.keys import CodeKind
from store_agent.safe_text import safe_text

ISSUER, SUBJECT, AUDIENCE, EXPIRES, NOT_BEFORE, ISSUED, CODE_ID = 1, 2, 3, 4, 5, 6, 7
DETAILS = -65537
"""RFC 8392, 9.1: below -65536 a claim is private. It holds the form's number, then what the form names, in order."""

TEXT_MOST = 80
LIST_MOST = 20
AMOUNT_MOST = 10**12
CODE_ID_BYTES = (8, 16)
"""At least, at most."""
LATEST_S = 2**32
"""Seconds since 1970 that fit into five bytes: until 2106."""
PASS_LIFE_MOST = timedelta(minutes=15)
"""A pass may spend. One that lives longer is not taken, whoever signed it."""


class UnknownForm(ValueError):
    """A kind of code that this version does not know."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedCode:
    """What a code says. Fields that its kind has no use for are empty."""

    kind: CodeKind
    chain: str
    expires_at: datetime
    key_id: str = ""
    issuer: str = ""
    """`chain`, or the third party whose key signed it."""
    issued_at: datetime | None = None
    valid_from_at: datetime | None = None
    code_id: str = ""
    """Of this one code, in hex; empty where showing a code twice is no harm."""
    subject: str = ""
    """The id of the member, the pickup or the staff member, or the number of the voucher; of a bearer's coupon nothing."""
    tier: str = ""
    points: int = 0
    """As of the issue."""
    coupon_id: str = ""
    campaign_id: str = ""
    order_no: str = ""
    amount_minor: int = 0
    currency: str = ""
    stores: tuple[str, ...] = ()
    """Where it counts; everywhere if empty."""
    channels: tuple[str, ...] = ()

    @property
    def starts_at(self) -> datetime:
        """The first moment at which it counts."""
        return self.valid_from_at or self.issued_at or self.expires_at

    @property
    def member_id(self) -> str:
        """The member to whom it belongs, or empty."""
        return self.subject if self.kind in MEMBERS else ""

    @property
    def may_spend(self) -> bool:
        """Whether it stands for the member's PIN."""
        return self.kind is CodeKind.MEMBER_PASS

    @property
    def use_id(self) -> str:
        """What to remember once it was used, so that it is not taken twice; empty where it may be shown again.

        With the key's id, or one issuer could use up the codes of another.
        """
        return f"{self.key_id}:{self.code_id}" if self.code_id else ""


MEMBERS = frozenset({CodeKind.MEMBER_CARD, CodeKind.MEMBER_PASS, CodeKind.COUPON, CodeKind.JOIN})


def _text(value: Any) -> str:
    """A text that can be shown as it is: it comes from outside, and names are hostile."""
    if not isinstance(value, str) or len(value) > TEXT_MOST or safe_text(value) != value:
        raise cbor.NotStrict
    return value


def _name(value: Any) -> str:
    if not _text(value):
        raise cbor.NotStrict
    return str(value)


def _id(value: Any) -> str:
    """An id; one that is a UUID is written as its 16 bytes, and in no other way."""
    if isinstance(value, bytes) and len(value) == 16:
        return str(uuid.UUID(bytes=value))
    if _packed(_name(value)) != value:
        raise cbor.NotStrict
    return str(value)


def _packed(text: str) -> str | bytes:
    try:
        number = uuid.UUID(text)
    except ValueError:
        return text
    return number.bytes if str(number) == text else text


def _texts(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > LIST_MOST:
        raise cbor.NotStrict
    return tuple(map(_name, value))


def _amount(value: Any) -> int:
    if not isinstance(value, int) or not 0 <= value <= AMOUNT_MOST:
        raise cbor.NotStrict
    return value


def _moment(value: Any) -> datetime:
    if not isinstance(value, int) or not 0 <= value < LATEST_S:
        raise cbor.NotStrict
    return datetime.fromtimestamp(value, UTC)


def _code_id(value: Any) -> str:
    if not isinstance(value, bytes) or not CODE_ID_BYTES[0] <= len(value) <= CODE_ID_BYTES[1]:
        raise cbor.NotStrict
    return value.hex()


@dataclass(frozen=True, slots=True)
class _Claim:
    """A field, how it is read strictly, and how it is written."""

    field: str
    read: Callable[[Any], Any]
    write: Callable[[Any], Any] = lambda value: value


def _seconds(moment: Any) -> Any:
    return int(moment.timestamp()) if isinstance(moment, datetime) else moment


STANDARD = {
    ISSUER: _Claim("issuer", _name),
    SUBJECT: _Claim("subject", _name),
    AUDIENCE: _Claim("chain", _name),
    EXPIRES: _Claim("expires_at", _moment, _seconds),
    NOT_BEFORE: _Claim("valid_from_at", _moment, _seconds),
    ISSUED: _Claim("issued_at", _moment, _seconds),
    CODE_ID: _Claim("code_id", _code_id, bytes.fromhex),
}
BEARER = _Claim("subject", _text)
TIER, POINTS = _Claim("tier", _text), _Claim("points", _amount)
COUPON_ID, CAMPAIGN_ID = _Claim("coupon_id", _id, _packed), _Claim("campaign_id", _id, _packed)
ORDER_NO, AMOUNT, CURRENCY = _Claim("order_no", _name), _Claim("amount_minor", _amount), _Claim("currency", _name)
STORES, CHANNELS = _Claim("stores", _texts, list), _Claim("channels", _texts, list)


@dataclass(frozen=True, slots=True)
class _Form:
    """One kind of code: its number, its claims beside audience and expiry, and its details."""

    number: int
    kind: CodeKind
    claims: tuple[int, ...]
    details: tuple[_Claim, ...]


FORMS = (
    _Form(1, CodeKind.MEMBER_CARD, (SUBJECT, ISSUED), (TIER, POINTS)),
    _Form(2, CodeKind.MEMBER_PASS, (SUBJECT, ISSUED, CODE_ID), (TIER, POINTS)),
    _Form(3, CodeKind.COUPON, (SUBJECT, NOT_BEFORE, CODE_ID), (COUPON_ID, CAMPAIGN_ID, STORES, CHANNELS)),
    _Form(4, CodeKind.PICKUP, (SUBJECT, ISSUED, CODE_ID), (ORDER_NO, STORES)),
    _Form(5, CodeKind.VOUCHER, (ISSUER, SUBJECT, NOT_BEFORE, CODE_ID), (AMOUNT, CURRENCY, STORES, CHANNELS)),
    _Form(6, CodeKind.STAFF_BADGE, (SUBJECT, ISSUED), (STORES,)),
    _Form(7, CodeKind.JOIN, (SUBJECT, ISSUED, CODE_ID), (STORES,)),
)
FORM_OF = {form.kind: form for form in FORMS}
FORM_NUMBERED = {form.number: form for form in FORMS}


def encode(code: SignedCode) -> bytes:
    """The claims of a code; raises NotStrict for one that nobody could read back."""
    form = FORM_OF[code.kind]
    claims = _standard_of(form)
    try:
        said: dict[int, Any] = {key: claim.write(getattr(code, claim.field)) for key, claim in claims.items()}
        said[DETAILS] = [form.number, *(claim.write(getattr(code, claim.field)) for claim in form.details)]
        data = cbor.encode(said)
    except (ValueError, UnicodeEncodeError) as error:
        raise cbor.NotStrict from error
    decode(data)
    return data


def decode(data: bytes) -> SignedCode:
    """What these claims say; raises NotStrict, Trailing, UnknownForm."""
    said = cbor.decode(data)
    if not isinstance(said, dict) or not isinstance(said.get(DETAILS), list) or not said[DETAILS]:
        raise cbor.NotStrict
    number, *details = said.pop(DETAILS)
    if not isinstance(number, int):
        raise cbor.NotStrict
    form = FORM_NUMBERED.get(number)
    if form is None:
        raise UnknownForm
    claims = _standard_of(form)
    if said.keys() != claims.keys() or len(details) != len(form.details):
        raise cbor.NotStrict
    fields = {claim.field: claim.read(said[key]) for key, claim in claims.items()}
    fields |= {claim.field: claim.read(value) for claim, value in zip(form.details, details, strict=True)}
    code = SignedCode(kind=form.kind, **fields)
    life = code.expires_at - code.starts_at
    if life <= timedelta() or (code.may_spend and life > PASS_LIFE_MOST):
        raise cbor.NotStrict
    return code


def _standard_of(form: _Form) -> dict[int, _Claim]:
    claims = {key: STANDARD[key] for key in (AUDIENCE, EXPIRES, *form.claims)}
    if form.kind is CodeKind.COUPON:
        claims[SUBJECT] = BEARER
    return claims
