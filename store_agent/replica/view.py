"""What is shown: the centre's rows with the own operations over them that are not yet in them. Each exactly once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from store_agent.codec import Entry
from store_agent.replica import database
from store_agent.replica.cache import Cache
from store_agent.replica.journal import Journal, Place

OF_MEMBER = ("account", "tags", "member")
"""Tables whose row id is the member's: a merged member's rows are found under the one that stays."""
ASKED_AT_ONCE = 500
KEPT_MOST = 1_000
"""Decoded rows of the cache kept at hand, as long as nothing changes it."""

INSIDE = nullcontext()
"""A moment within a moment is the same one."""


class View:
    """cache ⊕ (journal − included).

    Operations that wait are held in memory by subject and kept current by reading only what is new in either file,
    both inside one snapshot of the cache, so that no operation is ever seen twice or not at all. What has not changed
    since the last moment is not read again.
    """

    def __init__(self, journal: Journal, cache: Callable[[], Cache]) -> None:
        self._journal = journal
        self._cache = cache
        self._inside = False
        self._followed: Cache | None = None
        self._versions: tuple[object, object] = (None, None)
        self._rows: dict[tuple[str, str], Any] = {}
        self._names: dict[str, list[str]] = {}
        self._standing: dict[tuple[str, str], Any] = {}
        """Rows over which own operations wait, as they stand."""
        self._forget("")

    def _forget(self, generation: str) -> None:
        self._generation = generation
        self._read = Place(0, 0)
        self._answers = 0
        self._waiting: dict[str, dict[str, list[Entry]]] = {}
        """By table and subject."""
        self._by_op: dict[str, Entry] = {}
        self._of_member: dict[tuple[str, str], dict[str, None]] = {}

    @property
    def is_in_moment(self) -> bool:
        """Whether reads are held to one moment just now: nothing may be accepted by what may be out of date."""
        return self._inside

    def moment(self) -> AbstractContextManager[None]:
        """Reads inside see one moment of the cache, and every operation exactly once over it."""
        return INSIDE if self._inside else self._begin()

    @contextmanager
    def _begin(self) -> Iterator[None]:
        cache = self._cache()
        with cache.snapshot():
            self._inside = True
            try:
                self._follow(cache)
                yield
            finally:
                self._inside = False

    def _follow(self, cache: Cache) -> None:
        # The cache first: asking begins its snapshot, and what is written to the journal after that is read the next time.
        versions = (database.version(cache.db), database.version(self._journal.db))
        is_same = cache is self._followed and versions[0] == self._versions[0]
        if not is_same or len(self._rows) + len(self._names) > KEPT_MOST:
            self._rows, self._names = {}, {}
        if not is_same:
            self._standing = {}
        if is_same and versions == self._versions:
            return
        self._followed = None  # Not before all of it was read.
        self._read_on(cache)
        self._followed, self._versions = cache, versions

    def _read_on(self, cache: Cache) -> None:
        generation = cache.setting("generation")
        if generation != self._generation:
            self._forget(generation)
            self._read = cache.floor()
            self._answers = cache.last_answer()
        else:
            for number, op_id, _outcome, _body in cache.answers_after(self._answers):
                self._answers = number
                self._drop(op_id)
        fresh = list(self._journal.after(self._read))
        for start in range(0, len(fresh), ASKED_AT_ONCE):
            part = fresh[start : start + ASKED_AT_ONCE]
            included = cache.answered([entry.operation.op_id for entry in part])
            for entry in part:
                self._read = Place(entry.epoch, entry.seq)
                if entry.operation.op_id not in included:
                    self._hold(entry)

    def _hold(self, entry: Entry) -> None:
        operation = entry.operation
        self._waiting.setdefault(operation.table, {}).setdefault(operation.subject, []).append(entry)
        self._standing.pop((operation.table, operation.subject), None)
        self._by_op[operation.op_id] = entry
        member_id = getattr(operation, "member_id", "")
        self._of_member.setdefault((operation.table, member_id), {})[operation.subject] = None

    def _drop(self, op_id: str) -> None:
        entry = self._by_op.pop(op_id, None)
        if entry is None:
            return
        operation = entry.operation
        of_table = self._waiting[operation.table]
        rest = [other for other in of_table[operation.subject] if other.operation.op_id != op_id]
        # A coupon for whoever shows it may have been used by several members: each is let go by their own last one.
        member_id = getattr(operation, "member_id", "")
        if not any(getattr(other.operation, "member_id", "") == member_id for other in rest):
            self._of_member[operation.table, member_id].pop(operation.subject, None)
        if rest:
            of_table[operation.subject] = rest
        else:
            del of_table[operation.subject]

    def waiting(self) -> list[Entry]:
        """Own operations that are not yet included, oldest first."""
        with self.moment():
            return list(self._by_op.values())

    def waiting_count(self) -> int:
        """How many own operations are not yet included."""
        with self.moment():
            return len(self._by_op)

    def waiting_for(self, table: str, id_: str) -> list[Entry]:
        """Own operations over one row that are not yet included."""
        with self.moment():
            return list(self._over_row(table, id_))

    def waiting_of_member(self, member_id: str) -> int:
        """How many own operations about a member are not yet included."""
        with self.moment():
            names = set(self.names_of(member_id))
            return sum(getattr(entry.operation, "member_id", "") in names for entry in self._by_op.values())

    def canonical(self, member_id: str) -> str:
        """The member that this id stands for: itself, or the one it was merged into."""
        with self.moment():
            for _step in range(8):
                member = self._row("member", member_id) if member_id else None
                if member is None or not member.alias_of:
                    break
                member_id = member.alias_of
            return member_id

    def names_of(self, member_id: str) -> list[str]:
        """Every id that stands for this member: the one that stays first."""
        with self.moment():
            if member_id not in self._names:
                aliases = self._cache().find("member", "alias_of", [member_id])
                self._names[member_id] = [member_id, *(member.id for member in aliases)]
            return self._names[member_id]

    def get(self, table: str, id_: str) -> Any:
        """One row as it stands for this store, or None."""
        with self.moment():
            ids = self.names_of(id_) if table in OF_MEMBER and table != "member" else [id_]
            return self._fold(table, ids, self._row(table, id_))

    def _row(self, table: str, id_: str) -> Any:
        """A row of the cache, decoded once for as long as nothing changes the cache."""
        if (table, id_) not in self._rows:
            self._rows[table, id_] = self._cache().get(table, id_)
        return self._rows[table, id_]

    def _over_row(self, table: str, id_: str) -> Sequence[Entry]:
        return self._waiting.get(table, {}).get(id_, ())

    def _fold(self, table: str, ids: Sequence[str], row: Any) -> Any:
        entries = [entry for id_ in ids for entry in self._over_row(table, id_)]
        for entry in sorted(entries, key=lambda entry: (entry.epoch, entry.seq)) if len(ids) > 1 else entries:
            row = entry.operation.effect(row)
        return row

    def of_member(self, table: str, member_id: str) -> list[Any]:
        """All rows of a table that belong to a member, under whichever id."""
        with self.moment():
            names = self.names_of(member_id)
            rows = {row.id: row for row in self._cache().find(table, "member_id", names)}
            # Operations that name the row only (a step of an order) lie over it just as those that name the member.
            named = [*rows, *(subject for name in names for subject in self._of_member.get((table, name), ()))]
            over = self._waiting.get(table, {})
            waiting = [subject for subject in dict.fromkeys(named) if subject in over]
            return self._over(table, rows, waiting, lambda row: row.member_id in names)

    def find(self, table: str, column: str, value: str) -> list[Any]:
        """Rows of a table by the value of a field that is searched by."""
        with self.moment():
            rows = {row.id: row for row in self._cache().find(table, column, [value])}
            self._rows |= {(table, id_): row for id_, row in rows.items()}
            return self._over(table, rows, self._waiting.get(table, ()), lambda row: getattr(row, column) == value)

    def all(self, table: str) -> list[Any]:
        """Every row of a small table."""
        with self.moment():
            rows = {row.id: row for row in self._cache().all(table)}
            return self._over(table, rows, self._waiting.get(table, ()), lambda row: True)

    def _over(
        self, table: str, rows: dict[str, Any], subjects: Iterable[str], keep: Callable[[Any], bool]
    ) -> list[Any]:
        for subject in subjects:
            if (table, subject) not in self._standing:
                # Folded once: with the cable out for days, ten thousand may wait, and each search looks at all of them.
                self._standing[table, subject] = self._fold(table, [subject], self._row(table, subject))
            row = self._standing[table, subject]
            if row is not None and keep(row):
                rows[subject] = row
            else:
                rows.pop(subject, None)
        return list(rows.values())

    def count(self, table: str) -> int:
        """How many rows of the centre a table holds."""
        return self._cache().count(table)

    def made_here(self, table: str) -> list[Any]:
        """Rows that exist only in operations which still wait: members who joined with the cable out."""
        with self.moment():
            made = [subject for subject in self._waiting.get(table, ()) if not self._row(table, subject)]
            rows = [self._fold(table, [subject], None) for subject in made]
            return [row for row in rows if row is not None]

    def search(self, table: str, text: str, most: int) -> list[Any]:
        """Members or products by the end of a number or any part of a name; at most so many."""
        with self.moment():
            return [row for id_ in self._cache().search(table, text, most) if (row := self.get(table, id_)) is not None]
