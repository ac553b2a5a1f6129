"""Looking up a product and its stock here and elsewhere; receiving, adjusting, counting, and "the shelf is empty"."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from store_agent.desk.counter import Counter
from store_agent.domain.operation import Refusal
from store_agent.domain.products import Product, ProductReason, to_gtin
from store_agent.domain.stock import (
    Availability,
    CountStock,
    MarkShelfEmpty,
    MoveReason,
    MoveStock,
    Stock,
    StoreStock,
    stock_id,
)

HITS_MOST = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Shelf:
    """A product at this store, what it may be promised as, and what other stores said they have, as of when."""

    product: Product
    stock: Stock
    elsewhere: tuple[StoreStock, ...]
    store_names: dict[str, dict[str, str]]


def find(counter: Counter, text: str, most: int = HITS_MOST) -> list[Product]:
    """Products by their number, its last digits, or any part of a name."""
    gtin = to_gtin(text.strip())
    if gtin:
        product = counter.replica.view.get("product", gtin)
        return [product] if product else []
    return counter.replica.view.search("product", text, most)


def look_up(counter: Counter, gtin: str) -> Shelf | Refusal:
    """One product here and elsewhere."""
    view = counter.replica.view
    with view.moment():
        product: Product | None = view.get("product", gtin)
        if product is None:
            return Refusal(ProductReason.UNKNOWN, {"gtin": gtin})
        id_ = stock_id(counter.store_id, gtin)
        stock: Stock = view.get("stock", id_) or Stock(id=id_, store=counter.store_id, gtin=gtin)
        availability: Availability | None = view.get("availability", gtin)
        others = tuple(s for s in (availability.stores if availability else ()) if s.store != counter.store_id)
        names = {store.id: store.name for store in view.all("store")}
        return Shelf(product=product, stock=stock, elsewhere=others, store_names=names)


def receive(counter: Counter, gtin: str, quantity: int, reference: str = "") -> Refusal | None:
    """Goods came."""
    return move(counter, gtin, quantity, MoveReason.RECEIVE, reference)


def move(counter: Counter, gtin: str, delta: int, reason: MoveReason, reference: str = "") -> Refusal | None:
    """Pieces came or went, for a reason."""
    return counter.accept(MoveStock(**counter.named(), gtin=gtin, delta=delta, reason=reason, reference=reference))


def count(counter: Counter, gtin: str, counted: int, seen_on_hand: int, began_at: datetime) -> Refusal | None:
    """Somebody counted; only the difference to what was seen when the counting began is moved."""
    return counter.accept(
        CountStock(**counter.named(), gtin=gtin, counted=counted, seen_on_hand=seen_on_hand, began_at=began_at)
    )


def mark_shelf_empty(counter: Counter, gtin: str) -> Refusal | None:
    """The shelf is empty, whatever the number says."""
    return counter.accept(MarkShelfEmpty(**counter.named(), gtin=gtin))
