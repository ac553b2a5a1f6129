"""A store that has nothing takes one file: from wherever it was cut, checked, and in place at once."""

from __future__ import annotations

from typing import Any

from sync.client import Offline
from sync.snapshot import Bootstrap
from tests.chain import Chain, StoreAtEnd
from tests.first_data import PEOPLE, Line, a_store, earn, note
from tests.invariants import check_converged, check_ledger, check_view


async def test_a_new_store_takes_a_snapshot_and_then_the_tail(chain: Chain) -> None:
    store = await a_store(chain)
    note(store, "before anything is known")
    await store.pull()
    assert [line.split("/v1/")[0] + line.split("/")[2] for line in store.cable.carried] == [
        "POST snapshot",
        "GET snapshot",
        "GET pull",
    ]
    assert store.replica.cache.count("member") == PEOPLE
    assert [m.id for m in store.replica.view.search("member", "0007", 5)] == ["s1-007"]
    assert len(store.replica.view.search("member", "小明", 50)) == PEOPLE
    assert [p.id for p in store.replica.view.search("product", "tea", 5)] == ["04712026000013"]
    assert [c.id for c in store.replica.view.of_member("coupon", "s1-003")] == ["k-s1-003"]
    check_view(store)
    earn(store)
    await store.settle()
    check_view(store)
    await check_converged(chain)
    await check_ledger(chain)
    assert list(store.folder.glob("cache.[!d]*")) == [], "nothing is left beside it"


async def test_a_cache_from_a_snapshot_is_the_cache_that_pulling_makes(chain: Chain) -> None:
    first = await a_store(chain, snapshot_rows=None)
    await first.settle()
    pulled = _content(first)
    second = chain.restart("s1", without_cache=True)
    second.in_step._bootstrap = Bootstrap(second.session, second.client, chain.clock, rows_least=0)
    await second.pull()
    taken = _content(second)
    assert taken.keys() == pulled.keys()
    for table, rows in pulled.items():
        assert taken[table] == rows, table


def _content(store: StoreAtEnd) -> dict[str, Any]:
    """Schema and rows of a cache, without what is only said of this one file."""
    ask = store.replica.cache.db.conn.execute
    schema = ask("select name, sql from sqlite_master order by name").fetchall()
    passing = ("_sqlite_migrations", "arrival", "setting", "sqlite_sequence")
    tables = [name for (name,) in ask("select name from sqlite_master where type = 'table'") if name not in passing]
    # The index of characters keeps the same in other pages.
    rows = {
        name: sorted(map(repr, ask(f"select * from {name}").fetchall()))
        for name in tables
        if "_characters" not in name and not name.endswith("_name")
    }
    return {"schema": schema, **rows}


async def test_a_download_that_is_cut_at_any_byte_goes_on_from_there(chain: Chain) -> None:
    store = await a_store(chain, people=12)
    line = Line(store, lambda request, content: content[:1])
    size = None
    for _turn in range(100_000):
        try:
            await store.pull()
        except Offline:
            continue
        break
    rows = await chain.ask("select size from snapshot")
    size = rows[0][0]
    assert len(line.ranges) == size, "each request brought one byte more, and none was asked for twice"
    assert line.ranges == ["", *(f"bytes={n}-" for n in range(1, size))]
    assert store.replica.cache.count("member") == 12
    await store.settle()
    await check_converged(chain)
