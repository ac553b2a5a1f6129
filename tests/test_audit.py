"""A journal and a ledger are what was written: one changed byte is found and named, and what is missing too."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from unittest.mock import patch

import pytest
from click.testing import CliRunner

from store_agent.cli import group
from store_agent.codec import hash_of
from store_agent.replica import Replica, audit
from store_agent.replica.anchor import Anchor, Mark
from store_agent.replica.audit import Damage, Finding, Report
from store_agent.replica.database import Corrupt, connect
from store_agent.replica.journal import Journal, Place
from store_agent.trouble import Trouble
from sync.central import audit as ledger_audit
from tests.chain import Chain
from tests.restoring import earn, keep_disk, put_back
from tests.test_replica import KEY, begin, note

ENTRIES = 200


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copied folder of a store with 200 operations in two epochs."""
    store = tmp_path / "store"
    store.mkdir()
    with begin(store) as replica:
        for n in range(ENTRIES // 2 - 1):
            note(replica, str(n))
        replica.standing.begin_epoch("d1", 3, "i", {})
        for n in range(ENTRIES // 2):
            note(replica, str(n))
    (store / "store.key").write_text(KEY.hex())
    return store


def verify(folder: Path) -> Report:
    return audit.verify(folder / "journal.db", KEY, Anchor(folder / "anchor").read, lambda count: None)


def test_a_whole_journal_is_said_to_be_whole_and_not_touched(folder: Path) -> None:
    before = {file.name: file.read_bytes() for file in folder.iterdir()}
    told: list[int] = []
    with patch.object(audit, "TOLD_EVERY", 50):
        report = audit.verify(folder / "journal.db", KEY, Anchor(folder / "anchor").read, told.append)
    assert (report.findings, report.entries, report.last, report.whole_to) == ([], 200, Place(3, 100), Place(3, 100))
    assert told == [50, 100, 150, 200, 200]
    assert {file.name: file.read_bytes() for file in folder.iterdir()} == before


def test_one_changed_byte_anywhere_in_the_file_is_found(folder: Path) -> None:
    path = folder / "journal.db"
    whole = path.read_bytes()
    named = 0
    for place in range(7, len(whole), 1409):
        data = bytearray(whole)
        data[place] ^= 0x40
        path.write_bytes(data)
        try:
            report = verify(folder)
        except Corrupt:
            assert place < 4096, "nothing can be read without the first page"
            continue
        assert report.findings, f"byte {place} of {len(whole)}"
        assert Finding(Damage.PAGE, Place(0, 0), place // 4096 + 1) in report.findings
        named += any(one.damage is Damage.UNREADABLE for one in report.findings)
    assert named > 10, "the entry from which on it cannot be read is named"


@pytest.mark.parametrize(
    ("change", "findings"),
    [
        ("update operation set data = cast(replace(data, 'text\":\"5\"', 'text\":\"6\"') as blob) where epoch = 1 and seq = 7",
         [Finding(Damage.CHANGED, Place(1, 7))]),
        ("update operation set hash = replace(hash, substr(hash, 1, 1), 'z') where epoch = 1 and seq = 7",
         [Finding(Damage.CHANGED, Place(1, 7))]),
        ("update operation set kind = 'earn-points' where epoch = 3 and seq = 9", [Finding(Damage.CHANGED, Place(3, 9))]),
        ("update operation set op_id = 'x' where epoch = 3 and seq = 9", [Finding(Damage.CHANGED, Place(3, 9))]),
        ("delete from operation where epoch = 1 and seq = 8", [Finding(Damage.MISSING, Place(1, 9))]),
        ("delete from operation where epoch = 3 and seq > 98", [Finding(Damage.END_MISSING, Place(3, 100))]),
        ("update operation set seq = 3000 where epoch = 3 and seq = 100",
         [Finding(Damage.CHANGED, Place(3, 3000)), Finding(Damage.END_MISSING, Place(3, 100))]),
    ],
)  # fmt: skip
def test_whoever_has_the_key_and_changes_an_entry_is_found(folder: Path, change: str, findings: list[Finding]) -> None:
    db = connect(folder / "journal.db", KEY, durable=True)
    assert db.conn.execute(change).rowcount
    db.conn.close()
    assert verify(folder).findings == findings


def test_an_entry_that_was_written_anew_with_a_fitting_hash_breaks_the_chain(folder: Path) -> None:
    db = connect(folder / "journal.db", KEY, durable=True)
    (data,) = db.conn.execute("select data from operation where epoch = 1 and seq = 7").fetchone()
    other = bytes(data).replace(b'"text":"5"', b'"text":"6"')
    assert other != data
    db.conn.execute("update operation set data = ?, hash = ? where epoch = 1 and seq = 7", [other, hash_of(other)])
    db.conn.close()
    assert verify(folder).findings == [Finding(Damage.UNCHAINED, Place(1, 8))]


def test_a_check_that_does_not_hash_would_find_nothing(folder: Path) -> None:
    """The bug planted: the hash that stands beside the bytes is believed."""
    db = connect(folder / "journal.db", KEY, durable=True)
    db.conn.execute(
        'update operation set data = cast(replace(data, \'text":"5"\', \'text":"6"\') as blob) where epoch = 1 and seq = 7'
    )
    rows = dict(db.conn.execute("select data, hash from operation").fetchall())
    db.conn.close()
    with patch.object(audit, "hash_of", lambda data: rows[data]):
        assert verify(folder).findings == []


def test_salvage_copies_what_is_whole_and_the_store_goes_on_from_it_once_it_asked(folder: Path, tmp_path: Path) -> None:
    db = connect(folder / "journal.db", KEY, durable=True)
    db.conn.execute("update operation set kind = 'earn-points' where epoch = 3 and seq = 9")
    db.conn.close()
    out = tmp_path / "whole.db"
    report = audit.salvage(folder / "journal.db", KEY, out, lambda count: None)
    assert report.whole_to == Place(3, 8)
    copy = Journal(out, KEY)
    assert (copy.count(), copy.last(), copy.setting("device")) == (108, Place(3, 8), "d1")
    copy.close()
    with pytest.raises(Trouble, match="exists already"):
        audit.salvage(folder / "journal.db", KEY, out, lambda count: None)
    assert (folder / "journal.db").exists()
    shutil.move(out, folder / "journal.db")
    with Replica(folder, KEY) as replica:
        assert replica.standing.frozen == "rolled-back"


def test_the_commands_say_it_and_exit_with_it(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORE_AGENT_DATA_FOLDER", str(folder))
    run = CliRunner().invoke
    for args in ([], [str(folder)], [str(folder / "journal.db"), "--key-file", str(folder / "store.key")]):
        done = run(group, ["audit", "verify", *args, "--lang", "en"])
        assert (done.exit_code, "200 entries, the last 3.100" in done.output) == (0, True), done.output
    db = connect(folder / "journal.db", KEY, durable=True)
    db.conn.execute("delete from operation where epoch = 3 and seq > 98")
    db.conn.close()
    done = run(group, ["audit", "verify", "--json"])
    assert done.exit_code == 1
    assert json.loads(done.output)["findings"] == [{"damage": "end-missing", "entry": "3.100", "page": 0}]
    done = run(group, ["audit", "verify", "--lang", "en"])
    assert "there was an entry 3.100" in done.output
    done = run(group, ["audit", "salvage", str(tmp_path / "out.db"), "--lang", "en"])
    assert (done.exit_code, "up to entry 3.98" in done.output) == (0, True)


async def test_the_ledger_is_verified_with_every_branch_and_epoch_of_it(chain: Chain) -> None:
    store = await chain.store("s1")
    earn(store, 1)
    await store.settle()
    kept = keep_disk(chain, "s1")
    for _n in range(3):
        earn(chain.stores["s1"], 20)
    await chain.settle()
    store = put_back(chain, "s1", kept)
    for _n in range(5):
        earn(store, 1)
    await store.settle()
    earn(store, 1)
    await store.settle()

    async def findings() -> list[tuple[int, int, str]]:
        async with chain.centre.pool.connection() as conn:
            report = await ledger_audit.verify(conn, lambda count: None)
        assert report.operations >= 7
        return [(one.epoch, one.seq, one.damage) for one in report.findings]

    assert await findings() == []
    undo = "update operation set data = %s where op_id = %s returning seq"
    for epoch, seq, branch in ((1, 3, 0), (1, 3, 1), (2, 1, 0)):
        ((op_id, data),) = await chain.ask(
            "select op_id, data from operation where epoch = %s and seq = %s and branch = %s", epoch, seq, branch
        )
        await chain.ask(undo, bytes(data).replace(b'"points":', b'"points":1'), op_id)
        assert await findings() == [(epoch, seq, "changed")]
        await chain.ask(undo, bytes(data), op_id)
    await chain.ask("delete from operation where epoch = 2 returning seq")
    assert await findings() == [(2, 1, "end-missing")]
    await chain.ask("delete from operation where epoch = 1 and seq = 2 returning seq")
    assert [one[2] for one in await findings()] == ["missing", "unchained", "unchained", "end-missing"]


def test_marks_are_compared_with_the_entry_and_not_only_with_the_number(folder: Path) -> None:
    anchor = Anchor(folder / "anchor")
    anchor.write("d1", Mark(Place(3, 102), "0" * 64))
    anchor.close()
    assert verify(folder).findings == [Finding(Damage.END_MISSING, Place(3, 102))]
