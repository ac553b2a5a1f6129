"""Our own codes without a signature: `SAM-` a member, `SAC-` a coupon, `SAP-` a pickup, `SAS-` a staff badge.

Behind the prefix stand ten characters of Crockford's base32: nine of a number, one to check them. A row holds its code
in a field, the code says nothing of the row. It is a name, not a secret: spending wants more (a signed code, a PIN).
"""

from __future__ import annotations

import re

from store_agent.scan.kinds import ScanKind

PREFIXES = {
    "SAM-": ScanKind.MEMBER_CODE,
    "SAC-": ScanKind.COUPON,
    "SAP-": ScanKind.PICKUP_CODE,
    "SAS-": ScanKind.STAFF_BADGE,
}
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
DATA_LENGTH = 9
NUMBERS = 32**DATA_LENGTH
"""A code is made from a number below this."""

# Crockford: what a person may read for 0 and 1.
MISREAD = str.maketrans("OIL", "011")


def make_code(kind: ScanKind, number: int) -> str:
    """The code for this number, the same every time. ValueError for another kind or a number outside `NUMBERS`."""
    prefix = next((prefix for prefix, named in PREFIXES.items() if named is kind), None)
    if prefix is None or not 0 <= number < NUMBERS:
        raise ValueError(f"no code for {kind} {number}")
    data = "".join(ALPHABET[number >> shift & 31] for shift in range(5 * (DATA_LENGTH - 1), -1, -5))
    return prefix + data + _check(prefix, data)


def is_like_code(text: str) -> bool:
    """Whether a text begins like one of our codes and is about as long, so that "misread" is a fair answer."""
    return re.fullmatch(r"SA[MCPS]-[0-9A-Z]{8,12}", text.upper()) is not None


def read_code(text: str) -> tuple[ScanKind, str] | None:
    """Kind and code in its one spelling; None where a character is wrong, missing or swapped with its neighbour."""
    upper = text.upper()
    prefix, body = upper[:4], upper[4:].translate(MISREAD)
    kind = PREFIXES.get(prefix)
    if kind is None or len(body) != DATA_LENGTH + 1 or not set(body) <= set(ALPHABET):
        return None
    return (kind, prefix + body) if _check(prefix, body[:-1]) == body[-1] else None


def _check(prefix: str, data: str) -> str:
    # Horner's rule in GF(32), x⁵+x²+1: the generator has order 31, so every single wrong character and every swap of
    # neighbours shows. The prefix takes part: a coupon's code typed behind a member's prefix does not pass.
    value = list(PREFIXES).index(prefix) + 1
    for character in data:
        value = _double(value) ^ ALPHABET.index(character)
    return ALPHABET[_double(value)]


def _double(value: int) -> int:
    shifted = value << 1
    return shifted ^ 0b100101 if shifted & 32 else shifted
