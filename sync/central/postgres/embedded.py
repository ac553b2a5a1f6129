"""A PostgreSQL of our own for demo and tests: nothing to install, nothing left behind.

What to run is found in `binaries.py`, that it ends with us is the work of `leash.py`; here is the life of one server.
A database that the environment names goes first: then nothing is started.
"""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import shutil
import socket
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from types import TracebackType
from typing import IO, Self
from urllib.parse import quote, urlsplit, urlunsplit

import psycopg
from psycopg import sql

from store_agent.trouble import Trouble
from store_agent.words import _
from sync.central.postgres.binaries import Binaries, find_binaries, reachable, reachable_folder, unprivileged_user
from sync.central.postgres.leash import Leash, leashed

ROLE = "store_agent"
ENVIRONMENT = ("STORE_AGENT_TEST_DATABASE_URL", "DATABASE_URL")
START_WITHIN_S = 60.0
START_TIMES = 5

SETTINGS = {
    "listen_addresses": "127.0.0.1",
    # One way in, on every system: a socket's path may be too long, and Windows has none.
    "unix_socket_directories": "",
    "shared_buffers": "64MB",
    "max_connections": "60",
    "max_wal_size": "512MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    "lc_messages": "C",
    "jit": "off",
}
FORGETFUL = {"fsync": "off", "synchronous_commit": "off", "full_page_writes": "off"}


class EmbeddedPostgres:
    """One server on 127.0.0.1 with a random port and password, as a context manager or by `start` and `stop`.

    `folder` keeps the data for next time; without it, everything is gone at the end. `durable=False` is for what is
    thrown away (tests, the demo): a power cut may then lose data. As root, the server runs as an unprivileged user, as
    PostgreSQL demands.
    """

    def __init__(
        self,
        folder: Path | None = None,
        *,
        binaries: Binaries | None = None,
        durable: bool = True,
        environment: Mapping[str, str] = os.environ,
    ) -> None:
        self.folder = folder
        self.url = ""
        """Where to connect; known once started. Names a database that is ours alone."""
        self.version = ""
        self.place: Path | None = None
        """The folder that holds data and log while it runs."""
        self._binaries = binaries
        self._durable = durable
        self._environment = environment
        self._leash: Leash | None = None
        self._server_url = ""
        self._lent: str = ""
        self._user: tuple[int, int] | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def start(self) -> str:
        """Start the server unless it runs, and return `url`. Raises Trouble when that cannot be."""
        if self.url:
            return self.url
        given = next((self._environment[name] for name in ENVIRONMENT if self._environment.get(name)), "")
        if given and self._binaries is None:
            self._server_url = given
            self._lent = f"{ROLE}_{secrets.token_hex(6)}"
            self.url = self.create_database(self._lent)
            return self.url
        for attempt in range(1, START_TIMES + 1):
            try:
                self._start_own()
            except _PortTakenError:
                self.stop()
                if attempt == START_TIMES:
                    raise
            except OSError as error:
                self.stop()
                raise Trouble(
                    _("The database's files could not be written: {detail}").format(detail=error),
                    _("Free some space, or name another folder."),
                ) from error
            except BaseException:
                self.stop()
                raise
            else:
                break
        return self.url

    def stop(self) -> None:
        """End the server and wait until it is gone; harmless when it is not running."""
        if self._lent and self.url:
            with contextlib.suppress(Trouble):
                self.drop_database(self._lent)
        if self._leash is not None:
            self._leash.let_go()
            if self.folder is None and self.place is not None:
                # Gone already, unless someone killed the very leash.
                shutil.rmtree(self.place, ignore_errors=True)
        self._leash = None
        self.url = self._server_url = self._lent = ""

    def create_database(self, name: str, *, template: str = "") -> str:
        """A new database on the same server, empty or a copy of `template`; returns its url."""
        # Sorting is by code point everywhere: what a machine's locale thinks must not change an answer.
        source = "template {}" if template else "template template0 encoding 'UTF8' locale_provider libc locale 'C'"
        given = [sql.Identifier(part) for part in (name, template) if part]
        self._say(sql.SQL("create database {} " + source).format(*given))
        return _with_database(self._server_url, name)

    def drop_database(self, name: str) -> None:
        """Drop a database with everything that is still connected to it."""
        self._say(sql.SQL("drop database if exists {} with (force)").format(sql.Identifier(name)))

    def _say(self, statement: sql.Composed) -> None:
        try:
            with psycopg.connect(self._server_url, autocommit=True, connect_timeout=10) as connection:
                connection.execute(statement)
        except psycopg.Error as error:
            raise Trouble(
                _("The database server did not do as asked: {detail}").format(detail=str(error).partition("\n")[0]),
                _("Check DATABASE_URL, and that its user may create databases; or unset it to use an own server."),
            ) from error

    def _start_own(self) -> None:
        base, temporary = self._prepare_base()
        self.place = base
        try:
            binaries = self._binaries or find_binaries(_version_of(base / "data"))
            self.version = binaries.version
            if self._user is not None and not reachable(binaries.postgres):
                binaries = binaries.copied_to(base / "postgresql")
            remove = base if temporary else None
            self._run(binaries, base, remove, self._prepare_data(binaries, base, remove))
        except BaseException:
            if self._leash is not None:
                self._leash.let_go()
            if temporary:
                shutil.rmtree(base, ignore_errors=True)
            raise

    def _prepare_base(self) -> tuple[Path, bool]:
        self._user = unprivileged_user()
        try:
            if self.folder is None:
                base = Path(
                    tempfile.mkdtemp(
                        prefix=f"store-agent-{os.getpid()}-", dir=None if self._user is None else reachable_folder()
                    )
                )
            else:
                base = self.folder.absolute()
                base.mkdir(parents=True, exist_ok=True, mode=0o700)
            if self._user is not None:
                # Through, but no listing: the server's user needs to reach its folder in here, and that alone.
                base.chmod(0o711)
        except OSError as error:
            raise Trouble(
                _("No folder for the database could be made: {detail}").format(detail=error),
                _("Free some space, or name another folder."),
            ) from error
        if self._user is not None and not reachable(base):
            raise Trouble(
                _("PostgreSQL does not run as root, and no other user reaches {folder}.").format(folder=base),
                _("Name a folder outside of root's own, or start this as a plain user."),
            )
        return base, self.folder is None

    def _prepare_data(self, binaries: Binaries, base: Path, remove: Path | None) -> str:
        secret, data, fresh, handed = (base / name for name in ("password", "data", "data.new", "data.new.password"))
        if (data / "PG_VERSION").exists():
            return secret.read_text()
        # First beside, then in place: an interrupted start leaves nothing that looks whole.
        shutil.rmtree(fresh, ignore_errors=True)
        fresh.mkdir(mode=0o700)
        password = secrets.token_urlsafe(18)
        for path in (secret, handed):
            path.unlink(missing_ok=True)
            with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                file.write(password)
        if self._user is not None:
            os.chown(fresh, *self._user)
            os.chown(handed, *self._user)
        command: list[str | Path] = [binaries.initdb, "-D", fresh, "-U", ROLE, "--auth=scram-sha-256"]
        command += [f"--pwfile={handed}", "--encoding=UTF8", "--locale=C", "--no-instructions"]
        # What is thrown away at the end need not be on the disk at the beginning.
        command += [] if remove is None and self._durable else ["--no-sync"]
        with (base / "initdb.log").open("a+b") as output:
            self._leash = leashed(
                command, remove=remove, user=self._user, env=binaries.environment(), cwd=base, output=output
            )
            if self._leash.process.wait() != 0:
                raise Trouble(*_start_failed(_all_of(output)))
        self._leash.let_go()
        handed.unlink()
        fresh.rename(data)
        return password

    def _run(self, binaries: Binaries, base: Path, remove: Path | None, password: str) -> None:
        port = _free_port()
        settings = SETTINGS | {"port": str(port)} | ({} if self._durable else FORGETFUL)
        command: list[str | Path] = [binaries.postgres, "-D", base / "data"]
        command += [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        log = base / "server.log"
        log.unlink(missing_ok=True)
        # Read through this very file: when the server ends at once, its folder is gone before we look.
        with log.open("a+b") as output:
            self._leash = leashed(
                command,
                # Temporary data needs no checkpoint before it is thrown away.
                stop_signal="SIGQUIT" if remove else "SIGINT",
                wait_s=20,
                remove=remove,
                user=self._user,
                env=binaries.environment(),
                cwd=base,
                output=output,
            )
            if not _is_ready(base / "data" / "postmaster.pid", port, self._leash):
                said = _all_of(output)
                raise (
                    _PortTakenError(*_start_failed(said)) if "could not bind" in said else Trouble(*_start_failed(said))
                )
        self._server_url = f"postgresql://{ROLE}:{quote(password, safe='')}@127.0.0.1:{port}/postgres"
        self.url = self._server_url


class _PortTakenError(Trouble):
    """Between our look for a free port and the server's start, someone else took it."""


def _start_failed(said: str) -> tuple[str, str]:
    found = re.search(r"(?:FATAL|PANIC|ERROR|error):\s*(.+)", said)
    detail = found[1] if found else (said.splitlines() or ["?"])[-1]
    return (
        _("PostgreSQL did not start: {detail}").format(detail=detail.strip()),
        _("Is the disk full, or another one running on the same folder? DATABASE_URL may name one that runs."),
    )


def _is_ready(pid_file: Path, port: int, leash: Leash) -> bool:
    # The server writes its state into its pid file: cheaper than to connect, and it says when it is still recovering.
    # By the port we see that it is ours, and not that of another one which already runs on this folder.
    deadline = time.monotonic() + START_WITHIN_S
    while time.monotonic() < deadline and not leash.ended:
        with contextlib.suppress(OSError):
            lines = pid_file.read_text(errors="replace").split("\n")
            if len(lines) > 7 and lines[3] == str(port) and lines[7].strip() == "ready":
                return True
        time.sleep(0.01)
    return False


def _all_of(output: IO[bytes]) -> str:
    output.seek(0)
    return output.read().decode(errors="replace")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _with_database(url: str, name: str) -> str:
    return urlunsplit(urlsplit(url)._replace(path=f"/{quote(name, safe='')}"))


def _version_of(data: Path) -> int | None:
    try:
        return int((data / "PG_VERSION").read_text().partition(".")[0])
    except FileNotFoundError:
        return None
