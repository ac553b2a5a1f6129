"""The simulator itself: it repeats, it finds what was planted, and a few seeds of it; more of them are a trial."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from random import Random

import pytest

from sync.central.postgres.embedded import EmbeddedPostgres
from tests.postgres_fixture import FreshDatabase
from tests.simulator import loop
from tests.simulator.plants import PLANTS
from tests.simulator.story import Stage

ROOT = Path(__file__).parent.parent
OPERATIONS = 30
AT_ONCE = ("overlay dropped on the push's reply", "page ends anywhere")


@pytest.fixture(scope="module")
def stage(postgres: EmbeddedPostgres) -> Stage:
    return Stage(postgres.create_database(f"simulator_{os.getpid()}"))


@pytest.mark.parametrize("seed", [2])
def test_a_chain_stays_true_under_all_faults_at_once(seed: int, stage: Stage) -> None:
    story = stage.play(seed, OPERATIONS)
    assert story.failure == "", "\n".join(story.lines)
    assert story.operations >= OPERATIONS


def test_the_same_seed_is_the_same_story_in_another_process(stage: Stage, fresh_database: FreshDatabase) -> None:
    command = [sys.executable, "-m", "tests.simulator", fresh_database(), "5", "12"]
    environment = os.environ | {"PYTHONHASHSEED": "77", "PYTHONPATH": str(ROOT)}
    run = subprocess.run(command, env=environment, capture_output=True, text=True, cwd=ROOT, check=True)
    here = stage.play(5, 12)
    assert run.stdout.split()[:2] == [here.hash, str(here.operations)]


@pytest.mark.parametrize("plant", AT_ONCE)
def test_the_simulator_finds_the_planted_bug(plant: str, stage: Stage) -> None:
    with PLANTS[plant].put():
        stories = (stage.play(seed, OPERATIONS) for seed in range(1, 4))
        assert any(story.failure for story in stories)


@pytest.mark.parametrize("plant", PLANTS)
def test_every_bug_can_still_be_planted(plant: str) -> None:
    """The code that it changes may have changed: then it is to be planted anew, and would else find nothing for ever."""
    with PLANTS[plant].put():
        pass


def test_time_passes_only_where_nobody_can_go_on() -> None:
    async def hours() -> float:
        await asyncio.gather(asyncio.sleep(3600), asyncio.sleep(7200))
        return asyncio.get_running_loop().time()

    assert loop.run(hours(), Random(1)) == 7200


def test_who_goes_first_is_the_seeds_choice() -> None:
    async def race(said: list[int], number: int) -> None:
        await asyncio.sleep(0)
        said.append(number)

    async def together() -> tuple[int, ...]:
        said: list[int] = []
        async with asyncio.TaskGroup() as tasks:
            for number in range(5):
                tasks.create_task(race(said, number))
        return tuple(said)

    orders = {loop.run(together(), Random(seed)) for seed in range(20)}
    assert len(orders) > 10
    assert loop.run(together(), Random(3)) == loop.run(together(), Random(3))


def test_a_loop_in_which_nothing_can_ever_happen_says_so() -> None:
    async def forever() -> None:
        await asyncio.Event().wait()

    with pytest.raises(loop.Stalled):
        loop.run(forever(), Random(1))
