"""The trial `kill` in small, and each of its controls."""

from __future__ import annotations

import pytest

from tests.trials.kill import TRIAL


def test_after_four_kills_nothing_is_lost() -> None:
    found = TRIAL.play(4, 1, "")
    assert not found.failure, f"{found.failure}\n{found.details}"
    assert int(found.figures["kills"]) >= 4
    assert int(found.figures["operations_kept"]) >= int(found.figures["operations_confirmed"]) > 0


@pytest.mark.parametrize("plant", sorted(TRIAL.plants))
def test_the_kills_find_the_planted_bug(plant: str) -> None:
    assert TRIAL.play(10, 1, plant).failure
