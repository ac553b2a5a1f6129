"""What happened here: append-only, durable, one chain of hashes for this device. Only accepting writes it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

from store_agent.codec import Entry, decode_entry, encode_entry
from store_agent.domain.operation import Operation
from store_agent.replica import database
from store_agent.schema import journal as migrations

FIRST_HASH = "0" * 64


@dataclass(frozen=True, slots=True)
class Place:
    """Where in the chain of this device: an epoch, and a number from 1 within it. Compared in that order."""

    epoch: int
    seq: int


class Journal:
    """`journal.db`."""

    def __init__(self, path: Path, key: bytes) -> None:
        self.path = path
        self.db = database.connect(path, key, durable=True)
        database.migrate(self.db, migrations, path)

    def transaction(self) -> AbstractContextManager[None]:
        """One commit, which survives a power cut once it returned."""
        return database.transaction(self.db, self.path)

    def append(self, operations: Sequence[Operation], device: str, epoch: int) -> list[Entry]:
        """Number, chain and write operations; inside a transaction."""
        row = self.db.conn.execute(
            "select seq, hash from operation where epoch = ? order by seq desc limit 1", [epoch]
        ).fetchone()
        seq, prev_hash = row or (0, FIRST_HASH)
        entries = []
        for operation in operations:
            seq += 1
            entry = encode_entry(operation, device, epoch, seq, prev_hash)
            prev_hash = entry.hash
            entries.append(entry)
        self.db.conn.executemany(
            "insert into operation (epoch, seq, op_id, kind, hash, data) values (?, ?, ?, ?, ?, ?)",
            [(e.epoch, e.seq, e.operation.op_id, e.operation.kind, e.hash, e.data) for e in entries],
        )
        return entries

    def after(self, place: Place, most: int = -1) -> Iterator[Entry]:
        """Entries behind a place, in order."""
        return (decode_entry(data) for _epoch, data in self.data_after(place, most))

    def data_after(self, place: Place, most: int = -1) -> list[tuple[int, bytes]]:
        """The same as epochs and the bytes that were stored, for whoever only passes them on."""
        with database.translated(self.path):
            found = self.db.conn.execute(
                # Its number is written in: SQLite plans a statement anew each time that a limit is bound.
                f"select epoch, data from operation where (epoch, seq) > (?, ?) order by epoch, seq limit {most:d}",
                [place.epoch, place.seq],
            ).fetchall()
        return [(epoch, data) for epoch, data in found]

    def find(self, op_ids: Sequence[str]) -> Iterator[Entry]:
        """Entries by their operations' ids, in order."""
        query = "select data from operation where op_id in (select value from json_each(?)) order by epoch, seq"
        with database.translated(self.path):
            found = self.db.conn.execute(query, [json.dumps(list(op_ids))]).fetchall()
        for (data,) in found:
            yield decode_entry(data)

    def last(self) -> Place:
        """The newest entry's place."""
        with database.translated(self.path):
            row = self.db.conn.execute(
                "select epoch, seq from operation order by epoch desc, seq desc limit 1"
            ).fetchone()
        return Place(*row) if row else Place(0, 0)

    def ends(self) -> dict[int, int]:
        """By epoch: the number of its last entry."""
        with database.translated(self.path):
            return dict(self.db.conn.execute("select epoch, max(seq) from operation group by epoch").fetchall())

    def hash_at(self, place: Place) -> str:
        """The hash of the entry at a place; empty where there is none."""
        with database.translated(self.path):
            row = self.db.conn.execute(
                "select hash from operation where epoch = ? and seq = ?", [place.epoch, place.seq]
            ).fetchone()
        return str(row[0]) if row else ""

    def op_ids_after(self, place: Place, most: int) -> list[tuple[Place, str]]:
        """Places and ids of the entries behind a place, in order, without reading the entries."""
        with database.translated(self.path):
            found = self.db.conn.execute(
                f"select epoch, seq, op_id from operation where (epoch, seq) > (?, ?) order by epoch, seq limit {most:d}",
                [place.epoch, place.seq],
            ).fetchall()
        return [(Place(epoch, seq), op_id) for epoch, seq, op_id in found]

    def op_id_at(self, place: Place) -> str:
        """The id of the entry at a place; empty where there is none."""
        with database.translated(self.path):
            row = self.db.conn.execute(
                "select op_id from operation where epoch = ? and seq = ?", [place.epoch, place.seq]
            ).fetchone()
        return str(row[0]) if row else ""

    def count(self) -> int:
        """How many operations there are, for `status`."""
        with database.translated(self.path):
            return int(self.db.conn.execute("select count(*) from operation").fetchone()[0])

    def setting(self, name: str) -> str:
        """A lasting value of this device, or empty."""
        with database.translated(self.path):
            row = self.db.conn.execute("select value from setting where name = ?", [name]).fetchone()
        return str(row[0]) if row else ""

    def settings(self, *names: str) -> list[str]:
        """Several of them, of one moment."""
        with database.translated(self.path):
            marks = ",".join("?" * len(names))
            found = self.db.conn.execute(f"select name, value from setting where name in ({marks})", names).fetchall()
        values = dict(found)
        return [str(values.get(name, "")) for name in names]

    def keep(self, **settings: str) -> None:
        """Write lasting values of this device."""
        with self.transaction():
            self.db.conn.executemany("insert or replace into setting values (?, ?)", list(settings.items()))

    def count_up(self, name: str, most: int) -> int:
        """Count a lasting value of this device one up, on disk before it returns; what it is now, or most + 1 for ever."""
        with self.transaction():
            row = self.db.conn.execute("select value from setting where name = ?", [name]).fetchone()
            count = min(int(row[0]) if row else 0, most) + 1
            self.db.conn.execute("insert or replace into setting values (?, ?)", [name, str(count)])
            return count

    def close(self) -> None:
        self.db.conn.close()
