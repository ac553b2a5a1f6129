"""Signed codes among all that is scanned: each kind is one of the kinds that a counter knows what to do with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from store_agent.codes.claims import SignedCode
from store_agent.domain.keys import CodeKind
from store_agent.domain.operation import Refusal
from store_agent.scan.kinds import Scan, ScanKind, ScanReason
from store_agent.scan.reading import ReadSigned

SCAN_KINDS = {
    CodeKind.MEMBER_CARD: ScanKind.MEMBER_CODE,
    CodeKind.MEMBER_PASS: ScanKind.MEMBER_CODE,
    CodeKind.JOIN: ScanKind.MEMBER_CODE,
    CodeKind.COUPON: ScanKind.COUPON,
    CodeKind.VOUCHER: ScanKind.COUPON,
    CodeKind.PICKUP: ScanKind.PICKUP_CODE,
    CodeKind.STAFF_BADGE: ScanKind.STAFF_BADGE,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SignedScan(Scan):
    """A scan of a signed code. Its value is an id (a member's, a coupon's, a pickup's, a staff member's, a voucher's
    number) and not, as with other codes, what a row holds as its code."""

    signed: SignedCode | None = None
    refusal: Refusal | None = None
    """Why it is not taken. One of the two is set."""


def signed_reader(read: Callable[[str], SignedCode | Refusal]) -> ReadSigned:
    """What `read_scan` wants for signed codes; `read` is `read_code` with the keys, the time and the place filled in."""

    def read_signed(text: str) -> Scan:
        found = read(text)
        if isinstance(found, Refusal):
            return SignedScan(kind=ScanKind.UNKNOWN, value=text, reason=ScanReason.SIGNED_CODE, refusal=found)
        value = found.coupon_id if found.kind is CodeKind.COUPON else found.subject
        return SignedScan(kind=SCAN_KINDS[found.kind], value=value, signed=found)

    return read_signed
