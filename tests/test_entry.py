"""The parts put together as processes: two centres on one ledger, a store enrolled and served, and killed in between."""

from __future__ import annotations

import asyncio
import http.server
import os
import re
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

import httpx
import psycopg
import pytest

from store_agent.config import CentralSettings, Settings
from store_agent.doctor import Health
from store_agent.domain.stores import Store
from store_agent.domain.tags import AddNote
from store_agent.entry import store as entry
from store_agent.entry.centre import run_central
from store_agent.entry.checks import check_centre, check_first_data
from store_agent.entry.report import status
from store_agent.replica.cache import Absorbed
from store_agent.trouble import Trouble
from sync.central import devices, ground, ledger
from sync.client import Offline
from tests.postgres_fixture import FreshDatabase


def settings_of(folder: Path, **values: Any) -> Settings:
    return Settings(data_folder=str(folder / "store"), key_file=str(folder / "store.key"), **values)


def environment(folder: Path, **values: str) -> dict[str, str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("STORE_AGENT_")}
    own = {"DATA_FOLDER": str(folder / "store"), "KEY_FILE": str(folder / "store.key"), "LANGUAGE": "en", **values}
    return clean | {f"STORE_AGENT_{name}": value for name, value in own.items()}


@contextmanager
def process(command: str, env: dict[str, str]) -> Iterator[subprocess.Popen[bytes]]:
    running = subprocess.Popen([sys.executable, "-m", "store_agent", command], env=env, stderr=subprocess.PIPE)
    try:
        yield running
    finally:
        running.kill()
        running.communicate(timeout=30)


def until(done: Callable[[], Any], what: str) -> Any:
    ends = time.monotonic() + 20
    while not (found := done()):
        assert time.monotonic() < ends, what
        time.sleep(0.05)
    return found


def free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


def is_up(url: str) -> bool:
    try:
        return httpx.get(f"{url}/v1/health").status_code == 200
    except httpx.HTTPError:
        return False


def make_code(database_url: str) -> str:
    async def ask() -> str:
        now = datetime.now(UTC)
        async with ground.open_pool(database_url, size=1) as pool, pool.connection() as conn:
            await ledger.write_own(conn, [Store(id="s1", name={"en": "One"})], now, {})
            return await devices.make_code(conn, "s1", now, timedelta(hours=1))

    return asyncio.run(ask())


def counted(database_url: str) -> int:
    with psycopg.connect(database_url) as conn:
        row = conn.execute("select count(*) from operation").fetchone()
        return int(row[0]) if row else 0


def test_a_store_is_served_through_two_centres_and_whoever_is_killed(
    fresh_database: FreshDatabase, tmp_path: Path
) -> None:
    database_url, ports = fresh_database(), (free_port(), free_port())
    urls = [f"http://127.0.0.1:{port}" for port in ports]
    envs = [environment(tmp_path, CENTRAL_DATABASE_URL=database_url, CENTRAL_PORT=str(port)) for port in ports]
    settings = settings_of(tmp_path)
    with process("central", envs[0]) as first, process("central", envs[1]):
        for url in urls:
            until(partial(is_up, url), "the centre does not start")
        code = make_code(database_url)
        lost = Offline("The reply was lost.")
        real = entry._enrol

        async def enrol_and_lose(url: str, request: Any, request_s: float) -> Any:
            await real(url, request, request_s)
            raise lost

        with patch.object(entry, "_enrol", enrol_and_lose), pytest.raises(Offline):
            entry.enroll(settings, urls[0], code)
        assert entry.enroll(settings, urls[0], code)["store"] == "s1"
        with pytest.raises(Trouble, match="already"):
            entry.enroll(settings, urls[0], code)
        with entry.open_replica(settings) as replica:
            counter = entry.open_counter(replica)

            def note(text: str) -> None:
                assert counter.accept(AddNote(**counter.named(), member_id="m1", text=text)) is None

            note("before anyone serves")
            with process("serve", envs[0]) as one, process("serve", environment(tmp_path, CENTRE_URL=urls[1])):
                until(lambda: counted(database_url) == 1, "the first operation never comes")
                until(lambda: replica.view.waiting_count() == 0, "its answer never comes")
                one.kill()
                note("after one was killed")
                until(lambda: counted(database_url) == 2, "nobody takes the seat")
                until(lambda: replica.view.waiting_count() == 0, "its answer never comes")
                first.kill()
                note("after one centre was killed")
                until(lambda: counted(database_url) == 3, "the other centre does not do")
                until(lambda: replica.view.waiting_count() == 0, "its answer never comes")


def test_a_machine_without_a_store_says_what_to_do_and_makes_nothing(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="one-time code"):
        entry.open_replica(settings_of(tmp_path))
    assert list(tmp_path.iterdir()) == []


def test_enrolling_never_makes_a_new_key_beside_a_journal(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    entry.open_replica(settings, make=True).close()
    key = settings.key_path.read_text()
    settings.key_path.unlink()
    with pytest.raises(Trouble, match="missing"):
        entry.open_replica(settings, make=True)
    assert not settings.key_path.exists()
    settings.key_path.write_text(key)
    entry.open_replica(settings).close()


@pytest.mark.parametrize("key", ["x", "00" * 31, "zz" * 32])
def test_a_key_in_the_settings_that_is_none_is_said(tmp_path: Path, key: str) -> None:
    with pytest.raises(Trouble, match="is no key"):
        entry.open_replica(settings_of(tmp_path, key=key), make=True)


def test_a_store_that_was_never_enrolled_has_no_counter(tmp_path: Path) -> None:
    with entry.open_replica(settings_of(tmp_path), make=True) as replica, pytest.raises(Trouble, match="not enrolled"):
        entry.open_counter(replica)


def test_a_data_folder_that_cannot_be_is_said(tmp_path: Path) -> None:
    (tmp_path / "store").write_text("a file")
    with pytest.raises(Trouble, match="cannot be used"):
        entry.enroll(settings_of(tmp_path), "http://127.0.0.1:9", "CODE")


@contextmanager
def answering(status: int, body: bytes) -> Iterator[str]:
    """Something that is no centre, and gives the same answer to everything."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            self.do_GET()

        def do_GET(self) -> None:
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_arguments: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()


@pytest.mark.parametrize(
    ("status", "body", "hint"),
    [
        (200, b"<html>", "the address of the centre?"),
        (302, b"", "the address of the centre?"),
        (404, b"no", "the address of the centre?"),
        (503, b"busy", "the code is still good"),
        (403, b'{"error":"code-used","sentence":"Used."}', "Used. This machine was not bound"),
    ],
)
def test_enrolling_says_what_a_person_can_do(tmp_path: Path, status: int, body: bytes, hint: str) -> None:
    with answering(status, body) as url, pytest.raises(Trouble) as found:
        entry.enroll(settings_of(tmp_path), url, "CODE")
    assert hint in str(found.value)
    assert "tried again" not in str(found.value)


def test_the_doctor_asks_the_centre_and_a_centre_that_is_away_is_a_note(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    assert check_centre(settings).health is Health.OK
    assert not settings.data_path.exists()
    with entry.open_replica(settings, make=True) as replica:
        replica.journal.keep(centre_url="http://127.0.0.1:9")
    assert check_centre(settings).health is Health.WARN
    with answering(200, b'{"ok":true,"version":"1","incarnation":"x"}') as url:
        assert check_centre(replace(settings, centre_url=url)).health is Health.OK
    with answering(200, b"<html>") as url:
        assert check_centre(replace(settings, centre_url=url)).health is Health.WARN
    settings.key_path.unlink()
    found = check_centre(settings)
    assert found.health is Health.FAIL
    assert found.hint


def test_status_and_doctor_say_how_far_the_first_data_are(tmp_path: Path) -> None:
    settings = settings_of(tmp_path)
    assert check_first_data(settings).health is Health.OK
    with entry.open_replica(settings, make=True) as replica:
        replica.journal.keep(device="d1", store="s1")
        replica.cache.keep(arriving="fetched 12040000 28000000")
    assert status(settings)["first_data_percent"] == 43
    found = check_first_data(settings)
    assert (found.health, "43 %" in found.sentence) == (Health.WARN, True)
    with entry.open_replica(settings) as replica:
        replica.cache.keep(arriving="")
        assert check_first_data(settings).health is Health.WARN
        replica.cache.absorb(Absorbed(cursors={"chain": (5, 5)}))
    assert status(settings)["first_data_percent"] is None
    assert check_first_data(settings).health is Health.OK


def test_a_centre_says_where_it_listens_and_ends_well_whatever_hangs_on_it(
    fresh_database: FreshDatabase, tmp_path: Path
) -> None:
    env = environment(tmp_path, CENTRAL_DATABASE_URL=fresh_database(), CENTRAL_PORT="0")
    command = [sys.executable, "-m", "store_agent", "central"]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as running:
        assert running.stdout is not None
        try:
            port = int(re.findall(r":(\d+)", running.stdout.readline())[0])
            until(lambda: is_up(f"http://127.0.0.1:{port}"), "the centre does not start")
            with pytest.raises(Trouble, match="cannot listen"):
                run_central(settings_of(tmp_path / "other", central=CentralSettings(port=port)), print)
            with socket.create_connection(("127.0.0.1", port)) as half:
                half.sendall(b"POST /v1/push HTTP/1.1\r\nhost: x\r\ncontent-length: 10\r\n\r\n")
                running.terminate()
                assert running.wait(timeout=20) == 0
        finally:
            running.kill()


@pytest.mark.parametrize("url", ["http://127.0.0.1:9", "not a url"])
def test_enrolling_where_no_centre_is_keeps_the_key_for_the_next_try(tmp_path: Path, url: str) -> None:
    settings = settings_of(tmp_path)
    offered = []
    for _try in range(2):
        with pytest.raises(Trouble):
            entry.enroll(settings, url, "CODE")
        with entry.open_replica(settings) as replica:
            offered.append(replica.journal.setting("public_offered"))
            assert replica.device == ""
    assert offered[0] == offered[1] != ""
