"""The two files on disk: accepting from two sides at once, and every way in which a disk, a key or a file lets one down."""

from __future__ import annotations

import os
import sqlite3
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from store_agent.clock import Ids
from store_agent.codec import encode_row
from store_agent.desk.counter import Counter
from store_agent.domain.coupons import Coupon, CouponReason, RedeemCoupon
from store_agent.domain.members import Member
from store_agent.domain.operation import Refusal
from store_agent.domain.purchases import PurchaseReason, RecordPurchase
from store_agent.domain.tags import AddNote
from store_agent.replica import Replica
from store_agent.replica.cache import Absorbed, Arrival
from store_agent.replica.journal import FIRST_HASH, Place
from store_agent.replica.replica import open_key
from store_agent.trouble import Trouble
from tests.standing_clock import StandingClock

KEY = bytes(range(32))
CLOCK = StandingClock()
IDS = Ids(CLOCK)
FIRST = Place(0, 0)
PAGE_BYTES = 4096


def counter_of(replica: Replica, staff: str = "amy") -> Counter:
    return Counter(replica, CLOCK, IDS, staff)


def begin(folder: Path) -> Replica:
    """A store that was enrolled, holds one member with one coupon, and has written one note down."""
    replica = Replica(folder, KEY)
    replica.journal.keep(device="d1", store="s1")
    rows: list[Any] = [
        Member(id="m1", phone="+886912345678", name="王小明"),
        Coupon(id="k1", campaign_id="c", member_id="m1"),
    ]
    replica.cache.absorb(Absorbed([Arrival(row.table, row.id, 1, encode_row(row).decode()) for row in rows]))
    note(replica, "first")
    return replica


def note(replica: Replica, text: str) -> Refusal | None:
    counter = counter_of(replica)
    return counter.accept(AddNote(**counter.named(), member_id="m1", text=text))


def notes(replica: Replica) -> list[str]:
    row = replica.view.get("tags", "m1")
    return [kept.text for kept in row.notes] if row else []


def check_chain(replica: Replica) -> int:
    """Numbers from 1 without gaps, each entry with the hash of the one before; returns how many there are."""
    prev_hash, count = FIRST_HASH, 0
    for entry in replica.journal.after(FIRST):
        count += 1
        assert (entry.seq, entry.prev_hash) == (count, prev_hash)
        prev_hash = entry.hash
    return count


@pytest.fixture
def replica(tmp_path: Path) -> Iterator[Replica]:
    with begin(tmp_path) as replica:
        yield replica


def overwrite(path: Path, start: int, length: int | None = None) -> None:
    """A disk that forgot what it held from here on."""
    data = bytearray(path.read_bytes())
    end = len(data) if length is None else start + length
    data[start:end] = os.urandom(end - start)
    path.write_bytes(bytes(data))


def test_two_terminals_write_one_chain_and_spend_a_coupon_once(replica: Replica) -> None:
    with Replica(replica.folder, KEY) as other:
        for n in range(20):
            note((replica, other)[n % 2], str(n))
        use = [
            counter.accept(RedeemCoupon(**counter.named(), coupon_id="k1", campaign_id="c", member_id="m1"))
            for counter in (counter_of(replica), counter_of(other, "bob"))
        ]
        assert use[0] is None
        assert use[1] is not None
        assert (use[1].reason, use[1].facts["staff"]) == (CouponReason.USED_UP, "amy")
        assert notes(replica) == notes(other)
    assert check_chain(replica) == 22


def test_the_same_basket_at_two_terminals_is_one_purchase(replica: Replica) -> None:
    with Replica(replica.folder, KEY) as other:
        paid = [
            counter.accept(
                RecordPurchase(
                    **counter.named(), purchase_id="p1", member_id="m1", currency="TWD", total_minor=5, paid_minor=5
                )
            )
            for counter in (counter_of(replica), counter_of(other))
        ]
    assert paid[0] is None
    assert paid[1] is not None
    assert paid[1].reason is PurchaseReason.ALREADY_THERE


def test_a_refused_operation_takes_its_whole_group_with_it(replica: Replica) -> None:
    counter = counter_of(replica)
    good = AddNote(**counter.named("g"), member_id="m1", text="good")
    bad = AddNote(**counter.named("g"), member_id="m1", text="")
    assert counter.accept(good, bad) is not None
    assert notes(replica) == ["first"]
    assert check_chain(replica) == 1


@pytest.mark.parametrize("text", ["a\0b", "\ud800", "x" * 70_000])
def test_what_could_never_be_read_back_is_not_written_down(replica: Replica, text: str) -> None:
    counter = counter_of(replica)
    operation = RedeemCoupon(**counter.named(), coupon_id="k1", campaign_id="c", member_id="m1", purchase_id=text)
    with pytest.raises(Trouble):
        counter.accept(operation)
    assert note(replica, "after") is None
    assert notes(replica) == ["first", "after"]


def test_a_text_that_looks_like_an_escape_is_only_text(replica: Replica) -> None:
    assert note(replica, "\\u0000 and \\") is None
    with Replica(replica.folder, KEY) as again:
        assert notes(again) == ["first", "\\u0000 and \\"]


def test_another_key_is_said_and_changes_nothing(tmp_path: Path) -> None:
    begin(tmp_path).close()
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(Trouble, match="another key"):
        Replica(tmp_path, bytes(32))
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    with Replica(tmp_path, KEY) as replica:
        assert notes(replica) == ["first"]


@pytest.mark.parametrize(
    ("content", "words"),
    [(None, "missing"), ("00" * 31, "holds no key"), ("no key at all", "cannot be read"), ("", "holds no key")],
)
def test_a_key_file_that_is_none_is_said(tmp_path: Path, content: str | None, words: str) -> None:
    path = tmp_path / "store.key"
    if content is not None:
        path.write_text(content)
    with pytest.raises(Trouble, match=words):
        open_key(path, make=False)
    assert path.exists() is (content is not None), "a key is only ever made for a new store"


def test_a_new_key_is_for_its_owner_only_and_stays(tmp_path: Path) -> None:
    path = tmp_path / "store.key"
    key = open_key(path, make=True)
    assert (len(key), path.stat().st_mode & 0o777) == (32, 0o600)
    assert open_key(path, make=True) == key


def test_a_new_key_and_its_name_are_on_the_disk_before_it_is_used(tmp_path: Path) -> None:
    """A key file that was synced and has no name after a power cut would take the whole store with it."""
    synced: list[bool] = []
    with patch("os.fsync", lambda descriptor: synced.append(stat.S_ISDIR(os.fstat(descriptor).st_mode))):
        open_key(tmp_path / "store.key", make=True)
    assert synced == [False, True]


@pytest.mark.parametrize("table", ["", "coupon"], ids=["from the first page", "in one table"])
def test_a_damaged_cache_is_put_aside_and_begun_anew(tmp_path: Path, table: str) -> None:
    with begin(tmp_path) as replica:
        query = "select coalesce(max(rootpage), 1) from sqlite_master where name = ?"
        page = replica.cache.db.conn.execute(query, [table]).fetchone()[0]
    overwrite(tmp_path / "cache.db", PAGE_BYTES * (page - 1), PAGE_BYTES if table else None)
    if table:
        # What does not show on opening is met while reading, and told once: then the running store begins anew as well.
        with Replica(tmp_path, KEY) as other, Replica(tmp_path, KEY) as replica:
            with pytest.raises(Trouble, match="damaged"):
                replica.view.all("coupon")
            # What every process of a store asks a few times a second, and what makes it look at the folder.
            replica.version()
            other.version()
            assert replica.view.all("coupon") == other.view.all("coupon") == []
            assert notes(replica) == notes(other) == ["first"]
    with Replica(tmp_path, KEY) as replica:
        assert replica.view.all("coupon") == []
        assert notes(replica) == ["first"], "nothing of the journal is lost"
        assert note(replica, "second") is None
    assert (tmp_path / "cache.damaged.db").exists()
    with Replica(tmp_path, KEY) as replica:
        assert notes(replica) == ["first", "second"]


def test_a_deleted_cache_comes_back_empty_even_where_its_log_stayed(tmp_path: Path) -> None:
    replica = begin(tmp_path)
    copy = (tmp_path / "cache.db-wal").read_bytes()
    replica.close()
    (tmp_path / "cache.db").unlink()
    (tmp_path / "cache.db-wal").write_bytes(copy)
    with Replica(tmp_path, KEY) as replica:
        assert replica.view.all("coupon") == []
        assert notes(replica) == ["first"]


@pytest.mark.parametrize("start", [0, 4096], ids=["from the first page", "in the middle"])
def test_a_damaged_journal_stops_the_store_and_is_never_deleted(tmp_path: Path, start: int) -> None:
    begin(tmp_path).close()
    overwrite(tmp_path / "journal.db", start)
    damaged = (tmp_path / "journal.db").read_bytes()
    with pytest.raises(Trouble, match="damaged"), Replica(tmp_path, KEY) as replica:
        notes(replica)
    assert (tmp_path / "journal.db").read_bytes() == damaged


def test_a_journal_that_is_no_database_of_ours_is_left_alone(tmp_path: Path) -> None:
    with sqlite3.connect(tmp_path / "journal.db") as plain:
        plain.execute("create table t (x)")
    plain.close()
    before = (tmp_path / "journal.db").read_bytes()
    with pytest.raises(Trouble):
        Replica(tmp_path, KEY)
    assert (tmp_path / "journal.db").read_bytes() == before


@pytest.mark.parametrize("name", ["journal", "cache"])
def test_a_file_of_a_newer_version_is_left_alone(tmp_path: Path, name: str) -> None:
    replica = begin(tmp_path)
    part = getattr(replica, name)
    part.db["_sqlite_migrations"].insert({"migration_set": name, "name": "of_tomorrow", "applied_at": "2031-01-01"})
    replica.close()
    with pytest.raises(Trouble, match=f"{name}.db was written by a newer version"):
        Replica(tmp_path, KEY)


def test_a_folder_that_cannot_be_written_is_said(tmp_path: Path) -> None:
    begin(tmp_path).close()
    # For root no folder is read-only, so it is somebody else who tries.
    script = (
        "import os, sys\n"
        "from pathlib import Path\n"
        "from store_agent.replica import Replica\n"
        "from store_agent.trouble import Trouble\n"
        "os.getuid() or os.setuid(65534)\n"
        "try:\n    Replica(Path(sys.argv[1]), bytes(range(32)))\n"
        "except Trouble as trouble:\n    print(trouble)\n"
    )
    for path in tmp_path.iterdir():
        path.chmod(0o444)
    for folder in (tmp_path, *tmp_path.parents[:2]):
        folder.chmod(0o555)
    try:
        done = subprocess.run(
            [sys.executable, "-c", script, str(tmp_path)], capture_output=True, text=True, timeout=30, check=False
        )
    finally:
        for folder in (tmp_path, *tmp_path.parents[:2]):
            folder.chmod(0o755)
    assert "cannot be" in done.stdout, done
    assert not done.stderr


def test_a_full_disk_accepts_nothing_by_halves_and_works_again_after_room_was_made(replica: Replica) -> None:
    execute = replica.journal.db.conn.execute
    pages = execute("pragma page_count").fetchone()[0]
    execute(f"pragma max_page_count = {pages}")

    def fill() -> None:
        for n in range(200):
            counter = counter_of(replica)
            drafts = [AddNote(**counter.named("g"), member_id="m1", text=f"{n} {part} " * 50) for part in "ab"]
            counter.accept(*drafts)

    with pytest.raises(Trouble, match="disk is full"):
        fill()
    written = check_chain(replica)
    assert written % 2 == 1, "a group is written whole or not at all"
    assert len(notes(replica)) == written
    execute("pragma max_page_count = 1000000")
    assert note(replica, "room again") is None
    with Replica(replica.folder, KEY) as again:
        assert check_chain(again) == written + 1


def test_a_full_disk_takes_no_half_of_a_reply(replica: Replica) -> None:
    execute = replica.cache.db.conn.execute
    execute(f"pragma max_page_count = {execute('pragma page_count').fetchone()[0]}")
    many = [Member(id=f"n{n}", phone=f"+88691{n:07d}", name="陳" * 60) for n in range(500)]
    reply = Absorbed(
        [Arrival("member", row.id, 1, encode_row(row).decode()) for row in many], cursors={"chain": (500, 500)}
    )
    with pytest.raises(Trouble, match="disk is full"):
        replica.cache.absorb(reply)
    assert replica.cache.count("member") == 1
    assert replica.cache.cursors() == {}
    execute("pragma max_page_count = 1000000")
    replica.cache.absorb(reply)
    assert replica.cache.count("member") == 501


def test_an_operation_shows_only_once_its_commit_returned(replica: Replica) -> None:
    with patch.object(replica.journal, "append", side_effect=Trouble("the disk is full")), pytest.raises(Trouble):
        note(replica, "never")
    assert notes(replica) == ["first"]


def test_more_rows_than_a_statement_has_places_for_come_in_one_reply(replica: Replica) -> None:
    body = encode_row(Member(id="x", phone="+886912345678", name="x")).decode()
    many = [Arrival("member", f"n{n}", 1, body.replace('"x"', f'"n{n}"', 1)) for n in range(32_800)]
    with patch("store_agent.replica.search.index"):
        replica.cache.absorb(Absorbed(many))
    assert replica.cache.count("member") == 32_801


@pytest.mark.parametrize("body", ['{"id":"a"', '{"id":1}', '{"id":"b","phone":"","name":""}', '["a"]'])
def test_a_row_that_nobody_can_read_is_not_kept(replica: Replica, body: str) -> None:
    reply = Absorbed([Arrival("member", "a", 1, body)], cursors={"chain": (1, 1)})
    with pytest.raises(Trouble, match="cannot be read"):
        replica.cache.absorb(reply)
    assert replica.cache.get("member", "a") is None
    assert replica.cache.cursors() == {}


def test_an_older_row_never_replaces_a_newer_one(replica: Replica) -> None:
    for revision, name in ((5, "five"), (4, "four"), (5, "five again")):
        row = Member(id="m1", phone="+886912345678", name=name)
        replica.cache.absorb(Absorbed([Arrival("member", "m1", revision, encode_row(row).decode())]))
    assert replica.view.get("member", "m1").name == "five"
