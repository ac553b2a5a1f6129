"""A store's two files, opened through connections that can fail at any statement: the process dies, or the disk is full."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlcipher3 import dbapi2 as sqlcipher

from store_agent.replica import Replica
from store_agent.replica.cache import Cache


class Died(BaseException):
    """The process ended at this statement. No error of the product's: nothing may catch it."""


class Fuse:
    """What a terminal's process has coming: after so many statements it dies, or the disk is full for one."""

    def __init__(self) -> None:
        self.dies_after: int | None = None
        self.full_after: int | None = None
        self.is_dead = False
        self.is_held = False
        """Who looks on burns nothing."""

    def burn(self, query: str, run: Callable[[], Any]) -> Any:
        if self.is_held:
            return run()
        if self.is_dead:
            raise Died
        if self.full_after is not None and not _reads(query):
            self.full_after -= 1
            if self.full_after < 0:
                self.full_after = None
                raise sqlcipher.OperationalError("database or disk is full")
        if self.dies_after is None:
            return run()
        self.dies_after -= 1
        if self.dies_after >= 0:
            return run()
        self.is_dead = True
        # A commit may have come to its end though nobody heard so; for all else it makes no difference.
        if query == "commit":
            run()
        raise Died


def _reads(query: str) -> bool:
    return query.startswith(("select", "pragma", "rollback", "begin", "commit"))


class FusedConnection:
    """The real connection behind a fuse."""

    def __init__(self, inner: Any, fuse: Fuse) -> None:
        self.inner = inner
        self._fuse = fuse

    def execute(self, query: str, *values: Any) -> Any:
        return self._fuse.burn(query, lambda: self.inner.execute(query, *values))

    def executemany(self, query: str, values: Any) -> Any:
        return self._fuse.burn(query, lambda: self.inner.executemany(query, values))

    def cursor(self) -> Any:
        return self.inner.cursor()

    def close(self) -> None:
        self.inner.close()

    @property
    def in_transaction(self) -> bool:
        return bool(not self._fuse.is_dead and self.inner.in_transaction)

    @property
    def total_changes(self) -> int:
        return int(self.inner.total_changes)


class FusedReplica(Replica):
    """The real replica on fused connections."""

    def __init__(self, folder: Path, key: bytes, fuse: Fuse) -> None:
        self.fuse = fuse
        super().__init__(folder, key)
        journal: Any = self.journal.db
        journal.conn = FusedConnection(journal.conn, fuse)

    def _open_cache(self) -> Cache:
        cache = super()._open_cache()
        opened: Any = cache.db
        opened.conn = FusedConnection(opened.conn, self.fuse)
        return cache

    def let_go(self) -> None:
        """The process is gone; what it did not commit is gone with it."""
        self.fuse.is_dead = True
        for part in (self.journal, self._cache):
            part.db.conn.close()
