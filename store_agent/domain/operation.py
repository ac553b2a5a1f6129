"""What happened at a counter, and why something may not happen: the two values that every noun is written in.

Nothing of a particular noun lives here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar, Protocol


class Row(Protocol):
    """One row of the centre's truth. Rows are frozen; `table` names their kind, `id` the one row."""

    table: ClassVar[str]

    @property
    def id(self) -> str: ...


Fact = str | int | datetime
"""What a refusal's sentence may mention. The end of its name says how it is shown: `_at`, `_minor`, else as it is."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Why something may not happen. A value: the words for it, and what to do instead, are in `store_agent.words`."""

    reason: StrEnum
    facts: Mapping[str, Fact] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """Something that happened, named once.

    `judge` and `effect` are pure: time and ids are fields, so that counter, overlay and centre come to the same answer.
    """

    op_id: str
    """A time-ordered UUID (version 7), made before the operation is first written."""
    at: datetime
    """When it happened, aware and UTC."""
    store: str
    staff: str
    group: str = ""
    """Operations that happened together (one checkout) share a group."""
    approved_by: str = ""
    """The other person whose PIN approved it, where an approval was needed."""

    kind: ClassVar[str]
    """The class name in kebab case: `redeem-coupon`."""
    table: ClassVar[str]
    """The table of the subject."""

    @property
    def subject(self) -> str:
        """The id of the one row that this operation changes."""
        raise NotImplementedError

    def judge(self, before: Any) -> Refusal | None:
        """Whether this may happen to the row as it stands; `before` is None where there is no such row."""
        raise NotImplementedError

    def effect(self, before: Any) -> Any:
        """The row as it stands once this has happened, also where `judge` would have refused: facts are never undone.

        None only where there is no row and this operation cannot make one.
        """
        raise NotImplementedError
