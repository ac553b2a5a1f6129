"""Any text, scanned or typed, to the one thing that it is: a single ordered decision, so no two kinds overlap.

The order is the rule. First what announces itself (signed codes, our own, invoices, carriers), then a brand's patterns,
then phones, then products. A phone comes before a product because a lost member is worse than a second look: of the
8-digit numbers of Hong Kong, and of the 12 to 14 digits of `886…` and `00…`, one in ten is a valid product number as
well, and nothing in the digits tells. `also_gtin` keeps that second meaning. A scanner that is set to send AIM
identifiers, or a picture whose symbology is known, settles it: what came as EAN or UPC is a product.

A new kind is one line in `_decide`; what belongs to it goes into a file of its own.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Sequence
from datetime import date

from store_agent.scan.brands import BrandPattern, read_brand
from store_agent.scan.invoices import BARCODE, InvoiceFault, is_invoice_left, read_invoice
from store_agent.scan.kinds import Scan, ScanKind, ScanReason
from store_agent.scan.phones import is_written_like_phone, read_phone
from store_agent.scan.plain_codes import is_like_code, read_code
from store_agent.scan.products import GS, GTIN_LENGTHS, gtin_in_gs1, gtin_in_link, gtin_of, is_gs1

SIGNED_PREFIX = "SA1:"
LONGEST = 7089
"""Digits in the largest QR code; longer text came from no scanner."""

AIM_IDENTIFIER = re.compile(r"\]([A-Za-z])([0-9A-Za-z])(?=.)", re.DOTALL)
"""ISO/IEC 15424: a scanner may say what it read, `]E0` an EAN-13, before the text."""
RETAIL = "]E"
GS1_IDENTIFIERS = ("]C1", "]e0", "]d2", "]Q3", "]J1")

# `fullmatch`, and the hyphen last: the widely copied pattern takes a comma (its range +-.) and a newline (its `$`).
CARRIER = re.compile(r"/[0-9A-Z.+-]{7}")
LIKE_CARRIER = re.compile(r"/[0-9A-Za-z.+,_ -]{5,9}")
CITIZEN_CERTIFICATE = re.compile(r"[A-Z]{2}[0-9]{14}")
LINE_USER = re.compile(r"U[0-9a-f]{32}")
LINK = re.compile(r"[A-Za-z][A-Za-z0-9+.-]{1,20}://\S+")
SUFFIXES = ("\r\n", "\r", "\n", "\t")

ReadSigned = Callable[[str], Scan]
"""Reads a text that begins with `SA1:` and says what it is; the module of signed codes hands one in."""


def read_scan(
    text: str,
    region: str = "TW",
    today: date | None = None,
    patterns: Sequence[BrandPattern] = (),
    read_signed: ReadSigned | None = None,
) -> Scan:
    """What this text is; for every text exactly one kind, and a reason where that is unknown.

    `region` is the store's (TW or HK) and decides how a bare phone number reads; `today` is the day in Taiwan, after
    which no invoice can be dated. One suffix of a scanner (CR, LF, CRLF, TAB) is dropped.
    """
    suffix = next((suffix for suffix in SUFFIXES if text.endswith(suffix)), "")
    scanned = text.removesuffix(suffix)
    if len(scanned) > LONGEST:
        return _unknown(scanned[:LONGEST], ScanReason.TOO_LONG)
    aim = AIM_IDENTIFIER.match(scanned)
    symbology = aim[0] if aim else ""
    scanned = scanned[len(symbology) :]
    # Not NFKC for everything: an invoice's header is counted in characters, and a carrier is exact.
    plain = unicodedata.normalize("NFKC", scanned.strip(" \t\r\n\u3000\u00a0")).strip(" ")
    if not plain.strip(GS):
        return _unknown(plain, ScanReason.EMPTY)
    return (
        _announced(scanned, plain, today, read_signed)
        or _branded(plain, patterns)
        or _numbered(plain, region, symbology)
        or _unknown(plain, _why(plain, region))
    )


def _announced(scanned: str, plain: str, today: date | None, read_signed: ReadSigned | None) -> Scan | None:
    """What says itself what it is, by a prefix or by its form."""
    if scanned.startswith(SIGNED_PREFIX):
        # As it came: a space is a letter of base45, also at the end.
        return read_signed(scanned) if read_signed else _unknown(scanned, ScanReason.SIGNED_CODE)
    if code := read_code(plain):
        return Scan(kind=code[0], value=code[1])
    if is_invoice_left(scanned):
        invoice = read_invoice(scanned, today)
        if isinstance(invoice, InvoiceFault):
            return _unknown(plain, ScanReason(invoice.value))
        return Scan(kind=ScanKind.INVOICE_LEFT, value=invoice.number, invoice=invoice)
    if scanned.startswith("**"):
        return Scan(kind=ScanKind.INVOICE_RIGHT, value=scanned[2:].strip())
    if CARRIER.fullmatch(scanned):
        return Scan(kind=ScanKind.CARRIER, value=scanned)
    return None


def _branded(plain: str, patterns: Sequence[BrandPattern]) -> Scan | None:
    found = read_brand(plain, patterns)
    return Scan(kind=found[0], value=found[1]) if found else None


def _numbered(plain: str, region: str, symbology: str) -> Scan | None:
    """Phones and products."""
    gtin = gtin_of(plain)
    if symbology.startswith(RETAIL):
        return Scan(kind=ScanKind.PRODUCT, value=gtin) if gtin else None
    if symbology not in GS1_IDENTIFIERS and (phone := read_phone(plain, region)):
        return Scan(kind=ScanKind.PHONE, value=phone, also_gtin=gtin or "")
    if gtin is None and (symbology in GS1_IDENTIFIERS or is_gs1(plain)):
        gtin = gtin_in_gs1(plain)
    gtin = gtin or gtin_in_link(plain)
    return Scan(kind=ScanKind.PRODUCT, value=gtin) if gtin else None


def _why(plain: str, region: str) -> ScanReason:
    """The most helpful reason why this is nothing that we know."""
    if is_like_code(plain):
        return ScanReason.CODE_CHECK
    if BARCODE.fullmatch(plain):
        return ScanReason.INVOICE_BARCODE
    if LIKE_CARRIER.fullmatch(plain):
        return ScanReason.CARRIER_FORM
    if CITIZEN_CERTIFICATE.fullmatch(plain):
        return ScanReason.CITIZEN_CERTIFICATE
    if LINE_USER.fullmatch(plain):
        return ScanReason.LINE_USER
    if plain.isascii() and plain.isdigit():
        return _why_number(plain, region)
    if is_written_like_phone(plain, region):
        return ScanReason.PHONE_INVALID
    if is_gs1(plain):
        return ScanReason.GS1_WITHOUT_PRODUCT
    return ScanReason.LINK if LINK.fullmatch(plain) else ScanReason.TEXT


def _why_number(digits: str, region: str) -> ScanReason:
    if len(digits) <= 6:
        return ScanReason.SHORT_NUMBER
    if len(digits) in GTIN_LENGTHS and not (region == "HK" and len(digits) == 8):
        return ScanReason.CHECK_DIGIT
    return ScanReason.PHONE_INVALID if is_written_like_phone(digits, region) else ScanReason.NUMBER


def _unknown(value: str, reason: ScanReason) -> Scan:
    return Scan(kind=ScanKind.UNKNOWN, value=value, reason=reason)
