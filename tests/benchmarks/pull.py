"""`pull`: 1,000 changed members into a store that holds many, from the reply on the line to the rows that a desk finds.

Ours is a whole pull by the store's own client: request, signature, reply checked for gaps, rows decoded, their indexes
of digits and names, one transaction in the encrypted cache. A ready page stands at the other end for everybody, so no
server is measured: PouchDB alone replicates from its own. All take the same changes of the same members: tier, e-mail
and the moment of consent of each, and of one in ten also the phone number and the name.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from typing import Any

import msgspec

from store_agent.codec import encode_row
from store_agent.demo.sample.people import make_holdings
from store_agent.domain.members import Member, Tier
from store_agent.replica import Replica
from store_agent.replica.cache import Absorbed
from sync import wire
from sync.client import Client
from sync.in_step import Contact, InStep
from sync.session import Session
from tests.benchmarks.harness import Effort, Row, Work, by_rate, fill, in_turns, make_store
from tests.benchmarks.node import open_all
from tests.benchmarks.pages import serve_pages
from tests.benchmarks.processes import Absent, Talker, tell
from tests.counter_fixture import NOW, STORE, HeldClock

NAME = "pull"
CHANGED = 1_000
FILL_ROWS = 10_000
HEAVY_MOST = 200_000
"""Beyond it PouchDB and RxDB would take an hour, and RxDB more memory than most machines have."""
INCARNATION = "bench"
PLAIN = "a plain Python page"
PLAIN_GOAL = 0.5


def measure(sizes: Sequence[int], effort: Effort) -> list[Row]:
    """Rows for each number of members."""
    return [row for size in sizes for row in _measure_size(size, effort)]


def draw(size: int) -> Iterator[Member]:
    """The members, the same every time."""
    return (held.member for held in make_holdings(size, NOW, seed=1))


class Changes:
    """What changes turn by turn; everybody gets the same turns."""

    def __init__(self, size: int) -> None:
        self._members = list(islice(draw(size), size))

    def of(self, turn: int, count: int = CHANGED) -> list[Member]:
        random = Random(turn)
        chosen = random.sample(range(len(self._members)), min(count, len(self._members)))
        return [self._changed(self._members[number], turn, place) for place, number in enumerate(chosen)]

    @staticmethod
    def _changed(member: Member, turn: int, place: int) -> Member:
        tier = tuple(Tier)[(turn + place) % len(Tier)]
        member = replace(member, tier=tier, email=f"t{turn}.{place}@example.com")
        if place % 10:
            return member
        return replace(member, phone=f"+8869{turn:03d}{place:05d}", name=f"{member.name}{turn % 10}")


@dataclass(slots=True)
class Bench:
    """The folder that is served, and where."""

    folder: Path
    url: str
    changes: Changes

    def page(self, name: str, members: Sequence[Member]) -> str:
        """A page of rows; returns its address."""
        (self.folder / name).write_bytes(b"[" + b",".join(map(encode_row, members)) + b"]")
        return f"{self.url}/{name}"


@contextmanager
def open_bench(size: int) -> Iterator[Bench]:
    """Changes of so many members, and a server of pages."""
    with TemporaryDirectory(prefix="store-agent-bench-") as name:
        folder = Path(name) / "pages"
        (folder / "v1").mkdir(parents=True)
        with serve_pages(folder) as url:
            yield Bench(folder, url, Changes(size))


class Ours:
    """A store, filled, and its line to the pages."""

    def __init__(self, replica: Replica, bench: Bench, size: int, changed: int = CHANGED) -> None:
        self._bench = bench
        self._changed = changed
        self._cache = replica.cache
        self._secret, _public = wire.make_key()
        self._turn = 0
        self._position = 0
        self.filled_a_second = fill(replica, draw(size))
        replica.cache.absorb(Absorbed(cursors={wire.CHAIN: (0, 0), wire.stream_of(STORE): (0, 0)}))
        replica.cache.keep(incarnation=INCARNATION)
        self._runner = asyncio.Runner()
        self._client = Client(bench.url, device=replica.device, secret=self._secret)
        session = Session(replica)
        self._in_step = InStep(session, self._client, HeldClock(), Random(1), long_poll_s=0)

    def pull(self, _calls: int) -> Work:
        """The next changes are ready at the centre; what is returned takes them."""
        self._turn += 1
        rows = [
            wire.FeedRow(self._position + place, "member", row.id, self._turn + 1, msgspec.Raw(encode_row(row)))
            for place, row in enumerate(self._bench.changes.of(self._turn, self._changed), 1)
        ]
        self._position += len(rows)
        own = wire.StreamPage(self._position, self._position, rows)
        reply = wire.PullReply(INCARNATION, {wire.CHAIN: wire.StreamPage(0, 0, []), wire.stream_of(STORE): own})
        (self._bench.folder / "v1" / "pull").write_bytes(wire.encode(reply))
        self._in_step.contact = Contact()
        return lambda: self._runner.run(self._in_step.pull_once())

    def check(self) -> None:
        """Nobody is measured who left something out."""
        for row in self._bench.changes.of(self._turn, self._changed):
            assert self._cache.get("member", row.id) == row

    def close(self) -> None:
        self._runner.run(self._client.close())
        self._runner.close()


class Plain:
    """What a good afternoon's work is: JSON over HTTP into SQLite, three indexes, nothing encrypted, no names found."""

    def __init__(self, bench: Bench, size: int) -> None:
        self._bench = bench
        self._turn = 0
        self._db = sqlite3.connect(bench.folder.parent / "plain.db", isolation_level=None)
        self._db.execute("pragma journal_mode = wal")
        self._db.execute("pragma synchronous = normal")
        self._db.execute("create table member (id text primary key, phone text, code text, card_no text, body text)")
        for column in ("phone", "code", "card_no"):
            self._db.execute(f"create index member_{column} on member ({column})")
        members = draw(size)
        while part := list(islice(members, FILL_ROWS)):
            self._put([msgspec.to_builtins(member) for member in part])

    def pull(self, _calls: int) -> Work:
        self._turn += 1
        url = self._bench.page("plain.json", self._bench.changes.of(self._turn))

        def work() -> None:
            with urllib.request.urlopen(url) as reply:
                self._put(json.loads(reply.read()))

        return work

    def _put(self, rows: Sequence[dict[str, Any]]) -> None:
        self._db.execute("begin immediate")
        self._db.executemany(
            "insert into member values (?, ?, ?, ?, ?) on conflict (id) do update set phone = excluded.phone,"
            " code = excluded.code, card_no = excluded.card_no, body = excluded.body",
            [(row["id"], row["phone"], row["code"], row["card_no"], json.dumps(row)) for row in rows],
        )
        self._db.execute("commit")

    def close(self) -> None:
        self._db.close()


def in_node(rival: Talker, bench: Bench, name: str, *, served: bool) -> Callable[[int], Work]:
    """A rival's turns. `served`: it has a server of its own, which is given the changes first.

    At each turn it is seen whether the last one's changes have come.
    """
    turn = 0

    def ready(_calls: int) -> Work:
        nonlocal turn
        for row in bench.changes.of(turn, 3) if turn else ():
            assert rival.ask("read", id=row.id)["row"]["email"] == row.email, name
        turn += 1
        url = bench.page(f"{name}.json", bench.changes.of(turn))
        if served:
            rival.ask("put", url=url)
        return lambda: rival.ask("pull", url=url)

    return ready


def fill_rival(rival: Talker, bench: Bench, name: str, size: int, *, served: bool) -> None:
    """All members into a rival, page by page as it would get them."""
    members = draw(size)
    for number, part in enumerate(iter(lambda: list(islice(members, FILL_ROWS)), [])):
        tell(f"{name}: {number * FILL_ROWS:,} of {size:,} members")
        url = bench.page(f"{name}.json", part)
        if served:
            rival.ask("put", url=url)
        rival.ask("fill", url=url)
    held = rival.ask("count")["count"]
    if held != size:
        raise Absent(f"it holds {held} of {size} members")


RIVALS = {"watermelondb": "WatermelonDB", "pouchdb": "PouchDB", "rxdb": "RxDB in memory", "yjs": "Yjs in memory"}
SERVED = ("pouchdb", "yjs")


def _measure_size(size: int, effort: Effort) -> list[Row]:
    with ExitStack() as stack:
        bench = stack.enter_context(open_bench(size))
        ours = Ours(stack.enter_context(make_store()), bench, size)
        stack.callback(ours.close)
        plain = Plain(bench, size)
        stack.callback(plain.close)
        works: dict[str, Callable[[int], Work]] = {"ours": ours.pull, "plain": plain.pull}
        absent = _rivals(stack, works, bench, size) if effort.rivals else {}
        timed = in_turns(replace(effort, calls=1), works)
        ours.check()
    count = min(CHANGED, size)
    what = f"{count:,} changed members into {size:,}"
    plain_row: dict[str, Any] = {"goal": PLAIN_GOAL, "rival": PLAIN}
    rows = [by_rate(NAME, what, "rows/s", count, timed["ours"], timed["plain"], **plain_row)]
    for name, title in RIVALS.items():
        goal = {"watermelondb": 10.0 if size >= 1_000_000 else 3.0}.get(name)
        if name in timed:
            rows.append(by_rate(NAME, what, "rows/s", count, timed["ours"], timed[name], rival=title, goal=goal))
        elif name in absent:
            rows.append(by_rate(NAME, what, "rows/s", count, timed["ours"], rival=f"absent: {title} ({absent[name]})"))
    rows.append(Row(name=NAME, what=f"filling: {size:,} members absorbed", ours=ours.filled_a_second, unit="rows/s"))
    return rows


def _rivals(stack: ExitStack, works: dict[str, Callable[[int], Work]], bench: Bench, size: int) -> dict[str, str]:
    """Add the rivals that can run; returns why the others cannot."""
    folder = str(bench.folder.parent)
    heavy = size > HEAVY_MOST
    light, absent = open_all(stack, ["watermelondb", "yjs"] if heavy else ["watermelondb", "yjs", "rxdb"], folder)
    if heavy:
        absent |= dict.fromkeys(("pouchdb", "rxdb"), f"measured up to {HEAVY_MOST:,} only")
    else:
        server, gone = open_all(stack, ["pouchserver"], folder)
        absent |= dict.fromkeys(("pouchdb",) if gone else (), "".join(gone.values()))
        for rival in server.values():
            pouch, gone = open_all(stack, ["pouchdb"], folder, rival.said["url"])
            light |= pouch
            absent |= gone
    for name, rival in light.items():
        try:
            fill_rival(rival, bench, name, size, served=name in SERVED)
            works[name] = in_node(rival, bench, name, served=name in SERVED)
        except Absent as error:
            absent[name] = str(error)
            tell(f"rival absent: {name} ({error})")
    return absent
