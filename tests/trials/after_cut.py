"""What must hold once a store comes up after a power cut. Each check names the promise that it is of."""

from __future__ import annotations

from pathlib import Path
from random import Random
from typing import Any

from store_agent.codec import Entry, encode_row, hash_of
from store_agent.domain.tags import AddNote
from store_agent.replica import Replica
from store_agent.replica.journal import FIRST_HASH, Place
from sync.session import Session
from sync.wire import PushRequest
from tests.standing_clock import StandingClock
from tests.trials.day import KEY, Terminal
from tests.trials.small_centre import Known, SmallCentre


class Broken(Exception):
    """A promise that was not kept."""


def check(folder: Path, centre: SmallCentre, confirmed: set[str], *, is_enrolled: bool) -> None:
    """Open the store with the real code, look at everything, and work on; raises Broken."""
    with Replica(folder, KEY) as replica:
        check_files(replica)
        journal = check_journal(replica, confirmed)
        if not is_enrolled:
            return
        if replica.device != "d1":
            raise Broken("DURABLE: who this device is was lost")
        check_view(replica, centre, journal)
    go_on(folder, centre, journal)


def check_files(replica: Replica) -> None:
    """Both files are whole, to SQLite and to the encryption."""
    parts = (replica.journal, replica.cache)
    for part in parts:
        if part.db.conn.execute("pragma quick_check").fetchall() != [("ok",)]:
            raise Broken(f"TORN: {part.path.name} fails quick_check")
    # The second check looks at the file without its log, which may lie torn under it.
    replica.rest()
    for part in parts:
        if part.db.conn.execute("pragma cipher_integrity_check").fetchall():
            raise Broken(f"TORN: {part.path.name} fails cipher_integrity_check")


def check_journal(replica: Replica, confirmed: set[str]) -> list[Entry]:
    """All that was confirmed, numbered without gaps, each with the hash of the one before, groups whole."""
    journal, prev_hash = list(replica.journal.after(Place(0, 0))), FIRST_HASH
    kept = dict(replica.journal.db.conn.execute("select seq, hash from operation").fetchall())
    for number, entry in enumerate(journal, 1):
        if (entry.seq, entry.prev_hash, kept[number]) != (number, prev_hash, hash_of(entry.data)):
            raise Broken(f"ORDER: the chain is broken at {number}")
        prev_hash = entry.hash
    lost = confirmed - {entry.operation.op_id for entry in journal}
    if lost:
        raise Broken(f"DURABLE: {len(lost)} confirmed operations are lost")
    return journal


def check_view(replica: Replica, centre: SmallCentre, journal: list[Entry]) -> None:
    """The rows, the answers and the cursors are of one moment of the centre, and every own operation counts once."""
    cursors, included = replica.cache.cursors(), set[str]()
    held: dict[tuple[str, str], tuple[int, Any]] = {}
    for stream, known in centre.known.items():
        position = cursors.get(stream, (0, 0))[0]
        if position not in known:
            raise Broken(f"TORN: the cursor of {stream} is in the middle of a group, or beyond its end")
        held |= known[position].rows
        included |= known[position].included
    _check_rows(replica, Known(held, frozenset(included)))
    received, _hash = replica.cache.received()
    if received.seq > replica.journal.last().seq:
        raise Broken("DURABLE: the centre has received more than the journal holds")
    expected: dict[tuple[str, str], Any] = {key: row for key, (_revision, row) in held.items()}
    for entry in journal:
        operation = entry.operation
        if operation.op_id not in included:
            key = (operation.table, operation.subject)
            expected[key] = operation.effect(expected.get(key))
    for key, row in expected.items():
        if replica.view.get(*key) != row:
            raise Broken(f"VIEW: an operation counts twice or not at all in {key[0]} {key[1]}")
    waiting = [entry.operation.op_id for entry in replica.view.waiting()]
    if waiting != [entry.operation.op_id for entry in journal if entry.operation.op_id not in included]:
        raise Broken("VIEW: what waits is not what the centre has not answered")


def _check_rows(replica: Replica, known: Known) -> None:
    execute = replica.cache.db.conn.execute
    for table in sorted({table for table, _id in known.rows} | {"member", "account", "coupon", "tags", "stock"}):
        kept = {id_: (revision, body) for id_, revision, body in execute(f"select id, revision, body from {table}")}
        wanted = {
            id_: (revision, encode_row(row).decode())
            for (name, id_), (revision, row) in known.rows.items()
            if name == table
        }
        if kept != wanted:
            raise Broken(f"TORN: {table} is not what the cursor says")
    if {op_id for (op_id,) in execute("select op_id from answer")} != known.included:
        raise Broken("VIEW: the answers are of another moment than the rows: operations count twice or not at all")


def go_on(folder: Path, centre: SmallCentre, journal: list[Entry]) -> None:
    """One more operation; then everything goes to the centre, and comes back, once."""
    confirmed: list[str] = []
    terminal = Terminal(folder, Random(1), _later(), "cat", confirmed.append)
    with terminal.replica as replica:
        counter = terminal.counter
        assert counter.accept(AddNote(**counter.named(), member_id="m1", text="after")) is None
        session = Session(replica, batch_most=50, page_rows=200)
        while isinstance(request := session.draft(), PushRequest):
            session.received(centre.push(request))
        for _turn in range(3):
            session.absorb(centre.pull(session.cursors(), session.page_rows))
        entries = check_journal(replica, {entry.operation.op_id for entry in journal})
        if len(entries) != len(journal) + 1 or replica.view.waiting_count():
            raise Broken("CONVERGE: something still waits")
        check_view(replica, centre, entries)
    if centre.seq != len(entries) or centre.last_hash != entries[-1].hash:
        raise Broken("ONCE: the centre does not hold what the journal holds")


def _later() -> StandingClock:
    clock = StandingClock()
    clock.move(days=1)
    return clock
