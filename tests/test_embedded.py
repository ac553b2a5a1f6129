"""The embedded PostgreSQL: real servers, started, shared, and gone without a trace."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import psycopg
import pytest

from store_agent.trouble import Trouble
from sync.central.postgres.binaries import Binaries, find_binaries, packaged_binaries, reachable_folder, system_binaries
from sync.central.postgres.embedded import EmbeddedPostgres
from sync.central.postgres.leash import ENDED, leashed
from tests.postgres_fixture import FreshDatabase, fresh_database, postgres

__all__ = ["fresh_database", "postgres"]

ROOT = Path(__file__).parent.parent
FOUND = {each.major: each for each in (*packaged_binaries(), *system_binaries())}
POSIX = pytest.mark.skipif(os.name == "nt", reason="Windows knows only one way to end a process")
ALONE: dict[str, str] = {}
"""An environment that lends no database."""


def answer(url: str, question: str) -> object:
    with psycopg.connect(url) as connection:
        row = connection.execute(question).fetchone()
    return row and row[0]


def until(true: Callable[[], bool], within_s: float = 20.0) -> bool:
    deadline = time.monotonic() + within_s
    while not true():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


def begin(code: str, *arguments: str) -> subprocess.Popen[str]:
    pipe = subprocess.PIPE
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=subprocess.DEVNULL, text=True, cwd=ROOT)


def first_line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


def runs(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    # Where nobody collects orphans, a dead one keeps its number.
    state = Path(f"/proc/{process_id}/stat")
    try:
        return not state.exists() or state.read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False  # It went while we looked.


@pytest.mark.parametrize("binaries", FOUND.values(), ids=[f"postgresql-{major}" for major in FOUND])
def test_each_version_on_this_machine_starts_answers_and_leaves_nothing(binaries: Binaries) -> None:
    began = time.monotonic()
    server = EmbeddedPostgres(binaries=binaries, environment=ALONE)
    url = server.start()
    print(f"PostgreSQL {binaries.version}: started in {time.monotonic() - began:.2f} s")
    place = server.place
    assert place is not None
    assert place.is_dir()
    assert answer(url, "show server_version_num")[:2] == str(binaries.major)  # type: ignore[index]
    assert answer(url, "show server_encoding") == "UTF8"
    assert answer(url, "select array_agg(x order by x)::text from unnest(array['b', 'B', '會']) x") == "{B,b,會}"
    assert answer(url, "show fsync") == "on"
    server.stop()
    assert not place.exists()
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(url, connect_timeout=2)
    server.stop()


def test_a_stranger_on_the_machine_does_not_get_in(postgres: EmbeddedPostgres) -> None:
    assert postgres.place is not None
    password = (postgres.place / "password").read_text()
    with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
        psycopg.connect(postgres.url.replace(password, "guessed"))


def test_two_at_once_do_not_meet(postgres: EmbeddedPostgres) -> None:
    with EmbeddedPostgres(durable=False, environment=ALONE) as other:
        ports = [answer(url, "select inet_server_port()") for url in (postgres.url, other.url)]
    assert ports[0] != ports[1]
    assert answer(postgres.url, "select 1") == 1


def test_a_named_folder_keeps_its_data_and_lets_one_server_in_at_a_time(open_folder: Path) -> None:
    with EmbeddedPostgres(open_folder, environment=ALONE) as server, psycopg.connect(server.url) as connection:
        connection.execute("create table kept as select 42 as n")
    with EmbeddedPostgres(open_folder, environment=ALONE) as server:
        with pytest.raises(Trouble, match=r"did not start.*postmaster\.pid"):
            EmbeddedPostgres(open_folder, environment=ALONE).start()
        assert answer(server.url, "select n from kept") == 42


def test_an_interrupted_first_start_is_made_good(open_folder: Path) -> None:
    (open_folder / "data.new").mkdir()
    (open_folder / "data.new" / "PG_VERSION").write_text("1")
    (open_folder / "password").write_text("of then")
    with EmbeddedPostgres(open_folder, environment=ALONE) as server:
        assert answer(server.url, "select 1") == 1


def test_a_version_that_is_nowhere_is_said_with_what_to_do() -> None:
    with pytest.raises(Trouble, match="DATABASE_URL"):
        find_binaries(9)


def test_a_lent_server_gets_one_database_of_ours_and_loses_it_at_the_end(postgres: EmbeddedPostgres) -> None:
    names = "select array_agg(datname::text order by datname) from pg_database"
    before = answer(postgres.url, names)
    with EmbeddedPostgres(environment={"DATABASE_URL": postgres.url}) as server:
        assert answer(server.url, "select current_database()") not in before  # type: ignore[operator]
    assert answer(postgres.url, names) == before


def test_a_lent_server_that_does_not_answer_is_trouble_and_no_traceback() -> None:
    with pytest.raises(Trouble, match="DATABASE_URL"):
        EmbeddedPostgres(environment={"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/none"}).start()


def test_each_fresh_database_is_empty_and_a_copy_is_a_copy(fresh_database: FreshDatabase) -> None:
    one = fresh_database()
    with psycopg.connect(one) as connection:
        connection.execute("create table mark as select 7 as n")
    assert answer(fresh_database(), "select to_regclass('mark')") is None
    assert answer(fresh_database(template=one.rpartition("/")[2]), "select n from mark") == 7


@POSIX
def test_a_killed_parent_leaves_no_server_and_no_folder() -> None:
    code = (
        "import sys; from sync.central.postgres.embedded import EmbeddedPostgres as E\n"
        "server = E(durable=False, environment={}); server.start(); print(server.place, flush=True); sys.stdin.read()"
    )
    parent = begin(code)
    place = Path(first_line(parent))
    server = int((place / "data" / "postmaster.pid").read_text().split()[0])
    assert runs(server)
    parent.kill()
    parent.communicate()
    assert until(lambda: not runs(server))
    assert until(lambda: not place.exists())


@POSIX
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_however_a_parent_ends_its_leashed_child_ends_and_its_folder_goes(
    number: signal.Signals, tmp_path: Path
) -> None:
    code = (
        "import sys; from pathlib import Path; from sync.central.postgres.leash import leashed\n"
        "child = 'import os, time; print(os.getpid(), flush=True); time.sleep(600)'\n"
        "leashed([sys.executable, '-c', child], remove=Path(sys.argv[1]), output=sys.stdout.buffer); sys.stdin.read()"
    )
    folder = tmp_path / "goes"
    folder.mkdir()
    parent = begin(code, str(folder))
    child = int(first_line(parent))
    assert runs(child)
    parent.send_signal(number)
    assert until(lambda: not runs(child))
    assert until(lambda: not folder.exists())
    parent.communicate()


@POSIX
def test_a_kill_while_the_data_folder_is_being_made_leaves_nothing() -> None:
    parent = begin("from sync.central.postgres.embedded import EmbeddedPostgres as E; E(environment={}).start()")
    pattern = f"store-agent-{parent.pid}-*"
    assert until(lambda: any(Path(tempfile.gettempdir()).glob(f"{pattern}/data.new/base")))
    parent.kill()
    parent.communicate()
    assert until(lambda: not any(Path(tempfile.gettempdir()).glob(pattern)))


def test_a_leashed_child_that_does_not_listen_is_killed_with_all_that_it_started(tmp_path: Path) -> None:
    deaf = "import signal, subprocess, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    deaf += "child = subprocess.Popen([sys.executable, '-c', 'import time; time.sleep(600)'])\n"
    deaf += "open(sys.argv[1], 'w').write(f'{child.pid} '); time.sleep(600)"
    written = tmp_path / "started"
    leash = leashed([sys.executable, "-c", deaf, written], wait_s=0.1)
    assert until(lambda: written.exists() and written.read_text().endswith(" "))
    assert not leash.ended
    assert leash.let_go() == ENDED
    assert until(lambda: not runs(int(written.read_text())))


def test_a_leashed_child_that_ends_by_itself_says_how(tmp_path: Path) -> None:
    leash = leashed([sys.executable, "-c", "raise SystemExit(7)"])
    assert until(lambda: leash.ended)
    assert leash.let_go() == 7


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that the server's own user reaches, too, when the tests run as root; pytest's own are closed."""
    folder = Path(tempfile.mkdtemp(prefix="store-agent-kept-", dir=reachable_folder()))
    folder.chmod(0o711)
    yield folder
    shutil.rmtree(folder)
