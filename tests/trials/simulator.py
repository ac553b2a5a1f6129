"""The real stores, centres and databases in one seeded loop under all faults at once; every invariant is checked."""

from __future__ import annotations

from contextlib import nullcontext
from multiprocessing import get_context

from sync.central.postgres.embedded import EmbeddedPostgres
from tests.simulator.plants import PLANTS
from tests.simulator.story import Stage, Story
from tests.trials.trial import Found, Trial

TOGETHER_FROM = 20
"""So many seeds or more are played by two processes, each with a server of its own; what each seed does is the same."""
Played = tuple[Story | None, int, int]
"""The first story that failed, how many were played, and how many operations that were."""


def _play(count: int, seed: int, plant: str) -> Found:
    seeds = list(range(seed, seed + count))
    if count < TOGETHER_FROM or plant:
        failed, stories, operations = _play_some(seeds, plant)
    else:
        failed, stories, operations = _play_together(seeds)
    figures: dict[str, int | float | str] = {"seeds": stories, "operations": operations}
    if failed is None:
        return Found(figures=figures)
    details = "\n".join((*failed.lines, failed.failure))
    return Found(figures=figures, failure=failed.failure.splitlines()[0][:300], details=details, seed=failed.seed)


def _play_some(seeds: list[int], plant: str = "") -> Played:
    operations = 0
    with EmbeddedPostgres(durable=False) as postgres:
        stage = Stage(postgres.create_database("simulator"))
        for number, seed in enumerate(seeds, 1):
            with PLANTS[plant].put() if plant else nullcontext():
                story = stage.play(seed)
            operations += story.operations
            if story.failure:
                return story, number, operations
    return None, len(seeds), operations


def _play_together(seeds: list[int]) -> Played:
    with get_context("spawn").Pool(2) as processes:
        parts = processes.map(_play_some, [seeds[::2], seeds[1::2]])
    failed = min((story for story, _n, _o in parts if story), key=lambda story: story.seed, default=None)
    return failed, sum(number for _s, number, _o in parts), sum(operations for _s, _n, operations in parts)


PLANTED = {name: plant.about for name, plant in PLANTS.items()}
TRIAL = Trial(name="simulator", about=__doc__ or "", count=200, unit="seeds", play=_play, plants=PLANTED)
