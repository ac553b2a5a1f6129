"""The trial `powercut` in small, each of its controls, and the disk that it cuts the power of."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from tests.test_replica import begin, note
from tests.trials.disk import Act, Did, written_down
from tests.trials.power import SECTOR_BYTES, Disk
from tests.trials.powercut import CUTS_A_DAY, TRIAL

FOUND_FROM = {"attached files": 50}
"""Where the first cuts of all do not show it: the first of a day that does."""


def test_after_sixty_cuts_nothing_is_lost_and_nothing_torn() -> None:
    found = TRIAL.play(60, 100, "")
    assert not found.failure, f"{found.failure}\n{found.details}"
    assert (found.figures["cuts"], found.figures["days"]) == (60, 2)
    assert int(found.figures["operations_confirmed"]) > 20


@pytest.mark.parametrize("plant", sorted(TRIAL.plants))
def test_the_power_cuts_find_the_planted_bug(plant: str) -> None:
    found = TRIAL.play(CUTS_A_DAY, FOUND_FROM.get(plant, 0), plant)
    assert found.failure.partition(":")[0] in ("DURABLE", "VIEW", "TORN")
    assert found.seed is not None
    again = TRIAL.play(1, found.seed, plant)
    assert (again.failure, again.seed) == (found.failure, found.seed), "one number plays it again"


def test_everything_that_sqlite_does_is_written_down(tmp_path: Path) -> None:
    folder, copy = tmp_path / "store", tmp_path / "copy"
    folder.mkdir()
    copy.mkdir()
    with written_down(folder) as recorder, begin(folder) as replica:
        for number in range(20):
            note(replica, str(number))
        replica.rest()
        note(replica, "last")
        disk = Disk()
        for act in recorder.acts:
            disk.take(act)
        for name in ("journal.db", "journal.db-wal", "cache.db", "cache.db-wal"):
            disk.take(Act(Did.SYNCED, name))
        disk.take(Act(Did.SYNCED_FOLDER, ""))
        disk.after_cut(Random(1), copy)
        for path in copy.iterdir():
            assert path.read_bytes() == (folder / path.name).read_bytes()
    assert {path.name for path in copy.iterdir()} == {"journal.db", "journal.db-wal", "cache.db", "cache.db-wal"}


def test_what_was_synced_stays_and_of_the_rest_each_sector_is_one_that_once_stood_there(tmp_path: Path) -> None:
    one, two, three = (bytes([n]) * (4 * SECTOR_BYTES) for n in (1, 2, 3))
    disk = Disk()
    acts = [
        Act(Did.MADE, "a-wal"),
        Act(Did.WROTE, "a-wal", 0, one),
        Act(Did.SYNCED, "a-wal"),
        Act(Did.SYNCED_FOLDER, ""),
        Act(Did.WROTE, "a-wal", 0, two),
        Act(Did.WROTE, "a-wal", 2 * SECTOR_BYTES, three),
    ]
    for act in acts:
        disk.take(act)
    seen = set()
    for seed in range(300):
        folder = tmp_path / str(seed)
        folder.mkdir()
        disk.after_cut(Random(seed), folder)
        left = (folder / "a-wal").read_bytes()
        assert len(left) in [n * SECTOR_BYTES for n in (4, 5, 6)]
        sectors = [set(left[n : n + SECTOR_BYTES]) for n in range(0, len(left), SECTOR_BYTES)]
        assert all(sector <= {1, 2} for sector in sectors[:2])
        assert all(sector <= {1, 2, 3} for sector in sectors[2:4])
        assert all(len(sector) == 1 for sector in sectors[:4])
        seen.add(bytes(b for sector in sectors[:4] for b in sector))
    assert len(seen) > 10, "lost, kept, in order and scattered"
    assert {bytes([1, 1, 1, 1]), bytes([2, 2, 3, 3]), bytes([2, 2, 1, 1])} <= seen
