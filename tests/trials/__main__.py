"""`run.py trial`: plays a trial as often as it is told to, and prints one line of figures at its end."""

from __future__ import annotations

import argparse
import json
import pkgutil
import sys
import time
from collections.abc import Mapping, Sequence
from importlib import import_module
from secrets import randbelow

from store_agent.trouble import Trouble
from tests import trials
from tests.trials.trial import Found, Trial


def find_trials() -> dict[str, Trial]:
    """Every trial of this folder, by name."""
    modules = (
        import_module(f"tests.trials.{module.name}")
        for module in pkgutil.iter_modules(trials.__path__)
        if module.name not in ("__main__", "trial")
    )
    return {module.TRIAL.name: module.TRIAL for module in modules if hasattr(module, "TRIAL")}


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="run.py trial", description="Long trials of the whole.")
    parser.add_argument("name", nargs="?", metavar="NAME", help="what to try; without it, what there is")
    parser.add_argument("--list", action="store_true", help="say what can be tried, and which bugs can be planted")
    parser.add_argument("--count", type=int, metavar="N", help="how often to play it")
    parser.add_argument("--seed", type=int, metavar="S", help="the same again")
    parser.add_argument("--plant", default="", metavar="BUG", help="plant a bug first: the trial must find it")
    parser.add_argument("--json", action="store_true", help="for a machine")
    asked = parser.parse_args(arguments)
    known = find_trials()
    if asked.list or not asked.name:
        _list(known, asked.json)
        return 0
    if asked.name not in known:
        return _stop(f"There is no trial '{asked.name}': it is one of {', '.join(known)}.")
    trial = known[asked.name]
    count = trial.count if asked.count is None else asked.count
    if count < 1:
        return _stop("A count is 1 or more.")
    plants = [asked.plant] if asked.plant in trial.plants else [name for name in trial.plants if asked.plant in name]
    if asked.plant and len(plants) != 1:
        return _stop(f"No one bug of {trial.name} is called '{asked.plant}': it is one of {'; '.join(trial.plants)}.")
    seed = randbelow(1_000_000) if asked.seed is None else asked.seed
    return _play(trial, count, seed, plants[0] if asked.plant else "", as_json=asked.json)


def _play(trial: Trial, count: int, seed: int, plant: str, *, as_json: bool) -> int:
    """0 where all held, or where what was planted was found."""
    began = time.monotonic()
    try:
        found = trial.play(count, seed, plant)
    except Trouble as trouble:
        return _stop(str(trouble))
    seconds = round(time.monotonic() - began, 1)
    if as_json:
        said = {"trial": trial.name, "seed": seed, "plant": plant, **found.figures, "seconds": seconds}
        print(
            json.dumps(
                {**said, "found": found.failure, "replay": _replay(trial, count, seed, plant, found)},
                ensure_ascii=False,
            )
        )
    else:
        if found.failure and not plant:
            print(found.details or found.failure, file=sys.stderr)
        figures = ", ".join(f"{value} {name.replace('_', ' ')}" for name, value in found.figures.items())
        ending = f"found: {found.failure}" if found.failure else "all true"
        planted = f", planted: {plant}" if plant else ""
        print(f"{trial.name}: {figures} in {seconds} s, seed {seed}{planted}; {ending}")
        if found.failure:
            print(f"the same again: {_replay(trial, count, seed, plant, found)}")
    return 0 if bool(found.failure) == bool(plant) else 1


def _replay(trial: Trial, count: int, seed: int, plant: str, found: Found) -> str:
    if not found.failure:
        return ""
    once = f"--count 1 --seed {found.seed}" if found.seed is not None else f"--count {count} --seed {seed}"
    return f"python3 run.py trial {trial.name} {once}" + (f" --plant '{plant}'" if plant else "")


def _list(known: Mapping[str, Trial], as_json: bool) -> None:
    if as_json:
        said = {
            name: {"about": one.about, "count": one.count, "unit": one.unit, "plants": dict(one.plants)}
            for name, one in known.items()
        }
        print(json.dumps(said))
        return
    for one in known.values():
        print(f"{one.name:10} {one.about.strip()} ({one.count} {one.unit})")
        for plant, about in one.plants.items():
            print(f"           --plant '{plant}': {about}")


def _stop(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
