"""A disk that is full, or takes nothing: what was confirmed still goes to the centre, and nothing is accepted meanwhile."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import pytest

from store_agent.domain.stock import MoveReason, MoveStock, stock_id
from store_agent.replica import Replica, ballast
from store_agent.replica.database import Full
from store_agent.trouble import Trouble
from sync.wire import stream_of
from tests.chain import Chain
from tests.test_replica import KEY, begin, check_chain, counter_of, note, notes
from tests.trials.day import tune
from tests.trials.disk import Act, Did, Recorder, written_down

GTIN = "04710000000011"


class SmallDisk:
    """A disk of so many bytes under one folder, for what SQLite and what the ballast take of it."""

    def __init__(self, folder: Path, recorder: Recorder) -> None:
        self._folder = folder
        self.bytes_most = 10**9
        recorder.room = self.has_room

    @property
    def free(self) -> int:
        used = sum(path.stat().st_size for path in self._folder.iterdir() if not path.name.endswith("-shm"))
        return max(0, self.bytes_most - used)

    def has_room(self, act: Act) -> bool:
        assert act.did is Did.WROTE
        length = (self._folder / act.name).stat().st_size
        return act.place + len(act.data) - length <= self.free

    def fill(self, left: int = 0) -> None:
        """Somebody else's files take all but this."""
        self.bytes_most -= self.free - left


@contextmanager
def small_disk(folder: Path) -> Iterator[SmallDisk]:
    with written_down(folder) as recorder, patch.object(ballast, "BALLAST_BYTES", 256 * 1024):
        disk = SmallDisk(folder, recorder)
        with patch("shutil.disk_usage", lambda _folder: SimpleNamespace(free=disk.free)):
            yield disk


def accept_until_full(replica: Replica) -> int:
    """How many pieces could be sold before there was no room."""
    counter = counter_of(replica)
    for number in range(10_000):
        try:
            sold = MoveStock(**counter.named(), gtin=GTIN, delta=-1, reason=MoveReason.SELL)
            assert counter.accept(sold) is None
        except Full:
            return number
    raise AssertionError("the disk is never full")


def test_a_full_disk_throws_the_ballast_out_and_nothing_more_is_accepted(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk, begin(tmp_path) as replica:
        assert (tmp_path / ballast.NAME).stat().st_size == ballast.BALLAST_BYTES
        disk.fill(left=200_000)
        kept = accept_until_full(replica)
        assert not (tmp_path / ballast.NAME).exists()
        free = disk.free
        for _again in range(3):
            with pytest.raises(Full, match="Nothing that was confirmed is lost"):
                note(replica, "no more")
        assert disk.free == free, "what the ballast freed is not for this"
        assert check_chain(replica) == kept + 1
        assert replica.view.get("stock", stock_id("s1", GTIN)).on_hand == -kept


def test_it_is_taken_in_again_once_there_is_room_and_work_goes_on(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk, begin(tmp_path) as replica:
        disk.fill(left=100_000)
        kept = accept_until_full(replica)
        disk.bytes_most += 2 * ballast.BALLAST_BYTES
        assert note(replica, "room again") is None
        assert (tmp_path / ballast.NAME).stat().st_size == ballast.BALLAST_BYTES
        assert check_chain(replica) == kept + 2


async def test_what_was_confirmed_reaches_the_centre_though_the_disk_is_full(chain: Chain) -> None:
    folder = chain.folder / "s1-0"
    with small_disk(folder) as disk:
        store = await chain.store("s1", batch_most=5, page_rows=5)
        await chain.settle()
        tune(store.replica)
        # A log is at most half as long as the ballast; here the making of the files is still in it.
        store.replica.rest()
        disk.fill(left=300_000)
        kept = accept_until_full(store.replica)
        assert kept > 10
        await store.settle()
        assert store.replica.outbox(1) == []
        assert await chain.ask("select count(*) from operation") == [(kept,)]
        assert store.session.cursors()[stream_of("s1")] > 0
        with pytest.raises(Full):
            note(store.replica, "no more")
        store.replica.close()


def test_a_store_on_a_full_disk_opens_and_shows_what_it_has(tmp_path: Path) -> None:
    with small_disk(tmp_path) as disk:
        begin(tmp_path).close()
        ballast.throw_out(tmp_path)
        disk.fill()
        with Replica(tmp_path, KEY) as replica:
            assert notes(replica) == ["first"]
            with pytest.raises(Full):
                note(replica, "no more")


def test_two_processes_that_take_it_in_at_once_have_one(tmp_path: Path) -> None:
    with begin(tmp_path), Replica(tmp_path, KEY):
        assert [path.name for path in tmp_path.iterdir() if path.name.startswith(ballast.NAME)] == [ballast.NAME]


def test_without_room_for_the_ballast_half_of_it_is_not_left(tmp_path: Path) -> None:
    no_room = OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
    with patch.object(Path, "replace", side_effect=no_room):
        assert not ballast.take_in(tmp_path)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("number", [errno.EROFS, errno.EACCES])
def test_a_folder_that_takes_nothing_is_said_at_the_start_and_left_alone(tmp_path: Path, number: int) -> None:
    begin(tmp_path).close()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with (
        patch("tempfile.TemporaryFile", side_effect=OSError(number, os.strerror(number))),
        pytest.raises(Trouble, match="cannot be written"),
    ):
        Replica(tmp_path, KEY)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
