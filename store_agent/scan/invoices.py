"""The two QR codes of Taiwan's electronic invoice, and the numbers printed beside them.

Source: 財政部財政資訊中心《電子發票證明聯一維及二維條碼規格說明》 1.8. What the code says is a claim until the
Ministry's platform has confirmed it: the encrypted part can be checked with the seller's key only.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum

HEADER_LENGTH = 77
FIRST_YEAR = 95
"""ROC year (2006) of the first electronic invoices; before it a date is a misread or not of the ROC calendar."""
CONSUMER = "00000000"
TAIWAN = timezone(timedelta(hours=8))

# A header that a fault has moved still opens with the number; a bare number that somebody typed is shorter.
OPENING = re.compile(r"[A-Z]{2}[0-9]{8}.{30,}", re.DOTALL)
HEADER = re.compile(
    r"(?P<number>[A-Z]{2}[0-9]{8})(?P<day>[0-9]{7})(?P<random>[0-9A-Za-z]{4})"
    r"(?P<untaxed>[0-9A-Fa-f]{8})(?P<total>[0-9A-Fa-f]{8})(?P<buyer>[0-9]{8})(?P<seller>[0-9]{8})[0-9A-Za-z+/=]{24}"
)
DECIMAL = re.compile(r"-?[0-9]{1,12}(?:\.[0-9]{1,8})?")
BARCODE = re.compile(r"[0-9]{5}[A-Z]{2}[0-9]{12}")


class InvoiceFault(StrEnum):
    """Why the left code of an invoice is not believed, in order of precedence."""

    LENGTH = "invoice-length"
    FIELDS = "invoice-fields"
    DATE = "invoice-date"
    FUTURE = "invoice-future"
    SELLER = "invoice-seller"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceItem:
    """One line as the seller wrote it. Quantity and price are decimals (47.301 litres), kept as their text."""

    name: str
    quantity: str
    price: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """What the left code says, in whole TWD."""

    number: str
    issued_on: date
    random_code: str
    untaxed_minor: int | None
    """None where the seller cannot split the tax off."""
    total_minor: int
    buyer: str
    """A company's business number; empty for a consumer."""
    seller: str
    items: tuple[InvoiceItem, ...] = ()
    items_total: int = 0
    """How many lines the invoice has; the code may hold fewer, and the right code goes on with them."""

    @property
    def is_complete(self) -> bool:
        """Whether every line stands in this code. If not, a product that is missing here may still have been bought."""
        return len(self.items) == self.items_total > 0


def is_invoice_left(text: str) -> bool:
    """Whether this is meant as the left code, sound or not."""
    return OPENING.match(text) is not None


def read_invoice(text: str, today: date | None = None) -> Invoice | InvoiceFault:
    """The left code's content, or the first fault in it. `today` is the day in Taiwan."""
    if len(text) < HEADER_LENGTH or text[HEADER_LENGTH : HEADER_LENGTH + 1] not in ("", ":"):
        return InvoiceFault.LENGTH
    header = HEADER.fullmatch(text[:HEADER_LENGTH])
    if header is None:
        # A colon further left is a header that came out too short.
        return InvoiceFault.LENGTH if ":" in text[:HEADER_LENGTH] else InvoiceFault.FIELDS
    untaxed, total = int(header["untaxed"], 16), int(header["total"], 16)
    if untaxed > total:
        return InvoiceFault.FIELDS
    issued_on = _day(header["day"])
    if issued_on is None:
        return InvoiceFault.DATE
    if issued_on > (today or datetime.now(TAIWAN).date()):
        return InvoiceFault.FUTURE
    if not business_number_is_valid(header["seller"]):
        return InvoiceFault.SELLER
    items, items_total = _items(text[HEADER_LENGTH:])
    return Invoice(
        number=header["number"],
        issued_on=issued_on,
        random_code=header["random"],
        untaxed_minor=untaxed or None,
        total_minor=total,
        buyer="" if header["buyer"] == CONSUMER else header["buyer"],
        seller=header["seller"],
        items=items,
        items_total=items_total,
    )


def declared_text(data: bytes) -> str | None:
    """The text of a left code that says itself that it is in Big5; None where it does not or is not."""
    fields = data[HEADER_LENGTH:].split(b":", 5)
    if not data[:HEADER_LENGTH].isascii() or len(fields) < 5 or fields[4] != b"0":
        return None
    try:
        return data.decode("big5")
    except UnicodeDecodeError:
        return None


def business_number_is_valid(number: str) -> bool:
    """Whether a 統一編號 passes its check: divisible by 5 since 2023-04-01 (before: by 10, so old numbers pass).

    Where the seventh digit is 7 its product 28 sums to 10, which may count as 1 or as 0.
    """
    if re.fullmatch(r"[0-9]{8}", number) is None or number == CONSUMER:
        return False
    products = [int(digit) * weight for digit, weight in zip(number, (1, 2, 1, 2, 1, 2, 4, 1), strict=True)]
    total = sum(product // 10 + product % 10 for product in products)
    return total % 5 == 0 or (number[6] == "7" and (total + 1) % 5 == 0)


def _day(text: str) -> date | None:
    year, month, day = int(text[:3]), int(text[3:5]), int(text[5:])
    if year < FIRST_YEAR:
        return None
    try:
        return date(year + 1911, month, day)
    except ValueError:
        return None


def _items(rest: str) -> tuple[tuple[InvoiceItem, ...], int]:
    """The lines behind the header, written by many tills: what does not fit ends the list, never the scan."""
    fields = rest.split(":")[1:]
    if len(fields) < 4 or re.fullmatch(r"[0-9]{1,4}", fields[2]) is None:
        return (), 0
    items_total = int(fields[2])
    items: list[InvoiceItem] = []
    # Encoding 2 puts Base64 where names belong; none was at hand to learn from, so its lines are left to the centre.
    if fields[3] in ("0", "1"):
        triples = fields[4:]
        for name, quantity, price in zip(triples[::3], triples[1::3], triples[2::3], strict=False):
            if not (DECIMAL.fullmatch(quantity) and DECIMAL.fullmatch(price)) or len(items) == items_total:
                break
            items.append(InvoiceItem(name=name, quantity=quantity, price=price))
    return tuple(items), items_total
