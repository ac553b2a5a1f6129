"""Three stores, one centre and a bad network, played by Hypothesis; what is shown is checked after every step."""

from __future__ import annotations

from contextlib import nullcontext

from sync.central.postgres.embedded import EmbeddedPostgres
from tests.plants import PLANTS
from tests.test_fleet import Fleet, play
from tests.trials.trial import Found, Trial

# The third bug of `tests/plants.py` shows only between two transactions that are open at once.
PLANTED = {
    "overlay dropped on the push's reply": "the store takes the push's reply for the answer",
    "no deduplication at the centre": "the centre applies whatever comes",
}
STEPS = 40


def _play(count: int, seed: int, plant: str) -> Found:
    failure = details = ""
    stories = Fleet.number
    with EmbeddedPostgres(durable=False) as postgres, PLANTS[plant]() if plant else nullcontext():
        try:
            play(postgres, examples=count, steps=STEPS, seed=seed)
        except (AssertionError, ExceptionGroup) as error:
            failure = (str(error) or "a check failed").splitlines()[0]
            details = "\n".join([str(error), *getattr(error, "__notes__", [])])
    return Found(figures={"stories": Fleet.number - stories, "steps_most": STEPS}, failure=failure, details=details)


TRIAL = Trial(name="fleet", about=__doc__ or "", count=100, unit="stories", play=_play, plants=PLANTED)
