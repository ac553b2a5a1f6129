"""`bootstrap`: a new store with so many members until the first of them is looked up, beside a ready file over HTTP.

Ours asks a real centre in a process of its own for the snapshot (which lies ready in PostgreSQL), downloads it sealed,
checks it, builds an encrypted cache with every index, catches up by a pull, puts it in place and looks one member up by
phone. Theirs is the limit: the finished cache as a plain SQLite file, compressed, from Python's own file server; it is
downloaded, unpacked, written, opened, and asked the same. Nothing of it is encrypted, judged or checked.
"""

from __future__ import annotations

import asyncio
import re
import subprocess
import sys
import zlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from itertools import count, islice
from os import environ, fsync
from pathlib import Path
from tempfile import TemporaryDirectory
from time import perf_counter
from typing import Any

import httpx
import psycopg
from sqlcipher3 import dbapi2 as sqlcipher

from store_agent.clock import SystemClock
from store_agent.codec import encode_row
from store_agent.demo.sample.people import make_holdings
from store_agent.domain.members import Member
from store_agent.replica import Replica
from sync import wire
from sync.central.postgres.embedded import EmbeddedPostgres
from sync.client import Client
from sync.session import Session
from sync.snapshot import Bootstrap
from tests.benchmarks.harness import Effort, Row, Work, fill, in_turns, make_store
from tests.counter_fixture import KEY, NOW, STORE

NAME = "bootstrap"
GOAL = 0.4
ABSORBED_MOST = 100_000
"""More are not read page by page: it says nothing new, and takes minutes."""


def measure(sizes: Sequence[int], effort: Effort) -> list[Row]:
    """Rows for each number of members."""
    rows: list[Row] = []
    for size in sizes:
        with TemporaryDirectory(prefix="store-agent-bench-") as folder, ExitStack() as stack:
            database_url = stack.enter_context(_ledger(size))
            secret = _enrol(database_url)
            url = stack.enter_context(_centre(database_url, Path(folder)))
            rows += _measure_store(url, secret, size, effort, Path(folder))
    return rows


def _measure_store(url: str, secret: str, size: int, effort: Effort, folder: Path) -> list[Row]:
    began = perf_counter()
    reply = asyncio.run(_offered(url, secret))
    making_s = perf_counter() - began
    stores = (folder / f"store-{n}" for n in count())
    first = next(stores)
    _bootstrap(url, secret, first, size)
    ready = _ready_file(first / "cache.db", folder)
    with _file_server(ready.parent) as files:
        target = folder / "rival.db"
        works: dict[str, Callable[[int], Work]] = {
            "ours": lambda calls: lambda: _bootstrap(url, secret, next(stores), size),
            "theirs": lambda calls: lambda: _take_ready_file(f"{files}/{ready.name}", target, size),
        }
        timed = in_turns(Effort(effort.rounds, calls=1), works)
    ours, theirs = timed["ours"], timed["theirs"]
    what = f"a new store, {size:,} members"
    more: dict[str, Any] = {"name": NAME, "unit": "members/s"}
    rows = [
        Row(
            what=f"{what}, to the first look-up",
            ours=size / ours.p50 * 1e6,
            theirs=size / theirs.p50 * 1e6,
            ratio=1 / ours.ratio(theirs),
            goal=GOAL,
            at_least=True,
            rival="a ready file over HTTP, plain",
            **more,
        ),
        Row(
            name=NAME,
            what=f"{what}: bytes on the line",
            ours=reply.size / size,
            theirs=ready.stat().st_size / size,
            unit="bytes a member",
            ratio=reply.size / ready.stat().st_size,
            rival="the ready file, by zlib",
        ),
        Row(what=f"{what}: the centre makes the snapshot, once an hour at most", ours=size / making_s, **more),
    ]
    if size <= ABSORBED_MOST:
        with make_store() as replica:
            absorbed = fill(replica, _members(size))
        rows.append(Row(what=f"{what}: the same rows absorbed page by page, without the line", ours=absorbed, **more))
    return rows


def _members(size: int) -> Iterator[Member]:
    return (held.member for held in make_holdings(size, NOW, seed=1))


@contextmanager
def _ledger(size: int) -> Iterator[str]:
    """A ledger with as many members of one store, as an import leaves them."""
    with EmbeddedPostgres(durable=False) as server:
        url = server.create_database("bench")
        asyncio.run(_migrate(url))
        with psycopg.connect(url) as conn:
            members = _members(size)
            while some := list(islice(members, 10_000)):
                ids, bodies = [one.id for one in some], [encode_row(one).decode() for one in some]
                conn.execute(
                    "insert into member (id, revision, body) select i, 1, b::jsonb"
                    " from unnest(%s::text[], %b::text[]) as new (i, b)",
                    [ids, bodies],
                )
                conn.execute("insert into follow select i, %s, %s from unnest(%s::text[]) as i", [STORE, NOW, ids])
            conn.execute("insert into head values (%s, %s)", [wire.stream_of(STORE), size])
        yield url


async def _migrate(url: str) -> None:
    from sync.central.ground import open_pool

    async with open_pool(url, size=1):
        pass


def _enrol(database_url: str) -> str:
    secret, public = wire.make_key()
    with psycopg.connect(database_url) as conn:
        conn.execute(
            "insert into device (id, store, name, public_key, last_hash, enrolled_at) values ('d', %s, '', %s, '', %s)",
            [STORE, public, NOW],
        )
    return secret


@contextmanager
def _centre(database_url: str, folder: Path) -> Iterator[str]:
    own = {"DATA_FOLDER": str(folder / "centre"), "LANGUAGE": "en", "CENTRAL_PORT": "0", "CENTRAL_HOST": "127.0.0.1"}
    own["CENTRAL_DATABASE_URL"] = database_url
    env = dict(environ) | {f"STORE_AGENT_{name}": value for name, value in own.items()}
    with _process([sys.executable, "-u", "-m", "store_agent", "central"], env) as said:
        yield re.findall(r"http://[\d.:]+\d", said)[0]


@contextmanager
def _file_server(folder: Path) -> Iterator[str]:
    command = [sys.executable, "-u", "-m", "http.server", "--bind", "127.0.0.1", "--directory", str(folder), "0"]
    with _process(command, dict(environ)) as said:
        yield "http://127.0.0.1:" + re.findall(r"port (\d+)", said)[0]


@contextmanager
def _process(command: list[str], env: dict[str, str]) -> Iterator[str]:
    """A process, and the first line that it says."""
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as running:
        try:
            assert running.stdout
            yield running.stdout.readline()
        finally:
            running.kill()


async def _offered(url: str, secret: str) -> wire.SnapshotReply:
    """The snapshot, once it is made."""
    async with Client(url, device="d", secret=secret) as client:
        request = wire.SnapshotRequest({wire.CHAIN: 0, wire.stream_of(STORE): 0})
        while (reply := await client.snapshot(request)).state != "ready":
            pass
        return reply


def _bootstrap(url: str, secret: str, folder: Path, size: int) -> None:
    folder.mkdir()
    with Replica(folder, KEY) as replica:
        replica.journal.keep(device="d", store=STORE)
        asyncio.run(_take(url, secret, replica))
        found: Sequence[Member] = replica.view.find("member", "phone", _phone(size))
        assert found


async def _take(url: str, secret: str, replica: Replica) -> None:
    async with Client(url, device="d", secret=secret) as client:
        assert await Bootstrap(Session(replica), client, SystemClock(), rows_least=0).step()


def _phone(size: int) -> str:
    """The phone of one member, whoever it is."""
    return next(_members(min(size, 10))).phone


def _ready_file(cache: Path, folder: Path) -> Path:
    """What the limit serves: the same cache, plain and compressed."""
    plain = folder / "plain.db"
    conn = sqlcipher.connect(str(cache), isolation_level=None)
    conn.execute(f"pragma key = \"x'{KEY.hex()}'\"")
    conn.execute("attach database ? as plain key ''", [str(plain)])
    conn.execute("select sqlcipher_export('plain')")
    conn.execute("detach database plain")
    conn.close()
    ready = folder / "served" / "ready.db.z"
    ready.parent.mkdir()
    ready.write_bytes(zlib.compress(plain.read_bytes(), 1))
    return ready


def _take_ready_file(url: str, target: Path, size: int) -> None:
    unpacker = zlib.decompressobj()
    with httpx.stream("GET", url) as response, target.open("wb") as file:
        for piece in response.iter_raw():
            file.write(unpacker.decompress(piece))
        file.write(unpacker.flush())
        file.flush()
        fsync(file.fileno())
    conn = sqlcipher.connect(str(target))
    assert conn.execute("select body from member where phone = ?", [_phone(size)]).fetchone()
    conn.close()
