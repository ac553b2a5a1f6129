"""Whether this machine can be a store's: one small check for each thing that has gone wrong in a store.

A check looks and never mends, and a check never crashes: what it finds is a sentence, with what to do about it.
"""

from __future__ import annotations

import importlib
import locale
import os
import platform
import shutil
import stat
import sys
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from store_agent.clock import Clock
from store_agent.config import Settings
from store_agent.replica.database import is_plain
from store_agent.words import _, later
from store_agent.words.formats import moment

PYTHON_LEAST = (3, 11)
SQLITE_LEAST = (3, 51, 3)
"""Below it, two connections that write and checkpoint at once can corrupt the file (the WAL-reset bug)."""
TEXTUAL_LEAST = (8, 2, 8)
"""Below it, a Chinese input method leaks escape codes."""
FREE_LEAST_BYTES = 100_000_000
FREE_WANTED_BYTES = 1_000_000_000
COLUMNS_LEAST, LINES_LEAST = 80, 24
AHEAD_MOST_S = 300
CLOCK_LEAST = datetime(2026, 1, 1, tzinfo=UTC)
"""Before this program was written."""


class Health(StrEnum):
    """How a check came out."""

    OK = "ok"
    WARN = "warn"
    FAIL = "fail"


LABELS = {Health.OK: later("good"), Health.WARN: later("note"), Health.FAIL: later("FAIL")}


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, how it is, and what to do (empty where all is well)."""

    name: str
    health: Health
    sentence: str
    hint: str = ""

    def as_json(self) -> dict[str, str]:
        """For a machine; `health` is `ok`, `warn` or `fail`."""
        return {"name": self.name, "health": self.health.value, "sentence": self.sentence, "hint": self.hint}


def examine(settings: Settings, clock: Clock, more: Iterable[Callable[[], Check]] = ()) -> list[Check]:
    """Every check in the order in which a person would mend them; `more` are those that need the network."""
    folder = settings.data_path
    return [
        check_python(),
        check_sqlite(),
        check_textual(),
        check_zbar(),
        check_folder(folder),
        check_space(folder),
        check_key(settings),
        check_files(folder),
        check_private(folder),
        check_charset(),
        check_terminal(),
        check_clock(clock, folder),
        *(check() for check in more),
    ]


def check_python(found: tuple[int, ...] = sys.version_info[:3]) -> Check:
    """Python is new enough."""
    text = _dotted(found)
    if found < PYTHON_LEAST:
        return Check(
            "python",
            Health.FAIL,
            _("Python {found} is too old.").format(found=text),
            _("Install Python {least} or newer.").format(least=_dotted(PYTHON_LEAST)),
        )
    return Check("python", Health.OK, _("Python {found} on {system}.").format(found=text, system=platform.system()))


def check_sqlite(found: str | None = None) -> Check:
    """SQLite is past the bug that can corrupt a store's file."""
    if found is None:
        try:
            # Asked without an import of our own: only the replica may use the driver.
            found = str(importlib.import_module("sqlcipher3").sqlite_version)
        except ImportError:
            return Check("sqlite", Health.FAIL, _("The database driver sqlcipher3 is missing."), _reinstall())
    if _numbers(found) < SQLITE_LEAST:
        return Check(
            "sqlite",
            Health.FAIL,
            _("SQLite {found} can damage a store's files.").format(found=found),
            _("Install a sqlcipher3 with SQLite {least} or newer.").format(least=_dotted(SQLITE_LEAST)),
        )
    return Check("sqlite", Health.OK, _("SQLite {found}, encrypted.").format(found=found))


def check_textual(found: str | None = None) -> Check:
    """Textual is there, and newer than its trouble with Chinese input."""
    if found is None:
        try:
            found = version("textual")
        except PackageNotFoundError:
            return Check("textual", Health.FAIL, _("The screen library Textual is missing."), _reinstall())
    if _numbers(found) < TEXTUAL_LEAST:
        return Check(
            "textual",
            Health.WARN,
            _("Textual {found} garbles Chinese input.").format(found=found),
            _("Install Textual {least} or newer.").format(least=_dotted(TEXTUAL_LEAST)),
        )
    return Check("textual", Health.OK, _("Textual {found}.").format(found=found))


def check_zbar() -> Check:
    """The second reader of codes; the product works without it."""
    try:
        importlib.import_module("pyzbar.pyzbar")
    except (ImportError, OSError):
        # Without the library it is an ImportError, on Windows an OSError.
        return Check(
            "zbar",
            Health.WARN,
            _("The library zbar is not there: codes are read with one reader. Scanners are not affected."),
            _("For damaged codes in pictures, install it: apt install libzbar0, or brew install zbar."),
        )
    return Check("zbar", Health.OK, _("Pictures are read with two readers."))


def check_folder(folder: Path) -> Check:
    """The data folder takes a file."""
    there = _nearest_folder(folder)
    try:
        with tempfile.TemporaryFile(dir=there) as probe:
            probe.write(b"probe")
            probe.flush()
            os.fsync(probe.fileno())
    except OSError as error:
        return Check(
            "folder",
            Health.FAIL,
            _("The data folder {folder} cannot be written: {reason}.").format(folder=folder, reason=error.strerror),
            _("Let this user write to it, or set data_folder."),
        )
    if there != folder:
        return Check("folder", Health.OK, _("The data folder {folder} will be made.").format(folder=folder))
    return Check("folder", Health.OK, _("The data folder {folder} can be written.").format(folder=folder))


def check_space(folder: Path, free_bytes: int | None = None) -> Check:
    """There is room for the journal: a full disk stops the counter."""
    if free_bytes is None:
        try:
            free_bytes = shutil.disk_usage(_nearest_folder(folder)).free
        except OSError as error:
            sentence = _("The free space cannot be read: {reason}.").format(reason=error.strerror)
            return Check("space", Health.WARN, sentence, _("Look whether the disk is well."))
    sentence = _("{free} MB are free.").format(free=f"{free_bytes // 1_000_000:,}")
    if free_bytes < FREE_LEAST_BYTES:
        return Check("space", Health.FAIL, sentence, _("Make room first: a full disk stops the counter."))
    if free_bytes < FREE_WANTED_BYTES:
        return Check("space", Health.WARN, sentence, _("Make room soon."))
    return Check("space", Health.OK, sentence)


def check_key(settings: Settings) -> Check:
    """The key of the store's files is there, and only its owner reads it."""
    if settings.key:
        return Check("key", Health.OK, _("The key is given by the settings."))
    path = settings.key_path
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        if any(settings.data_path.glob("*.db")):
            return Check(
                "key",
                Health.FAIL,
                _("The key file {file} is missing, and this store has data.").format(file=path),
                _("Put it back from your copy: without it nobody can read the data."),
            )
        return Check("key", Health.OK, _("The key file {file} will be made.").format(file=path))
    except OSError as error:
        sentence = _("The key file {file} cannot be read: {reason}.").format(file=path, reason=error.strerror)
        return Check("key", Health.FAIL, sentence, _("Let this user read it."))
    # Windows has no such bits; there the user's own folder keeps others out.
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        return Check(
            "key",
            Health.FAIL,
            _("Other users can read the key file {file}.").format(file=path),
            _("Run: chmod 600 {file}").format(file=path),
        )
    return Check("key", Health.OK, _("Only its owner can read the key file {file}.").format(file=path))


def check_files(folder: Path) -> Check:
    """What lies in the store's files says nothing to whoever takes the disk."""
    try:
        begun = sorted(folder.glob("*.db"))
        plain = [file.name for file in begun if is_plain(file)]
    except OSError as error:
        sentence = _("The store's files cannot be read: {reason}.").format(reason=error.strerror)
        return Check("files", Health.FAIL, sentence, _("Let this user read them."))
    if plain:
        return Check(
            "files",
            Health.FAIL,
            _("{files} is not encrypted.").format(files=", ".join(plain)),
            _("No version of Store Agent wrote it so. Look where it comes from, and take it away."),
        )
    if not begun:
        return Check("files", Health.OK, _("The store's files will be made, encrypted."))
    return Check("files", Health.OK, _("Encrypted: {files}.").format(files=", ".join(file.name for file in begun)))


def check_private(folder: Path) -> Check:
    """Nobody else looks into the data folder."""
    try:
        mode = folder.stat().st_mode
    except OSError:
        return Check("private", Health.OK, _("The data folder {folder} will be made.").format(folder=folder))
    if os.name == "posix" and stat.S_IMODE(mode) & 0o077:
        return Check(
            "private",
            Health.WARN,
            _("Other users can look into the data folder {folder}.").format(folder=folder),
            _("Run: chmod 700 {folder}").format(folder=folder),
        )
    return Check(
        "private", Health.OK, _("Only its owner can look into the data folder {folder}.").format(folder=folder)
    )


def check_charset(found: str | None = None) -> Check:
    """The terminal takes Chinese."""
    found = found or (sys.stdout.encoding if sys.stdout else "") or locale.getpreferredencoding(False)
    if found.lower().replace("-", "").replace("_", "") != "utf8":
        return Check(
            "charset",
            Health.WARN,
            _("The terminal speaks {found}: Chinese names cannot be shown.").format(found=found),
            _("Set LANG to a UTF-8 locale such as C.UTF-8, or zh_TW.UTF-8; on Windows, PYTHONUTF8 to 1."),
        )
    return Check("charset", Health.OK, _("The terminal speaks UTF-8."))


def check_terminal(size: tuple[int, int] | None = None) -> Check:
    """The screen fits; `size` is columns and lines."""
    if size is None:
        if not sys.stdout.isatty():
            return Check("terminal", Health.OK, _("Not in a terminal: the screen was not looked at."))
        found = shutil.get_terminal_size()
        size = (found.columns, found.lines)
    sentence = _("The terminal has {columns} columns and {lines} lines.").format(columns=size[0], lines=size[1])
    if size[0] < COLUMNS_LEAST or size[1] < LINES_LEAST:
        hint = _("Make it {columns} by {lines} or larger.").format(columns=COLUMNS_LEAST, lines=LINES_LEAST)
        return Check("terminal", Health.WARN, sentence, hint)
    return Check("terminal", Health.OK, sentence)


def check_clock(clock: Clock, folder: Path) -> Check:
    """The clock is not behind this program, nor behind what the store has already written."""
    now = clock.now()
    sentence = _("The clock says {now}.").format(now=moment(now))
    newest = max((_changed_s(file) for file in folder.glob("*")), default=0.0)
    if now < CLOCK_LEAST or newest > now.timestamp() + AHEAD_MOST_S:
        hint = _("It was set back. Set the date and the time, best from the network.")
        return Check("clock", Health.FAIL, sentence, hint)
    return Check("clock", Health.OK, sentence)


def _reinstall() -> str:
    return _("Install Store Agent again.")


def _changed_s(file: Path) -> float:
    try:
        return file.stat().st_mtime
    except OSError:
        # Gone since the folder was listed.
        return 0.0


def _nearest_folder(folder: Path) -> Path:
    """The folder, or the nearest above it that exists: a look must not make one."""
    while not folder.exists() and folder != folder.parent:
        folder = folder.parent
    return folder


def _numbers(text: str) -> tuple[int, ...]:
    return tuple(int(part) for part in text.split(".") if part.isdigit())


def _dotted(numbers: tuple[int, ...]) -> str:
    return ".".join(str(number) for number in numbers)
