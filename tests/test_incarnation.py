"""A ledger that was restored from a backup: stores read it anew and send again what it lacks, once, in order, as it was."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import timedelta
from pathlib import Path
from unittest.mock import patch

import pytest

from store_agent.desk import overviews
from store_agent.domain.coupons import Coupon, RedeemCoupon
from store_agent.domain.members import Member
from store_agent.domain.stock import MoveReason, MoveStock, stock_id
from store_agent.replica.cache import Cache
from sync import wire
from sync.central import devices
from sync.client import LedgerBehind, Unwelcome
from sync.session import Rubbish, Session
from tests.chain import Chain, StoreAtEnd
from tests.invariants import check_converged, check_ledger, check_view
from tests.postgres_fixture import FreshDatabase
from tests.restoring import FIRST, Centres, check_bytes, earn, keep_disk, points_of, put_back
from tests.standing_clock import StandingClock

GTIN = "04710000000011"
WANG = Member(id="m1", phone="+886912345678", name="王小明", home_store="s1")


@pytest.fixture
async def centres(fresh_database: FreshDatabase, clock: StandingClock, tmp_path: Path) -> AsyncIterator[Centres]:
    """A centre that can be stopped, and started on a copy of its ledger."""
    centres = Centres(fresh_database, clock, tmp_path)
    yield centres
    await centres.close()


async def begin(centres: Centres) -> Chain:
    """Two stores that serve one member; tiny batches and pages, so that everything can tear."""
    chain = await centres.start()
    await chain.write(WANG, Coupon(id="k1", campaign_id="c", member_id="m1"))
    for store_id in ("s1", "s2"):
        await chain.store(store_id, batch_most=2, page_rows=1)
    async with chain.ledger() as conn:
        await conn.execute("insert into follow values ('m1', 's2', %s)", [chain.clock.now()])
    for n, store in enumerate(chain.stores.values(), 1):
        earn(store, n)
        sell(store)
    await chain.settle()
    return chain


def sell(store: StoreAtEnd) -> None:
    move = MoveStock(**store.counter.named(), gtin=GTIN, delta=-1, reason=MoveReason.SELL)
    assert store.counter.accept(move) is None


def redeem(store: StoreAtEnd) -> None:
    use = RedeemCoupon(**store.counter.named(), coupon_id="k1", campaign_id="c", member_id="m1", saved_minor=9)
    assert store.counter.accept(use) is None


async def carefully(chain: Chain) -> list[bool]:
    """Every store pushes and pulls in turn until all is said; VIEW after every step; what was shown as catching up."""
    shown = []
    for _turn in range(200):
        quiet = True
        for store in chain.stores.values():
            before = store.session.cursors()
            if store.has_to_say():
                quiet = False
                with suppress(Rubbish):
                    await store.push()
                check_view(store)
            cursors = store.session.cursors()
            await store.pull()
            check_view(store)
            after = store.session.cursors()
            went_back = any(after[stream] < cursors[stream] for stream in after)
            line = overviews.line(store.counter)
            assert not went_back or line.is_catching_up, "MONO: back without a word"
            shown.append(line.is_catching_up)
            quiet = quiet and before == after
        if quiet:
            return shown
    raise AssertionError("DURABLE: it never comes to rest")


async def story(centres: Centres) -> None:
    """Work, a backup, more work at both stores, then the ledger is what it was at the backup."""
    chain = await begin(centres)
    copy = await centres.back_up()
    one, two = chain.stores.values()
    redeem(one)
    for _n in range(3):
        earn(one, 10)
        sell(two)
        earn(two, 100)
    await chain.settle()
    waiting = earn(one, 1000)
    assert await points_of(chain) == 333
    await centres.restore(copy)
    assert await points_of(chain) == 3
    shown = await carefully(chain)
    assert any(shown), "MONO: a store that reads anew says so"
    assert not shown[-1]
    await chain.settle()
    for store in chain.stores.values():
        await check_bytes(chain, store)
        assert store.replica.standing.frozen == "", "nothing is wrong with this journal"
        assert store.replica.epoch == 1
        check_view(store)
        assert store.replica.view.waiting_count() == 0
    await check_ledger(chain)
    await check_converged(chain)
    assert await points_of(chain) == 1333
    assert (await chain.row("stock", stock_id("s2", GTIN))).on_hand == -4
    assert (await chain.row("coupon", "k1")).used
    assert await chain.ask("select count(*) from operation where op_id = %s", waiting) == [(1,)]


async def test_a_ledger_that_was_restored_gets_back_what_it_lost(centres: Centres) -> None:
    await story(centres)


async def test_an_incarnation_that_nobody_gave_is_asked_for_and_nothing_is_taken_meanwhile(centres: Centres) -> None:
    chain = await begin(centres)
    copy = await centres.back_up()
    one = chain.stores["s1"]
    earn(one, 10)
    await chain.settle()
    await centres.restore(copy, is_said=False)
    before = one.session.cursors()
    with pytest.raises(LedgerBehind, match="restored from a backup"):
        await one.pull()
    earn(one, 100)
    with pytest.raises(Rubbish):
        await one.push()
    assert one.session.cursors() == before
    assert one.row("account", "m1").balance(chain.clock.now()) == 113, "work goes on"
    check_view(one)
    await centres.restore(centres.url)
    await carefully(chain)
    await check_ledger(chain)
    assert await points_of(chain) == 113


async def test_a_store_that_is_ahead_only_with_what_it_was_told_of_itself_is_noticed(centres: Centres) -> None:
    """No position is missing: the stream was filled up by others since."""
    chain = await begin(centres)
    copy = await centres.back_up()
    one = chain.stores["s1"]
    earn(one, 10)
    await chain.settle()
    await centres.restore(copy, is_said=False)
    await chain.write(*(Coupon(id=f"x{n}", campaign_id="c", member_id="m1") for n in range(30)))
    with pytest.raises(LedgerBehind):
        await one.pull()


async def test_an_epoch_that_the_backup_does_not_know_is_followed_by_another(centres: Centres) -> None:
    chain = await begin(centres)
    copy = await centres.back_up()
    kept = keep_disk(chain, "s1")
    earn(chain.stores["s1"], 10)
    await chain.settle()
    # A disk that is put back: epoch 2, and what was written on it.
    one = put_back(chain, "s1", kept)
    earn(one, 100)
    await chain.settle()
    earn(one, 1000)
    await chain.settle()
    assert one.replica.epoch == 2
    await centres.restore(copy)
    await carefully(chain)
    await chain.settle()
    assert one.replica.epoch == 3, "the number 2 was used"
    assert one.replica.standing.frozen == ""
    earn(one, 10_000)
    await chain.settle()
    for store in chain.stores.values():
        await check_bytes(chain, store)
    # The 10 were on the disk that was thrown away, and in the part of the ledger that was.
    assert await points_of(chain) == 11_103
    assert one.replica.floor() == one.replica.journal.last()
    await check_converged(chain)


async def test_two_restores_one_behind_the_other_are_two_lives(centres: Centres) -> None:
    chain = await begin(centres)
    copy = await centres.back_up()
    one = chain.stores["s1"]
    earn(one, 10)
    await chain.settle()
    await centres.restore(copy)
    await one.pull()
    earn(one, 100)
    await one.push()
    again = await centres.back_up()
    await chain.settle()
    await centres.restore(again)
    await carefully(chain)
    await chain.settle()
    await check_ledger(chain)
    assert await points_of(chain) == 113
    assert len(await chain.ask("select name from incarnation")) == 3


@contextmanager
def _not_read_anew() -> Iterator[None]:
    """The store notes the new name and reads on behind its cursors."""
    with patch.object(Cache, "forget", lambda self, incarnation: self.keep(incarnation=incarnation)):
        yield


@contextmanager
def _not_offered_again() -> Iterator[None]:
    """The store reads anew, and still takes for held what the other ledger held."""
    forget = Cache.forget

    def keeping(self: Cache, incarnation: str) -> None:
        received = self.setting("received")
        forget(self, incarnation)
        self.keep(received=received)

    with patch.object(Cache, "forget", keeping):
        yield


@contextmanager
def _answers_kept() -> Iterator[None]:
    """Rows are thrown away, and with them what was in them; but the answers stay."""
    forget = Cache.forget

    def keeping(self: Cache, incarnation: str) -> None:
        answers = self.db.conn.execute("select * from answer").fetchall()
        forget(self, incarnation)
        with self.transaction():
            self.db.conn.executemany("insert into answer values (?, ?, ?, ?, ?, ?)", answers)

    with patch.object(Cache, "forget", keeping):
        yield


@contextmanager
def _rows_of_the_other_life() -> Iterator[None]:
    """The name is noted, and the reply that told it is taken as any other."""
    absorb = Session.absorb

    def taken(self: Session, reply: wire.PullReply) -> int:
        self.replica.cache.keep(incarnation=reply.incarnation)
        return absorb(self, reply)

    with patch.object(Session, "absorb", taken):
        yield


PLANTED: dict[str, Callable[[], AbstractContextManager[None]]] = {
    "not read anew": _not_read_anew,
    "not offered again": _not_offered_again,
    "answers kept": _answers_kept,
    "rows of the other life": _rows_of_the_other_life,
}


@pytest.mark.parametrize("bug", PLANTED)
async def test_each_bug_that_is_planted_is_found(centres: Centres, bug: str) -> None:
    with PLANTED[bug](), pytest.raises((AssertionError, LedgerBehind, Rubbish)):
        await story(centres)


async def test_a_store_that_never_heard_the_centre_meets_any_life_of_it(centres: Centres) -> None:
    chain = await begin(centres)
    copy = await centres.back_up()
    await centres.restore(copy)
    chain.restart("s1", without_cache=True)
    await carefully(chain)
    await check_ledger(chain)
    assert list(chain.stores["s1"].replica.journal.after(FIRST))


async def test_a_device_that_the_backup_does_not_know_is_bound_again_as_who_it_is(centres: Centres) -> None:
    chain = await begin(centres)
    copy = await centres.back_up()
    late = await chain.store("s3")
    earn(late, 10)
    await chain.settle()
    await centres.restore(copy)
    with pytest.raises(Unwelcome) as told:
        await late.pull()
    assert told.value.is_unknown
    async with chain.ledger() as conn:
        codes = [await devices.make_code(conn, store, chain.clock.now(), timedelta(hours=1)) for store in ("s1", "s3")]
    public = wire.public_of(late.secret)
    for code, key, device, error in (
        (codes[0], public, late.replica.device, "another store"),
        (codes[1], public, chain.stores["s1"].replica.device, "Another machine"),
    ):
        with pytest.raises(Unwelcome, match=error):
            await late.client.enrol(wire.EnrolRequest(code, key, device=device, store="s3"))
    request = wire.EnrolRequest(codes[1], public, device=late.replica.device, store="s3")
    assert (await late.client.enrol(request)).device == late.replica.device
    assert await late.client.enrol(request) == await late.client.enrol(request), "its reply was lost"
    await carefully(chain)
    await check_ledger(chain)
    assert await points_of(chain) == 13
