"""Whole numbers of money: rounding and dividing so that parts always sum exactly. Nothing else rounds."""

from __future__ import annotations

from collections.abc import Sequence

EXPONENTS = {"TWD": 0, "HKD": 2}
"""Digits after the point of one minor unit. A Taiwan invoice knows whole dollars only, so TWD's minor unit is a dollar."""


def share(amount_minor: int, numerator: int, denominator: int) -> int:
    """`amount × numerator / denominator`, half a unit rounded away from zero."""
    if denominator <= 0:
        raise ValueError("denominator must be positive")
    product = amount_minor * numerator
    quotient = (2 * abs(product) + denominator) // (2 * denominator)
    return quotient if product >= 0 else -quotient


def allocate(amount_minor: int, weights: Sequence[int]) -> tuple[int, ...]:
    """Divide an amount over lines in proportion to their weights; the parts sum to the amount exactly.

    Largest remainder; of equal remainders the earlier line is first. With no weight at all, nothing is divided.
    """
    total = sum(weights)
    if total <= 0:
        return tuple(0 for _ in weights)
    floors = [amount_minor * weight // total for weight in weights]
    order = sorted(range(len(weights)), key=lambda n: (-(amount_minor * weights[n] % total), n))
    for n in order[: amount_minor - sum(floors)]:
        floors[n] += 1
    return tuple(floors)
