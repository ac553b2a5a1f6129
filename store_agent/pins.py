"""A PIN to its hash and back to yes or no: Argon2id (RFC 9106). Nothing here keeps or shows a PIN."""

from __future__ import annotations

from functools import cache

from argon2 import PasswordHasher, Type
from argon2.exceptions import InvalidHashError, VerificationError

# The least that OWASP's password storage cheat sheet asks of Argon2id: 19 MiB, two rounds, one lane. It stands between
# a key pressed and the yes on the screen of a small machine, so no more than that; what stops guessing is the count.
_hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1, type=Type.ID)


def hash_pin(pin: str) -> str:
    """What is kept of a PIN."""
    return _hasher.hash(pin)


def is_pin(pin: str, pin_hash: str) -> bool:
    """Whether this is the PIN. Without a hash it takes as long, so that nobody learns from the time who has one."""
    try:
        _hasher.verify(pin_hash or _nobodys(), pin)
    except (VerificationError, InvalidHashError):
        return False
    return bool(pin_hash)


@cache
def _nobodys() -> str:
    return hash_pin("no digits, so no PIN")
