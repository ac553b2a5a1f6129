"""A central process for trials: `store-agent central` as it is, but for the one thing that a plant takes away.

Run as `python -m tests.trials.centre_process DATABASE_URL FOLDER [PLANT]`; says where it listens.
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from pathlib import Path
from unittest.mock import patch

from store_agent.config import CentralSettings, Settings
from store_agent.entry.centre import run_central
from store_agent.trouble import Trouble
from sync.central.connections import LedgerConnection
from sync.central.postgres.leash import leashed
from sync.central.standby import Standby

TOKEN = "of the head office"


def _commit_taken_at_its_word() -> AbstractContextManager[object]:
    """Whatever PostgreSQL calls COMMIT is answered as done, warning or not."""
    return patch.object(LedgerConnection, "_check", lambda connection: None)


def _read_ahead_of_the_standby() -> AbstractContextManager[object]:
    """A pull says what the primary shows, whether the standby has it or not."""

    async def at_once(standby: Standby) -> None:
        return None

    return patch.object(Standby, "reached", at_once)


PLANTS: dict[str, Callable[[], AbstractContextManager[object]]] = {
    "cancelled commit": _commit_taken_at_its_word,
    "pull ahead of the standby": _read_ahead_of_the_standby,
}


@contextmanager
def running_centre(database_url: str, folder: Path, plant: str = "") -> Iterator[str]:
    """A central process on a free port; yields its URL."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "tests.trials.centre_process", database_url, str(folder), plant]
    leash = leashed(command, output=subprocess.PIPE)
    try:
        assert leash.process.stdout is not None
        said = leash.process.stdout.readline().decode()
        found = re.search(r"http://[^ ]*:\d+", said)
        if not found:
            raise Trouble("The central process does not start.", said)
        yield found[0]
    finally:
        leash.let_go()


def main(database_url: str, folder: str, plant: str = "") -> None:
    """Serve until killed."""
    central = CentralSettings(database_url=database_url, port=0, admin_token=TOKEN, key="5c" * 32)
    with PLANTS[plant]() if plant in PLANTS else nullcontext():
        run_central(
            Settings(data_folder=folder, log_level="info", central=central), lambda text: print(text, flush=True)
        )


if __name__ == "__main__":
    main(*sys.argv[1:])
