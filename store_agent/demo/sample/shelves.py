"""What stands on the shelves of the sample's stores: mostly plenty, sometimes one left, sometimes none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from random import Random

from store_agent.demo.sample import products as known
from store_agent.demo.sample.shops import STORES
from store_agent.domain.products import Product
from store_agent.domain.stock import Stock, stock_id

PLENTY = frozenset(
    {
        known.CREAM, known.LOTION, known.SAMPLE_SET, known.MASK, known.LATTE, known.AMERICANO, known.TUMBLER,
        known.CHIPS, known.BISCUITS, known.GIFT_CARD, known.SOAP,
    }
)  # fmt: skip
"""What the stories need."""


def make_stock(products: Sequence[Product], seed: int) -> Iterator[Stock]:
    """One row for each product and store."""
    random = Random(f"{seed}/stock")
    for store in STORES:
        for product in products:
            on_hand = random.choices((0, 1, random.randrange(2, 12), random.randrange(12, 80)), (6, 6, 48, 40))[0]
            safety = 2 if on_hand > 12 else 0
            if product.id in PLENTY:
                on_hand, safety = 40 + on_hand, 2
            yield Stock(
                id=stock_id(store, product.id),
                store=store,
                gtin=product.id,
                on_hand=on_hand,
                safety=safety,
            )
