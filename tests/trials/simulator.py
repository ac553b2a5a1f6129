"""The real stores, centres and databases in one seeded loop under all faults at once; every invariant is checked."""

from __future__ import annotations

from contextlib import nullcontext
from multiprocessing import get_context

from sync.central.postgres.embedded import EmbeddedPostgres
from tests.simulator.plants import PLANTS
from tests.simulator.story import Stage, Story
from tests.trials.trial import Found, Trial

OPERATIONS = 500
TOGETHER_FROM = 20
"""So many seeds or more are played by two processes, each with a ledger of its own; what each seed does is the same."""


def _play(count: int, seed: int, plant: str) -> Found:
    seeds = range(seed, seed + count)
    with EmbeddedPostgres(durable=False) as postgres:
        if count < TOGETHER_FROM or plant:
            failed, stories, operations = _play_some(postgres, "simulator", list(seeds), plant)
        else:
            failed, stories, operations = _play_together(postgres.url, list(seeds))
    figures: dict[str, int | float | str] = {"seeds": stories, "operations": operations}
    if failed is None:
        return Found(figures=figures)
    details = "\n".join((*failed.lines, failed.failure))
    return Found(figures=figures, failure=failed.failure.splitlines()[0][:300], details=details, seed=failed.seed)


def _play_some(
    postgres: EmbeddedPostgres, name: str, seeds: list[int], plant: str = ""
) -> tuple[Story | None, int, int]:
    """The first story that fails, how many were played, and how many operations that were."""
    stage = Stage(postgres, name)
    operations = 0
    for number, seed in enumerate(seeds, 1):
        with PLANTS[plant].put() if plant else nullcontext():
            story = stage.play(seed, OPERATIONS)
        operations += story.operations
        if story.failure:
            return story, number, operations
    return None, len(seeds), operations


def _play_apart(seeds: list[int]) -> tuple[Story | None, int, int]:
    with EmbeddedPostgres(durable=False) as postgres:
        return _play_some(postgres, "simulator", seeds)


def _play_together(_url: str, seeds: list[int]) -> tuple[Story | None, int, int]:
    with get_context("spawn").Pool(2) as processes:
        parts = processes.map(_play_apart, [seeds[::2], seeds[1::2]])
    failed = min((story for story, _n, _o in parts if story), key=lambda story: story.seed, default=None)
    return failed, sum(number for _s, number, _o in parts), sum(operations for _s, _n, operations in parts)


PLANTED = {name: plant.about for name, plant in PLANTS.items()}
TRIAL = Trial(name="simulator", about=__doc__ or "", count=200, unit="seeds", play=_play, plants=PLANTED)
