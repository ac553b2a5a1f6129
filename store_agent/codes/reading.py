"""The text of a signed code to what it says, or why it is not taken. Pure: time, keys and what was used are handed in.

The order is the rule (`CodeReason`): form, key, signature, and only then what it says. Nothing is believed before the
signature holds, but for one hint: a code by an unknown key that names another chain is told to be that chain's.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable
from dataclasses import replace
from datetime import datetime, timedelta

from store_agent.codes import base45, cbor, claims, cose
from store_agent.codes.claims import SignedCode
from store_agent.domain.keys import CodeKind, CodeReason, Key
from store_agent.domain.operation import Refusal

PREFIX = "SA1:"
OTHER_VERSION = re.compile(r"SA\d+:")
CHARACTERS_MOST = 311
"""What a QR code of version 10 holds in alphanumeric mode at error correction M: more than a phone shows well."""
SLOW_CLOCK = timedelta(minutes=2)
"""How far behind the centre a store's clock may be when a code that was just made is shown. Never added to an expiry."""


def read_code(
    text: str,
    keys: Iterable[Key],
    now: datetime,
    chain: str,
    store: str,
    *,
    refuse_used: Callable[[str], Refusal | None] = lambda _use_id: None,
    wanted: Collection[CodeKind] = tuple(CodeKind),
    channel: str = "store",
) -> SignedCode | Refusal:
    """What this code says, believed, or the first reason why it is not taken.

    `keys` are the rows of the chain's stream, `chain` its short name in them; `refuse_used` is asked with the `use_id`
    of a code that counts once, whether it was used. Whether there is such a member or coupon is a desk's question.
    """
    sealed = _unsealed(text)
    if isinstance(sealed, Refusal):
        return sealed
    key = next((key for key in keys if key.id == sealed.key_id), None)
    if key is None:
        said = _said(sealed)
        is_other = isinstance(said, SignedCode) and said.chain != chain
        return Refusal(CodeReason.OTHER_CHAIN if is_other else CodeReason.UNKNOWN_KEY)
    if not sealed.is_signed_by(key.public_key):
        return Refusal(CodeReason.FORGED)
    if key.revoked_at is not None:
        return Refusal(CodeReason.REVOKED_KEY, {"issuer": key.issuer})
    if now + SLOW_CLOCK < key.valid_from or key.is_over(now):
        return Refusal(CodeReason.KEY_NOT_VALID, {"issuer": key.issuer})
    said = _said(sealed)
    if isinstance(said, Refusal):
        return said
    code = replace(said, key_id=key.id, issuer=said.issuer or key.issuer)
    return (
        _why_not_by(code, key, chain)
        or _why_not_here(code, now, store, wanted, channel)
        or _why_not_again(code, refuse_used)
        or code
    )


def _unsealed(text: str) -> cose.Sealed | Refusal:
    if len(text) > CHARACTERS_MOST:
        return Refusal(CodeReason.TOO_LONG, {"most": CHARACTERS_MOST})
    if not text.startswith(PREFIX):
        is_newer = OTHER_VERSION.match(text) is not None
        return Refusal(CodeReason.UNKNOWN_FORM if is_newer else CodeReason.MALFORMED)
    try:
        return cose.unseal(base45.decode(text.removeprefix(PREFIX)))
    except cose.UnknownAlgorithm:
        return Refusal(CodeReason.UNKNOWN_FORM)
    except cbor.Trailing:
        return Refusal(CodeReason.TRAILING)
    except ValueError:
        return Refusal(CodeReason.MALFORMED)


def _said(sealed: cose.Sealed) -> SignedCode | Refusal:
    try:
        return claims.decode(sealed.payload)
    except claims.UnknownForm:
        return Refusal(CodeReason.UNKNOWN_FORM)
    except cbor.Trailing:
        return Refusal(CodeReason.TRAILING)
    except cbor.NotStrict:
        return Refusal(CodeReason.MALFORMED)


def _why_not_by(code: SignedCode, key: Key, chain: str) -> Refusal | None:
    """Why this key's word does not count for this code."""
    if code.chain != chain:
        return Refusal(CodeReason.OTHER_CHAIN)
    if code.issuer != key.issuer or not key.may_sign(code.kind):
        return Refusal(CodeReason.NOT_ENTITLED, {"issuer": key.issuer})
    return None


def _why_not_here(
    code: SignedCode, now: datetime, store: str, wanted: Collection[CodeKind], channel: str
) -> Refusal | None:
    """Why a sound code does not count here and now."""
    if code.kind not in wanted:
        return Refusal(CodeReason.WRONG_KIND)
    if code.stores and store not in code.stores:
        return Refusal(CodeReason.OTHER_STORE, {"stores": ", ".join(code.stores)})
    if code.channels and channel not in code.channels:
        return Refusal(CodeReason.OTHER_CHANNEL, {"channels": ",".join(code.channels)})
    if now + SLOW_CLOCK < code.starts_at:
        return Refusal(CodeReason.NOT_YET, {"from_at": code.starts_at})
    if now >= code.expires_at:
        return Refusal(CodeReason.EXPIRED, {"expired_at": code.expires_at})
    return None


def _why_not_again(code: SignedCode, refuse_used: Callable[[str], Refusal | None]) -> Refusal | None:
    return refuse_used(code.use_id) if code.use_id else None
