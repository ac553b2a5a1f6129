"""A rule that crashes at the centre and nowhere else: what an operation of a newer version would do there."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from store_agent.domain.tags import AddNote
from tests.simulator.centre import AT_CENTRE

POISON = "a text that no rule can bear"


class Crashed(Exception):
    """What the rule raises."""


@contextmanager
def poisonous() -> Iterator[None]:
    """While this lasts, a note of that text cannot be applied at the centre."""
    effect = AddNote.effect

    def crashing(self: AddNote, before: Any) -> Any:
        if self.text == POISON and AT_CENTRE.get():
            raise Crashed(POISON)
        return effect(self, before)

    with patch.object(AddNote, "effect", crashing):
        yield
