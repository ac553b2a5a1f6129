"""A snapshot that comes while a device begins a new chain: what is left of the old one is still sent, and shown once."""

from __future__ import annotations

from store_agent.domain.members import Member
from store_agent.replica.standing import Freeze
from sync.central.ground import renew_incarnation
from tests.chain import Chain
from tests.invariants import check_view
from tests.restoring import earn, keep_disk, points_of, put_back

WANG = Member(id="m1", phone="+886912345678", name="王小明", home_store="s1")


async def test_what_is_left_of_a_closed_epoch_is_sent_also_where_a_snapshot_comes_first(chain: Chain) -> None:
    await chain.write(WANG)
    store = await chain.store("s1", snapshot_rows=1)
    earn(store, 1)
    await store.settle()
    earn(store, 20)
    store.replica.standing.freeze(Freeze.ROLLED_BACK)
    await store.push()
    assert store.replica.epoch == 2
    chain.clock.move(hours=2)
    store = chain.restart("s1", without_cache=True)
    await store.pull()
    assert store.row("account", "m1").balance(chain.clock.now()) == 21
    await store.settle()
    assert await points_of(chain) == 21
    earn(store, 300)
    await store.settle()
    assert await points_of(chain) == 321
    assert store.row("account", "m1").balance(chain.clock.now()) == 321


async def test_both_branches_of_a_fork_count_once_also_where_a_snapshot_comes_first(chain: Chain) -> None:
    await chain.write(WANG)
    store = await chain.store("s1", snapshot_rows=1)
    earn(store, 1)
    await store.settle()
    kept = keep_disk(chain, "s1")
    store = chain.stores["s1"]
    for points in (20, 300):
        earn(store, points)
    await store.settle()
    store = put_back(chain, "s1", kept)
    for points in (4_000, 50_000):
        earn(store, points)
    chain.clock.move(hours=2)
    store = chain.restart("s1", without_cache=True)
    while store.replica.epoch == 1:
        await store.push()
    await store.pull()
    shown = store.row("account", "m1").balance(chain.clock.now())
    await store.settle()
    assert await points_of(chain) == 54_321
    assert store.row("account", "m1").balance(chain.clock.now()) == 54_321
    check_view(store)
    assert shown == 54_321, "VIEW: what was not sent yet is shown, though the centre holds others of its numbers"


async def test_a_restored_ledger_hands_out_no_snapshot_of_its_life_before(chain: Chain) -> None:
    await chain.write(WANG)
    store = await chain.store("s1", snapshot_rows=1)
    await store.settle()
    assert await chain.ask("select count(*) from snapshot") == [(1,)]
    async with chain.ledger() as conn:
        name = await renew_incarnation(conn)
    await store.pull()
    await store.pull()
    assert store.replica.cache.setting("incarnation") == name
    assert store.row("member", "m1") == WANG
    assert await chain.ask("select count(*) from snapshot") == [(2,)]
