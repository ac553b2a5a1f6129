"""What is shown is the centre's rows with the own operations over them: each exactly once, however the two meet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest
from sqlcipher3 import dbapi2 as sqlcipher

from store_agent.codec import Entry, encode_row
from store_agent.desk import pickups
from store_agent.domain.coupons import Coupon, IssueCoupon, RedeemCoupon, RestoreCoupon
from store_agent.domain.members import Member, RegisterMember
from store_agent.domain.pickup_steps import AcceptPickup
from store_agent.domain.pickups import Line, Pickup, PickupState
from store_agent.domain.points import Account, EarnPoints
from store_agent.domain.purchases import Purchase, RecordPurchase
from store_agent.domain.stock import Stock, stock_id
from store_agent.domain.tags import AddNote
from store_agent.replica import Replica
from store_agent.replica.cache import Absorbed, Answer, Arrival
from store_agent.trouble import Trouble
from tests.test_replica import CLOCK, FIRST, KEY, begin, counter_of, note, notes

REVISIONS = iter(range(2, 10**6))


@pytest.fixture
def replica(tmp_path: Path) -> Iterator[Replica]:
    with begin(tmp_path) as replica:
        yield replica


def entries(replica: Replica) -> list[Entry]:
    return list(replica.journal.after(FIRST))


def reply(rows: Sequence[Any], answered: Sequence[Entry] = ()) -> Absorbed:
    """A group of the centre's: rows, and the answers to the operations that are in them."""
    arrivals = [Arrival(row.table, row.id, next(REVISIONS), encode_row(row).decode()) for row in rows]
    answers = [Answer(entry.operation.op_id, entry.epoch, entry.seq, "applied") for entry in answered]
    return Absorbed(arrivals, answers)


def as_the_centre_has_it(done: Sequence[Entry], row: Any = None) -> Any:
    for entry in done:
        row = entry.operation.effect(row)
    return row


def earn(replica: Replica, member_id: str, points: int) -> None:
    counter = counter_of(replica)
    assert counter.accept(EarnPoints(**counter.named(), member_id=member_id, points=points)) is None


def balance(replica: Replica, member_id: str) -> int:
    account: Account | None = replica.view.get("account", member_id)
    return account.balance(CLOCK.now()) if account else 0


def test_an_answer_and_its_row_replace_the_operation_in_one_step(replica: Replica) -> None:
    note(replica, "second")
    first, second = entries(replica)
    replica.cache.absorb(reply([as_the_centre_has_it([first])], [first]))
    assert notes(replica) == ["first", "second"]
    assert [entry.seq for entry in replica.view.waiting()] == [2]
    replica.cache.absorb(reply([as_the_centre_has_it([first, second])], [second]))
    assert notes(replica) == ["first", "second"]
    assert replica.view.waiting_count() == 0


def test_an_answer_that_comes_twice_changes_nothing(replica: Replica) -> None:
    (first,) = entries(replica)
    for _turn in range(2):
        replica.cache.absorb(reply([as_the_centre_has_it([first])], [first]))
        assert notes(replica) == ["first"]


def test_an_answer_may_come_before_this_process_ever_read_the_journal(replica: Replica) -> None:
    with Replica(replica.folder, KEY) as other:
        assert notes(other) == ["first"]
        note(replica, "second")
        done = entries(replica)
        replica.cache.absorb(reply([as_the_centre_has_it(done)], done))
        assert notes(other) == ["first", "second"]
        assert other.view.waiting() == []


def test_operations_of_another_process_show_at_once_and_only_once(replica: Replica) -> None:
    with Replica(replica.folder, KEY) as other:
        for n in range(4):
            note((replica, other)[n % 2], str(n))
            assert notes(replica) == notes(other) == ["first", *map(str, range(n + 1))]
        with replica.view.moment():
            before = notes(replica)
            note(other, "meanwhile")
            assert notes(replica) == before, "a moment stays one moment"
        assert notes(replica) == [*before, "meanwhile"]


def test_a_moment_does_not_see_half_of_a_reply(replica: Replica) -> None:
    with Replica(replica.folder, KEY) as seat:
        done = entries(replica)
        with replica.view.moment():
            assert replica.view.waiting_count() == 1
            seat.cache.absorb(reply([as_the_centre_has_it(done)], done))
            assert notes(replica) == ["first"]
            assert replica.view.waiting_count() == 1
        assert notes(replica) == ["first"]
        assert replica.view.waiting_count() == 0


def test_with_the_cache_deleted_everything_of_the_journal_shows_again_and_then_once(tmp_path: Path) -> None:
    with begin(tmp_path) as replica:
        note(replica, "second")
        done = entries(replica)
        replica.cache.absorb(reply([as_the_centre_has_it(done)], done))
        assert notes(replica) == ["first", "second"]
    for file in tmp_path.glob("cache.db*"):
        file.unlink()
    with Replica(tmp_path, KEY) as replica:
        assert notes(replica) == ["first", "second"]
        replica.cache.absorb(reply([as_the_centre_has_it(done[:1])], done[:1]))
        assert notes(replica) == ["first", "second"]
        replica.cache.absorb(reply([as_the_centre_has_it(done)], done[1:]))
        assert notes(replica) == ["first", "second"]
        assert replica.view.waiting() == []


def test_a_cache_of_another_generation_is_read_from_the_start(replica: Replica) -> None:
    done = entries(replica)
    replica.cache.absorb(reply([as_the_centre_has_it(done)], done))
    assert notes(replica) == ["first"]
    execute = replica.cache.db.conn.execute
    execute("delete from answer")
    execute("delete from tags")
    execute("delete from setting where name in ('generation', 'floor')")
    execute("insert into setting values ('generation', 'another')")
    assert notes(replica) == ["first"]
    assert replica.view.waiting_count() == 1


def test_a_step_of_an_order_shows_on_the_board_and_on_its_member(replica: Replica) -> None:
    order = Pickup(id="o1", order_no="A1", store="s1", member_id="m1", placed_at=CLOCK.now())
    replica.cache.absorb(reply([order]))
    counter = counter_of(replica)
    assert counter.accept(AcceptPickup(**counter.named(), pickup_id="o1")) is None
    assert replica.view.get("pickup", "o1").state is PickupState.ACCEPTED
    assert [one.state for one in pickups.board(counter)] == [PickupState.ACCEPTED]
    assert [one.state for one in pickups.of_member(counter, "m1")] == [PickupState.ACCEPTED]


def test_what_another_terminal_did_a_moment_before_is_what_the_shelf_learns_from(replica: Replica) -> None:
    line = Line(no=1, gtin="04710000000011", quantity=2)
    order = Pickup(id="o1", order_no="A1", store="s1", state=PickupState.PICKING, lines=(line,), placed_at=CLOCK.now())
    replica.cache.absorb(reply([order, Stock(id=stock_id("s1", line.gtin), store="s1", gtin=line.gtin, on_hand=5)]))
    with Replica(replica.folder, KEY) as other:
        lock = other.journal.transaction

        def slow_lock() -> AbstractContextManager[None]:
            assert pickups.pick(counter_of(replica), "o1", 1, picked=2) is None
            return lock()

        with patch.object(other.journal, "transaction", slow_lock):
            assert pickups.put_back(counter_of(other), "o1", 1) is None
        stock = other.view.get("stock", stock_id("s1", line.gtin))
        assert stock.on_hand == 5, "what was picked and put back is on the shelf again"


def test_a_use_that_was_taken_back_shows_on_the_member_before_the_centre_knows(replica: Replica) -> None:
    counter = counter_of(replica)
    use = RedeemCoupon(**counter.named(), coupon_id="k1", campaign_id="c", member_id="m1")
    assert counter.accept(use) is None
    done = entries(replica)[1:]
    before = replica.cache.get("coupon", "k1")
    replica.cache.absorb(reply([as_the_centre_has_it(done, before)], done))
    assert [coupon.uses_left for coupon in replica.view.of_member("coupon", "m1")] == [0]
    assert counter.accept(RestoreCoupon(**counter.named(), coupon_id="k1", use_op_id=use.op_id)) is None
    assert [coupon.uses_left for coupon in replica.view.of_member("coupon", "m1")] == [1]


def test_a_coupon_of_nobody_is_not_the_members_who_paid_with_it(replica: Replica) -> None:
    replica.cache.absorb(reply([Coupon(id="free", campaign_id="c")]))
    counter = counter_of(replica)
    assert counter.accept(RedeemCoupon(**counter.named(), coupon_id="free", campaign_id="c", member_id="m1")) is None
    assert [coupon.id for coupon in replica.view.of_member("coupon", "m1")] == ["k1"]
    assert replica.view.get("coupon", "free").uses_left == 0


def test_what_waits_under_a_merged_id_is_shown_under_the_one_that_stays(replica: Replica) -> None:
    counter = counter_of(replica)
    earn(replica, "m2", 7)
    assert counter.accept(AddNote(**counter.named(), member_id="m2", text="tall")) is None
    issued = IssueCoupon(**counter.named(), coupon_id="k2", campaign_id="c", member_id="m2")
    assert counter.accept(issued) is None
    earn(replica, "m1", 1)
    twin = Member(id="m2", phone="+886912345678", name="王小明", alias_of="m1")
    replica.cache.absorb(reply([twin]))
    assert balance(replica, "m1") == 8
    assert notes(replica) == ["first", "tall"]
    assert [coupon.id for coupon in replica.view.of_member("coupon", "m1")] == ["k1", "k2"]
    assert replica.view.waiting_of_member("m1") == 5
    assert replica.view.canonical("m2") == "m1"
    earned = entries(replica)[1]
    replica.cache.absorb(reply([Account(id="m1", batches=as_the_centre_has_it([earned]).batches)], [earned]))
    assert balance(replica, "m1") == 8


def test_members_merged_in_a_ring_hang_nobody(replica: Replica) -> None:
    ring = [Member(id=a, phone="+886912345678", name=a, alias_of=b) for a, b in (("a", "b"), ("b", "a"))]
    replica.cache.absorb(reply(ring))
    assert replica.view.canonical("a") in ("a", "b")


def test_a_restart_with_a_thousand_waiting_shows_them_all(tmp_path: Path) -> None:
    with begin(tmp_path) as replica:
        counter = counter_of(replica)
        drafts = [EarnPoints(**counter.named(), member_id=f"m{n % 7}", points=1) for n in range(1000)]
        assert counter.accept(*drafts) is None
        done = entries(replica)
    with Replica(tmp_path, KEY) as replica:
        assert sum(balance(replica, f"m{n}") for n in range(7)) == 1000
        of_one = [entry for entry in done if entry.operation.subject == "m0" and entry.operation.table == "account"]
        replica.cache.absorb(reply([as_the_centre_has_it(of_one)], of_one))
        assert sum(balance(replica, f"m{n}") for n in range(7)) == 1000
        assert replica.view.waiting_count() == 1001 - len(of_one)


def test_what_was_refused_or_failed_is_never_shown(replica: Replica) -> None:
    counter = counter_of(replica)
    good = EarnPoints(**counter.named(), member_id="m1", points=5)
    assert counter.accept(good, EarnPoints(**counter.named(), member_id="m1", points=0)) is not None
    assert balance(replica, "m1") == 0
    earn(replica, "m1", 3)
    assert balance(replica, "m1") == 3


def test_a_welcome_coupon_is_one_though_its_member_was_merged_before_it_was_answered(replica: Replica) -> None:
    counter = counter_of(replica)
    mine = Coupon(id="welcome/c/m1", campaign_id="c", member_id="m1")
    replica.cache.absorb(reply([mine]))
    named = counter.named(group="m2")
    joins = RegisterMember(**named, member_id="m2", phone="+886912345678", name="王小明")
    welcome = IssueCoupon(**counter.named(), coupon_id="welcome/c/m2", campaign_id="c", member_id="m2")
    assert counter.accept(joins, welcome) is None
    assert [coupon.id for coupon in replica.view.of_member("coupon", "m2")] == ["welcome/c/m2"]
    twin = replace(joins.effect(None), alias_of="m1")
    replica.cache.absorb(reply([twin], entries(replica)[1:2]))
    for one in (replica, Replica(replica.folder, KEY)):
        assert [coupon.id for coupon in one.view.of_member("coupon", "m1")] == ["k1", "welcome/c/m1"]
        assert one.view.of_member("coupon", "m2") == []
        assert [entry.operation.op_id for entry in one.view.waiting()][-1] == welcome.op_id
    earn(replica, "m2", 5)
    assert balance(replica, "m1") == 5, "what is done under the old id later means the one who stays"
    assert entries(replica)[-1].operation.subject == "m2", "and was written down as it was said"


def test_only_what_came_is_read_again(replica: Replica) -> None:
    with Replica(replica.folder, KEY) as other:
        assert other.view.get("member", "m1").name == "王小明"
        with patch.object(other.cache, "get", side_effect=AssertionError("read again")):
            replica.cache.keep(heard_at="now")
            replica.cache.absorb(reply([Member(id="m7", phone="+886912345670", name="陳")]))
            assert other.view.get("member", "m1").name == "王小明"
        replica.cache.absorb(reply([Member(id="m1", phone="+886912345678", name="李")]))
        assert other.view.get("member", "m1").name == "李"


def test_more_rows_than_are_noted_are_all_read_again(replica: Replica) -> None:
    with patch("store_agent.replica.arrivals.KEPT", 3), Replica(replica.folder, KEY) as other:
        for names in ("ab", "abcde", "fg", "hijklmn", "o"):
            assert other.view.get("member", "m1") is not None
            assert other.view.get("member", "m2") is None or names != "ab"
            for part in (names[:2], names[2:]):
                rows = [Member(id="m1", phone="+886912345678", name=name) for name in part]
                filler = [Member(id=f"f{n}", phone=f"+88690000000{n}", name="x") for n in range(len(part))]
                replica.cache.absorb(reply([*rows[-1:], *filler]))
            assert other.view.get("member", "m1").name == (names[2:] or names)[-1]
        noted = replica.cache.db.conn.execute("select count(*) from arrival").fetchone()[0]
        assert noted <= 3


def test_the_newest_purchases_of_a_regular_are_shown_with_those_that_wait(replica: Replica) -> None:
    bought = [
        Purchase(
            id=f"p{n}",
            member_id="m1",
            store="s1",
            at=CLOCK.now() - timedelta(days=n),
            currency="TWD",
            total_minor=1,
            paid_minor=1,
        )
        for n in range(1, 20)
    ]
    replica.cache.absorb(reply(bought))
    counter = counter_of(replica)
    now = RecordPurchase(
        **counter.named(), purchase_id="now", member_id="m1", currency="TWD", total_minor=1, paid_minor=1
    )
    assert counter.accept(now) is None
    assert [one.id for one in replica.view.newest_of_member("purchase", "m1", 3)] == ["now", "p1", "p2"]
    plan = replica.cache.db.conn.execute(
        "explain query plan select body from purchase where member_id = ? order by at desc limit 3", ["m1"]
    ).fetchall()
    assert len(plan) == 1
    assert "purchase_newest" in plan[0][3]


def test_a_disk_that_ends_a_transaction_by_itself_is_trouble_and_no_crash(replica: Replica) -> None:
    def fail() -> None:
        with replica.cache.snapshot():
            replica.cache.db.conn.execute("rollback")
            raise sqlcipher.OperationalError("disk I/O error")

    with pytest.raises(Trouble, match="The disk does not answer"):
        fail()
