"""What a customer is about to pay for: lines of products, or just money where nothing was scanned."""

from __future__ import annotations

from dataclasses import dataclass

QUANTITY_MOST = 9_999
"""More pieces than this on one line is a barcode typed into the wrong field."""
TOTAL_MOST_MINOR = 10**12


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """So many of one product at a unit price before any coupon. Without a GTIN it is money whose goods are unknown."""

    gtin: str = ""
    quantity: int = 1
    unit_minor: int
    categories: tuple[str, ...] = ()
    """Of the product, so that a rule need not look it up."""

    @property
    def total_minor(self) -> int:
        """The line before any coupon."""
        return self.quantity * self.unit_minor


@dataclass(frozen=True, slots=True, kw_only=True)
class Basket:
    """Lines in one currency. Raises ValueError for what no till can mean; it is made where a basket enters."""

    currency: str
    lines: tuple[Line, ...] = ()

    def __post_init__(self) -> None:
        for line in self.lines:
            if not 1 <= line.quantity <= QUANTITY_MOST:
                raise ValueError(f"a quantity is from 1 to {QUANTITY_MOST}, not {line.quantity}")
            if not line.gtin and line.quantity != 1:
                raise ValueError("money without a product has no quantity")
            if not 0 <= line.total_minor <= TOTAL_MOST_MINOR:
                raise ValueError(f"a line costs from 0 to {TOTAL_MOST_MINOR}, not {line.total_minor}")

    @classmethod
    def of_total(cls, currency: str, total_minor: int) -> Basket:
        """A basket of which only the total is known."""
        return cls(currency=currency, lines=(Line(unit_minor=total_minor),) if total_minor else ())

    @property
    def total_minor(self) -> int:
        """Before any coupon."""
        return sum(line.total_minor for line in self.lines)

    @property
    def is_scanned(self) -> bool:
        """Whether the product of every line is known; rules about products see no others."""
        return all(line.gtin for line in self.lines)
