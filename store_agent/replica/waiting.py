"""Own operations that are not yet in the cache, in memory: by the row that each means, and by whom it names. No I/O."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from store_agent.codec import Entry
from store_agent.domain.merging import named_in, readdress

Key = tuple[str, str]
"""A table and a row's id."""


class Waiting:
    """Every question costs as much as its answer, however many wait."""

    def __init__(self) -> None:
        self._by_op: dict[str, Entry] = {}
        self._over: dict[str, dict[str, list[Entry]]] = {}
        """By table and subject, oldest first."""
        self._naming: dict[str, dict[str, None]] = {}
        """By member, or by any other part of an id: the op_ids of what names it."""

    def __len__(self) -> int:
        return len(self._by_op)

    def __iter__(self) -> Iterator[Entry]:
        return iter(sorted(self._by_op.values(), key=_place))

    def hold(self, entry: Entry, stays: Mapping[str, str]) -> Key:
        """One more waits; over which row. `stays`: by id of a member who was merged away, the one who stays."""
        # Its bytes stay what they are: this is only which row it means by now, by the rule that the centre asks too.
        entry = replace(entry, operation=readdress(entry.operation, stays))
        operation = entry.operation
        self._by_op[operation.op_id] = entry
        entries = self._over.setdefault(operation.table, {}).setdefault(operation.subject, [])
        entries.append(entry)
        if len(entries) > 1 and _place(entries[-2]) > _place(entry):
            entries.sort(key=_place)
        for part in named_in(operation):
            self._naming.setdefault(part, {})[operation.op_id] = None
        return operation.table, operation.subject

    def drop(self, op_id: str) -> Key | None:
        """One waits no more; over which row it did."""
        entry = self._by_op.pop(op_id, None)
        if entry is None:
            return None
        operation = entry.operation
        rest = [other for other in self._over[operation.table][operation.subject] if other is not entry]
        if rest:
            self._over[operation.table][operation.subject] = rest
        else:
            del self._over[operation.table][operation.subject]
        for part in named_in(operation):
            del self._naming[part][op_id]
            if not self._naming[part]:
                del self._naming[part]
        return operation.table, operation.subject

    def merge(self, stays: Mapping[str, str]) -> list[Key]:
        """These members turned out to be others: what names them is over other rows now; returns all that changed."""
        op_ids = dict.fromkeys(op_id for member_id in stays for op_id in self._naming.get(member_id, ()))
        changed: list[Key] = []
        for entry in [self._by_op[op_id] for op_id in op_ids]:
            before = self.drop(entry.operation.op_id)
            changed += [key for key in (before, self.hold(entry, stays)) if key]
        return changed

    def names(self) -> list[str]:
        """All that may be the id of a member in what waits."""
        return list(self._naming)

    def is_naming(self, part: str) -> bool:
        """Whether anything that waits has this in one of its ids."""
        return part in self._naming

    def over(self, table: str, id_: str) -> Sequence[Entry]:
        """What waits over one row, oldest first."""
        return self._over.get(table, {}).get(id_, ())

    def subjects(self, table: str) -> list[str]:
        """The rows of a table over which anything waits."""
        return list(self._over.get(table, ()))

    def subjects_of(self, table: str, member_id: str) -> list[str]:
        """Those of them that anything means which names a member."""
        operations = [self._by_op[op_id].operation for op_id in self._naming.get(member_id, ())]
        return list(dict.fromkeys(operation.subject for operation in operations if operation.table == table))

    def count_of_member(self, member_id: str) -> int:
        """How many name a member."""
        return len(self._naming.get(member_id, ()))


def _place(entry: Entry) -> tuple[int, int]:
    return entry.epoch, entry.seq
