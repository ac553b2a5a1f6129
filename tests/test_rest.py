"""The logs of both files: emptied when nobody waits, bounded while somebody does, and never held by a read of ours."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from store_agent.codec import encode_row
from store_agent.config import Settings
from store_agent.domain.members import Member
from store_agent.entry import store as entry
from store_agent.replica import Replica, database
from store_agent.replica.cache import Absorbed, Arrival, Cache
from store_agent.replica.journal import Place
from store_agent.trouble import Trouble
from tests.test_replica import KEY, begin, check_chain, counter_of, note, notes

BOUND_BYTES = 100_000
READS: dict[str, Callable[[Replica], Any]] = {
    "a row": lambda replica: replica.view.get("coupon", "k1"),
    "all rows": lambda replica: replica.view.all("member"),
    "rows of a member": lambda replica: replica.view.of_member("coupon", "m1"),
    "a search": lambda replica: replica.view.search("member", "678", 5),
    "what waits": lambda replica: replica.view.waiting(),
    "the outbox": lambda replica: replica.outbox(1),
    "the journal, and only the first of it": lambda replica: next(replica.journal.after(Place(0, 0))),
    "the cursors": lambda replica: replica.cache.cursors(),
    "settings": lambda replica: (replica.journal.setting("device"), replica.cache.setting("floor")),
    "the version": lambda replica: replica.version(),
}


def log_bytes(replica: Replica, name: str = "journal") -> int:
    return (replica.folder / f"{name}.db-wal").stat().st_size


def test_both_logs_are_emptied_when_nobody_waits(tmp_path: Path) -> None:
    with begin(tmp_path) as replica:
        assert log_bytes(replica) > 0
        assert log_bytes(replica, "cache") > 0
        assert replica.rest()
        assert log_bytes(replica) == log_bytes(replica, "cache") == 0
        assert notes(replica) == ["first"]


@pytest.mark.parametrize("name", sorted(READS))
def test_no_read_leaves_a_reader_open(tmp_path: Path, name: str) -> None:
    with begin(tmp_path) as replica, Replica(tmp_path, KEY) as other:
        kept = READS[name](other)
        note(replica, "more")
        replica.cache.keep(heard_at="now")
        assert replica.rest(), "somebody reads still"
        assert kept is not None


def test_a_reader_that_stays_holds_the_log_only_as_long_as_it_does(tmp_path: Path) -> None:
    with begin(tmp_path) as replica, Replica(tmp_path, KEY) as stays:
        replica.journal.db.conn.execute("pragma wal_autocheckpoint = 10")
        stays.journal.db.conn.execute("begin")
        assert stays.journal.count() == 1
        for number in range(100):
            assert note(replica, str(number)) is None
        assert not replica.rest(), "it is not waited for"
        grown = log_bytes(replica)
        assert grown > BOUND_BYTES
        stays.journal.db.conn.execute("commit")
        assert replica.rest()
        assert log_bytes(replica) == 0
        assert check_chain(replica) == 101


def test_a_log_does_not_grow_while_nobody_stays(tmp_path: Path) -> None:
    with begin(tmp_path) as replica, Replica(tmp_path, KEY) as other:
        for part in (replica.journal, replica.cache):
            part.db.conn.execute("pragma wal_autocheckpoint = 10")
        assert replica.rest(), "making the files is more than any day's work"
        for number in range(150):
            assert note(replica, str(number)) is None
            row = Member(id="m1", phone="+886912345678", name=f"王{number}")
            replica.cache.absorb(Absorbed([Arrival("member", "m1", 2 + number, encode_row(row).decode())]))
            other.view.all("member")
        assert max(log_bytes(replica), log_bytes(replica, "cache")) < 2 * BOUND_BYTES


def test_a_large_log_is_cut_by_the_next_write_after_its_reader_left(tmp_path: Path) -> None:
    with patch.object(database, "LOG_BYTES_MOST", BOUND_BYTES), begin(tmp_path) as replica:
        replica.journal.db.conn.execute("pragma wal_autocheckpoint = 10")
        with Replica(tmp_path, KEY) as stays:
            stays.journal.db.conn.execute("begin")
            stays.journal.count()
            for number in range(100):
                note(replica, str(number))
            assert log_bytes(replica) > BOUND_BYTES
        note(replica, "moves the log into the file")
        note(replica, "begins it anew")
        assert log_bytes(replica) <= BOUND_BYTES


def test_in_a_moment_the_logs_are_left_alone(tmp_path: Path) -> None:
    with begin(tmp_path) as replica:
        with replica.view.moment():
            assert not replica.rest()
        assert replica.rest()


async def test_a_store_that_is_kept_in_step_empties_its_logs_now_and_then(tmp_path: Path) -> None:
    with begin(tmp_path) as replica, patch.object(entry, "REST_LOOKS", 1):
        keeper = entry.Keeper(counter_of(replica), Settings(centre_url="http://centre"))
        rest, full = replica.rest, database.is_full()
        with patch.object(Replica, "rest", side_effect=[full, full, *[True] * 100]) as asked:
            watching = asyncio.create_task(keeper._watch(lambda: None))
            while asked.call_count < 4:
                await asyncio.sleep(0)
        watching.cancel()
        assert rest()


@pytest.mark.parametrize("which", ["journal", "cache"])
def test_below_the_first_safe_sqlite_no_file_is_touched(tmp_path: Path, which: str) -> None:
    begin(tmp_path).close()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with (
        patch("sqlcipher3.dbapi2.sqlite_version_info", (3, 51, 2)),
        pytest.raises(Trouble, match="can corrupt a file"),
    ):
        Cache(tmp_path / "cache.db", KEY) if which == "cache" else Replica(tmp_path, KEY)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
