"""`run.py trial`: lets a trial run as long as it is told to, and prints one line of figures at its end."""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Sequence
from contextlib import nullcontext
from secrets import randbelow

from sync.central.postgres.embedded import EmbeddedPostgres
from tests.plants import PLANTS
from tests.test_fleet import Fleet, play

TRIALS = {
    "fleet": "three stores, one centre and a bad network, played by Hypothesis; what is shown is checked after every step"
}
# The third bug shows only between two transactions that are open at once, which tests/test_feed.py arranges.
PLANTED = ("overlay dropped on the push's reply", "no deduplication at the centre")
STEPS = 40


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="run.py trial", description="Long trials of the whole.")
    parser.add_argument("name", nargs="?", metavar="NAME", help="what to try; without it, what there is")
    parser.add_argument("--list", action="store_true", help="say what can be tried, and which bugs can be planted")
    parser.add_argument("--count", type=int, default=100, metavar="N", help="stories to play (100)")
    parser.add_argument("--seed", type=int, default=None, metavar="S", help="the same stories again")
    parser.add_argument("--plant", default="", metavar="BUG", help="plant a bug first: the trial must find it")
    parser.add_argument("--json", action="store_true", help="for a machine")
    asked = parser.parse_args(arguments)
    if asked.list or not asked.name:
        _list(asked.json)
        return 0
    if asked.name not in TRIALS:
        return _stop(f"There is no trial '{asked.name}': it is one of {', '.join(TRIALS)}.")
    if asked.count < 1:
        return _stop("A count is 1 or more.")
    meant = [plant for plant in PLANTED if asked.plant and asked.plant in plant]
    if asked.plant and len(meant) != 1:
        return _stop(f"No one bug is called '{asked.plant}': it is one of {'; '.join(PLANTED)}.")
    seed = randbelow(1_000_000) if asked.seed is None else asked.seed
    return _play_fleet(asked.count, seed, meant[0] if meant else "", as_json=asked.json)


def _play_fleet(count: int, seed: int, plant: str, *, as_json: bool) -> int:
    """0 where the fleet stayed true, or where it found what was planted."""
    found = ""
    began, stories = time.monotonic(), Fleet.number
    with EmbeddedPostgres(durable=False) as postgres, PLANTS[plant]() if plant else nullcontext():
        try:
            play(postgres, examples=count, steps=STEPS, seed=seed)
        except (AssertionError, ExceptionGroup) as failure:
            found = (str(failure) or "a check failed").splitlines()[0]
            if not as_json and not plant:
                print("\n".join([str(failure), *getattr(failure, "__notes__", [])]), file=sys.stderr)
    figures = {
        "trial": "fleet",
        "seed": seed,
        "plant": plant,
        "stories": Fleet.number - stories,
        "steps_most": STEPS,
        "seconds": round(time.monotonic() - began, 1),
        "found": found,
    }
    if as_json:
        print(json.dumps(figures, ensure_ascii=False))
    else:
        print(
            f"fleet: {figures['stories']} stories of up to {STEPS} steps in {figures['seconds']} s, seed {seed}"
            f"{f', planted: {plant}' if plant else ''}; {f'found: {found}' if found else 'all true'}"
        )
    return 0 if bool(found) == bool(plant) else 1


def _list(as_json: bool) -> None:
    if as_json:
        print(json.dumps({"trials": TRIALS, "plants": {"fleet": PLANTED}}))
        return
    for name, about in TRIALS.items():
        print(f"{name:10} {about}")
    print("\nBugs to plant (any part of the name will do), which fleet must find:")
    for plant in PLANTED:
        print(f"  {plant}")


def _stop(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
