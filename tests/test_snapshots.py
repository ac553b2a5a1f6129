"""A store that has nothing takes one file: from wherever it was cut, checked, and in place at once."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import pytest

from store_agent.replica import Replica
from store_agent.trouble import Trouble
from sync import wire
from sync.central import snapshots
from sync.client import Client, Offline
from sync.session import Rubbish
from sync.snapshot import TRIES, Bootstrap
from tests.chain import URL, Chain, StoreAtEnd
from tests.first_data import NAME, PEOPLE, Line, a_store, earn, note
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
    store = await a_store(chain, people=5)
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
    assert store.replica.cache.count("member") == 5
    await store.settle()
    await check_converged(chain)


@pytest.mark.parametrize("step", [7, 100, 1009])
async def test_a_store_that_is_restarted_at_each_cut_goes_on_from_there(chain: Chain, step: int) -> None:
    store = await a_store(chain)
    Line(store, lambda request, content: content[:step])
    cuts = 0
    while not any(store.session.cursors().values()):
        try:
            await store.pull()
        except Offline:
            cuts += 1
            if cuts % 10 == 0:
                store = chain.restart("s1")
        check_view(store)
    ((size,),) = await chain.ask("select size from snapshot")
    assert cuts == (size - 1) // step
    await store.settle()
    await check_converged(chain)


async def test_a_byte_that_is_wrong_is_noticed_and_all_is_begun_anew(chain: Chain) -> None:
    store = await a_store(chain)
    seen: list[int] = []

    def alter(request: httpx.Request, content: bytes) -> bytes:
        seen.append(len(content))
        return content if len(seen) > 1 else content[:100] + bytes([content[100] ^ 1]) + content[101:]

    line = Line(store, alter)
    with pytest.raises(Rubbish):
        await store.pull()
    assert not any(store.session.cursors().values()), "nothing of it was taken"
    assert not (store.folder / "cache.download").exists()
    await store.pull()
    assert line.ranges == ["", ""]
    assert store.replica.cache.count("member") == PEOPLE


async def test_a_longer_file_than_was_said_is_refused(chain: Chain) -> None:
    store = await a_store(chain)
    Line(store, lambda request, content: content + b"!")
    with pytest.raises(Rubbish):
        await store.pull()
    assert store.replica.cache.count("member") == 0


async def test_after_three_snapshots_of_no_use_the_rows_are_pulled(chain: Chain) -> None:
    store = await a_store(chain)
    Line(store, lambda request, content: b"?" * len(content))
    for _try in range(TRIES):
        with pytest.raises(Rubbish):
            await store.pull()
    await store.settle()
    assert store.replica.cache.count("member") == PEOPLE
    await check_converged(chain)


async def test_a_cable_that_is_out_is_no_failure_of_the_snapshot(chain: Chain) -> None:
    store = await a_store(chain)
    store.cable.plugged = False
    for _try in range(TRIES * 3):
        with pytest.raises(Offline):
            await store.pull()
    store.cable.plugged = True
    await store.pull()
    assert any(line.startswith("GET /v1/snapshot/") for line in store.cable.carried)


async def test_few_rows_are_pulled_and_asked_for_once(chain: Chain) -> None:
    store = await a_store(chain, snapshot_rows=100_000)
    await store.settle()
    assert [line for line in store.cable.carried if "snapshot" in line] == ["POST /v1/snapshot"]
    assert await chain.ask("select count(*) from snapshot") == [(0,)]
    await check_converged(chain)


async def test_a_snapshot_of_another_store_is_refused(chain: Chain) -> None:
    store, other = await a_store(chain), await a_store(chain, "s2")
    await store.pull()
    ((snapshot_id,),) = await chain.ask("select id from snapshot")
    asked = wire.SnapshotReply("ready", "i", snapshot_id, 1, "0" * 64)
    with pytest.raises(Trouble, match="another store"):
        _ = [piece async for piece in other.client.download(asked, 0)]
    with pytest.raises(Trouble, match="two streams"):
        await other.client.snapshot(wire.SnapshotRequest({"chain": 0, "store/s1": 0}))
    async with Client(URL, transport=httpx.ASGITransport(chain.app)) as nobody:
        with pytest.raises(Trouble, match="does not know this device"):
            _ = [piece async for piece in nobody.download(asked, 0)]
    async with chain.ledger() as conn:
        await conn.execute("update device set revoked_at = now()")
    with pytest.raises(Trouble, match="revoked"):
        _ = [piece async for piece in store.client.download(asked, 0)]


async def test_only_rows_of_the_stores_own_members_are_in_its_snapshot(chain: Chain) -> None:
    store, _other = await a_store(chain), await a_store(chain, "s2", people=5)
    await store.pull()
    assert {member.id[:2] for member in store.replica.cache.all("member")} == {"s1"}
    assert {coupon.member_id[:2] for coupon in store.replica.cache.all("coupon")} == {"s1"}


async def test_a_snapshot_that_takes_long_is_asked_for_again(chain: Chain) -> None:
    store = await a_store(chain)
    chain.centre.making._wait_s = 0.0
    turns = 0
    while not any(store.session.cursors().values()):
        await store.pull()
        turns += 1
    assert turns > 1
    assert await chain.ask("select count(*) from snapshot") == [(1,)], "it was made once"


async def test_a_snapshot_that_was_swept_away_meanwhile_is_replaced_by_another(chain: Chain) -> None:
    store = await a_store(chain)
    Line(store, lambda request, content: content[:1000])
    with pytest.raises(Offline):
        await store.pull()
    async with chain.ledger() as conn:
        await conn.execute("delete from snapshot")
    store.cable.inner = store.cable.inner._inner  # type: ignore[attr-defined]
    with pytest.raises(Trouble, match="not kept"):
        await store.pull()
    await store.pull()
    assert store.replica.cache.count("member") == PEOPLE


async def test_old_snapshots_are_swept_and_a_new_one_is_made_where_the_last_is_old(chain: Chain) -> None:
    store = await a_store(chain)
    await store.pull()
    asked = wire.SnapshotRequest({"chain": 0, "store/s1": 0})
    first = await store.client.snapshot(asked)
    assert (await store.client.snapshot(asked)).id == first.id
    chain.clock.move(hours=2)
    second = await store.client.snapshot(asked)
    assert second.id != first.id
    chain.clock.move(days=1, hours=23)
    await snapshots.sweep(chain.centre.pool, chain.clock.now())
    assert await chain.ask("select id from snapshot") == [(second.id,)]
    assert await chain.ask("select distinct snapshot_id from snapshot_part") == [(second.id,)]


async def test_how_far_it_is_can_be_read_by_every_terminal_and_is_gone_at_the_end(chain: Chain) -> None:
    store = await a_store(chain)
    said: list[str] = []
    bootstrap = store.in_step._bootstrap
    assert bootstrap is not None
    bootstrap._changed = lambda: said.append(store.replica.cache.setting("arriving"))
    await store.pull()
    ((size,),) = await chain.ask("select size from snapshot")
    assert f"fetched {size} {size}" in said
    assert any(text.startswith("built ") for text in said)
    assert store.replica.cache.setting("arriving") == ""


async def test_other_terminals_go_over_to_the_new_rows_and_all_of_them_see_what_comes_then(chain: Chain) -> None:
    store = await a_store(chain)
    with Replica(store.folder, store.key) as other:
        assert other.view.count("member") == 0
        before = other.version()
        await store.pull()
        assert other.version() != before
        assert other.view.get("member", "s1-007").name == NAME
        earn(store)
        await store.settle()
        assert other.version() != before
        assert other.view.get("account", "s1-001").balance(chain.clock.now()) == 5
        assert other.cache.db.conn.execute("pragma integrity_check").fetchone() == ("ok",)
    with Replica(store.folder, store.key) as third:
        assert third.cache.cursors() == store.replica.cache.cursors()


@pytest.mark.parametrize("place", [1, 2])
async def test_a_kill_while_it_is_put_in_place_loses_nothing(chain: Chain, place: int) -> None:
    store = await a_store(chain)
    note(store, "kept")
    moves: list[object] = []

    def replace(old: Path, new: Path) -> None:
        moves.append(new)
        if len(moves) == place:
            raise Killed
        real(old, new)

    real = os.replace
    with patch.object(os, "replace", replace), pytest.raises(Killed):
        await store.pull()
    store = chain.restart("s1")
    check_view(store)
    bootstrap = store.in_step._bootstrap
    assert bootstrap is not None
    bootstrap.tidy()
    await store.pull()
    assert store.replica.cache.count("member") == PEOPLE
    await store.settle()
    check_view(store)
    await check_converged(chain)


class Killed(BaseException):
    """Nobody catches it, like a kill."""


async def test_what_a_kill_left_behind_is_thrown_away_but_not_what_is_on_its_way(chain: Chain) -> None:
    store = await a_store(chain)
    line = Line(store, lambda request, content: content[:500])
    with pytest.raises(Offline):
        await store.pull()
    bootstrap = store.in_step._bootstrap
    assert bootstrap is not None
    kept = (store.folder / "cache.download").read_bytes()
    for name in ("cache.new.db", "cache.new.db-journal", "cache.old.db"):
        (store.folder / name).write_bytes(b"torn")
    bootstrap.tidy()
    assert list(store.folder.glob("cache.[no]*")) == []
    assert (store.folder / "cache.download").read_bytes() == kept
    store.cable.inner = line._inner
    await store.pull()
    (store.folder / "cache.download").write_bytes(kept)
    bootstrap.tidy()
    assert not (store.folder / "cache.download").exists(), "it is in place already"
