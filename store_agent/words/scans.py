"""What a scan that was not understood says, and what to do instead: two sentences for every reason of a scan.

The reasons stand here by their value; `tests/test_words.py` holds both together.
"""

from __future__ import annotations

from store_agent.words import _, later
from store_agent.words.refusals import Words

AGAIN = later("Scan it again, or type what is printed under it.")
SEARCH = later("Search for it, or scan something else.")

SCANS: dict[str, Words] = {
    "empty": Words(later("Nothing was read."), AGAIN),
    "too-long": Words(later("This is too long to be a code."), AGAIN),
    "signed-code": Words(
        later("This signed code cannot be read here."),
        later("Find the member by phone number instead."),
    ),
    "code-check": Words(later("A character of this code is missing or wrong."), AGAIN),
    "invoice-length": Words(
        later("This invoice code is not complete."),
        later("Scan the left QR code of the invoice again, flat and well lit."),
    ),
    "invoice-fields": Words(
        later("This invoice code holds what cannot be."),
        later("Scan the left QR code of the invoice again, flat and well lit."),
    ),
    "invoice-date": Words(
        later("The date of this invoice cannot be."),
        later("Scan the left QR code of the invoice again, flat and well lit."),
    ),
    "invoice-future": Words(
        later("The date of this invoice lies ahead."), later("Check this machine's date, and the invoice.")
    ),
    "invoice-seller": Words(
        later("The seller's number on this invoice is wrong."),
        later("Scan the left QR code of the invoice again, flat and well lit."),
    ),
    "invoice-barcode": Words(later("This is the long barcode of an invoice."), later("Scan its left QR code instead.")),
    "carrier-form": Words(
        later("This looks like a mobile carrier barcode and is none."),
        later("It is a slash and seven capitals, digits, + - or a point. Scan it again."),
    ),
    "citizen-certificate": Words(
        later("This is a citizen certificate carrier, not a member code."),
        later("Ask for the member code or the phone number."),
    ),
    "line-user": Words(
        later("This is a LINE user id, which proves nothing."), later("Ask for the member code or the phone number.")
    ),
    "phone-invalid": Words(
        later("There is no such phone number."),
        later("Ask for the number again, with the country code if it is from abroad."),
    ),
    "check-digit": Words(later("The check digit of this product code is wrong."), AGAIN),
    "gs1-without-product": Words(later("This code names no product."), later("Scan the product's own barcode.")),
    "link": Words(
        later("This is a link, not a code of a store."), later("Ask for the member code or the phone number.")
    ),
    "short-number": Words(later("This number is too short to be a code."), SEARCH),
    "number": Words(later("This number is no code that is known here."), SEARCH),
    "text": Words(later("This text is no code."), SEARCH),
}


def say_scan(reason: str) -> str:
    """Why a scan is unknown, in the language that is spoken now; nothing for a reason without words."""
    return _(SCANS[reason].what) if reason in SCANS else ""


def say_scan_instead(reason: str) -> str:
    """What to do instead."""
    return _(SCANS[reason].instead) if reason in SCANS else ""
