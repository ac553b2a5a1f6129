"""Which own operations a snapshot's rows hold, by what the centre says of its moment and what the journal has."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from store_agent.codec import Entry
from store_agent.replica.journal import Journal, Place
from sync.wire import Included


@dataclass(frozen=True, slots=True)
class Covered:
    """Own operations that are in a snapshot's rows: all up to the floor, and these."""

    floor: Place
    entries: list[Entry]
    received: Place
    """Up to here the centre holds them: they need not be sent again."""


def covered(journal: Journal, epoch: int, marks: Iterable[Included]) -> Covered:
    """Never one that the journal does not have: whatever is written there later under its number would be hidden."""
    included, ends = {one.epoch: one for one in marks}, journal.ends()
    floor = Place(1, 0)
    for each in sorted(ends):
        mark = included.get(each, Included(each, 0))
        whole_to = min([ends[each], mark.seq, *(seq - 1 for seq in mark.missing)])
        floor = Place(each, whole_to)
        if whole_to < ends[each]:
            break
    entries = [
        entry
        for entry in journal.after(floor)
        if (mark := included.get(entry.epoch, Included(entry.epoch, 0))).seq >= entry.seq
        and entry.seq not in mark.missing
    ]
    held = included.get(epoch, Included(epoch, 0)).seq
    return Covered(floor, entries, Place(epoch, min(held, ends.get(epoch, 0))))
