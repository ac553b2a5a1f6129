"""The trial `upgrade`, each of its controls, and what a store and a centre do about operations of another time."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import pytest

from store_agent.codec import OPERATION_OF, hash_of
from tests.chain import Chain
from tests.journals.make import FOLDER, make
from tests.test_codec import changed
from tests.test_devices import push, written
from tests.trials.upgrade import TRIAL, released

BYTES_MOST = 200_000


def test_journals_of_every_released_version_open_mean_the_same_and_reach_the_centre() -> None:
    found = TRIAL.play(TRIAL.count, 1, "")
    assert not found.failure
    assert found.figures["versions"] == len(released()) >= 1


@pytest.mark.parametrize("plant", sorted(TRIAL.plants))
def test_the_old_journals_find_the_planted_bug(plant: str) -> None:
    assert TRIAL.play(TRIAL.count, 1, plant).failure


def test_the_first_journal_holds_every_kind_of_its_version_and_all_are_small() -> None:
    kinds = json.loads((FOLDER / "v1" / "summary.json").read_text("utf-8"))["kinds"]
    assert len(set(kinds)) == 32
    assert set(kinds) <= set(OPERATION_OF), "a kind that was released is never taken away, nor called otherwise"
    for fixture in released():
        assert sum(path.stat().st_size for path in fixture.iterdir()) < BYTES_MOST


def test_a_fixture_holds_what_is_written_today_and_is_never_made_again(tmp_path: Path) -> None:
    make(tmp_path / "next")
    kinds = json.loads((tmp_path / "next" / "summary.json").read_text("utf-8"))["kinds"]
    assert set(kinds) == set(OPERATION_OF)
    with pytest.raises(FileExistsError):
        make(tmp_path / "next")


async def test_what_a_later_version_wrote_stays_unread_and_what_follows_is_applied(chain: Chain) -> None:
    store = await chain.store("s1")
    first = written(store, 1, "0" * 64)
    of_tomorrow = changed(written(store, 2, hash_of(first)), kind="of-tomorrow", body={"new": [1, 2]})
    newer = changed(written(store, 3, hash_of(of_tomorrow)), version=2)
    last = written(store, 4, hash_of(newer))
    assert await push(chain, store, first, of_tomorrow, newer, last) == (200, "")
    kept = await chain.ask("select seq, outcome, hash from operation order by seq")
    assert kept == [
        (1, "applied", hash_of(first)),
        (2, "parked", hash_of(of_tomorrow)),
        (3, "parked", hash_of(newer)),
        (4, "applied", hash_of(last)),
    ]
    assert await chain.cases() == [("parked_operation", "s1", 0)] * 2
    assert msgspec.json.decode(of_tomorrow)["kind"] == "of-tomorrow"
