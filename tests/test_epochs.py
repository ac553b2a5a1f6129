"""A journal that was put back to what it was, and two that write as one: nothing is accepted on it, and nothing is lost."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec
import pytest

from store_agent.codec import encode_entry
from store_agent.domain.members import Member
from store_agent.domain.stock import MoveReason, MoveStock, stock_id
from store_agent.replica import Replica
from store_agent.replica.anchor import RECORD_BYTES, Anchor, Mark
from store_agent.replica.journal import FIRST_HASH, Journal, Place
from store_agent.replica.standing import Frozen, Standing
from store_agent.replica.view import View
from sync import wire
from sync.central import epochs, salvage
from sync.client import Offline
from sync.session import Session
from tests.cable import Fate
from tests.chain import Chain, StoreAtEnd
from tests.invariants import check_view
from tests.restoring import FIRST, check_bytes, earn, keep_disk, points_of, put_back
from tests.test_devices import push, written
from tests.test_replica import KEY, note
from tests.test_replica import begin as begin_alone

GTIN = "04710000000011"
WANG = Member(id="m1", phone="+886912345678", name="王小明", home_store="s1")


async def begin(chain: Chain, *, receives: bool = False, **how: Any) -> StoreAtEnd:
    """A store that has earned 1 point and sent it; perhaps it got one piece before."""
    await chain.write(WANG)
    store = await chain.store("s1", **how)
    if receives:
        receive(store)
    earn(store, 1)
    await store.settle()
    return store


def receive(store: StoreAtEnd) -> str:
    """One piece comes in. Unlike an account, a shelf keeps no list of what moved it: twice would count twice."""
    move = MoveStock(**store.counter.named(), gtin=GTIN, delta=1, reason=MoveReason.RECEIVE)
    assert store.counter.accept(move) is None
    return move.op_id


async def story_of_an_old_journal(chain: Chain) -> None:
    """The files are put back, the anchor is not; the operations of the meantime were sent but for the last."""
    store = await begin(chain, page_rows=1)
    kept = keep_disk(chain, "s1")
    store = chain.stores["s1"]
    earn(store, 20)
    await store.settle()
    earn(store, 300)
    store = put_back(chain, "s1", kept, "journal.db", "cache.db")
    check_view(store)
    assert store.replica.standing.frozen == "rolled-back", "EPOCH: the anchor knows more"
    with pytest.raises(Frozen, match="older journal"):
        earn(store, 4000)
    chain.restart("s1")
    store = chain.stores["s1"]
    await store.push()
    assert store.replica.epoch == 2
    with pytest.raises(Frozen):
        earn(store, 4000)
    await store.settle()
    check_view(store)
    assert store.replica.standing.frozen == ""
    earn(store, 4000)
    assert store.replica.journal.last() == Place(2, 1), "a new chain"
    check_view(store)
    await store.settle()
    await check_bytes(chain, store)
    # The 300 stood only on the disk that was thrown away.
    assert await points_of(chain) == 4021
    assert chain.restart("s1").replica.standing.frozen == ""


PLACES = [(1, 0), (2, 0), (3, 0), (3, 1), (4, 0), (4, 1), (5, 0)]
"""By number and branch: two journals went on from the second operation, the one with two and the other with three."""


async def story_of_an_old_disk(chain: Chain, fate: Callable[[str], Fate] = lambda path: Fate.ARRIVES) -> None:
    """The whole disk is put back, and the store goes on with the cable out: only the centre can notice."""
    store = await begin(chain, receives=True, batch_most=2, page_rows=1)
    kept = keep_disk(chain, "s1")
    store = chain.stores["s1"]
    for points in (20, 300):
        earn(store, points)
    await store.settle()
    store = put_back(chain, "s1", kept)
    left = [earn(store, 4_000), receive(store), earn(store, 600_000)]
    check_view(store)
    cable = store.cable
    lost: set[str] = set()

    def once(request: Any) -> Fate:
        path = request.url.path
        if path in lost:
            return Fate.ARRIVES
        lost.add(path)
        return fate(path)

    cable.fate = once
    for _turn in range(40):
        if not store.has_to_say():
            break
        try:
            await store.push()
            await store.pull()
        except Offline:
            pass
        check_view(store)
    assert not store.has_to_say(), "the queue is wedged"
    assert store.replica.epoch >= 2
    assert store.replica.standing.frozen == ""
    await check_bytes(chain, store)
    assert (await chain.row("stock", stock_id("s1", GTIN))).on_hand == 2, "ONCE: what was held is not applied again"
    assert await points_of(chain) == 604_321, "ONCE: what two journals wrote is counted once each"
    places = await chain.ask("select seq, branch, op_id from operation where epoch = 1 order by seq, branch")
    assert [(seq, branch) for seq, branch, _op_id in places] == PLACES
    assert [op_id for seq, branch, op_id in places if branch or seq == 5] == left, "never numbered anew"
    assert [kind for kind, _store, _amount in await chain.cases()] == ["device_fork"], "one fork is one case"
    assert await chain.ask("select op_id from cases") == [(left[0],)]
    earn(store, 7)
    await store.settle()
    assert await points_of(chain) == 604_328
    check_view(store)
    assert store.replica.view.waiting_count() == 0
    assert store.replica.floor() == store.replica.journal.last()


async def test_an_older_journal_is_noticed_by_the_anchor_and_nothing_is_accepted_on_it(chain: Chain) -> None:
    await story_of_an_old_journal(chain)


async def test_an_older_disk_is_noticed_by_the_centre_and_both_journals_count_once(chain: Chain) -> None:
    await story_of_an_old_disk(chain)


@pytest.mark.parametrize("path", ["/v1/push", "/v1/epoch", "/v1/salvage"])
async def test_a_reply_that_is_lost_on_the_way_to_a_new_epoch_changes_nothing(chain: Chain, path: str) -> None:
    await story_of_an_old_disk(chain, lambda asked: Fate.REPLY_LOST if asked == path else Fate.ARRIVES)


@contextmanager
def _no_anchor() -> Iterator[None]:
    with patch.object(Anchor, "read", lambda self, device: None):
        yield


@contextmanager
def _thawed_with_the_epoch() -> Iterator[None]:
    """As soon as the epoch is given it accepts, though it has not read what the centre holds of it."""
    begin = Standing.begin_epoch

    def at_once(self: Standing, device: str, epoch: int, incarnation: str, heads: Any) -> None:
        begin(self, device, epoch, incarnation, {})

    with patch.object(Standing, "begin_epoch", at_once):
        yield


@contextmanager
def _renumbered() -> Iterator[None]:
    """What is left goes into the new chain, with new numbers and so with new bytes."""

    draft = Session.draft

    def renumber(self: Session) -> Any:
        request = draft(self)
        if not isinstance(request, wire.SalvageRequest):
            return request
        prev_hash, again = FIRST_HASH, []
        for seq, entry in enumerate(self.replica.outbox(self._batch), 1):
            new = encode_entry(entry.operation, entry.device, self.replica.epoch, seq, prev_hash)
            prev_hash = new.hash
            again.append(msgspec.Raw(new.data))
        return wire.PushRequest(again)

    with patch.object(Session, "draft", renumber):
        yield


@contextmanager
def _skipped_by_number() -> Iterator[None]:
    """The centre takes a leftover for held because it holds its number."""
    held = salvage._held

    async def by_number(conn: Any, op_ids: Any) -> Any:
        found = await held(conn, op_ids)
        rows = await (await conn.execute("select max(seq) from operation where epoch = 1")).fetchone()
        return found | {op_id: ANY for op_id in list(op_ids)[: max(0, rows[0] - 3)]}

    with patch.object(salvage, "_held", by_number):
        yield


@contextmanager
def _applied_again() -> Iterator[None]:
    """The centre does not look whether it holds an id."""

    async def nothing(conn: Any, op_ids: Any) -> dict[str, str]:
        await conn.execute("delete from operation where op_id = any(%s)", [list(op_ids)])
        return {}

    with patch.object(salvage, "_held", nothing):
        yield


@contextmanager
def _floor_of_another_journal() -> Iterator[None]:
    """The store believes the numbers in the cache, though they were said of the journal that is gone."""
    with patch.object(View, "_floor", lambda self, cache: cache.floor()[0]):
        yield


class _Any:
    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


ANY = _Any()
Story = Callable[[Chain], Any]
PLANTED: dict[str, tuple[Callable[[], AbstractContextManager[None]], Story]] = {
    "no anchor": (_no_anchor, story_of_an_old_journal),
    "thawed with the epoch": (_thawed_with_the_epoch, story_of_an_old_journal),
    "leftovers numbered anew": (_renumbered, story_of_an_old_disk),
    "leftovers skipped by number": (_skipped_by_number, story_of_an_old_disk),
    "leftovers applied again": (
        _applied_again,
        lambda chain: story_of_an_old_disk(chain, lambda p: Fate.REPLY_LOST if p == "/v1/salvage" else Fate.ARRIVES),
    ),
}


@pytest.mark.parametrize("bug", PLANTED)
async def test_each_bug_that_is_planted_is_found(chain: Chain, bug: str) -> None:
    plant, story = PLANTED[bug]
    with plant(), pytest.raises((AssertionError, pytest.fail.Exception)):
        await story(chain)


async def story_of_a_cache_that_is_newer(chain: Chain) -> None:
    """The journal and its anchor are put back beside a cache that has answers under the same numbers."""
    store = await begin(chain)
    kept = keep_disk(chain, "s1")
    earn(chain.stores["s1"], 20)
    await chain.stores["s1"].settle()
    store = put_back(chain, "s1", kept, "journal.db", "anchor")
    earn(store, 300)
    chain.restart("s1")
    check_view(chain.stores["s1"])


async def test_operations_under_numbers_that_the_cache_knows_otherwise_are_shown(chain: Chain) -> None:
    await story_of_a_cache_that_is_newer(chain)


async def test_a_floor_that_is_believed_of_another_journal_is_found(chain: Chain) -> None:
    with _floor_of_another_journal(), pytest.raises(AssertionError, match="VIEW"):
        await story_of_a_cache_that_is_newer(chain)


async def test_two_living_copies_lose_nothing_and_do_not_go_on_for_ever(chain: Chain) -> None:
    one = await begin(chain)
    kept = keep_disk(chain, "s1")
    one = chain.stores["s1"]
    with Replica(kept, one.key) as replica:
        other = chain._put_together("s1", kept, one.key, replica, one.cable, one.secret, 500, 500, None)

        async def both_go_on() -> None:
            for _turn in range(40):
                for store in (one, other):
                    if not store.replica.standing.frozen:
                        earn(store, 1)
                    await store.push()
                    await store.pull()

        with pytest.raises(Offline):
            await both_go_on()
        chain.clock.move(hours=2)
        await other.settle()
        await one.settle()
        await other.pull()
        assert other.replica.standing.frozen == "other-epoch"
        for store in (one, other):
            await check_bytes(chain, store)
        written_down = {op_id for store in (one, other) for _p, op_id in store.replica.journal.op_ids_after(FIRST, 999)}
        assert await points_of(chain) == len(written_down)


async def test_leftovers_are_taken_from_closed_epochs_only_in_order_and_of_this_device(chain: Chain) -> None:
    store, other = await begin(chain), await chain.store("s2")
    salvage_of = store.client.salvage

    async def declined(epoch: int, *data: bytes) -> str:
        with pytest.raises(Exception) as told:  # noqa: PT011
            await salvage_of(wire.SalvageRequest(epoch, [msgspec.Raw(one) for one in data]))
        return str(told.value)

    first = written(store, 2, "0" * 64)
    assert "one closed epoch" in await declined(1, first)
    await store.client.epoch(wire.EpochRequest(1, 1, "0" * 64, "rolled-back"))
    assert "closed the chain" in await declined(1, first)
    assert "knows nothing of the chain" in await declined(3, first)
    assert "another device" in await declined(2, written(other, 1, "0" * 64))
    assert "one closed epoch" in await declined(2, first, written(store, 1, "0" * 64, epoch=2))
    assert "in their order" in await declined(2, first, written(store, 1, "0" * 64))
    assert "too large" in await declined(2)
    reply = await salvage_of(wire.SalvageRequest(2, [msgspec.Raw(first)]))
    assert (reply.epoch, reply.seq, reply.closed and reply.closed.seq) == (1, 2, 1)
    assert await push(chain, store, written(store, 3, "0" * 64)) == (409, "epoch-closed"), (
        "a closed chain is never gone on with"
    )


async def test_a_leftover_whose_id_is_anothers_is_kept_aside_and_holds_up_nothing(chain: Chain) -> None:
    store = await begin(chain)
    taken = store.replica.journal.op_id_at(Place(1, 1))
    await store.client.epoch(wire.EpochRequest(1, 1, "0" * 64, "rolled-back"))
    data = [written(store, 2, "0" * 64, op_id=taken), written(store, 3, "0" * 64)]
    for _again in range(2):
        await store.client.salvage(wire.SalvageRequest(2, [msgspec.Raw(one) for one in data]))
    assert [bytes(one) for (one,) in await chain.ask("select data from stray")] == data[:1]
    assert await chain.ask("select count(*) from operation where seq = 3") == [(1,)]
    assert [kind for kind, _store, _amount in await chain.cases()] == ["device_fork"]


async def test_a_device_that_asks_for_epochs_without_end_has_to_wait(chain: Chain) -> None:
    store = await begin(chain)
    request = wire.EpochRequest(1, 1, "0" * 64, "forked")
    given = [(await store.client.epoch(request)).epoch for _n in range(epochs.PER_HOUR_MOST)]
    assert given == list(range(2, 2 + epochs.PER_HOUR_MOST)), "each one only once"
    with pytest.raises(Offline):
        await store.client.epoch(request)
    chain.clock.at += timedelta(hours=1, seconds=1)
    assert (await store.client.epoch(request)).epoch == given[-1] + 1


def test_the_anchor_outlives_a_torn_write_and_another_device(tmp_path: Path) -> None:
    anchor = Anchor(tmp_path / "of_its_own" / "anchor")
    assert anchor.read("d1") is None
    for seq in (1, 2, 3):
        anchor.write("d1", Mark(Place(1, seq), str(seq) * 64), sync=True)
    assert anchor.read("d1") == Mark(Place(1, 3), "3" * 64)
    assert anchor.read("d2") is None
    data = bytearray(anchor.path.read_bytes())
    data[RECORD_BYTES + 60] ^= 1
    anchor.path.write_bytes(data)
    assert anchor.read("d1") == Mark(Place(1, 2), "2" * 64)
    anchor.path.write_bytes(b"\xff" * 700)
    assert anchor.read("d1") is None
    anchor.close()


def test_an_anchor_that_cannot_be_written_stops_nobody(tmp_path: Path) -> None:
    folder = tmp_path / "store"
    folder.mkdir()
    with Replica(folder, bytes(32), folder) as replica:
        replica.journal.keep(device="d1", store="s1")
        assert note(replica, "one") is None
        assert note(replica, "two") is None


def test_an_anchor_behind_the_journal_is_what_a_power_cut_leaves(tmp_path: Path) -> None:
    with begin_alone(tmp_path) as replica, patch.object(Anchor, "write", lambda *_args, **_how: None):
        note(replica, "two")
    with Replica(tmp_path, KEY) as replica:
        assert replica.standing.frozen == ""
        assert note(replica, "three") is None


def test_a_journal_that_forgot_its_epoch_is_frozen(tmp_path: Path) -> None:
    begin_alone(tmp_path).close()
    kept = (tmp_path / "journal.db").read_bytes()
    with Replica(tmp_path, KEY) as replica:
        replica.standing.begin_epoch("d1", 2, "i", {})
    for file in tmp_path.glob("journal.db*"):
        file.unlink()
    (tmp_path / "journal.db").write_bytes(kept)
    with Replica(tmp_path, KEY) as replica:
        assert replica.standing.frozen == "rolled-back"
        assert isinstance(replica.journal, Journal)
