"""A new cache from many rows at once, beside the one in use: no journal, one commit, and every index built last.

An index that is built from sorted entries costs a fraction of one that grows row by row. SQLite sorts in memory here
(SQLCipher is built so), so nothing is ever on disk that is not encrypted.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec

from store_agent.codec import NOUN_OF, Entry
from store_agent.replica import database, search
from store_agent.replica.cache import INDEXED
from store_agent.replica.journal import Place
from store_agent.schema import cache as migrations
from store_agent.trouble import Trouble
from store_agent.words import _

NEW = "cache.new.db"
Came = tuple[str, int, msgspec.Raw]
"""A row as it came: id, revision, body."""
_decoders: dict[str, msgspec.json.Decoder[Any]] = {
    table: msgspec.json.Decoder(list.__class_getitem__(noun.row)) for table, noun in NOUN_OF.items()
}


class Building:
    """`cache.new.db`, from nothing until it is ready to be put in place. Whatever a kill leaves of it is thrown away."""

    def __init__(self, folder: Path, key: bytes) -> None:
        self.path = folder / NEW
        remove(folder)
        # Nobody else opens it, so it may be made in whichever thread does the work.
        self.db = database.connect(self.path, key, durable=False)
        self._execute: Callable[..., Any] = self.db.conn.execute
        database.migrate(self.db, migrations, self.path)
        with database.translated(self.path):
            # What is torn is thrown away, so nothing needs to be taken back.
            for pragma in ("journal_mode = delete", "journal_mode = off", "synchronous = off", "cache_size = -65536"):
                self._execute(f"pragma {pragma}")
            query = "select name, sql from sqlite_master where type = 'index' and sql is not null"
            self._indexes: list[tuple[str, str]] = self._execute(query).fetchall()
            for name, _script in self._indexes:
                self._execute(f"drop index {name}")
            self._indexers = {table: search.Filling(self.db, table) for table in INDEXED}
            self._execute("begin")
        self.row_count = 0

    def add(self, table: str, rows: Sequence[Came]) -> None:
        """Rows of one table that are not in it yet; Trouble where one of them cannot be read."""
        if table not in NOUN_OF:
            raise Trouble(_("The centre sent a kind of row that this version does not know."), _("Update Store Agent."))
        # Read before it is kept: a row that nobody can read would be in the way of everything that looks at its table.
        decoded = self._read(table, rows)
        with database.translated(self.path):
            self.db.conn.executemany(
                f"insert into {table} (id, revision, body) values (?, ?, ?)",
                [(id_, revision, str(body, "utf-8")) for id_, revision, body in rows],
            )
            if indexer := INDEXED.get(table):
                self._indexers[table].add([(row.id, *indexer(row)) for row in decoded])
        self.row_count += len(rows)

    def _read(self, table: str, rows: Sequence[Came]) -> list[Any]:
        # As one list, which costs half of reading them one by one.
        try:
            decoded: list[Any] = _decoders[table].decode(b"[" + b",".join(body for _id, _rev, body in rows) + b"]")
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Trouble(_("A row of {table} cannot be read.").format(table=table), str(error)) from error
        if [row.id for row in decoded] != [id_ for id_, _rev, _body in rows]:
            raise Trouble(_("A row of {table} cannot be read.").format(table=table))
        return decoded

    def include(self, entries: Iterable[Entry], floor: Place, op_id: str) -> None:
        """These own operations are in the rows, and so is everything up to the floor."""
        self.db.conn.executemany(
            "insert into answer (op_id, epoch, seq, outcome, body) values (?, ?, ?, 'applied', '{}')",
            [(entry.operation.op_id, entry.epoch, entry.seq) for entry in entries],
        )
        self.keep(floor=f"{floor.epoch}.{floor.seq}.{op_id}")

    def keep(self, **settings: str) -> None:
        """Settings of the new cache."""
        self.db.conn.executemany("insert or replace into setting values (?, ?)", list(settings.items()))

    def finish(self, positions: Mapping[str, int]) -> Path:
        """Build what is searched by, commit, and let the disk have it; the file is closed then."""
        with database.translated(self.path):
            rows = [(stream, position, position) for stream, position in positions.items()]
            self.db.conn.executemany("insert into cursor values (?, ?, ?)", rows)
            self.keep(generation=uuid.uuid4().hex)
            for filling in self._indexers.values():
                filling.finish()
            for _name, script in self._indexes:
                self._execute(script)
            self._execute("commit")
        self.close()
        # Before it gets the name of the cache: a name that points to half a file would be a damaged cache.
        descriptor = os.open(self.path, os.O_RDWR)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        return self.path

    def stop(self) -> None:
        """Whatever it does in another thread, it need not go on."""
        self.db.conn.interrupt()

    def close(self) -> None:
        """Leave it as it is."""
        self.db.conn.close()


def remove(folder: Path) -> None:
    """Throw away what a kill left."""
    for ending in ("", "-wal", "-shm", "-journal"):
        with suppress(FileNotFoundError):
            (folder / (NEW + ending)).unlink()
