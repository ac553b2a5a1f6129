"""The sample's 3,000 products: what `goods.py` lists, in brands, kinds and sizes, each with a valid EAN-13."""

from __future__ import annotations

from itertools import product as combinations
from random import Random

from store_agent.demo.sample.goods import AISLES, BRANDS, SIZE_WORDS, Aisle
from store_agent.domain.products import Product, check_digit

COUNT = 3_000
PREFIX = "4712026"
"""GS1 Taiwan (471) and a company number that stands for the sample."""


def gtin(number: int) -> str:
    """The GTIN-14 of the sample's product with this number, from 0."""
    body = f"{PREFIX}{number + 1:05d}"
    return "0" + body + check_digit(body)


_PER_AISLE = COUNT // len(AISLES)


def number_of(aisle_id: str, place: int = 0) -> int:
    """The number of the product at this place of an aisle; those at the first places are fixed in `goods.py`."""
    return [aisle.id for aisle in AISLES].index(aisle_id) * _PER_AISLE + place


def named(aisle_id: str, place: int = 0) -> str:
    """The GTIN-14 of the product at this place of an aisle."""
    return gtin(number_of(aisle_id, place))


CREAM = named("skin-care")
LOTION = named("skin-care", 1)
SAMPLE_SET = named("skin-care", 2)
MASK = named("masks")
LATTE = named("cafe")
AMERICANO = named("cafe", 1)
TUMBLER = named("kitchen")
CHIPS = named("japan-snacks")
BISCUITS = named("japan-snacks", 1)
GIFT_CARD = named("gift-cards")
SOAP = named("body-care")
DRINK, OTHER_DRINK = named("drinks"), named("drinks", 1)
SNACK, OTHER_SNACK = named("snacks"), named("snacks", 1)
"""These are found missing when orders are picked: whatever their number says, their shelf is empty then."""


def make_products(seed: int) -> tuple[Product, ...]:
    """All of them, in the order of their numbers."""
    random = Random(f"{seed}/products")
    return tuple(one for aisle in AISLES for one in _of_aisle(aisle, random))


def _of_aisle(aisle: Aisle, random: Random) -> list[Product]:
    made = [
        _product(aisle, place, dict(zip(("zh-TW", "zh-HK", "en"), names, strict=True)), price, extra)
        for place, (names, price, extra) in enumerate(aisle.fixed)
    ]
    every = list(combinations(BRANDS, aisle.items, aisle.kinds, aisle.sizes))
    for brand, (item, base), kind, (size, factor) in random.sample(every, _PER_AISLE - len(made)):
        hong_kong_size, english_size = SIZE_WORDS.get(size, (size, size))
        name = {
            "zh-TW": f"{brand[0]} {kind[0]}{item[0]} {size}",
            "zh-HK": f"{brand[1]} {kind[1]}{item[1]} {hong_kong_size}",
            "en": f"{brand[2]} {kind[2]} {item[2]} {english_size}",
        }
        # Prices in Taiwan end in 9, 5 or 0.
        price = max(10, round(base * factor * random.uniform(0.8, 1.3) / 10) * 10 - random.choice((0, 1, 1, 5)))
        extra = ("sensitive",) if aisle.is_for_skin and kind[2] in ("Sensitive", "Fragrance-free") else ()
        made.append(_product(aisle, len(made), name, price, extra))
    return made


def _shelf(aisle: Aisle, place: int) -> str:
    """Aisles that share a letter stand one behind the other; sixteen articles to a shelf."""
    before = [other.id for other in AISLES if other.shelf == aisle.shelf].index(aisle.id)
    shelves = -(-_PER_AISLE // 16)
    return f"{aisle.shelf}{before * shelves + place // 16 + 1}"


def _product(aisle: Aisle, place: int, name: dict[str, str], price: int, extra: tuple[str, ...]) -> Product:
    return Product(
        id=named(aisle.id, place),
        name=name,
        # A Hong Kong price ends in ten cents: about a quarter of the Taiwanese one.
        price_minor={"TWD": price, "HKD": price * 25 // 10 * 10},
        categories=(aisle.id, *extra),
        shelf=_shelf(aisle, place),
        life_days=aisle.life_days,
    )
