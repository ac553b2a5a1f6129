"""Room that is kept for a full disk: a file that holds nothing, and is thrown out when there is no room for what does.

With what it frees, what was confirmed can still be pushed, and what came of it be kept. Until it is back in its place
nothing new is accepted, or that room would be gone too. Knows no table and no database.
"""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
from pathlib import Path

from store_agent.trouble import Trouble
from store_agent.words import _

NAME = "ballast"
BALLAST_BYTES = 8 * 1024 * 1024
"""Twice as much as a log of SQLite's grows before it is moved into its file."""


def probe(folder: Path) -> None:
    """Trouble where nothing can be written into a folder; one that is not there, or full, is told by whoever needs it."""
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(b"probe")
    except OSError as error:
        if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
            raise Trouble(
                _("{path} cannot be written.").format(path=folder), _("Check the folder's permissions.")
            ) from error


def take_in(folder: Path) -> bool:
    """Have the ballast in its place; False where there is no room for it, with as much again to spare."""
    path = folder / NAME
    if path.exists():
        return True
    try:
        # As much again, or accepting would go on until the disk is full, throw it out, and take it in again.
        if shutil.disk_usage(folder).free < 2 * BALLAST_BYTES:
            return False
        _write(path)
    except OSError:
        # Without ballast a full disk is no worse than it was.
        throw_out(folder)
        return False
    return True


def throw_out(folder: Path) -> None:
    """There is no room: make some."""
    try:
        (folder / NAME).unlink(missing_ok=True)
    except OSError:
        return


def _write(path: Path) -> None:
    # Beside its place first: half a ballast in its place would be taken for a whole one.
    begun = path.with_name(f"{NAME}.{os.getpid()}")
    try:
        with begun.open("wb") as file:
            if hasattr(os, "posix_fallocate"):
                os.posix_fallocate(file.fileno(), 0, BALLAST_BYTES)
            else:
                file.write(bytes(BALLAST_BYTES))
        begun.replace(path)
    finally:
        begun.unlink(missing_ok=True)
