"""This store's figures, to be laid beside the centre's: the rows of the cache, and what still waits over them."""

from __future__ import annotations

from store_agent.codec import NOUN_OF
from store_agent.desk.counter import Counter
from store_agent.domain.figures import Figures


def of_store(counter: Counter) -> dict[str, int]:
    """Counts and sums over everything that this store holds, as it shows it."""
    figures = Figures()
    view = counter.replica.view
    with view.moment():
        for table in sorted(NOUN_OF):
            for row in view.all(table):
                figures.add(row)
    return figures.plain() | positions(counter)


def positions(counter: Counter) -> dict[str, int]:
    """How far both streams are read."""
    read = counter.replica.cache.cursors()
    own = f"store/{counter.store_id}"
    return {"position_chain": read.get("chain", (0, 0))[0], "position_store": read.get(own, (0, 0))[0]}
