"""Sixteen writers publish on PostgreSQL, slowly, at once and sometimes for nothing; readers must miss nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field
from random import Random
from unittest.mock import patch

import msgspec
from psycopg import Rollback

from store_agent.domain.stores import Store
from sync.central import exchange, feed
from sync.central.ground import Connection, Pool, open_pool
from sync.central.postgres.embedded import EmbeddedPostgres
from sync.wire import FeedRow, PullReply, StreamPage
from tests.trials.trial import Found, Trial

SEQUENCE, NO_ENDS = "a sequence", "a page that ends anywhere"
PLANTED = {
    SEQUENCE: "positions from a sequence, handed out in the order of asking and not of committing",
    NO_ENDS: "a page ends after so many rows, wherever a transaction ended",
}
WRITERS = 16
READERS = 4
STREAMS = ("chain", "store/s1", "store/s2", "store/s3")
ROWS = 40
"""So few that writers meet on them all the time."""
LONGEST_PAUSE_S = 0.004
ROLLED_BACK = 0.15
PAGE_MOST = 5
WIDE_PAGE = 200
"""A sequence leaves gaps, and a page that ended in one would come to nothing."""


@dataclass
class Truth:
    """What was committed: by transaction, in which streams how many rows."""

    committed: dict[str, dict[str, int]] = field(default_factory=dict)
    rolled_back: int = 0


@dataclass
class Reader:
    """One store's view of all streams, and what was wrong with it."""

    cursors: dict[str, int] = field(default_factory=lambda: dict.fromkeys(STREAMS, 0))
    seen: dict[str, dict[str, int]] = field(default_factory=dict)
    revisions: dict[tuple[str, str], int] = field(default_factory=dict)
    pages: int = 0
    gaps: int = 0
    torn: int = 0
    late: int = 0

    def take(self, reply: PullReply) -> bool:
        """Take a reply; returns whether it brought anything."""
        brought = False
        touched: dict[str, dict[str, int]] = {}
        for stream, page in reply.streams.items():
            self.pages += 1
            brought = brought or bool(page.rows)
            wanted = range(self.cursors[stream] + 1, self.cursors[stream] + 1 + len(page.rows))
            self.gaps += [row.position for row in page.rows] != list(wanted)
            self.cursors[stream] = page.position
            for row in page.rows:
                self._take_row(stream, row, touched)
        whole = {stream for stream, page in reply.streams.items() if page.position >= page.head}
        for by, where in touched.items():
            size, streams = where.pop("size"), where.pop("streams")
            # A transaction is in a page as a whole; and of its streams, in all that were read to their ends.
            self.torn += any(count != size for count in where.values())
            self.torn += not {STREAMS[n] for n in range(4) if streams >> n & 1} & whole <= set(self.seen[by])
        return brought

    def _take_row(self, stream: str, row: FeedRow, touched: dict[str, dict[str, int]]) -> None:
        body = msgspec.json.decode(row.body)
        counted = self.seen.setdefault(body["by"], {})
        counted[stream] = counted.get(stream, 0) + 1
        here = touched.setdefault(body["by"], {"size": body["size"], "streams": body["streams"]})
        here[stream] = here.get(stream, 0) + 1
        key = (stream, row.id)
        self.late += row.revision <= self.revisions.get(key, 0)
        self.revisions[key] = row.revision


async def write(pool: Pool, name: str, random: Random, truth: Truth, ends_at: float) -> None:
    """Publish until the time is over: rows first, then the streams, as everybody in the centre does."""
    number = 0
    while asyncio.get_running_loop().time() < ends_at:
        number += 1
        by = f"{name}.{number}"
        streams = sorted(random.sample(STREAMS, random.choice([1, 1, 2, 3])))
        ids = sorted(f"r{n}" for n in random.sample(range(ROWS), random.choice([1, 2, 3])))
        rolls_back = random.random() < ROLLED_BACK
        async with pool.connection() as conn, conn.transaction():
            await _write_once(conn, by, streams, ids, random)
            if rolls_back:
                truth.rolled_back += 1
                raise Rollback
        if not rolls_back:
            truth.committed[by] = dict.fromkeys(streams, len(ids))


async def _write_once(conn: Connection, by: str, streams: Sequence[str], ids: Sequence[str], random: Random) -> None:
    # A row is locked by whoever changes it, so that its revisions follow each other as the transactions do.
    await conn.execute("select 1 from store where id = any(%s) order by id for update", [list(ids)])
    found = await conn.execute(
        "update store set revision = revision + 1 where id = any(%s) returning id, revision", [list(ids)]
    )
    revisions: dict[str, int] = dict(await found.fetchall())
    await asyncio.sleep(random.uniform(0, LONGEST_PAUSE_S))
    said = {"by": by, "size": len(ids), "streams": sum(1 << STREAMS.index(stream) for stream in streams)}
    body = msgspec.json.encode(said).decode()
    rows = [(Store.table, id_, revisions[id_], body) for id_ in ids]
    await feed.publish(conn, dict.fromkeys(streams, rows))
    await asyncio.sleep(random.uniform(0, LONGEST_PAUSE_S))


async def read(pool: Pool, reader: Reader, random: Random, ends_at: float, widest: int) -> None:
    """Pull until the time is over, and on until nothing more comes."""
    while True:
        over = asyncio.get_running_loop().time() > ends_at
        brought = reader.take(await exchange.pull(pool, reader.cursors, random.randint(1, widest)))
        if over and not brought:
            return
        await asyncio.sleep(random.uniform(0, LONGEST_PAUSE_S) if brought else LONGEST_PAUSE_S)


async def race(url: str, seconds: float, seed: int, *, plant: str = "") -> tuple[Truth, list[Reader]]:
    """All at once for so long."""
    truth, readers = Truth(), [Reader() for _n in range(READERS)]
    widest = WIDE_PAGE if plant == SEQUENCE else PAGE_MOST
    async with open_pool(url, size=WRITERS + READERS) as pool:
        async with pool.connection() as conn:
            for n in range(len(STREAMS)):
                await conn.execute(f"create sequence planted_{n}".encode())
            await conn.execute("insert into store select 'r' || n, 0, '{}' from generate_series(0, %s) as n", [ROWS])
        ends_at = asyncio.get_running_loop().time() + seconds
        async with asyncio.TaskGroup() as tasks:
            for n in range(WRITERS):
                tasks.create_task(write(pool, f"w{n}", Random(f"{seed} w{n}"), truth, ends_at))
            for n, reader in enumerate(readers):
                tasks.create_task(read(pool, reader, Random(f"{seed} r{n}"), ends_at, widest))
        # Whoever had come to the end before the last writer did reads what is left.
        for reader in readers:
            await read(pool, reader, Random(seed), ends_at, widest)
    return truth, readers


def found_in(truth: Truth, readers: Sequence[Reader], seconds: float) -> Found:
    """What the readers have seen against what was committed."""
    committed = sum(sum(streams.values()) for streams in truth.committed.values())
    skipped = max(committed - sum(sum(streams.values()) for streams in reader.seen.values()) for reader in readers)
    wrong = {
        f"{skipped} of {committed} rows were never seen": skipped,
        "a reader saw what was never committed": sum(reader.seen != truth.committed for reader in readers),
        "a transaction came torn": sum(reader.torn for reader in readers),
        "positions had gaps": sum(reader.gaps for reader in readers),
        "an older revision came after a newer one": sum(reader.late for reader in readers),
    }
    figures = {
        "writers": WRITERS,
        "transactions": len(truth.committed),
        "rolled_back": truth.rolled_back,
        "rows": committed,
        "pages": sum(reader.pages for reader in readers),
        "rows_skipped": skipped,
        "transactions_torn": sum(reader.torn for reader in readers),
        "tx_a_second": round(len(truth.committed) / seconds),
    }
    return Found(figures=figures, failure="; ".join(what for what, times in wrong.items() if times))


@contextmanager
def _from_sequences() -> Iterator[None]:
    async def advance(conn: Connection, stream: str, count: int) -> int:
        # Locked for a moment, so that the rows of one transaction are numbered in one piece; but not until the commit.
        number = STREAMS.index(stream)
        await conn.execute("select pg_advisory_lock(%s)", [number])
        query = f"select nextval('planted_{number}') from generate_series(1, {count})".encode()
        positions = await (await conn.execute(query)).fetchall()
        await conn.execute("select pg_advisory_unlock(%s)", [number])
        return int(positions[-1][0])

    with patch.object(feed, "_advance", advance):
        yield


@contextmanager
def _ends_anywhere() -> Iterator[None]:
    whole = feed.read_page

    async def some(conn: Connection, stream: str, cursor: int, most: int) -> StreamPage:
        page = await whole(conn, stream, cursor, most)
        rows = page.rows[:most]
        return StreamPage(rows[-1].position if rows else cursor, page.head, rows)

    with patch.object(feed, "read_page", some):
        yield


def race_on(url: str, seconds: float, seed: int, plant: str) -> Found:
    """The trial on an empty database."""
    planted = {SEQUENCE: _from_sequences, NO_ENDS: _ends_anywhere}
    with planted[plant]() if plant else nullcontext():
        truth, readers = asyncio.run(race(url, seconds, seed, plant=plant))
    return found_in(truth, readers, seconds)


def _play(count: int, seed: int, plant: str) -> Found:
    with EmbeddedPostgres(durable=False) as postgres:
        return race_on(postgres.url, count, seed, plant)


TRIAL = Trial(name="feedrace", about=__doc__ or "", count=30, unit="seconds", play=_play, plants=PLANTED)
