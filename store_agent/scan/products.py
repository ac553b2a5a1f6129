"""Product numbers: EAN-13, EAN-8, UPC-A, GTIN-14, and the GTIN inside a GS1 code, always to 14 digits.

Only GS1's General Specifications speak here; whether the product exists is the desk's question.
"""

from __future__ import annotations

import re

GS = "\x1d"
GTIN_LENGTHS = frozenset({8, 12, 13, 14})
# Application identifiers of predefined length, by their first two digits: how long the whole element is
# (GS1 General Specifications, element strings of predefined length). All others run to the next separator.
FIXED_LENGTHS = {
    "00": 20, "01": 16, "02": 16, "03": 16, "04": 18,
    "11": 8, "12": 8, "13": 8, "14": 8, "15": 8, "16": 8, "17": 8, "18": 8, "19": 8, "20": 4,
    "31": 10, "32": 10, "33": 10, "34": 10, "35": 10, "36": 10, "41": 16,
}  # fmt: skip
BRACKETED = re.compile(r"\((\d{2,4})\)([^()]*)")
DIGITAL_LINK = re.compile(r"https?://[^/\s]+(?:/[^/?#\s]+)*/01/(\d{14})(?:[/?#]\S*)?", re.IGNORECASE)


def gtin_of(digits: str) -> str | None:
    """The 14 digits of a bare product number whose length and check digit are right."""
    if not (digits.isascii() and digits.isdigit() and len(digits) in GTIN_LENGTHS and digits.strip("0")):
        return None
    gtin = digits.zfill(14)
    total = sum(int(digit) * (3 if n % 2 == 0 else 1) for n, digit in enumerate(gtin))
    return gtin if total % 10 == 0 else None


def is_gs1(text: str) -> bool:
    """Whether a text is written as GS1 elements: with separators, in brackets, or opening with a GTIN."""
    if GS in text or BRACKETED.match(text):
        return True
    return re.match(r"01\d{14}", text, re.ASCII) is not None and gtin_of(text[2:16]) is not None


def gtin_in_gs1(text: str) -> str | None:
    """The GTIN of application identifier 01, wherever in the code it stands. 02 is what a box contains: not this."""
    if text.startswith("("):
        elements = [identifier + value for identifier, value in BRACKETED.findall(text)]
    else:
        elements = _elements(text)
    for element in elements:
        if element.startswith("01") and len(element) == 16:
            return gtin_of(element[2:])
    return None


def gtin_in_link(text: str) -> str | None:
    """The GTIN of a GS1 Digital Link, the web address that the QR codes on newer packages hold."""
    found = DIGITAL_LINK.fullmatch(text)
    return gtin_of(found[1]) if found else None


def _elements(text: str) -> list[str]:
    elements: list[str] = []
    for run in text.split(GS):
        rest = run
        while rest:
            length = FIXED_LENGTHS.get(rest[:2], len(rest))
            elements.append(rest[:length])
            rest = rest[length:]
    return elements
