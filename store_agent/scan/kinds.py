"""What a scan can turn out to be. Values only: how a text becomes one of them is in `reading`."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from store_agent.scan.invoices import Invoice


class ScanKind(StrEnum):
    """The one thing that a scanned text is."""

    PHONE = "phone"
    MEMBER_CODE = "member-code"
    COUPON = "coupon"
    PICKUP_CODE = "pickup-code"
    PRODUCT = "product"
    INVOICE_LEFT = "invoice-left"
    INVOICE_RIGHT = "invoice-right"
    CARRIER = "carrier"
    STAFF_BADGE = "staff-badge"
    UNKNOWN = "unknown"


class ScanReason(StrEnum):
    """Why a text is unknown. `SHORT_NUMBER`, `NUMBER` and `TEXT` are what people type: worth a search."""

    EMPTY = "empty"
    TOO_LONG = "too-long"
    SIGNED_CODE = "signed-code"
    """It begins like a signed code, and nobody here can read one."""
    CODE_CHECK = "code-check"
    """It begins like one of our own codes; a character is missing or wrong."""
    INVOICE_LENGTH = "invoice-length"
    """An invoice's left code whose fixed part is not 77 characters long: all fields behind the fault have moved."""
    INVOICE_FIELDS = "invoice-fields"
    INVOICE_DATE = "invoice-date"
    """No such day, or no day on which there were such invoices: a Gregorian year where the ROC year belongs."""
    INVOICE_FUTURE = "invoice-future"
    INVOICE_SELLER = "invoice-seller"
    """The seller's business number does not pass its own check."""
    INVOICE_BARCODE = "invoice-barcode"
    """The long barcode of an invoice, which knows no amounts: its left QR code is wanted."""
    CARRIER_FORM = "carrier-form"
    """A mobile carrier barcode but for capitals, length or a character that cannot be in one."""
    CITIZEN_CERTIFICATE = "citizen-certificate"
    """The other kind of invoice carrier (自然人憑證). It identifies a citizen, not a member."""
    LINE_USER = "line-user"
    """A bare LINE user id. Not secret-proof, so it is no authority for anything at a counter."""
    PHONE_INVALID = "phone-invalid"
    """Written like a phone number; no such number can be assigned."""
    CHECK_DIGIT = "check-digit"
    """As long as a product's number, and its check digit is wrong."""
    GS1_WITHOUT_PRODUCT = "gs1-without-product"
    LINK = "link"
    SHORT_NUMBER = "short-number"
    NUMBER = "number"
    TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scan:
    """What a scanned or typed text is."""

    kind: ScanKind
    value: str
    """Normalised: a phone as E.164, a product as 14 digits, an invoice as its number, a code in capitals; an unknown
    text as it came but for white space around it and full-width forms."""
    reason: ScanReason | None = None
    """Set where the kind is unknown, and only there."""
    invoice: Invoice | None = None
    also_gtin: str = ""
    """What the digits of a phone are if they are a product's: to be tried where no member has that phone."""
