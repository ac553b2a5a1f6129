"""Two real PostgreSQL servers of the system, one following the other: killed, frozen, promoted. Nothing stays behind."""

from __future__ import annotations

import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psycopg

from store_agent.trouble import Trouble
from sync.central.postgres.binaries import Binaries, reachable, reachable_folder, system_binaries, unprivileged_user
from sync.central.postgres.embedded import FORGETFUL, SETTINGS, _free_port
from sync.central.postgres.leash import Leash, leashed

ROLE = "store_agent"
WITHIN_S = 60.0
# Processes are killed here, not machines: what the system holds for the disk survives. A commit waits for the standby.
OWN = {"synchronous_commit": "on", "wal_keep_size": "256MB", "max_wal_senders": "5", "hot_standby": "on"}


def binaries() -> Binaries:
    """A PostgreSQL that can copy a running server; raises Trouble where the machine has none."""
    for found in system_binaries():
        if (found.folder / "pg_basebackup").exists() and (unprivileged_user() is None or reachable(found.postgres)):
            return found
    raise Trouble(
        "This trial needs two servers, and this machine has no PostgreSQL with pg_basebackup.",
        "Install it: apt-get install postgresql.",
    )


class Server:
    """One server on a port of its own, which it keeps whoever it is just now."""

    def __init__(self, name: str, folder: Path, program: Binaries, password: str) -> None:
        self.name = name
        self.port = _free_port()
        self.data = folder / name
        self._folder = folder
        self._program = program
        self._password = password
        self._user = unprivileged_user()
        self._leash: Leash | None = None

    @property
    def url(self) -> str:
        """Where to connect, whatever this server is."""
        return f"postgresql://{ROLE}:{self._password}@127.0.0.1:{self.port}/postgres"

    def make(self) -> None:
        """An empty data folder."""
        handed = self._folder / "password"
        handed.write_text(self._password)
        if self._user:
            os.chown(handed, *self._user)
        self._run(
            "initdb", "-D", self.data, "-U", ROLE, "-A", "scram-sha-256", f"--pwfile={handed}", "-N", "-E", "UTF8"
        )

    def copy(self, primary: Server) -> None:
        """Become a standby of another server, from a copy of what it has now."""
        shutil.rmtree(self.data, ignore_errors=True)
        # Named, so that the primary knows which of its standbys is the synchronous one.
        source = (
            f"host=127.0.0.1 port={primary.port} user={ROLE} password={self._password} application_name={self.name}"
        )
        self._run("pg_basebackup", "-D", self.data, "-R", "-X", "stream", "-c", "fast", "--no-sync", "-d", source)

    def start(self) -> None:
        """Start it, as whatever its folder says."""
        settings = SETTINGS | FORGETFUL | OWN | {"port": str(self.port)}
        parts = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        with (self._folder / f"{self.name}.log").open("ab") as output:
            self._leash = leashed(
                [self._program.postgres, "-D", self.data, *parts],
                stop_signal="SIGQUIT",
                wait_s=15,
                user=self._user,
                env=self._program.environment(),
                cwd=self._folder,
                output=output,
            )
        until(self._answers, f"{self.name} does not start: {self._folder / self.name}.log")

    def kill(self) -> None:
        """Kill every process of it at once, as if its machine were gone."""
        head, memory = self._head()
        # First of all what could still say something to somebody.
        for pid in [*children_of(head), head]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        self.stop()
        # Killed, it could not give back the mark in shared memory by which it knows that it runs.
        subprocess.run(["ipcrm", "-m", memory], capture_output=True, check=False)

    def stop(self) -> None:
        """End it, however it stands; harmless where it does not run."""
        if self._leash is not None:
            self._leash.let_go()
            self._leash = None

    def promote(self) -> None:
        """Become the primary."""
        self.ask("select pg_promote(true, 60)")
        until(lambda: self.ask("select not pg_is_in_recovery()")[0][0], f"{self.name} does not become the primary")
        # Alone, it may commit again; it came with the settings of the server that it was copied from.
        self.wait_for("")

    def wait_for(self, name: str) -> None:
        """From now on commit nothing without this standby (`''`: without waiting for any)."""
        self.ask(f"alter system set synchronous_standby_names = '{name}'")
        self.ask("select pg_reload_conf()")

    @contextmanager
    def frozen_line(self) -> Iterator[None]:
        """Nothing reaches the standby: the process that sends stands still. It dies with the server."""
        senders = [row[0] for row in self.ask("select pid from pg_stat_replication")]
        for pid in senders:
            os.kill(pid, signal.SIGSTOP)
        try:
            yield
        finally:
            for pid in senders:
                with suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGCONT)

    def cancel_waiting(self) -> int:
        """Cancel every COMMIT that waits for the standby; returns how many there were."""
        return len(self.ask("select pg_cancel_backend(pid) from pg_stat_activity where wait_event = 'SyncRep'"))

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """What it answers."""
        with psycopg.connect(self.url, autocommit=True, connect_timeout=10) as conn:
            cursor = conn.execute(query.encode())
            return cursor.fetchall() if cursor.description else []

    def _head(self) -> tuple[int, str]:
        """The first of its processes, and its shared memory."""
        lines = (self.data / "postmaster.pid").read_text().split("\n")
        return int(lines[0]), lines[6].split()[-1]

    def _answers(self) -> bool:
        if self._leash is None or self._leash.ended:
            raise Trouble(f"{self.name} ended at once: see {self._folder / self.name}.log")
        try:
            return bool(self.ask("select true"))
        except psycopg.OperationalError:
            return False

    def _run(self, name: str, *arguments: str | Path) -> None:
        leash = leashed(
            [self._program.folder / name, *arguments],
            user=self._user,
            env=self._program.environment(),
            cwd=self._folder,
            output=subprocess.PIPE,
        )
        assert leash.process.stdout is not None
        said = leash.process.stdout.read()
        code = leash.process.wait()
        leash.let_go()
        if code:
            raise Trouble(f"{name} did not do it: {said.decode(errors='replace')[-300:]}")


class Pair:
    """A primary and its standby, which change places at each failover."""

    def __init__(self, primary: Server, standby: Server, *, synchronous: bool) -> None:
        self.primary, self.standby = primary, standby
        self._synchronous = synchronous

    @property
    def url(self) -> str:
        """One address for both: whoever connects takes the one that is the primary."""
        user, hosts = self.primary.url.partition("@")[0], sorted([self.primary.port, self.standby.port])
        return f"{user}@{','.join(f'127.0.0.1:{port}' for port in hosts)}/postgres?target_session_attrs=read-write"

    def follow(self) -> None:
        """Let the standby begin anew from the primary, and from then on let the primary wait for it."""
        self.standby.stop()
        self.standby.copy(self.primary)
        self.standby.start()
        until(lambda: self.primary.ask("select 1 from pg_stat_replication"), "the standby does not follow")
        if self._synchronous:
            self.primary.wait_for(self.standby.name)
            until(self._is_synchronous, "the standby does not become synchronous")

    def fail_over(self) -> None:
        """The primary is gone and the standby takes its place, alone for now."""
        self.primary.kill()
        self.standby.promote()
        self.primary, self.standby = self.standby, self.primary

    def _is_synchronous(self) -> bool:
        return bool(self.primary.ask("select 1 from pg_stat_replication where sync_state = 'sync'"))


@contextmanager
def open_pair(*, synchronous: bool = True) -> Iterator[Pair]:
    """Two servers in a folder that goes away again."""
    program = binaries()
    folder = Path(tempfile.mkdtemp(prefix="store-agent-pair-", dir=reachable_folder()))
    user = unprivileged_user()
    if user:
        os.chown(folder, *user)
    password = secrets.token_urlsafe(18)
    one, two = (Server(name, folder, program, password) for name in ("one", "two"))
    try:
        one.make()
        one.start()
        pair = Pair(one, two, synchronous=synchronous)
        pair.follow()
        yield pair
    finally:
        for server in (one, two):
            server.stop()
        shutil.rmtree(folder, ignore_errors=True)


def children_of(head: int) -> Sequence[int]:
    """The processes that a process started."""
    said = subprocess.run(["ps", "-o", "pid=", "--ppid", str(head)], capture_output=True, text=True, check=False).stdout
    return [int(pid) for pid in said.split()]


def until(done: Callable[[], object], what: str) -> None:
    """Wait for another process."""
    ends = time.monotonic() + WITHIN_S
    while not done():
        if time.monotonic() > ends:
            raise Trouble(f"This takes too long: {what}.")
        time.sleep(0.02)
