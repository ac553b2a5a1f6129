"""Streams are shortened by what no store needs, and a store that is further behind loses nothing but time."""

from __future__ import annotations

from datetime import timedelta

import pytest

from store_agent.domain.products import Product
from sync.central import compaction
from sync.client import Gone
from tests.cable import Fate
from tests.chain import Chain, StoreAtEnd
from tests.first_data import PEOPLE, a_store, earn, note
from tests.invariants import check_converged, check_view

OFFLINE = timedelta(days=30)


async def compact(chain: Chain) -> int:
    return await compaction.compact(chain.centre.pool, chain.clock.now(), OFFLINE)


async def left_behind(chain: Chain, snapshot_rows: int | None = 10**6) -> StoreAtEnd:
    """A store that was in step, and then offline for longer than streams are kept."""
    store = await a_store(chain, snapshot_rows=snapshot_rows)
    await store.settle()
    earn(store)
    await store.settle()
    note(store, "with the cable out")
    await chain.write(Product(id="04712026000013", name={"en": "Dearer tea"}))
    await compact(chain)
    chain.clock.move(days=61)
    await compact(chain)
    return store


async def test_rows_are_kept_for_twice_the_longest_time_offline_and_then_dropped(chain: Chain) -> None:
    store = await a_store(chain)
    ((before,),) = await chain.ask("select count(*) from feed")
    assert await compact(chain) == 0
    chain.clock.move(days=59)
    await chain.write(Product(id="04712026000013", name={"en": "Dearer tea"}))
    assert await compact(chain) == 0
    chain.clock.move(days=2)
    assert await compact(chain) == before
    assert await chain.ask("select stream, tbl from feed") == [("chain", "product")]
    assert await compact(chain) == 0
    assert store


async def test_a_store_that_is_behind_the_floor_takes_its_rows_anew_and_keeps_its_journal(chain: Chain) -> None:
    store = await left_behind(chain)
    journal = (store.folder / "journal.db").read_bytes()
    before = store.session.cursors()
    check_view(store)
    await store.pull()
    check_view(store)
    assert (store.folder / "journal.db").read_bytes() == journal
    assert all(store.session.cursors()[stream] >= before[stream] for stream in before), "MONO"
    assert store.row("product", "04712026000013").name == {"en": "Dearer tea"}
    assert store.replica.cache.count("member") == PEOPLE
    assert [entry.operation.kind for entry in store.replica.view.waiting()] == ["add-note"]
    await store.settle()
    check_view(store)
    await check_converged(chain)


async def test_what_it_has_is_shown_until_the_new_rows_are_in_place(chain: Chain) -> None:
    store = await left_behind(chain)
    store.cable.fate = lambda request: _fate(request.url.path)
    with pytest.raises(Exception, match="reached"):
        await store.pull()
    assert store.replica.cache.count("member") == PEOPLE
    assert store.row("product", "04712026000013").name == {"en": "Tea"}
    check_view(store)


def _fate(path: str) -> Fate:
    return Fate.REQUEST_LOST if path.startswith("/v1/snapshot/") else Fate.ARRIVES


async def test_a_store_that_takes_no_snapshots_is_told_that_rows_are_gone(chain: Chain) -> None:
    store = await left_behind(chain, snapshot_rows=None)
    with pytest.raises(Gone):
        await store.pull()


async def test_a_new_store_at_a_shortened_stream_gets_all_however_few_rows_there_are(chain: Chain) -> None:
    await left_behind(chain)
    chain.stores.pop("s1").replica.close()
    store = await chain.store("s9", snapshot_rows=10**6)
    await store.pull()
    await store.settle()
    assert store.row("product", "04712026000013").name == {"en": "Dearer tea"}
    await check_converged(chain)


async def test_the_planted_bug_that_nobody_is_told_leaves_a_store_without_rows_for_ever(chain: Chain) -> None:
    """Compaction without a floor that a pull asks for: the page begins behind a gap, which the store does notice."""
    store = await left_behind(chain, snapshot_rows=None)
    async with chain.ledger() as conn:
        await conn.execute("delete from feed_floor")
    await store.pull()
    assert (
        store.session.cursors()["chain"] < (await chain.ask("select position from head where stream = 'chain'"))[0][0]
    )
    with pytest.raises(AssertionError, match="CONVERGE"):
        await check_converged(chain)
