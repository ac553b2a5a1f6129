"""Where a person stands: the replica, the clock, the ids, and who it is. Handed to every verb; knows no noun."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from store_agent.clock import Clock, Ids
from store_agent.domain.operation import Operation, Refusal
from store_agent.domain.stores import Store
from store_agent.replica import Replica
from store_agent.trouble import Trouble
from store_agent.words import _


@dataclass(slots=True)
class Counter:
    """One person at one terminal of the store. `accepted` is called after each commit, so that it is pushed at once."""

    replica: Replica
    clock: Clock
    ids: Ids
    staff: str
    accepted: Callable[[], None] = lambda: None
    acquire: Callable[[Sequence[Any]], Awaitable[None]] | None = None
    """Asks the centre for rights (`desk/rights.py`), and comes back once they are here, or are not to be had in time."""

    @property
    def store_id(self) -> str:
        """The store that this replica belongs to."""
        return self.replica.store

    @property
    def store(self) -> Store:
        """The store as the head office describes it; a blank one until the first rows have come."""
        store: Store | None = self.replica.view.get("store", self.store_id)
        return store or Store(id=self.store_id, name={})

    def now(self) -> datetime:
        """The moment, for an operation or a rule: never before what the centre last told, so no clock extends a coupon."""
        now, server_at = self.clock.now(), self.replica.server_at()
        return now if server_at is None or server_at < now else server_at

    def named(self, group: str = "") -> dict[str, Any]:
        """The fields that every operation begins with: a new id, now, this store, this person."""
        return {"op_id": self.ids.new(), "at": self.now(), "store": self.store_id, "staff": self.staff, "group": group}

    def accept(self, *operations: Operation) -> Refusal | None:
        """Accept operations that belong together, all or none; None once they are safe on disk."""
        return self.accept_drafted(lambda: operations)

    def accept_drafted(self, draft: Callable[[], Sequence[Operation]]) -> Refusal | None:
        """The same for operations that depend on what stands now: no other terminal changes it after they were drafted."""
        refusal = self.replica.accept_drafted(draft)
        if refusal is None:
            self.accepted()
        return refusal


def check_enrolled(replica: Replica) -> None:
    """Trouble where the store was never enrolled: nothing that happens could be anyone's."""
    if not replica.device:
        raise Trouble(
            _("This store is not enrolled yet."),
            _("Ask the head office for a one-time code, then run `store-agent enroll URL CODE`."),
        )
