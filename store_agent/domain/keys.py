"""The keys by which a store knows a signed code, what such a code can be, and why one is not taken.

Rows that only the centre makes, in the stream of the chain. How a code is written and read is `store_agent.codes`.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import ClassVar

CHAIN = "chain"
"""The issuer of the chain's own keys; every other issuer is a third party, and may make vouchers only."""


class CodeKind(StrEnum):
    """What a signed code is for."""

    MEMBER_CARD = "member-card"
    """Identifies and earns."""
    MEMBER_PASS = "member-pass"
    """Lives for minutes, and may spend."""
    COUPON = "coupon"
    PICKUP = "pickup"
    VOUCHER = "voucher"
    """Somebody else's promise to pay, by their own key."""
    STAFF_BADGE = "staff-badge"
    JOIN = "join"
    """Someone who joined online a moment ago, and whom the store may not know yet."""


class CodeReason(StrEnum):
    """Why a signed code is not taken, in order of precedence."""

    TOO_LONG = "code-too-long"
    MALFORMED = "code-malformed"
    """Not complete, or not written as it must be."""
    TRAILING = "code-trailing"
    """Something stands behind its end."""
    UNKNOWN_FORM = "code-unknown-form"
    """A version, an algorithm or a kind that this version does not know."""
    UNKNOWN_KEY = "code-unknown-key"
    """And it says that it is of this chain; else it is OTHER_CHAIN."""
    FORGED = "code-forged"
    REVOKED_KEY = "code-revoked-key"
    KEY_NOT_VALID = "code-key-not-valid"
    """Outside of the key's own time."""
    OTHER_CHAIN = "code-other-chain"
    NOT_ENTITLED = "code-not-entitled"
    """Soundly signed, by a key that may not sign codes of this kind."""
    WRONG_KIND = "code-wrong-kind"
    """Sound, and not what is asked for here."""
    OTHER_STORE = "code-other-store"
    OTHER_CHANNEL = "code-other-channel"
    OTHER_CURRENCY = "code-other-currency"
    """A voucher in money that this till does not count."""
    NOT_YET = "code-not-yet"
    EXPIRED = "code-expired"
    REPLAYED = "code-replayed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """A public key, whose it is, and what it may sign. The id is the beginning of the key's SHA-256, in hex."""

    table: ClassVar[str] = "key"
    id: str
    public_key: str
    """Ed25519, 64 characters of hex."""
    issuer: str = CHAIN
    chain: str = ""
    """The chain's own short name in codes, the same in all its keys."""
    purposes: tuple[str, ...] = ()
    """Kinds of codes; as text, because one that a later version adds must not stop an earlier one from reading the row."""
    valid_from: datetime
    valid_until: datetime | None = None
    """The first moment at which its codes do not count any more."""
    revoked_at: datetime | None = None

    def may_sign(self, kind: CodeKind) -> bool:
        """Whether a code of this kind can be by this key, whatever a row says of a third party."""
        return kind in self.purposes and (self.issuer == CHAIN or kind is CodeKind.VOUCHER)

    def is_over(self, now: datetime) -> bool:
        """Whether its own time has ended; that it was revoked is another question."""
        return self.valid_until is not None and now >= self.valid_until
