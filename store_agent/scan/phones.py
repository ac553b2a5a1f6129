"""Phone numbers as people write them, to E.164. Whose phone it is does not belong here.

Metadata and validity are phonenumbers'. Here is only what it cannot know: how people in Taiwan and Hong Kong write.
"""

from __future__ import annotations

import re
import unicodedata

import phonenumbers
from phonenumbers import PhoneNumberType

NEIGHBOURS = ("886", "852", "853")
"""Country codes that people type without a plus: Taiwan, Hong Kong, Macau. Not 86, which opens products too."""

# A member can be reached on these. A toll-free or premium number is nobody's; what phonenumbers calls personal (81… in
# Hong Kong, 099… in Taiwan) is no line, and taking it would make phones of more products.
REACHABLE = frozenset(
    {
        PhoneNumberType.MOBILE,
        PhoneNumberType.FIXED_LINE,
        PhoneNumberType.FIXED_LINE_OR_MOBILE,
        PhoneNumberType.VOIP,
    }
)
# No dot and no slash: those write dates and amounts.
WRITTEN = re.compile(r"(?:tel:)?(\+?)([0-9() -]{6,28})", re.IGNORECASE)
DASHES = str.maketrans(dict.fromkeys("‐‑‒–—―−ー", "-"))


def read_phone(text: str, region: str) -> str | None:
    """E.164 of a phone number in any form of the field, or None where it is none. `region` is the store's: TW or HK."""
    written = _digits(text)
    if written is None:
        return None
    plus, digits = written
    for candidate, where in _candidates(plus, digits, region):
        try:
            number = phonenumbers.parse(candidate, where)
        except phonenumbers.NumberParseException:
            continue
        # A number that cannot be assigned has no type: asking whether it is valid would be the same work again.
        if phonenumbers.number_type(number) in REACHABLE:
            return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)
    return None


def is_written_like_phone(text: str, region: str) -> bool:
    """Whether a person who typed this meant a phone, so that "no such number" helps more than "unknown"."""
    written = _digits(text)
    if written is None:
        return False
    plus, digits = written
    if plus or re.fullmatch(r"09\d{6,9}|00(?:886|852|853)\d*", digits):
        return True
    if len(digits) in (11, 12) and digits.startswith(NEIGHBOURS):
        return True
    return region == "HK" and len(digits) == 8


def _digits(text: str) -> tuple[str, str] | None:
    plain = unicodedata.normalize("NFKC", text).translate(DASHES).strip()
    found = WRITTEN.fullmatch(plain)
    if found is None:
        return None
    digits = re.sub(r"[() -]", "", found[2])
    # E.164 has 15 digits at most; written with 00 or a superfluous trunk 0 it has a few more.
    return (found[1], digits) if 7 <= len(digits) <= 18 else None


def _candidates(plus: str, digits: str, region: str) -> list[tuple[str, str | None]]:
    """What the digits may mean, the likeliest first."""
    if plus:
        return [("+" + digits, None)]
    meant: list[tuple[str, str | None]] = []
    if digits.startswith("00"):
        # Typed everywhere, though Taiwan itself dials 002, 005, 009 and Hong Kong 001.
        meant.append(("+" + digits[2:], None))
    if region == "HK":
        if len(digits) == 8 or digits.startswith("00"):
            meant.append((digits, "HK"))
    elif digits.startswith("0") or re.fullmatch(r"9\d{8}", digits):
        # Not every bare 8 or 9 digits: phonenumbers takes them for a fixed line without its 0, a store for a product.
        meant.append((digits, region))
    if re.fullmatch(r"09\d{8}", digits):
        meant.append((digits, "TW"))
    if digits.startswith(NEIGHBOURS):
        meant.append(("+" + digits, None))
    return meant
