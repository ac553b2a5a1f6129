"""Whether a journal is whole: every byte of it under the hash chain, and its end against the anchor. Writes nothing to it.

Each entry's bytes must have the hash that stands beside them, name the place where they stand, and be chained to the
entry before. A page that was changed without the key is found by the encryption's own check.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from sqlcipher3 import dbapi2 as sqlcipher
from sqlite_utils import Database

from store_agent.codec import decode_envelope, hash_of
from store_agent.replica import database
from store_agent.replica.anchor import Mark
from store_agent.replica.journal import FIRST_HASH, Journal, Place
from store_agent.trouble import Trouble
from store_agent.words import _

TOLD_EVERY = 1_000
Row = tuple[int, int, str, str, str, bytes]
"""Epoch, number, op_id, kind, hash, bytes."""


class Damage(StrEnum):
    """What is wrong at a place."""

    UNREADABLE = "unreadable"
    """The file cannot be read from here on."""
    CHANGED = "changed"
    """The entry is not what was written: its bytes, its hash, or where it says it stands."""
    UNCHAINED = "unchained"
    """It does not go on with the entry before it."""
    MISSING = "missing"
    """Entries before it are missing."""
    END_MISSING = "end-missing"
    """The anchor knows of later entries, or of another one at this place."""
    PAGE = "page"
    """A page of the file was changed; `number` says which."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong. For a page the place is that of no entry."""

    damage: Damage
    place: Place
    number: int = 0


@dataclass(slots=True)
class Report:
    """What was found in a journal."""

    entries: int = 0
    device: str = ""
    last: Place = field(default_factory=lambda: Place(0, 0))
    """Of those that could be read."""
    whole_to: Place = field(default_factory=lambda: Place(0, 0))
    """Up to here everything is as it was written."""
    findings: list[Finding] = field(default_factory=list)


def verify(path: Path, key: bytes, anchor: Callable[[str], Mark | None], tell: Callable[[int], None]) -> Report:
    """Read all of a journal, also of a copied file; `tell` hears how many entries it was so far."""
    db = database.connect_to_read(path, key)
    try:
        report = Report()
        report.device = _settings(db).get("device", "")
        _follow(db, report, tell, lambda row: None)
        _compare(db, report, anchor(report.device) if report.device else None)
        report.findings += [Finding(Damage.PAGE, Place(0, 0), page) for page in _pages(db)]
        return report
    finally:
        db.conn.close()


def salvage(path: Path, key: bytes, out: Path, tell: Callable[[int], None]) -> Report:
    """Copy what is whole, from the first entry up to the first damage, into a new journal; the old one stays as it is."""
    if out.exists():
        raise Trouble(_("{path} exists already.").format(path=out), _("Name a new file: nothing is overwritten."))
    db = database.connect_to_read(path, key)
    try:
        report, rows = Report(), list[Row]()
        settings = _settings(db)
        new = Journal(out, key)
        try:
            new.keep(**settings)
            _follow(db, report, tell, rows.append)
            with new.transaction():
                new.db.conn.executemany("insert into operation values (?, ?, ?, ?, ?, ?)", rows)
        finally:
            new.close()
        return report
    finally:
        db.conn.close()


def _settings(db: Database) -> dict[str, str]:
    """Who the device is; nothing where just that cannot be read, which the pages tell."""
    try:
        return dict(db.conn.execute("select name, value from setting").fetchall())
    except sqlcipher.DatabaseError:
        return {}


def _follow(db: Database, report: Report, tell: Callable[[int], None], whole: Callable[[Row], None]) -> None:
    """Every entry in order; `whole` hears those before the first damage."""
    before, hashes = Place(0, 0), {FIRST_HASH}
    try:
        for row in _rows(db):
            place = Place(row[0], row[1])
            if place.epoch != before.epoch:
                before, hashes = Place(place.epoch, 0), {FIRST_HASH}
            actual = hash_of(row[5])
            if damage := _damage(report.device, row, actual, before, hashes):
                report.findings.append(Finding(damage, place))
            # Where one of the two was changed, the next entry still says what it was.
            hashes = {row[4], actual}
            before = report.last = place
            report.entries += 1
            if not report.findings:
                report.whole_to = place
                whole(row)
            if report.entries % TOLD_EVERY == 0:
                tell(report.entries)
    except sqlcipher.DatabaseError:
        report.findings.append(Finding(Damage.UNREADABLE, Place(before.epoch, before.seq + 1)))
    tell(report.entries)


def _rows(db: Database) -> Iterator[Row]:
    yield from db.conn.execute("select epoch, seq, op_id, kind, hash, data from operation order by epoch, seq")


def _damage(device: str, row: Row, actual: str, before: Place, hashes: set[str]) -> Damage | None:
    epoch, seq, op_id, kind, hash, data = row
    try:
        envelope, named = decode_envelope(bytes(data))
    except Trouble:
        return Damage.CHANGED
    said = (envelope.device, envelope.epoch, envelope.seq, named, envelope.kind)
    if actual != hash or said != (device or envelope.device, epoch, seq, op_id, kind):
        return Damage.CHANGED
    if seq != before.seq + 1:
        return Damage.MISSING
    return None if envelope.prev_hash in hashes else Damage.UNCHAINED


def _compare(db: Database, report: Report, mark: Mark | None) -> None:
    """The end against what was noted outside of the file."""
    if mark is None or not mark.place.seq or any(one.damage is Damage.UNREADABLE for one in report.findings):
        return
    place = [mark.place.epoch, mark.place.seq]
    row = db.conn.execute("select hash from operation where epoch = ? and seq = ?", place).fetchone()
    if row is None or row[0] != mark.hash:
        report.findings.append(Finding(Damage.END_MISSING, mark.place))


def _pages(db: Database) -> list[int]:
    """Numbers of pages whose check fails, in use or not."""
    said = [str(row[0]) for row in db.conn.execute("pragma cipher_integrity_check").fetchall()]
    return [int("".join(filter(str.isdecimal, line.rpartition("page")[2])) or 0) for line in said]
