"""Turning what is scanned and typed at the counter into a basket."""

from __future__ import annotations

from dataclasses import replace

from store_agent.desk.counter import Counter
from store_agent.domain.baskets import Basket, Line
from store_agent.domain.operation import Refusal
from store_agent.domain.products import Product, ProductReason


def empty(counter: Counter) -> Basket:
    """Nothing yet, in the store's currency."""
    return Basket(currency=counter.store.currency)


def of_total(counter: Counter, total_minor: int) -> Basket:
    """Only the total is known. Raises ValueError for an amount that no till can mean."""
    return Basket.of_total(counter.store.currency, total_minor)


def add(counter: Counter, basket: Basket, gtin: str, quantity: int = 1) -> Basket | Refusal:
    """One more of a product, at the store's price; scanned twice it is two pieces on one line."""
    product: Product | None = counter.replica.view.get("product", gtin)
    price_minor = product.price_minor.get(basket.currency) if product else None
    if product is None:
        return Refusal(ProductReason.UNKNOWN, {"gtin": gtin})
    if price_minor is None:
        return Refusal(ProductReason.NO_PRICE, {"gtin": gtin, "currency": basket.currency})
    lines = list(basket.lines) if basket.is_scanned else []
    for n, line in enumerate(lines):
        if line.gtin == gtin and line.unit_minor == price_minor:
            lines[n] = replace(line, quantity=line.quantity + quantity)
            return replace(basket, lines=tuple(lines))
    line = Line(gtin=gtin, quantity=quantity, unit_minor=price_minor, categories=product.categories)
    return replace(basket, lines=(*lines, line))


def remove(basket: Basket, place: int) -> Basket:
    """One piece less of a line; the line goes with its last piece."""
    lines = list(basket.lines)
    line = lines.pop(place)
    if line.quantity > 1:
        lines.insert(place, replace(line, quantity=line.quantity - 1))
    return replace(basket, lines=tuple(lines))
