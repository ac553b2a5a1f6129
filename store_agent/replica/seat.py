"""The sync seat: which of a store's processes keeps it in step and writes the cache. Never two at once.

The seat is an exclusive lock on a small file of its own. The system lets go of it when a process dies, however it dies.
"""

from __future__ import annotations

from pathlib import Path

from sqlcipher3 import dbapi2 as sqlcipher

from store_agent.replica.database import translated


class Seat:
    """Taken by one process of a store at a time."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "seat.db"
        with translated(self._path):
            self._conn = sqlcipher.connect(str(self._path), isolation_level=None, timeout=0.0)
        self.is_taken = False

    def take(self) -> bool:
        """Sit down, if nobody else sits there."""
        if not self.is_taken:
            with translated(self._path):
                try:
                    self._conn.execute("begin exclusive")
                except sqlcipher.OperationalError as error:
                    if "locked" not in str(error):
                        raise
                    return False
            self.is_taken = True
        return True

    def leave(self) -> None:
        """Stand up."""
        self._conn.close()
        self.is_taken = False
