"""The centre's rows as this store last heard of them, how far it has read, and which own operations are in them.

Disposable: it may be deleted at any time and comes back from the centre. Only the process in the sync seat writes it.
"""

from __future__ import annotations

import json
import os
import uuid
from collections.abc import Iterable, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from store_agent.codec import decode_row
from store_agent.replica import anew, arrivals, database, search, unread
from store_agent.replica.journal import Place
from store_agent.schema import cache as migrations

ROOM_KB, ROOM_LEAST_KB = 64_000, 2_000
"""For the file's pages in memory: while many rows come at once, and at all other times."""
MANY_ROWS = 500
DAMAGE_MARK = "cache.damaged"
"""A file of this name beside the cache says that damage was met while reading it: whoever opens it next begins it anew."""


@dataclass(frozen=True, slots=True)
class Arrival:
    """A row of the centre, as it came."""

    table: str
    id: str
    revision: int
    body: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What the centre made of an own operation."""

    op_id: str
    epoch: int
    seq: int
    outcome: str
    body: str = "{}"


@dataclass(frozen=True, slots=True)
class Absorbed:
    """What one reply of the centre brings: applied in one transaction or not at all."""

    rows: Sequence[Arrival] = ()
    answers: Sequence[Answer] = ()
    cursors: dict[str, tuple[int, int]] = field(default_factory=dict)
    """By stream: the position read to, and the head that the centre told."""


class MarkingSnapshot(database.snapshot):
    """A page in the middle may be bad though the file opens: then it is marked, and a new cache is begun."""

    __slots__ = ("_cache",)

    def __init__(self, cache: Cache) -> None:
        super().__init__(cache.db, cache.path)
        self._cache = cache

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        try:
            super().__exit__(kind, error, traceback)
        except database.Corrupt:
            self._cache.is_damaged = True
            self._path.with_name(DAMAGE_MARK).touch()
            raise


class Cache:
    """`cache.db`."""

    def __init__(self, path: Path, key: bytes) -> None:
        self.path = path
        self.is_damaged = False
        """Damage was met in it: it is begun anew before the next read."""
        self.db = database.connect(path, key, durable=False)
        try:
            self._prepare()
        except BaseException:
            self.db.conn.close()
            raise

    def _prepare(self) -> None:
        database.migrate(self.db, migrations, self.path)
        # As text, since it is looked at before every read.
        self._name = str(self.path)
        self._room_kb = 0
        self.place = _place_of(self._name)
        """Which file this is, whatever lies under its name later."""
        if self.unread_count():
            with self.transaction():
                self._put_back()
        if not self.setting("generation"):
            # Two processes may come here at once: the first one's name stays.
            with self.transaction():
                self.db.conn.execute("insert or ignore into setting values ('generation', ?)", [uuid.uuid4().hex])

    def _put_back(self) -> None:
        """This version may be a newer one than that which put rows aside."""
        for table, rows in unread.take_back(self.db).items():
            self._put(table, [Arrival(table, *row) for row in rows])
            arrivals.note(self.db, [(table, id_) for id_, _revision, _body in rows])

    def is_in_place(self) -> bool:
        """Whether the file that is open is still the one under its name, and nobody met damage in it."""
        return not self.is_damaged and _place_of(self._name) == self.place

    def transaction(self) -> AbstractContextManager[None]:
        """One commit; what it wrote may be lost in a power cut, but only as a whole."""
        return database.transaction(self.db, self.path)

    def snapshot(self) -> AbstractContextManager[None]:
        """Several reads of one moment."""
        return MarkingSnapshot(self)

    def absorb(self, absorbed: Absorbed) -> None:
        """Apply a reply: rows by their revision, answers, and the cursors, in one transaction."""
        self._make_room(len(absorbed.rows))
        with self.transaction():
            by_table: dict[str, list[Arrival]] = {}
            for row in absorbed.rows:
                by_table.setdefault(row.table, []).append(row)
            for table, came in by_table.items():
                self._put(table, came)
            execute = self.db.conn.executemany
            # One that was parked is answered once more when a person has decided; any other answer is the last.
            execute(
                "insert into answer (op_id, epoch, seq, outcome, body) values (?, ?, ?, ?, ?) on conflict (op_id)"
                " do update set number = (select max(number) + 1 from answer), outcome = excluded.outcome,"
                " body = excluded.body where answer.outcome = 'parked' and excluded.outcome <> 'parked'",
                [(a.op_id, a.epoch, a.seq, a.outcome, a.body) for a in absorbed.answers],
            )
            execute(
                "insert into cursor values (?, ?, ?) on conflict (stream) do update set"
                " position = max(position, excluded.position), head = max(head, excluded.head)",
                [(stream, *read) for stream, read in absorbed.cursors.items()],
            )
            if absorbed.rows:
                arrivals.note(self.db, [(row.table, row.id) for row in absorbed.rows])

    def _make_room(self, rows: int) -> None:
        """Pages that change wait in memory for the commit: where there is no room for them, each is written many times."""
        room_kb = ROOM_KB if rows >= MANY_ROWS else 0
        if room_kb != self._room_kb:
            self._room_kb = room_kb
            self.db.conn.execute(f"pragma cache_size = {-room_kb or -ROOM_LEAST_KB}")

    def _put(self, table: str, came: Sequence[Arrival]) -> None:
        latest = {row.id: row for row in sorted(came, key=lambda row: row.revision)}
        # Read before it is kept: a row that nobody can read would be in the way of everything that looks at its table.
        read = {row.id: unread.read(table, row.id, row.body) for row in latest.values()}
        if None in read.values():
            aside = [latest.pop(id_) for id_, row in read.items() if row is None]
            unread.put_aside(self.db, table, [(row.id, row.revision, row.body) for row in aside])
        decoded = {id_: row for id_, row in read.items() if row is not None}
        if not decoded:
            return
        unread.outdate(self.db, table, [(row.id, row.revision) for row in latest.values()])
        indexer = INDEXED.get(table)
        known = self._known(table, latest) if indexer else {}
        self.db.conn.executemany(
            f"insert into {table} (id, revision, body) values (?, ?, ?) on conflict (id) do update set"
            " revision = excluded.revision, body = excluded.body where excluded.revision > revision",
            [(row.id, row.revision, row.body) for row in latest.values()],
        )
        if indexer:
            fresh, again = [], []
            for id_, row in decoded.items():
                keys = indexer(row)
                if id_ not in known:
                    fresh.append((id_, *keys))
                # An older row that comes once more is not kept, so nobody may be found by what stands in it; and most
                # changes leave alone what somebody is found by.
                elif latest[id_].revision > known[id_][0] and keys != indexer(decode_row(table, known[id_][1])):
                    again.append((id_, *keys))
            search.index(self.db, table, fresh, new=True)
            search.index(self.db, table, again, new=False)

    def _known(self, table: str, ids: Iterable[str]) -> dict[str, tuple[int, str]]:
        """Revision and body of those that are here already."""
        # As one value: the centre may write more rows at once than a statement has places for values.
        wanted = json.dumps(list(ids))
        query = f"select id, revision, body from {table} where id in (select value from json_each(?))"
        return {id_: (revision, body) for id_, revision, body in self.db.conn.execute(query, [wanted])}

    def floor(self) -> tuple[Place, str]:
        """Up to here every own operation is included, and the id of the last of them. Ask the replica, which checks it."""
        epoch, seq, op_id = _parts(self.setting("floor"))
        return Place(epoch, seq), op_id

    def received(self) -> tuple[Place, str]:
        """Up to here the centre holds every own operation, and the hash of the last. Ask the replica, which checks it."""
        epoch, seq, hash = _parts(self.setting("received"))
        return Place(epoch, seq), hash

    def forget(self, incarnation: str) -> None:
        """The centre is another one: throw away all that it told."""
        with self.transaction():
            anew.forget(self.db, incarnation)

    def unread_count(self) -> int:
        """How many rows of the centre this version cannot read; they wait for one that can."""
        with database.translated(self.path):
            return unread.count(self.db)

    def get(self, table: str, id_: str) -> Any:
        """One row, or None."""
        row = self._ask(f"select body from {table} where id = ?", id_).fetchone()
        return decode_row(table, row[0]) if row else None

    def _ask(self, query: str, value: str) -> Any:
        try:
            return self.db.conn.execute(query, [value])
        except UnicodeEncodeError:
            # A stray byte of a terminal or a scanner: what cannot be written stands in no row.
            return self.db.conn.execute(query, [None])

    def get_many(self, table: str, ids: Iterable[str]) -> dict[str, Any]:
        """Rows by id, as many of them as there are."""
        query = f"select id, body from {table} where id in (select value from json_each(?))"
        found = self.db.conn.execute(query, [json.dumps(list(ids))])
        return {id_: decode_row(table, body) for id_, body in found}

    def merged(self, member_ids: Iterable[str]) -> dict[str, str]:
        """By id that was merged away, of these: the member who stays."""
        wanted = list(member_ids)
        if not wanted:
            return {}
        query = "select id, alias_of from member where id in (select value from json_each(?)) and alias_of <> ''"
        return dict(self.db.conn.execute(query, [json.dumps(wanted)]).fetchall())

    def newest_of_member(self, table: str, member_id: str, most: int) -> list[Any]:
        """A member's newest rows of a table that has moments."""
        # Its number is written in: SQLite plans a statement anew each time that a limit is bound.
        query = f"select body from {table} where member_id = ? order by at desc limit {most:d}"
        return [decode_row(table, row[0]) for row in self.db.conn.execute(query, [member_id])]

    def find(self, table: str, column: str, value: str) -> list[Any]:
        """Rows by a field that is searched by."""
        found = self._ask(f"select body from {table} where {column} = ?", value)
        # Sorted here: for one or two rows, SQLite's sorter costs as much as finding them.
        return sorted((decode_row(table, row[0]) for row in found), key=lambda row: str(row.id))

    def is_any(self, table: str, column: str, value: str) -> bool:
        """Whether there is a row with this in a field that is searched by; nothing is decoded."""
        return bool(self._ask(f"select exists (select 1 from {table} where {column} = ?)", value).fetchone()[0])

    def all(self, table: str) -> list[Any]:
        """Every row of a small table."""
        return [decode_row(table, row[0]) for row in self.db.conn.execute(f"select body from {table} order by id")]

    def count(self, table: str) -> int:
        """How many rows a table holds."""
        return int(self.db.conn.execute(f"select count(*) from {table}").fetchone()[0])

    def search(self, table: str, text: str, most: int) -> list[str]:
        """Ids of members or products by the end of a number or any part of a name."""
        return search.find(self.db, table, text, most)

    def answers_after(self, number: int) -> list[tuple[int, str, str, str]]:
        """(number, op_id, outcome, body) of answers that came behind one."""
        query = (
            "select number, op_id, outcome, body from answer where number > ? and outcome <> 'parked' order by number"
        )
        return list(self.db.conn.execute(query, [number]).fetchall())

    def answered(self, op_ids: Sequence[str]) -> set[str]:
        """Which of these operations are included."""
        marks = ",".join("?" * len(op_ids))
        query = f"select op_id from answer where op_id in ({marks}) and outcome <> 'parked'"
        return {row[0] for row in self.db.conn.execute(query, list(op_ids)).fetchall()}

    def parked(self) -> list[str]:
        """Own operations that wait for a person at the centre: received, and not included."""
        found = self.db.conn.execute("select op_id from answer where outcome = 'parked' order by epoch, seq")
        return [row[0] for row in found]

    def last_answer(self) -> int:
        """The number of the newest answer."""
        return int(self.db.conn.execute("select coalesce(max(number), 0) from answer").fetchone()[0])

    def cursors(self) -> dict[str, tuple[int, int]]:
        """By stream: position read to, and the head that was last told."""
        with database.translated(self.path):
            return {row[0]: (row[1], row[2]) for row in self.db.conn.execute("select * from cursor")}

    def setting(self, name: str) -> str:
        """A value that may be lost with the cache, or empty."""
        with database.translated(self.path):
            row = self.db.conn.execute("select value from setting where name = ?", [name]).fetchone()
        return str(row[0]) if row else ""

    def _set(self, name: str, value: str) -> None:
        self.db.conn.execute("insert or replace into setting values (?, ?)", [name, value])

    def keep(self, **settings: str) -> None:
        """Write values that may be lost with the cache."""
        with self.transaction():
            for name, value in settings.items():
                self._set(name, value)

    def close(self) -> None:
        self.db.conn.close()


def _parts(text: str) -> tuple[int, int, str]:
    """`1.8.name` as it stands in a setting: an epoch, a number, and what stands at that place."""
    epoch, seq, name = [*text.split(".", 2), "", ""][:3]
    return int(epoch or 0), int(seq or 0), name


def _place_of(name: str) -> tuple[int, int]:
    """The file's device and number; zeros where there is none. A number is not given again while the file is open."""
    try:
        found = os.stat(name)
    except FileNotFoundError:
        return 0, 0
    return found.st_dev, found.st_ino


def _member_keys(member: Any) -> tuple[list[str], list[str]]:
    return [member.phone, member.card_no], [member.name]


def _product_keys(product: Any) -> tuple[list[str], list[str]]:
    return [product.id], list(product.name.values())


INDEXED = {"member": _member_keys, "product": _product_keys}
"""How a row is found by typing: its numbers and its names."""
