"""`accept`: a coupon redeemed at a desk until it is safe on disk, beside the bare commit of as many bytes.

Theirs is one insert of a row of the same size into the same table of another encrypted file, through the same driver,
committed in WAL with `synchronous=FULL`. Ours draws the operation up, reads and judges the coupon, puts the operation
into the chain of hashes, and commits. For what the disk itself takes: one `fdatasync` of 12 KB, and the bare commit by
the standard library's SQLite, which encrypts nothing.
"""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from itertools import count
from pathlib import Path
from typing import Any

from store_agent.desk import checkout
from store_agent.desk.counter import Counter
from store_agent.domain.baskets import Basket
from store_agent.domain.benefits import Benefit, BenefitKind
from store_agent.domain.campaigns import Campaign
from store_agent.domain.coupons import Coupon, Held, RedeemCoupon
from store_agent.domain.members import Member
from store_agent.domain.operation import Operation
from store_agent.domain.proofs import Proof, ProofKind
from store_agent.domain.rights import Cover
from store_agent.domain.stores import Store
from store_agent.replica import Replica, database
from store_agent.replica.cache import Absorbed, Answer
from store_agent.schema import journal as journal_schema
from tests.benchmarks.harness import ROUNDS_LEAST, Effort, Row, Timed, Work, fill, in_turns, make_store
from tests.counter_fixture import KEY, STORE, absorb, counter_at

NAME = "accept"
GOAL = 3.0
P99_MOST_MS = 20.0
CAMPAIGN = "c"
SYNCED = bytes(12 * 1024)
"""What one small commit writes to the WAL: three pages."""
INSERT = "insert into operation (epoch, seq, op_id, kind, hash, data) values (?, ?, ?, ?, ?, ?)"


def measure(sizes: Sequence[int], effort: Effort) -> list[Row]:
    """Rows for each number of operations that wait."""
    rows: list[Row] = []
    for size in sizes:
        with make_store() as replica:
            rows += _measure_waiting(replica, size, effort)
    return rows


def _measure_waiting(replica: Replica, waiting: int, effort: Effort) -> list[Row]:
    counter = counter_at(replica)
    wanted = max(effort.rounds, ROUNDS_LEAST) * effort.calls
    absorb(replica, [Store(id=STORE, name={"en": "Bench"}), _campaign()])
    fill(replica, _holdings(waiting + 2 * wanted))
    for start in range(0, waiting, 500):
        assert counter.accept(*(_use(counter, number) for number in range(start, min(start + 500, waiting)))) is None
    held = replica.journal.last()
    bare = Bare(replica.folder, len(_one_entry(replica, counter)))

    def answer() -> None:
        """What a turn accepted is answered, so that every turn begins with the same number waiting."""
        entries = replica.journal.after(held)
        answers = [Answer(entry.operation.op_id, entry.epoch, entry.seq, "applied") for entry in entries]
        replica.cache.absorb(Absorbed(answers=answers))

    answer()
    numbers = count(waiting + 1)
    works: dict[str, Callable[[int], Work]] = {
        "ours": lambda calls: lambda: _redeem(counter, next(numbers)),
        "checkout": lambda calls: _checkouts(counter, [next(numbers) for _ in range(calls)]),
        "theirs": lambda calls: bare.commit,
        "three": lambda calls: bare.commit_three,
        "plain": lambda calls: bare.commit_plain,
        "disk": lambda calls: bare.sync,
    }
    try:
        return _rows(in_turns(effort, works, between=answer), waiting)
    finally:
        bare.close()


def _rows(timed: dict[str, Timed], waiting: int) -> list[Row]:
    ours, theirs = timed["ours"], timed["theirs"]
    what = f"redeem a coupon, {waiting:,} operations waiting"
    bare = "the bare commit, encrypted and FULL"
    at_most: dict[str, Any] = {"theirs": P99_MOST_MS * 1_000, "goal": 1.0, "rival": "the limit"}
    rows = [
        Row(
            name=NAME,
            what=f"{what}, p50",
            ours=ours.p50,
            theirs=theirs.p50,
            ratio=ours.ratio(theirs),
            goal=GOAL,
            rival=bare,
        ),
        Row(name=NAME, what=f"{what}, p99", ours=ours.p99, ratio=ours.p99 / at_most["theirs"], **at_most),
        Row(name=NAME, what=f"{bare}, p99", ours=theirs.p99),
    ]
    whole = timed["checkout"]
    three: dict[str, Any] = {"theirs": timed["three"].p50, "goal": GOAL, "rival": "the bare commit of three such rows"}
    what = f"a checkout (purchase, coupon, points), {waiting:,} operations waiting"
    rows += [
        Row(name=NAME, what=f"{what}, p50", ours=whole.p50, ratio=whole.ratio(timed["three"]), **three),
        Row(name=NAME, what=f"{what}, p99", ours=whole.p99, ratio=whole.p99 / at_most["theirs"], **at_most),
    ]
    what = f"redeem a coupon, {waiting:,} operations waiting, p50"
    for name, rival in (("plain", "the bare commit by sqlite3, FULL"), ("disk", "one fdatasync of 12 KB")):
        beside = timed[name]
        rows.append(Row(name=NAME, what=what, ours=ours.p50, theirs=beside.p50, ratio=ours.ratio(beside), rival=rival))
    return rows


def _campaign() -> Campaign:
    return Campaign(id=CAMPAIGN, name={"en": "15% off"}, benefit=Benefit(kind=BenefitKind.PERCENT, pay_percent=85))


def _holdings(people: int) -> Iterator[Any]:
    for number in range(people + 1):
        yield Member(id=f"m{number:07d}", phone=f"+8869{number:08d}", name="王小明", home_store=STORE)
        right = (Held(STORE),)
        yield Coupon(id=f"k{number:07d}", campaign_id=CAMPAIGN, member_id=f"m{number:07d}", held=right)


def _use(counter: Counter, number: int) -> Operation:
    named = counter.named()
    ids: dict[str, Any] = {"coupon_id": f"k{number:07d}", "campaign_id": CAMPAIGN, "member_id": f"m{number:07d}"}
    return RedeemCoupon(**named, **ids, purchase_id=named["op_id"], saved_minor=75, currency="TWD", cover=Cover.RIGHT)


def _redeem(counter: Counter, number: int) -> None:
    assert counter.accept(_use(counter, number)) is None


def _one_entry(replica: Replica, counter: Counter) -> bytes:
    """The bytes of one, so that theirs are as many."""
    before = replica.journal.last()
    _redeem(counter, int(replica.journal.count()))
    return next(replica.journal.after(before)).data


def _checkouts(counter: Counter, numbers: Sequence[int]) -> Work:
    """The person has seen what the coupon saves; now they press the key."""
    basket = Basket.of_total("TWD", 500)
    people: list[Member] = [counter.replica.view.get("member", f"m{number:07d}") for number in numbers]
    ready = iter([(person, checkout.quote_for(counter, person, basket), f"k{person.id[1:]}") for person in people])

    def work() -> None:
        person, quoted, coupon_id = next(ready)
        shown = Proof(kind=ProofKind.PIN, member_id=person.id)
        receipt = checkout.redeem(counter, person, quoted, [coupon_id], proof=shown)
        assert isinstance(receipt, checkout.Receipt), receipt

    return work


class Bare:
    """What no program can do without: the same bytes, committed, by the driver alone."""

    def __init__(self, folder: Path, size: int) -> None:
        path = folder / "bare.db"
        db = database.connect(path, KEY, durable=True)
        database.migrate(db, journal_schema, path)
        self._encrypted = db.conn
        self._plain = sqlite3.connect(folder / "plain.db", isolation_level=None)
        self._plain.execute("pragma journal_mode = wal")
        self._plain.execute("pragma synchronous = full")
        for (script,) in self._encrypted.execute("select sql from sqlite_master where name = 'operation'"):
            self._plain.execute(script)
        self._data = b"." * size
        self._numbers = count(1)
        self._file = os.open(folder / "bare.bytes", os.O_RDWR | os.O_CREAT)
        os.write(self._file, SYNCED)
        self._sync: Callable[[int], None] = getattr(os, "fdatasync", os.fsync)

    def commit(self) -> None:
        self._commit(self._encrypted)

    def commit_three(self) -> None:
        self._commit(self._encrypted, rows=3)

    def commit_plain(self) -> None:
        self._commit(self._plain)

    def _commit(self, conn: Any, rows: int = 1) -> None:
        conn.execute("begin immediate")
        for _row in range(rows):
            number = next(self._numbers)
            conn.execute(INSERT, (1, number, f"{number:036d}", "redeem-coupon", f"{number:064d}", self._data))
        conn.execute("commit")

    def sync(self) -> None:
        os.lseek(self._file, 0, os.SEEK_SET)
        os.write(self._file, SYNCED)
        self._sync(self._file)

    def close(self) -> None:
        self._encrypted.close()
        self._plain.close()
        os.close(self._file)
