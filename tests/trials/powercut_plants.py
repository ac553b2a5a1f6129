"""What somebody could do wrong about a disk, one by one: the power cuts must find each."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

from sqlite_utils import Database

from store_agent.domain.operation import Operation, Refusal
from store_agent.replica import Replica, database
from store_agent.replica.cache import Absorbed, Cache

LYING = "a disk that lies"
Planting = Callable[[], AbstractContextManager[object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plant:
    """A bug while the day is played, and what of it stays when the store comes up."""

    about: str
    day: Planting
    after: Planting = nullcontext


def normal() -> AbstractContextManager[object]:
    """The journal is opened as the cache is."""
    connect = database.connect

    def hasty(path: Path, key: bytes, *, durable: bool) -> Database:
        return connect(path, key, durable=False)

    return patch.object(database, "connect", hasty)


def attached_files() -> AbstractContextManager[object]:
    """The answers stand in the journal's file, attached to the cache: one transaction writes to both."""
    open_cache = Replica._open_cache

    def attached(self: Replica) -> Cache:
        cache = open_cache(self)
        execute = cache.db.conn.execute
        execute(f"attach '{self.folder / 'journal.db'}' as journal key \"x'{self._key.hex()}'\"")
        table = execute("select sql from main.sqlite_master where name = 'answer'").fetchone()
        if table:
            # Found by its name alone, it is read and written by the same statements as before.
            execute("create table if not exists journal.answer" + table[0][table[0].index("(") - 1 :])
            execute("drop table main.answer")
        return cache

    return patch.object(Replica, "_open_cache", attached)


def confirm_before_commit() -> AbstractContextManager[object]:
    """The screen says yes first: what was accepted is written with whatever is accepted next."""
    accept = Replica.accept_drafted

    def later(self: Replica, draft: Callable[[], Sequence[Operation]]) -> Refusal | None:
        before = WRITTEN_LATER.pop(id(self), None)
        if before is not None:
            accept(self, before)
        drafted = draft()
        WRITTEN_LATER[id(self)] = lambda: drafted
        return None

    return patch.object(Replica, "accept_drafted", later)


WRITTEN_LATER: dict[int, Any] = {}


def cursor_apart_from_rows() -> AbstractContextManager[object]:
    """The cursors are moved in a transaction of their own."""
    absorb = Cache.absorb

    def in_two(self: Cache, absorbed: Absorbed) -> None:
        absorb(self, replace(absorbed, rows=(), answers=()))
        absorb(self, replace(absorbed, cursors={}))

    return patch.object(Cache, "absorb", in_two)


@contextmanager
def _forgotten() -> Iterator[None]:
    WRITTEN_LATER.clear()
    with confirm_before_commit():
        yield


PLANTS = {
    "NORMAL": Plant(about="the journal is opened with synchronous=NORMAL", day=normal),
    "attached files": Plant(
        about="one transaction over both files says which operations are included, and brings the rows",
        day=attached_files,
        after=attached_files,
    ),
    "confirm before commit": Plant(about="the screen says yes before the commit returned", day=_forgotten),
    "cursor apart from rows": Plant(about="rows and cursors in two transactions", day=cursor_apart_from_rows),
    LYING: Plant(about="the disk says that it synced, and did not", day=nullcontext),
}
