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
        if mark.op_ids is not None:
            # By id, one after the other: closed epochs are rare.
            break
        whole_to = min([ends[each], mark.seq, *(seq - 1 for seq in mark.missing)])
        floor = Place(each, whole_to)
        if whole_to < ends[each]:
            break
    named = {each: None if one.op_ids is None else frozenset(one.op_ids) for each, one in included.items()}

    def is_in(entry: Entry) -> bool:
        mark, op_ids = included.get(entry.epoch, Included(entry.epoch, 0)), named.get(entry.epoch)
        if op_ids is not None:
            return entry.operation.op_id in op_ids
        return entry.seq <= mark.seq and entry.seq not in mark.missing

    entries = [entry for entry in journal.after(floor) if is_in(entry)]
    held = included.get(epoch, Included(epoch, 0)).seq
    received = Place(epoch, min(held, ends.get(epoch, 0)))
    if ends and min(ends) < epoch:
        # Of a closed epoch a number says nothing: another journal may have used it, or what is left may not have been
        # sent yet. So all of it is offered again, and the centre skips by id what it holds.
        received = Place(min(ends), 0)
    return Covered(floor, entries, received)
