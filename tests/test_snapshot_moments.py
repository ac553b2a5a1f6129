"""What changes while a snapshot is made and comes, what waits meanwhile, and what lies on the disk: with planted bugs."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import msgspec
import pytest

from store_agent.desk import rights
from store_agent.domain.members import Member
from store_agent.domain.products import Product
from store_agent.replica.download import Download
from sync import wire
from sync.central import judging, ledger, snapshots
from sync.client import Offline
from tests.cable import Fate
from tests.chain import Chain, StoreAtEnd
from tests.first_data import MAIL, NAME, PEOPLE, PHONE, Line, a_store, earn, note
from tests.invariants import check_converged, check_ledger, check_view


async def test_what_changes_between_the_snapshot_and_its_arrival_is_in_the_tail(chain: Chain) -> None:
    store = await a_store(chain)
    done: list[bool] = []

    def halfway(request: httpx.Request, content: bytes) -> bytes:
        return content[: len(content) // 2] if not done else content

    Line(store, halfway)
    earn(store)
    with pytest.raises(Offline):
        await store.pull()
    await store.push()
    await chain.write(Member(id="late", phone="+886955555555", name="晚", home_store="s1"))
    await chain.write(Product(id="04712026000013", name={"en": "Better tea"}))
    check_view(store)
    done.append(True)
    await store.pull()
    check_view(store)
    assert await chain.ask("select count(*) from snapshot") == [(1,)], "which is of the moment before"
    assert store.row("member", "late") is not None, "it is in place once it is past what came meanwhile"
    assert store.row("account", "s1-001").balance(chain.clock.now()) == 5
    await store.settle()
    check_view(store)
    assert store.row("product", "04712026000013").name == {"en": "Better tea"}
    await check_converged(chain)


async def waiting_before_and_after(chain: Chain) -> StoreAtEnd:
    """A store with a past that loses its cache: some operations are in the rows, some are held, some never left."""
    store = await a_store(chain)
    await store.settle()
    for n in range(3):
        note(store, f"answered {n}")
        earn(store)
    await store.settle()
    note(store, "on its way, and the reply is lost")
    await store.push()
    earn(store)
    chain.clock.move(hours=2)
    return chain.restart("s1", without_cache=True)


async def test_own_operations_are_shown_exactly_once_while_and_after_it_comes(chain: Chain) -> None:
    store = await waiting_before_and_after(chain)
    Line(store, lambda request, content: content[:2000])
    earn(store)
    while not any(store.session.cursors().values()):
        try:
            await store.pull()
        except Offline:
            note(store, "meanwhile")
    check_view(store)
    assert store.row("account", "s1-001").balance(chain.clock.now()) == 5 * 5
    assert store.replica.outbox(100)[0].seq == 8, "what the centre holds is not sent again"
    await store.settle()
    check_view(store)
    assert store.row("account", "s1-001").balance(chain.clock.now()) == 5 * 5
    await check_converged(chain)
    await check_ledger(chain)


async def test_a_parked_operation_stays_over_the_rows(chain: Chain) -> None:
    store = await a_store(chain)
    await store.settle()
    with patch.object(ledger, "judge", side_effect=judging.judge) as judged:
        real = judged.side_effect

        def park_one(batch: Any, entry: Any) -> Any:
            if getattr(entry.operation, "text", "") == "parked":
                return judging.Judged(entry, entry.operation, "parked", reason="planted")
            return real(batch, entry)

        judged.side_effect = park_one
        for text in ("first", "parked", "third"):
            note(store, text)
        await store.push()
    chain.clock.move(hours=2)
    store = chain.restart("s1", without_cache=True)
    await store.pull()
    check_view(store)
    assert [entry.operation.text for entry in store.replica.view.waiting()] == ["parked"]  # type: ignore[attr-defined]
    assert store.replica.floor().seq == 1


async def test_with_the_cable_out_behind_the_file_its_rows_are_there_already(chain: Chain) -> None:
    store = await a_store(chain)
    store.cable.fate = lambda request: Fate.REQUEST_LOST if request.url.path == "/v1/pull" else Fate.ARRIVES
    await store.pull()
    assert store.replica.cache.count("member") == PEOPLE
    check_view(store)


async def test_the_planted_bug_that_nothing_is_included_shows_things_twice(chain: Chain) -> None:
    store = await waiting_before_and_after(chain)
    included = snapshots._included

    async def forgotten(conn: Any, store_id: str) -> dict[str, list[wire.Included]]:
        await included(conn, store_id)
        return {}

    with patch.object(snapshots, "_included", forgotten):
        await store.pull()
    with pytest.raises(AssertionError, match=r"VIEW.*twice"):
        check_view(store)


async def test_the_planted_bug_that_all_is_included_hides_what_waits(chain: Chain) -> None:
    """The mark of the moment at which it is handed out, instead of the one at which it was made."""
    store = await waiting_before_and_after(chain)
    Line(store, lambda request, content: content[:10])
    with pytest.raises(Offline):
        await store.pull()
    await store.push()
    note(store, "not sent yet")
    label = store.replica.make_download().resume()
    reply = msgspec.json.decode(label, type=wire.SnapshotReply)
    too_late = msgspec.structs.replace(reply, included=[wire.Included(1, store.replica.journal.last().seq)])
    store.in_step._client.snapshot = _always(too_late)  # type: ignore[method-assign]
    (store.folder / "cache.download").unlink()
    store.cable.inner = store.cable.inner._inner  # type: ignore[attr-defined]
    await store.pull()
    with pytest.raises(AssertionError, match=r"VIEW.*not at all"):
        check_view(store)


def _always(value: Any) -> Any:
    async def answer(*_asked: object) -> Any:
        return value

    return answer


async def test_the_planted_bug_that_heads_are_noted_after_the_rows_loses_what_came_between(chain: Chain) -> None:
    store = await a_store(chain)
    rows_of = snapshots._rows_of

    async def with_a_change_behind(conn: Any, table: str, store_id: str) -> AsyncIterator[Any]:
        async for rows in rows_of(conn, table, store_id):
            yield rows
        if table == "product":
            await chain.write(Product(id="04712026000013", name={"en": "Changed meanwhile"}))

    async def too_late(conn: Any, store_id: str, now: Any) -> Any:
        found = await snapshot_of(conn, store_id, now)
        ((position,),) = await chain.ask("select position from head where stream = 'chain'")
        positions = {**found.positions, "chain": position}
        query = "update snapshot set positions = %s where id = %s"
        await conn.execute(query, [wire.encode(positions).decode(), found.id])
        return snapshots.Snapshot(found.id, store_id, found.incarnation, positions, {}, *_rest(found))

    snapshot_of = snapshots._make
    with patch.object(snapshots, "_rows_of", with_a_change_behind), patch.object(snapshots, "_make", too_late):
        await store.pull()
    await store.settle()
    with pytest.raises(AssertionError, match="CONVERGE"):
        await check_converged(chain)


def _rest(found: snapshots.Snapshot) -> tuple[int, int, str]:
    return found.row_count, found.size, found.sha256


async def test_a_change_while_the_rows_are_read_is_in_the_tail(chain: Chain) -> None:
    """The same without the bug."""
    store = await a_store(chain)
    rows_of = snapshots._rows_of

    async def with_a_change_behind(conn: Any, table: str, store_id: str) -> AsyncIterator[Any]:
        if table == "campaign":
            await chain.write(Product(id="04712026000013", name={"en": "Changed meanwhile"}))
        async for rows in rows_of(conn, table, store_id):
            yield rows

    with patch.object(snapshots, "_rows_of", with_a_change_behind):
        await store.pull()
    ((position,),) = await chain.ask("select (positions::jsonb ->> 'chain')::int from snapshot")
    assert position < store.session.cursors()["chain"]
    assert store.row("product", "04712026000013").name == {"en": "Changed meanwhile"}
    await check_converged(chain)


async def test_nothing_lies_in_clear_while_it_comes_nor_after(chain: Chain) -> None:
    store = await a_store(chain)
    Line(store, lambda request, content: content[:1000])
    while not any(store.session.cursors().values()):
        try:
            await store.pull()
        except Offline:
            assert (store.folder / "cache.download").stat().st_mode & 0o777 == 0o600
            _check_closed(store.folder)
    _check_closed(store.folder)


def _check_closed(folder: Path) -> None:
    for file in folder.iterdir():
        content = file.read_bytes()
        for text in (PHONE, MAIL, NAME, "member", "snapshot", '"positions"'):
            assert text.encode() not in content, f"{file.name} holds {text}"


async def test_the_search_for_clear_text_finds_what_is_written_as_it_came(chain: Chain) -> None:
    """The planted bug: pieces are kept as they are."""
    store = await a_store(chain)
    Line(store, lambda request, content: content[:1000])

    def unsealed(self: Download, piece: bytes) -> None:
        assert self._file is not None
        self._file.write(piece)

    with patch.object(Download, "_write", unsealed), pytest.raises(Offline):
        await store.pull()
    with pytest.raises(AssertionError, match=r"cache\.download holds"):
        _check_closed(store.folder)


async def test_nothing_covers_what_is_spent_while_the_store_does_not_know_what_it_holds(chain: Chain) -> None:
    store = await a_store(chain)
    await store.settle()
    earn(store, points=100)
    await store.settle()
    before = rights.held(store.counter), rights.covered(store.counter)
    chain.clock.move(hours=2)
    store = chain.restart("s1", without_cache=True)
    Line(store, lambda request, content: content[:500])
    while not any(store.session.cursors().values()):
        assert rights.risked_points(store.counter, "s1-001", 5) == 5, (
            "its own journal says they were earned, and no more"
        )
        assert rights.held(store.counter) == (0, 0)
        assert rights.covered(store.counter) is None, "nor may it risk anything"
        with contextlib.suppress(Offline):
            await store.pull()
    assert (rights.held(store.counter), rights.covered(store.counter)) == before
