"""What is shown: the centre's rows with the own operations over them that are not yet in them. Each exactly once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

from store_agent.codec import Entry
from store_agent.domain.merging import named_in, readdress
from store_agent.domain.operation import Operation
from store_agent.replica import arrivals, database, search
from store_agent.replica.cache import INDEXED, Cache
from store_agent.replica.journal import Journal, Place
from store_agent.replica.waiting import Key, Waiting

ASKED_AT_ONCE = 500
KEPT_MOST = 1_000
"""Decoded rows of the cache kept at hand, as long as nothing changes them."""
ALIASES_MOST = 8

INSIDE = nullcontext()
"""A moment within a moment is the same one."""


class View:
    """cache ⊕ (journal − included).

    Operations that wait are held in memory and kept current by reading only what is new in either file, both inside one
    snapshot of the cache, so that no operation is ever seen twice or not at all. What has not changed since the last
    moment is not read again.
    """

    def __init__(self, journal: Journal, cache: Callable[[], Cache]) -> None:
        self._journal = journal
        self._cache = cache
        self._inside = False
        self._followed: Cache | None = None
        self._versions: tuple[object, object] = (None, None)
        self._forget("")

    def _forget(self, generation: str) -> None:
        self._generation = generation
        self._read = Place(0, 0)
        self._answers = 0
        self._arrivals = 0
        self._waiting = Waiting()
        self._rows: dict[Key, Any] = {}
        self._standing: dict[Key, Any] = {}
        """Rows over which own operations wait, as they stand."""

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
        if len(self._rows) > KEPT_MOST:
            self._rows = {}
        if cache is self._followed and versions == self._versions:
            return
        self._followed = None  # Not before all of it was read.
        self._read_cache(cache)
        self._read_journal(cache)
        self._followed, self._versions = cache, versions

    def _read_cache(self, cache: Cache) -> None:
        """What came since the last time: only those rows are read again, and what was answered waits no more."""
        generation = cache.setting("generation")
        if generation != self._generation:
            self._forget(generation)
            self._read, self._answers = self._floor(cache), cache.last_answer()
            self._arrivals = arrivals.last_number(cache.db)
            self._hold_parked(cache)
            return
        last, arrived = arrivals.after(cache.db, self._arrivals)
        if arrived is None:
            self._rows, self._standing = {}, {}
            members = self._waiting.names()
        else:
            self._reread(arrived)
            members = [id_ for table, id_ in arrived if table == "member" and self._waiting.is_naming(id_)]
        self._reread(self._waiting.merge(cache.merged(members)))
        for number, op_id, _outcome, _body in cache.answers_after(self._answers):
            self._answers = number
            self._reread(filter(None, [self._waiting.drop(op_id)]))
        self._arrivals = last

    def _hold_parked(self, cache: Cache) -> None:
        """Below the floor only those are not included that wait for a person at the centre."""
        parked = cache.parked()
        entries = [entry for entry in self._journal.find(parked) if (entry.epoch, entry.seq) <= _pair(self._read)]
        stays = cache.merged({name for entry in entries for name in named_in(entry.operation)})
        for entry in entries:
            self._waiting.hold(entry, stays)

    def _floor(self, cache: Cache) -> Place:
        """Where own operations begin that may wait; from the first on where the cache speaks of another journal."""
        place, op_id = cache.floor()
        return place if op_id and self._journal.op_id_at(place) == op_id else Place(0, 0)

    def _reread(self, keys: Iterable[Key]) -> None:
        for key in keys:
            self._rows.pop(key, None)
            self._standing.pop(key, None)

    def _read_journal(self, cache: Cache) -> None:
        fresh = list(self._journal.after(self._read))
        for start in range(0, len(fresh), ASKED_AT_ONCE):
            part = fresh[start : start + ASKED_AT_ONCE]
            included = cache.answered([entry.operation.op_id for entry in part])
            stays = cache.merged({name for entry in part for name in named_in(entry.operation)})
            for entry in part:
                self._read = Place(entry.epoch, entry.seq)
                if entry.operation.op_id not in included:
                    self._standing.pop(self._waiting.hold(entry, stays), None)

    def meant(self, operation: Operation) -> Operation:
        """The same operation on the rows of the member who stays, where its own was merged."""
        member_id = getattr(operation, "member_id", "")
        stays = self.canonical(member_id)
        return operation if stays == member_id else readdress(operation, {member_id: stays})

    def waiting(self) -> list[Entry]:
        """Own operations that are not yet included, oldest first, each on the row that it means by now."""
        with self.moment():
            return list(self._waiting)

    def waiting_over(self, table: str, id_: str) -> list[Operation]:
        """Own operations on one row that are not yet included, oldest first."""
        with self.moment():
            return [entry.operation for entry in self._waiting.over(table, id_)]

    def waiting_count(self) -> int:
        """How many own operations are not yet included."""
        with self.moment():
            return len(self._waiting)

    def waiting_of_member(self, member_id: str) -> int:
        """How many own operations about a member are not yet included."""
        with self.moment():
            return self._waiting.count_of_member(member_id)

    def canonical(self, member_id: str) -> str:
        """The member that this id stands for: itself, or the one it was merged into."""
        with self.moment():
            for _step in range(ALIASES_MOST):
                member = self._row("member", member_id) if member_id else None
                if member is None or not member.alias_of:
                    break
                member_id = member.alias_of
            return member_id

    def get(self, table: str, id_: str) -> Any:
        """One row as it stands for this store, or None."""
        with self.moment():
            return self._stand(table, id_)

    def _row(self, table: str, id_: str) -> Any:
        """A row of the cache, decoded once for as long as nothing changes it."""
        if (table, id_) not in self._rows:
            self._rows[table, id_] = self._cache().get(table, id_)
        return self._rows[table, id_]

    def _stand(self, table: str, id_: str) -> Any:
        """A row as it stands, folded once: with the cable out for days, ten thousand may wait, and a search asks for all."""
        entries = self._waiting.over(table, id_)
        if not entries:
            return self._row(table, id_)
        if (table, id_) not in self._standing:
            row = self._row(table, id_)
            for entry in entries:
                row = entry.operation.effect(row)
            self._standing[table, id_] = row
        return self._standing[table, id_]

    def of_member(self, table: str, member_id: str) -> list[Any]:
        """All rows of a table that belong to a member."""
        with self.moment():
            return self._of_member(table, member_id, self._cache().find(table, "member_id", member_id))

    def newest_of_member(self, table: str, member_id: str, most: int) -> list[Any]:
        """The newest of them by their `at`, newest first, of however many there are."""
        with self.moment():
            rows = self._of_member(table, member_id, self._cache().newest_of_member(table, member_id, most))
            return sorted(rows, key=lambda row: (row.at, row.id), reverse=True)[:most]

    def _of_member(self, table: str, member_id: str, found: Iterable[Any]) -> list[Any]:
        rows = {row.id: row for row in found}
        # Operations that name the row only (a step of an order) lie over it just as those that name the member.
        subjects = dict.fromkeys((*rows, *self._waiting.subjects_of(table, member_id)))
        return self._over(table, rows, subjects, lambda row: row.member_id == member_id)

    def find(self, table: str, column: str, value: str) -> list[Any]:
        """Rows of a table by the value of a field that is searched by."""
        with self.moment():
            rows = {row.id: row for row in self._cache().find(table, column, value)}
            self._rows |= {(table, id_): row for id_, row in rows.items()}
            return self._over(table, rows, self._waiting.subjects(table), lambda row: getattr(row, column) == value)

    def is_any(self, table: str, column: str, value: str) -> bool:
        """Whether the centre's rows have any such; cheap enough for every key that is pressed."""
        with self.moment():
            return self._cache().is_any(table, column, value)

    def all(self, table: str) -> list[Any]:
        """Every row of a small table."""
        with self.moment():
            rows = {row.id: row for row in self._cache().all(table)}
            return self._over(table, rows, self._waiting.subjects(table), lambda row: True)

    def _over(
        self, table: str, rows: dict[str, Any], subjects: Iterable[str], keep: Callable[[Any], bool]
    ) -> list[Any]:
        changed = [subject for subject in subjects if self._waiting.over(table, subject)]
        self._load(table, changed)
        for subject in changed:
            row = self._stand(table, subject)
            if row is not None and keep(row):
                rows[subject] = row
            else:
                rows.pop(subject, None)
        return list(rows.values())

    def _load(self, table: str, ids: Iterable[str]) -> None:
        """Read at once what would be read one by one."""
        missing = [id_ for id_ in ids if (table, id_) not in self._standing and (table, id_) not in self._rows]
        if len(missing) > 1:
            found = self._cache().get_many(table, missing)
            self._rows |= {(table, id_): found.get(id_) for id_ in missing}

    def count(self, table: str) -> int:
        """How many rows of the centre a table holds."""
        return self._cache().count(table)

    def search(self, table: str, text: str, most: int) -> list[Any]:
        """Members or products by the end of a number or any part of a name; at most so many.

        What waits is in no index yet: who joined or was renamed here is found by what stands over the row.
        """
        with self.moment():
            subjects = self._waiting.subjects(table)
            matches = search.matcher(text)
            changed = self._over(table, {}, subjects, lambda row: matches(*INDEXED[table](row)))
            # As many more as may be renamed by what waits, so that those do not take the places of others.
            found = self._cache().search(table, text, most + len(subjects))
            indexed = [id_ for id_ in found if not self._waiting.over(table, id_)][:most]
            self._load(table, indexed)
            return [*changed, *(row for id_ in indexed if (row := self._row(table, id_)) is not None)][:most]


def _pair(place: Place) -> tuple[int, int]:
    return place.epoch, place.seq
