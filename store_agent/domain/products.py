"""What is sold, as the head office says it, and the number on it. Rows only: nothing happens to them in a store."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, field
from enum import StrEnum
from typing import ClassVar

GTIN_LENGTHS = (8, 12, 13, 14)


class ProductReason(StrEnum):
    """Why a product cannot be put into a basket or looked up, in order of precedence."""

    UNKNOWN = "product-unknown"
    NO_PRICE = "product-no-price"


@dataclass(frozen=True, slots=True, kw_only=True)
class Product:
    """One article of the chain. The id is its GTIN in 14 digits."""

    table: ClassVar[str] = "product"
    id: str
    name: dict[str, str] = field(default_factory=dict)
    """By language: `zh-TW`, `zh-HK`, `en`."""
    price_minor: dict[str, int] = field(default_factory=dict)
    """By currency."""
    categories: tuple[str, ...] = ()
    shelf: str = ""
    life_days: int = 0
    """How long one piece lasts a customer; 0 where that says nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProductSet:
    """Some products, named one by one or by category. The empty set names none."""

    gtins: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.gtins or self.categories)

    def has(self, gtin: str, categories: Collection[str]) -> bool:
        """Whether a product of these categories is one of them."""
        return gtin in self.gtins or any(category in self.categories for category in categories)


NO_PRODUCTS = ProductSet()


def check_digit(body: str) -> str:
    """The last digit of a GTIN, from the digits before it (GS1 General Specifications 7.9)."""
    total = sum(int(digit) * (3 if place % 2 == 0 else 1) for place, digit in enumerate(reversed(body)))
    return str(-total % 10)


def to_gtin(text: str) -> str | None:
    """The 14 digits of an EAN-8, UPC-A, EAN-13 or GTIN-14, or None where length or check digit say that it is none."""
    if not (text.isascii() and text.isdigit() and len(text) in GTIN_LENGTHS):
        return None
    if check_digit(text[:-1]) != text[-1] or not text.strip("0"):
        return None
    return text.zfill(14)
