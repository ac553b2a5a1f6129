"""A chain to try everything with: two stores, 3,000 products, every kind of offer, and as many members as wanted.

Everything follows from the number of members, the moment and the seed, so that the same call makes the same chain. What
is named here is what others use; each file beside it makes one kind of row.
"""

from __future__ import annotations

from store_agent.demo.sample.chain import Sample, make_sample
from store_agent.demo.sample.offers import LEAFLET_CODES
from store_agent.demo.sample.orders import Course, order_code, order_no
from store_agent.demo.sample.progress import progress
from store_agent.demo.sample.shops import STORES, TAICHUNG, TAIPEI
from store_agent.demo.sample.stories import (
    CHEUNG,
    CONAN,
    LEE,
    LIN,
    NEWCOMER_EMAIL,
    NEWCOMER_NAME,
    NEWCOMER_PHONE,
    PEOPLE,
    WANG,
    WONG,
    Person,
)

__all__ = [
    "CHEUNG",
    "CONAN",
    "LEAFLET_CODES",
    "LEE",
    "LIN",
    "NEWCOMER_EMAIL",
    "NEWCOMER_NAME",
    "NEWCOMER_PHONE",
    "PEOPLE",
    "STORES",
    "TAICHUNG",
    "TAIPEI",
    "WANG",
    "WONG",
    "Course",
    "Person",
    "Sample",
    "make_sample",
    "order_code",
    "order_no",
    "progress",
]
