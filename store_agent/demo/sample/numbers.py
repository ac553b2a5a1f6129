"""Numbers that look drawn and never repeat: phones and codes of the sample, each made from its place alone."""

from __future__ import annotations

from store_agent.scan import ScanKind, make_code
from store_agent.scan.plain_codes import NUMBERS

TAIWAN_MOBILES = 90_000_000
"""+886 9, then 0 to 8, then seven digits: all of them are mobiles (metadata of phonenumbers)."""
HONG_KONG_MOBILES = 2_880_000
"""+852 from 9600 0000 up: 9600 to 9887 are mobiles."""
COUPON_SLOTS = 32
"""Coupons that one member can have in the sample."""
BEARER_SLOTS = 10_000


def taiwan_phone(place: int) -> str:
    """E.164, another one for every place up to `TAIWAN_MOBILES`."""
    # The factor has no divisor in common with the modulus, so this only shuffles.
    return f"+8869{(place * 31_415_927 + 27_182_819) % TAIWAN_MOBILES:08d}"


def hong_kong_phone(place: int) -> str:
    """E.164, another one for every place up to `HONG_KONG_MOBILES`."""
    return f"+852{96_000_000 + (place * 1_414_213 + 577_215) % HONG_KONG_MOBILES}"


def member_code(number: int) -> str:
    """The card code of the member with this number."""
    return make_code(ScanKind.MEMBER_CODE, _shuffled(number))


def coupon_code(number: int, slot: int) -> str:
    """The code of a member's coupon; `slot` is which of theirs."""
    return make_code(ScanKind.COUPON, _shuffled(BEARER_SLOTS + number * COUPON_SLOTS + slot))


def bearer_code(number: int) -> str:
    """The code of a coupon that belongs to whoever shows it."""
    return make_code(ScanKind.COUPON, _shuffled(number))


def pickup_code(number: int) -> str:
    """The code that a customer shows to collect the order with this number."""
    return make_code(ScanKind.PICKUP_CODE, _shuffled(number))


def _shuffled(number: int) -> int:
    return int((number * 11_400_714_819_323 + 7_046_029_254_386) % NUMBERS)
