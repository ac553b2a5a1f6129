"""What somebody could do wrong to a store that is upgraded with a full outbox: the old journals must find each."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import msgspec

from store_agent import codec
from store_agent.domain.points import EarnPoints
from store_agent.replica import database
from store_agent.replica.journal import Journal


def migrated_bytes() -> AbstractContextManager[object]:
    """A new version writes what it finds in its own, tidier way."""
    begin = Journal.__init__

    def tidy(self: Journal, path: Path, key: bytes) -> None:
        begin(self, path, key)
        with database.transaction(self.db, path):
            for epoch, seq, data in self.db.conn.execute("select epoch, seq, data from operation").fetchall():
                tidied = msgspec.json.encode(msgspec.json.decode(data), order="sorted")
                update = "update operation set data = ? where epoch = ? and seq = ?"
                self.db.conn.execute(update, [tidied, epoch, seq])

    return patch.object(Journal, "__init__", tidy)


@dataclass(frozen=True, slots=True, kw_only=True)
class EarnPointsOfTomorrow(EarnPoints):
    """With a field that no operation of yesterday has."""

    campaign_id: str


def needed_field() -> AbstractContextManager[object]:
    """An operation has one more field, without a default."""
    return patch.dict(codec._operation_decoders, {EarnPoints.kind: msgspec.json.Decoder(EarnPointsOfTomorrow)})


def another_effect() -> AbstractContextManager[object]:
    """A campaign of today doubles the points, and nobody thought of those that were earned before."""
    effect = EarnPoints.effect

    def doubled(self: EarnPoints, before: Any) -> Any:
        return effect(replace(self, points=2 * self.points), before)

    return patch.object(EarnPoints, "effect", doubled)


PLANTS: dict[str, tuple[str, Callable[[], AbstractContextManager[object]]]] = {
    "migrated bytes": ("operations that are there already are written anew", migrated_bytes),
    "a needed field": ("an operation gets a field without a default", needed_field),
    "another effect": ("an old operation means something else than it did", another_effect),
}
