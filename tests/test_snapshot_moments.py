"""What changes while a snapshot is made and comes, what waits meanwhile, and what lies on the disk: with planted bugs."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import msgspec
import pytest

from store_agent.domain.members import Member
from store_agent.domain.products import Product
from store_agent.replica.download import Download
from store_agent.trouble import Trouble
from sync import wire
from sync.central import ledger, snapshots
from sync.client import Client, Offline
from sync.session import Rubbish
from sync.snapshot import TRIES
from tests.cable import Fate
from tests.chain import URL, Chain, StoreAtEnd
from tests.first_data import MAIL, NAME, PEOPLE, PHONE, Line, a_store, earn, note
from tests.invariants import check_converged, check_ledger, check_view


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
    with patch.object(ledger, "_judge", side_effect=ledger._judge) as judged:
        real = judged.side_effect

        def park_one(batch: Any, entry: Any) -> Any:
            if getattr(entry.operation, "text", "") == "parked":
                return ledger.Judged(entry, entry.operation, "parked", reason="planted")
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
    assert store.replica.cache.floor().seq == 1


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
    store.cable._inner = store.cable._inner._inner  # type: ignore[attr-defined]
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
    store.cable._inner = store.cable._inner._inner  # type: ignore[attr-defined]
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
