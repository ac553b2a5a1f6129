"""What somebody could do wrong about two processes and the end of one: the kills must find each."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from unittest.mock import patch

from sqlite_utils import Database

from store_agent.replica import database
from tests.trials.powercut_plants import PLANTS as OF_POWERCUT
from tests.trials.powercut_plants import Plant


def deferred_begin() -> AbstractContextManager[object]:
    """A transaction takes its lock only when it first writes."""

    @contextmanager
    def deferred(db: Database, path: Path) -> Iterator[None]:
        with database.translated(path):
            db.conn.execute("begin")
            try:
                yield
                db.conn.execute("commit")
            except BaseException:
                if db.conn.in_transaction:
                    db.conn.execute("rollback")
                raise

    return patch.object(database, "transaction", deferred)


PLANTS = {
    "confirm before commit": OF_POWERCUT["confirm before commit"],
    "deferred begin": Plant(
        about="a transaction begins without the lock: it fails at once, whatever the timeout", day=deferred_begin
    ),
}
