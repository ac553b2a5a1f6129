"""The rivals that run in Node: fetched once into this user's cache, started as processes, asked line by line.

Versions are pinned. Where there is no node, no npm or no way to the packages, a rival is absent and nothing fails.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from pathlib import Path

from platformdirs import user_cache_path

from sync.central.postgres.leash import leashed
from tests.benchmarks.processes import Absent, Talker, talking, tell

PACKAGES = {
    "@nozbe/watermelondb": "0.28.0",
    # Later ones crash in Node 20.
    "better-sqlite3": "12.4.1",
    "express": "4.21.2",
    "express-pouchdb": "4.2.0",
    "pouchdb": "9.0.0",
    "rxdb": "17.6.0",
    "rxjs": "7.8.2",
    "yjs": "13.6.33",
}
PROGRAMS = Path(__file__).parent / "rivals"
INSTALL_WITHIN_S = 600
HEAP_MB = 8_192
"""One million members in WatermelonDB take 3.6 GB."""


@contextmanager
def open_rival(program: str, *arguments: str) -> Iterator[Talker]:
    """Start one of the programs in `rivals/`; raises Absent where it cannot run."""
    place = make_ready()
    # What they need is found beside the program, and nothing of it may lie in this project.
    for path in PROGRAMS.glob("*.mjs"):
        shutil.copy(path, place / path.name)
    command = ["node", f"--max-old-space-size={HEAP_MB}", "--no-warnings", f"{program}.mjs", *arguments]
    with talking(command, place) as rival:
        rival.ask("begin")
        yield rival


def open_all(stack: ExitStack, programs: Sequence[str], *arguments: str) -> tuple[dict[str, Talker], dict[str, str]]:
    """Those that can run, and why the others cannot."""
    running: dict[str, Talker] = {}
    absent: dict[str, str] = {}
    for program in programs:
        try:
            running[program] = stack.enter_context(open_rival(program, *arguments))
        except Absent as error:
            absent[program] = str(error)
            tell(f"rival absent: {program} ({error})")
    return running, absent


def make_ready() -> Path:
    """The folder with the packages, fetched at the first time; raises Absent."""
    npm = shutil.which("npm")
    if not shutil.which("node") or not npm:
        raise Absent("there is no node and npm on this machine")
    pins = json.dumps(PACKAGES, sort_keys=True)
    place = user_cache_path("store-agent-bench") / hashlib.sha256(pins.encode()).hexdigest()[:16]
    if (place / "ready").exists():
        return place
    shutil.rmtree(place, ignore_errors=True)
    place.mkdir(parents=True)
    (place / "package.json").write_text(json.dumps({"name": "rivals", "private": True, "dependencies": PACKAGES}))
    tell("fetching the rivals from npm, this once…")
    log = place / "log"
    with log.open("wb") as output:
        leash = leashed([npm, "install", "--no-audit", "--no-fund", "--loglevel=error"], cwd=place, output=output)
        try:
            code = leash.process.wait(INSTALL_WITHIN_S)
        except subprocess.TimeoutExpired:
            code = leash.let_go()
    if code != 0:
        said = log.read_text("utf-8", "replace").strip().splitlines() or ["?"]
        raise Absent(f"npm could not fetch the packages: {said[0][:120]}")
    (place / "ready").touch()
    return place
