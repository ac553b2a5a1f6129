"""What a trial is: something played many times from a seed, which bugs can be planted in it, and what it found."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """How a trial went: figures for its one line, and where something was not as promised, what and from which seed."""

    figures: Mapping[str, int | float | str]
    """In the order in which they are said: `{"stories": 200, "operations": 100_000}`."""
    failure: str = ""
    """One line; empty where all held."""
    details: str = ""
    """Whatever helps to understand a failure, for a person."""
    seed: int | None = None
    """The seed that fails when it is played alone (`--count 1 --seed S`); None where it is the one that was given."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """One trial. Each file of this folder that holds one calls it `TRIAL`."""

    name: str
    about: str
    count: int
    """How often it is played where nobody says."""
    unit: str
    """What is counted: `stories`, `cuts`, `kills`, `seconds`."""
    play: Callable[[int, int, str], Found]
    """(count, seed, plant) → what came of it. Stops at the first failure. A plant is the name of a bug, or empty."""
    plants: Mapping[str, str] = field(default_factory=dict)
    """Bugs and controls that can be planted, which this trial must find: name → what somebody did wrong."""
