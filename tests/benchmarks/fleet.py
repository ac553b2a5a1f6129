"""`fleet`: many simulated stores against one centre in a process of its own: all but a few hold a long poll, a few work.

Every poll is signed and really held by the centre, on a connection of its own. One store in a hundred pushes without
pause, some operations at a time, as many counters do together. The figures: what the centre's process holds in memory,
and how many operations it applies a second beside the polls. For the machine: how many posts of 2 KB a second starlette
and msgspec take under the same uvicorn, which do nothing with them.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from time import perf_counter
from typing import Any

import msgspec
import psycopg
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from store_agent.clock import Ids
from store_agent.codec import encode_entry
from store_agent.domain.members import Member
from store_agent.domain.points import EarnPoints
from store_agent.replica.journal import FIRST_HASH
from sync import wire
from tests.benchmarks.harness import ROUNDS_LEAST, Effort, Row
from tests.benchmarks.processes import Started, open_centre, open_ledger, started, tell
from tests.benchmarks.seeding import Connection, Device, put_followers, put_rows, put_stores
from tests.counter_fixture import NOW, HeldClock

NAME = "fleet"
MEMORY_MOST_MB = 1_024.0
MEMORY_STORES = 5_000
OPERATIONS_LEAST = 2_000.0
ACTIVE_SHARE = 100
MEMBERS_EACH = 20
BATCH = 20
"""Operations of one push: a few checkouts."""
POST = {"id": "x" * 36, "points": 7, "text": "." * 1_960}
AT_ONCE = 100
"""So many connections are opened at a time."""
POLL_S = 50
TRIVIAL_CONNECTIONS = 16
BUSY_S = 2.0


def measure(sizes: Sequence[int], effort: Effort) -> list[Row]:
    """Rows for each number of stores."""
    return [row for size in sizes for row in _measure_size(size, effort)]


def _measure_size(size: int, effort: Effort) -> list[Row]:
    with ExitStack() as stack:
        stack.enter_context(_many_files(2 * size + 500))
        database_url = stack.enter_context(open_ledger())
        centre = stack.enter_context(open_centre(database_url))
        trivial = stack.enter_context(started([sys.executable, "-m", __spec__.name], wanted="http.+"))
        active = max(1, size // ACTIVE_SHARE)
        with psycopg.connect(database_url, autocommit=True) as conn:
            devices = put_stores(conn, [f"s{number:06d}" for number in range(size)])
            stores = [_working(conn, device) for device in devices[:active]]
            conn.execute("analyze")
            return asyncio.run(_measure(centre, trivial, conn, stores, devices[active:], effort))


async def _measure(
    centre: Started, trivial: Started, conn: Connection, active: list[Working], quiet: list[Device], effort: Effort
) -> list[Row]:
    before_mb = memory_mb(centre.process)
    async with asyncio.TaskGroup() as group:
        chain = await _head(centre.said, active[0].device)
        polls = await _hold(group, centre.said, quiet, chain)
        held_mb = memory_mb(centre.process)
        rates: list[tuple[float, float]] = []
        pushes = max(1, effort.calls // 10)
        for turn in range(max(effort.rounds, ROUNDS_LEAST)):
            tell(f"fleet: turn {turn + 1}")
            posts = await _post(trivial.said, effort.calls * 10)
            began = perf_counter()
            await asyncio.gather(*(store.work(centre.said, pushes, chain) for store in active))
            applied = len(active) * pushes * BATCH
            rates.append((applied / (perf_counter() - began), posts))
        working_mb = memory_mb(centre.process)
        still = sum(not poll.done() for poll in polls)
        for poll in polls:
            poll.cancel()
    assert still == len(quiet), f"{len(quiet) - still} polls of stores that have nothing to hear were let go"
    ((kept,),) = conn.execute("select count(*) from operation where outcome = 'applied'").fetchall()
    assert kept == sum(store.seq for store in active), "an operation is missing"
    return _rows(len(quiet), len(active), before_mb, held_mb, working_mb, rates)


def _rows(
    polls: int, active: int, before_mb: float, held_mb: float, working_mb: float, rates: Sequence[tuple[float, float]]
) -> list[Row]:
    rate, trivial = median(rate for rate, _posts in rates), median(posts for _rate, posts in rates)
    most_mb = max(held_mb, working_mb)
    each_kb = (held_mb - before_mb) * 1_024 / max(1, polls)
    # A smaller fleet shows what the memory of the whole one will be, and says so.
    whole_mb = before_mb + (most_mb - before_mb) * max(1.0, MEMORY_STORES / max(1, polls + active))
    named: dict[str, Any] = {"name": NAME}
    memory: dict[str, Any] = {"unit": "MB", "theirs": MEMORY_MOST_MB, "rival": "the limit", "goal": 1.0, **named}
    what = f"beside {polls:,} held polls, {active} stores at work"
    limit: dict[str, Any] = {"theirs": OPERATIONS_LEAST, "goal": 1.0, "at_least": True, "rival": "the limit"}
    return [
        Row(what=f"memory of the centre {what}", ours=most_mb, ratio=most_mb / MEMORY_MOST_MB, **memory),
        Row(what=f"the same for {MEMORY_STORES:,} stores", ours=whole_mb, ratio=whole_mb / MEMORY_MOST_MB, **memory),
        Row(what="memory of one held poll", ours=max(each_kb, 0.1), unit="KB", **named),
        Row(what=f"operations applied {what}", ours=rate, unit="op/s", ratio=rate / OPERATIONS_LEAST, **limit, **named),
        Row(what=f"pushes of {BATCH}", ours=rate / BATCH, theirs=trivial, unit="posts/s", rival=TRIVIAL, **named),
    ]


TRIVIAL = "trivial posts of 2 KB to starlette and msgspec"


class Busy(Exception):
    """The centre asks to come again later."""


@dataclass(slots=True)
class Line:
    """One connection, kept open: requests as bytes, replies by their length. A client's own cost would hide the centre's."""

    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    @classmethod
    async def open(cls, url: str) -> Line:
        host, port = url.removeprefix("http://").split(":")
        return cls(*await asyncio.open_connection(host, int(port), limit=2**22))

    async def ask(self, method: str, target: str, body: bytes = b"", headers: str = "") -> bytes:
        head = f"{method} {target} HTTP/1.1\r\nhost: centre\r\ncontent-length: {len(body)}\r\n{headers}\r\n"
        self.writer.write(head.encode() + body)
        said = await self.reader.readuntil(b"\r\n\r\n")
        length = int(said.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        content = await self.reader.readexactly(length)
        if said.split()[1] == b"503":
            raise Busy
        assert said.split()[1] == b"200", content
        return content

    async def ask_signed(self, device: Device, method: str, target: str, body: bytes = b"") -> bytes:
        signature = wire.sign(device.secret, wire.signed_text(method, target, device.id, body))
        headers = f"{wire.DEVICE_HEADER}: {device.id}\r\n{wire.SIGNATURE_HEADER}: {signature}\r\n"
        while True:
            try:
                return await self.ask(method, target, body, headers)
            except Busy:
                # As a store does; what it waits for is a part of what is measured.
                await asyncio.sleep(BUSY_S)

    def close(self) -> None:
        self.writer.close()


async def _hold(group: asyncio.TaskGroup, url: str, devices: Sequence[Device], chain: int) -> list[asyncio.Task[None]]:
    """Every one of these stores waits for news. Returns once all that were asked for are held."""
    polls = []
    for start in range(0, len(devices), AT_ONCE):
        tell(f"fleet: {start:,} of {len(devices):,} polls")
        part = devices[start : start + AT_ONCE]
        lines = await asyncio.gather(*(Line.open(url) for _device in part))
        for line, device in zip(lines, part, strict=True):
            polls.append(group.create_task(_poll(line, device, chain)))
        # The centre takes requests in order of arrival, so once this last one is answered the others are under way.
        await _head(url, part[-1])
    return polls


async def _poll(line: Line, device: Device, chain: int) -> None:
    """As a store does: asked again as soon as the centre has said that there is nothing."""
    try:
        while True:
            wait = f"&rows=500&wait={POLL_S}"
            reply = await line.ask_signed(device, "GET", f"/v1/pull?chain={chain}&store%2F{device.store}=0{wait}")
            assert not any(page.rows for page in msgspec.json.decode(reply, type=wire.PullReply).streams.values())
    finally:
        line.close()


async def _head(url: str, device: Device) -> int:
    """Where the chain's stream ends."""
    line = await Line.open(url)
    reply = await line.ask_signed(device, "GET", f"/v1/pull?chain=0&store%2F{device.store}=0&rows=1&wait=0")
    line.close()
    return msgspec.json.decode(reply, type=wire.PullReply).streams[wire.CHAIN].head


def _working(conn: Connection, device: Device) -> Working:
    number = int(device.store[1:])
    people = [
        Member(id=f"{device.store}-m{one}", phone=f"+8869{number:06d}{one:02d}", name="王小明", home_store=device.store)
        for one in range(MEMBERS_EACH)
    ]
    put_rows(conn, people)
    put_followers(conn, ((person.id, device.store) for person in people))
    return Working(device, [person.id for person in people], Ids(HeldClock()))


@dataclass(slots=True)
class Working:
    """One store at work: it pushes, and hears in a poll of its own what came of it."""

    device: Device
    members: list[str]
    ids: Ids
    seq: int = 0
    last_hash: str = FIRST_HASH
    heard: int = 0
    """How far its stream was read."""

    async def work(self, url: str, pushes: int, chain: int) -> None:
        line = await Line.open(url)
        hearing = asyncio.create_task(self._hear(url, chain))
        for _push in range(pushes):
            reply = await line.ask_signed(self.device, "POST", "/v1/push", self._batch())
            assert msgspec.json.decode(reply, type=wire.PushReply).seq == self.seq
        line.close()
        hearing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await hearing

    async def _hear(self, url: str, chain: int) -> None:
        line = await Line.open(url)
        try:
            while True:
                target = f"/v1/pull?chain={chain}&store%2F{self.device.store}={self.heard}&rows=2000&wait={POLL_S}"
                reply = msgspec.json.decode(await line.ask_signed(self.device, "GET", target), type=wire.PullReply)
                self.heard = reply.streams[wire.stream_of(self.device.store)].position
        finally:
            line.close()

    def _batch(self) -> bytes:
        datas = []
        for _operation in range(BATCH):
            self.seq += 1
            named: dict[str, Any] = {"op_id": self.ids.new(), "at": NOW, "staff": "amy", "store": self.device.store}
            earned = EarnPoints(**named, member_id=self.members[self.seq % MEMBERS_EACH], points=1)
            entry = encode_entry(earned, self.device.id, 1, self.seq, self.last_hash)
            self.last_hash = entry.hash
            datas.append(msgspec.Raw(entry.data))
        return wire.encode(wire.PushRequest(datas))


async def _post(url: str, posts: int) -> float:
    """Trivial posts a second."""
    body = msgspec.json.encode(POST)
    lines = [await Line.open(url) for _connection in range(TRIVIAL_CONNECTIONS)]

    async def post(line: Line) -> None:
        for _post in range(posts // TRIVIAL_CONNECTIONS + 1):
            await line.ask("POST", "/", body)
        line.close()

    began = perf_counter()
    await asyncio.gather(*map(post, lines))
    return (posts // TRIVIAL_CONNECTIONS + 1) * TRIVIAL_CONNECTIONS / (perf_counter() - began)


def memory_mb(process: int) -> float:
    """What a process holds in memory now."""
    try:
        lines = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        said = subprocess.run(["ps", "-o", "rss=", "-p", str(process)], capture_output=True, check=True, text=True)
        return float(said.stdout) / 1_024
    return next(float(line.split()[1]) for line in lines if line.startswith("VmRSS")) / 1_024


@contextmanager
def _many_files(wanted: int) -> Iterator[None]:
    """A connection is an open file, here and at the centre, which inherits what is allowed."""
    with contextlib.suppress(ImportError):  # Windows counts otherwise.
        import resource

        soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
        if soft != resource.RLIM_INFINITY and soft < wanted:
            most = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    yield


async def _take(request: Request) -> Response:
    msgspec.json.decode(await request.body())
    return Response(b'{"ok":true}')


if __name__ == "__main__":
    with socket.create_server(("127.0.0.1", 0), backlog=2048) as listener:
        print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        app = Starlette(routes=[Route("/", _take, methods=["POST"])])
        uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False)).run(sockets=[listener])
