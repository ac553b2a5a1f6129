"""A stolen disk says nothing: after a busy day no file of a store holds a phone number, a name or a mail in clear."""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from sqlcipher3 import dbapi2 as sqlcipher

from store_agent import doctor
from store_agent.config import Settings
from store_agent.desk import baskets, checkout, members, pins, tags
from store_agent.doctor import Health
from store_agent.domain.members import Member
from store_agent.domain.points import Account, Batch
from store_agent.domain.proofs import Proof, ProofKind
from store_agent.domain.tags import NoteKind
from store_agent.logs import close_logs, open_logs
from store_agent.replica import Replica
from store_agent.replica.cache import DAMAGE_MARK
from sync import wire
from tests.chain import Chain, StoreAtEnd

PLAIN_SQLITE = b"SQLite format 3\0"
PEOPLE = [
    Member(id="m1", phone="+886912345678", name="王小明", email="ming.wang@example.tw", home_store="s1"),
    Member(id="m2", phone="+85291234567", name="Wong Chi Ming", email="wong@example.hk"),
]
JOINED = ("0987654321", "歐陽曉雯", "xiaowen@example.tw")
PIN = "8024"
TALKED = "likes the dark roast of Yirgacheffe"


def in_clear() -> Iterator[bytes]:
    """Every way in which a person's data could lie in a file."""
    texts = [part for one in PEOPLE for part in (one.phone, one.phone[1:], one.name, one.email)]
    texts += [*JOINED, "886987654321", "912345678", "987654321", "91234567", TALKED]
    for text in texts:
        yield text.encode()
        yield text.encode("utf-16-le")
        yield text[::-1].encode()


def found_in(folder: Path) -> list[str]:
    wanted = list(dict.fromkeys(in_clear()))
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    return [f"{file.name}: {text!r}" for file in files for text in wanted if text in file.read_bytes()]


@pytest.fixture
def _logs() -> Iterator[None]:
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    close_logs()
    root.handlers[:], level = before[0], before[1]
    root.setLevel(level)


async def busy_day(chain: Chain, store: StoreAtEnd) -> StoreAtEnd:
    """Sight, search, a registration, a checkout, notes, a PIN, trouble in the log, and a damaged cache."""
    now = chain.clock.now()
    await chain.write(*PEOPLE, Account(id="m1", batches=(Batch("b1", 300, None),)))
    await store.settle()
    for member in PEOPLE:
        await store.client.sight(_sight(member.phone))
    await store.settle()
    counter = store.counter
    for text in ("王小", "Wong", "678", "0912345678", "小明"):
        members.find(counter, text)
    joined = members.register(counter, *JOINED, marketing=True)
    assert isinstance(joined, Member)
    proof = Proof(kind=ProofKind.PASS, member_id="m1")
    assert pins.set_member(counter, PEOPLE[0], PIN, proof) is None
    quoted = checkout.quote_for(counter, PEOPLE[0], baskets.of_total(counter, 350))
    receipt = checkout.redeem(counter, PEOPLE[0], quoted, [], 50, proof=proof)
    assert isinstance(receipt, checkout.Receipt)
    assert tags.note(counter, "m1", NoteKind.TALK, TALKED) is None
    assert members.change(counter, "m1", email="ming.new@example.tw") is None
    await store.settle()
    log = logging.getLogger("sync.client")
    for member in PEOPLE:
        log.debug("asked for %s of %s", member.phone, member.email, extra={"name_": "", "phone": member.phone})
        try:
            raise ValueError(f"no {member.phone} and no {member.email}")
        except ValueError:
            log.exception("crashed at %(name)s", {"name": member.name})
    assert now
    return store


def _sight(phone: str) -> wire.SightRequest:

    return wire.SightRequest(phone, "")


@pytest.mark.usefixtures("_logs")
async def test_no_file_of_a_store_holds_a_person_in_clear(chain: Chain) -> None:
    store = await chain.store("s1")
    open_logs(store.folder, "text", "debug")
    store = await busy_day(chain, store)
    assert found_in(store.folder) == []
    cache = store.folder / "cache.db"
    store.replica.close()
    (store.folder / DAMAGE_MARK).touch()
    again = Replica(store.folder, store.key)
    try:
        assert (store.folder / "cache.damaged.db").exists()
        assert (store.folder / "store-agent.log").stat().st_size > 500
        assert found_in(store.folder) == []
        for file in (store.folder / "journal.db", cache, store.folder / "cache.damaged.db"):
            assert not file.read_bytes().startswith(PLAIN_SQLITE), file.name
    finally:
        again.close()


def test_the_search_would_find_it(tmp_path: Path) -> None:
    """Else the test above would prove nothing."""
    for number, text in enumerate(in_clear()):
        (tmp_path / f"{number}").write_bytes(b"\0\1" + text + b"\2")
    assert len(found_in(tmp_path)) >= len(set(in_clear()))


def test_doctor_says_what_lies_open(tmp_path: Path) -> None:
    settings = replace(Settings(), data_folder=str(tmp_path), key_file=str(tmp_path / "store.key"))
    tmp_path.chmod(0o700)
    assert [doctor.check_files(tmp_path).health, doctor.check_private(tmp_path).health] == [Health.OK, Health.OK]
    with Replica(tmp_path, b"\x07" * 32):
        said = doctor.check_files(tmp_path)
    assert said.health is Health.OK
    assert "cache.db, journal.db" in said.sentence
    plain = sqlcipher.connect(str(tmp_path / "old.db"))
    plain.execute("create table readable (by_all text)")
    plain.close()
    said = doctor.check_files(tmp_path)
    assert said.health is Health.FAIL
    assert "old.db" in said.sentence
    tmp_path.chmod(0o755)
    assert doctor.check_private(tmp_path).health is Health.WARN
    (tmp_path / "store.key").write_text("00")
    os.chmod(tmp_path / "store.key", stat.S_IRUSR | stat.S_IRGRP)
    assert doctor.check_key(settings).health is Health.FAIL
