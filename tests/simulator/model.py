"""What must be so, worked out a second time from what the ledger published: the truth row by row, and what a store must show.

Written without the product's own cache, view, feed or ledger: it shares with them the domain's rules and the codec.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import msgspec

from store_agent.codec import Entry, decode_row
from store_agent.domain.merging import readdress
from store_agent.domain.operation import Operation

Key = tuple[str, str]
ANSWER = "answer"


@dataclass(frozen=True, slots=True)
class Published:
    """One position of a stream."""

    position: int
    group_end: int
    table: str
    id: str
    revision: int
    body: str

    @property
    def key(self) -> Key:
        return self.table, self.id


@dataclass(frozen=True, slots=True)
class Held:
    """An operation as the ledger holds it."""

    device: str
    seq: int
    op_id: str
    outcome: str
    reason: str
    data: bytes


def same(one: Any, other: Any) -> bool:
    """Whether two rows, or no rows, say the same. Not by their text: JSON in PostgreSQL forgets the order of its keys."""
    return bool(one == other)


def decoded(table: str, body: str) -> Any:
    return decode_row(table, body)


@dataclass(slots=True)
class StoreModel:
    """What one store has read and written, and therefore must show."""

    store: str
    cursors: dict[str, int] = field(default_factory=dict)
    rows: dict[Key, tuple[int, str]] = field(default_factory=dict)
    answered: dict[str, None] = field(default_factory=dict)
    journal: list[Entry] = field(default_factory=list)
    aliases: dict[str, str] = field(default_factory=dict)
    _over: dict[Key, list[Operation]] = field(default_factory=dict)
    _waiting: dict[str, Key] = field(default_factory=dict)
    """By op_id: the row that it is over."""

    def forget(self) -> None:
        """The cache is gone."""
        self.cursors, self.rows, self.answered, self.aliases = {}, {}, {}, {}
        self.recount()

    def wrote(self, entries: Iterable[Entry]) -> set[Key]:
        """These were added to the journal; returns the rows that show so."""
        touched = set()
        for entry in entries:
            self.journal.append(entry)
            if entry.operation.op_id not in self.answered:
                touched.add(self._hold(entry.operation))
        return touched

    def _hold(self, operation: Operation) -> Key:
        operation = readdress(operation, self.aliases)
        key = operation.table, operation.subject
        self._over.setdefault(key, []).append(operation)
        self._waiting[operation.op_id] = key
        return key

    def recount(self) -> None:
        """What of the journal is over rows, from the beginning."""
        self._over, self._waiting = {}, {}
        for entry in self.journal:
            if entry.operation.op_id not in self.answered:
                self._hold(entry.operation)

    def read(self, streams: Mapping[str, list[Published]], cursors: Mapping[str, int]) -> set[Key]:
        """The store has read so far; returns the rows that may have changed by it."""
        touched: set[Key] = set()
        merged = False
        for stream in sorted(cursors):
            for one in streams.get(stream, [])[self.cursors.get(stream, 0) : cursors[stream]]:
                if one.table == ANSWER:
                    # What waits for a person at the centre has no effect there, and is shown over the rows as before.
                    if answer_of(one.body)["outcome"] != "parked":
                        self.answered[one.id] = None
                        touched |= self._release(one.id)
                    continue
                touched.add(one.key)
                if self.rows.get(one.key, (0, ""))[0] >= one.revision:
                    continue
                self.rows[one.key] = one.revision, one.body
                if one.table == "member" and (stays := decoded("member", one.body).alias_of):
                    merged = merged or self.aliases.get(one.id) != stays
                    self.aliases[one.id] = stays
            self.cursors[stream] = cursors[stream]
        if merged:
            before = set(self._over)
            self.recount()
            touched |= before ^ set(self._over)
        return touched

    def _release(self, op_id: str) -> set[Key]:
        key = self._waiting.pop(op_id, None)
        if key is None:
            return set()
        rest = [operation for operation in self._over[key] if operation.op_id != op_id]
        if rest:
            self._over[key] = rest
        else:
            del self._over[key]
        return {key}

    def waiting(self) -> list[str]:
        """Own operations that are in no row yet, by op_id."""
        return list(self._waiting)

    def over(self) -> list[str]:
        """Ids of the rows over which own operations wait."""
        return [id_ for _table, id_ in self._over]

    def row(self, key: Key) -> Any:
        """What the store must show of a row."""
        kept = self.rows.get(key)
        row = decoded(key[0], kept[1]) if kept else None
        for operation in self._over.get(key, ()):
            row = operation.effect(row)
        return row

    def keys(self) -> list[Key]:
        """Every row that the store must show."""
        return list(dict.fromkeys((*self.rows, *self._over)))

    def ids(self, table: str) -> list[str]:
        """Rows of a table that the store must show."""
        return [key[1] for key in self.keys() if key[0] == table]


def answer_of(body: str) -> dict[str, Any]:
    """What an answer says."""
    said: dict[str, Any] = msgspec.json.decode(body)
    return said
