"""Other processes of a benchmark, which end when it ends: anything that says one line once it is ready, and the centre."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from sync.central.postgres.embedded import EmbeddedPostgres
from sync.central.postgres.leash import leashed

ROOT = Path(__file__).parents[2]
VERBOSE = bool(os.environ.get("STORE_AGENT_BENCH_VERBOSE"))
"""Whether what goes wrong in the other processes is shown."""


@dataclass(frozen=True, slots=True)
class Started:
    """A process that runs."""

    said: str
    """What it said when it was ready: most often its address."""
    process: int
    """Its id."""


class Absent(Exception):
    """A rival cannot run here; the message says why."""


class Talker:
    """A process that answers one line of JSON to each line of JSON."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._process = process
        self.said: dict[str, Any] = {}
        """What it said last."""

    def ask(self, does: str, **asked: Any) -> dict[str, Any]:
        """Let it do one thing, and wait for it; raises Absent where it broke."""
        self.say(does, **asked)
        return self.hear()

    def say(self, does: str, **asked: Any) -> None:
        """Let it do one thing."""
        assert self._process.stdin is not None
        try:
            print(json.dumps({"does": does, **asked}), file=self._process.stdin, flush=True)
        except BrokenPipeError as error:
            raise Absent("it ended") from error

    def hear(self) -> dict[str, Any]:
        """Wait for what it says."""
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            raise Absent("it ended in the middle of something")
        self.said = json.loads(line)
        if "error" in self.said:
            raise Absent(str(self.said["error"]))
        return self.said


@contextmanager
def talking(command: Sequence[str], folder: Path = ROOT) -> Iterator[Talker]:
    """Start one. They end when what they read ends; whoever hangs is ended."""
    pipe = subprocess.PIPE
    errors = None if VERBOSE else subprocess.DEVNULL
    process = subprocess.Popen(command, cwd=folder, stdin=pipe, stdout=pipe, stderr=errors, text=True)
    try:
        yield Talker(process)
    finally:
        assert process.stdin is not None
        with contextlib.suppress(BrokenPipeError):
            process.stdin.close()
        try:
            process.wait(5)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def tell(sentence: str) -> None:
    """How far it has come, for whoever waits."""
    print(f"  … {sentence}", file=sys.stderr, flush=True)


@contextmanager
def started(command: Sequence[str], env: Mapping[str, str] = os.environ, wanted: str = ".+") -> Iterator[Started]:
    """A process, once it has said something that fits `wanted`. It ends with us, however we end."""
    reading, writing = os.pipe()
    leash = leashed(command, cwd=ROOT, env=env, output=writing)
    os.close(writing)
    with os.fdopen(reading, "rb") as output:
        try:
            lines, said = [], None
            while not said and (line := output.readline()):
                lines.append(line.decode())
                said = re.search(wanted, lines[-1])
            assert said, f"{command[2:]} did not start: {''.join(lines)}"
            # Whatever it says later is read and left, or it would wait for us.
            threading.Thread(target=lambda: [None for _line in iter(output.readline, b"")], daemon=True).start()
            yield Started(said[0], _child_of(leash.process.pid))
        finally:
            leash.let_go()


@contextmanager
def open_ledger() -> Iterator[str]:
    """A PostgreSQL of our own that keeps what it confirms."""
    with EmbeddedPostgres(durable=True, environment={}) as postgres:
        yield postgres.create_database("bench")


@contextmanager
def open_centre(database_url: str) -> Iterator[Started]:
    """The centre as it runs in production: uvicorn, real TCP. What it says is its address."""
    with TemporaryDirectory(prefix="store-agent-bench-") as folder:
        clean = {name: value for name, value in os.environ.items() if not name.startswith("STORE_AGENT_")}
        own = {
            "DATA_FOLDER": folder,
            "LANGUAGE": "en",
            "CENTRAL_DATABASE_URL": database_url,
            "CENTRAL_HOST": "127.0.0.1",
            "CENTRAL_PORT": "0",
        }
        env = clean | {f"STORE_AGENT_{name}": value for name, value in own.items()} | {"PYTHONUNBUFFERED": "1"}
        with started([sys.executable, "-m", "store_agent", "central"], env, r"http://[\w.]+:\d+") as centre:
            yield centre


def _child_of(process: int) -> int:
    """The process behind the leash."""
    try:
        found = Path(f"/proc/{process}/task/{process}/children").read_text().split()
    except OSError:
        found = []
    return int(found[0]) if found else process
