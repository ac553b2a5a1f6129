"""Signed codes, PINs and proofs over a whole chain: the centre makes them, stores take them with the cable out, it settles."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from store_agent.codes import SignedCode
from store_agent.desk import approvals, baskets, checkout, members, pins, proofs, scans, vouchers
from store_agent.domain.code_uses import CodeUse
from store_agent.domain.keys import CodeKind
from store_agent.domain.members import Member
from store_agent.domain.operation import Refusal
from store_agent.domain.points import Account, Batch
from store_agent.domain.proofs import NO_PROOF, Proof, SpendingProof
from store_agent.domain.stores import Staff, Store
from sync import wire
from sync.central.office.sealing import Sealing, reseal
from tests.chain import SEALING, Chain, StoreAtEnd
from tests.test_signing import ask, make_key, mint

NUMBER = "+886912345678"


@pytest.fixture
async def stores(chain: Chain) -> tuple[StoreAtEnd, StoreAtEnd]:
    """Two stores; Wang is known in the first alone."""
    pair = []
    for store_id in ("s1", "s2"):
        row = Store(id=store_id, name={"en": store_id}, spending_proof=SpendingProof.PROOF)
        pair.append(await chain.store(store_id, row=row))
    now = chain.clock.now()
    await chain.write(
        Member(id="m1", phone=NUMBER, name="王小明", home_store="s1"),
        Account(id="m1", batches=(Batch("o1", 120, now + timedelta(days=99)),)),
        Staff(id="lead", name="Lead", store="s1"),
    )
    await make_key(chain)
    await chain.settle()
    return pair[0], pair[1]


def signed(store: StoreAtEnd, text: str) -> SignedCode:
    code = scans.signed_in(scans.read(store.counter, text))
    assert code is not None, scans.refusal_of(scans.read(store.counter, text))
    return code


def buy(store: StoreAtEnd, member: Member, points: int = 0, proof: Proof = NO_PROOF) -> checkout.Receipt | Refusal:
    quoted = checkout.quote_for(store.counter, member, baskets.of_total(store.counter, 500))
    return checkout.redeem(store.counter, member, quoted, [], points, proof=proof)


async def test_a_member_whom_a_store_never_saw_is_served_offline_and_their_rows_follow(
    chain: Chain, stores: tuple[StoreAtEnd, StoreAtEnd]
) -> None:
    _home, away = stores
    card = signed(away, await mint(chain, CodeKind.MEMBER_CARD, member_id="m1"))
    assert members.by_id(away.counter, "m1") is None
    receipt = buy(away, members.of_card(card), proof=proofs.of_code(away.counter, card))
    assert isinstance(receipt, checkout.Receipt)
    assert receipt.points_earned == 50
    refused = buy(away, members.of_card(card), points=10, proof=proofs.of_code(away.counter, card))
    assert isinstance(refused, Refusal)
    await chain.settle()
    assert (await chain.row("account", "m1")).balance(chain.clock.now()) == 170
    member = members.by_id(away.counter, "m1")
    assert member is not None
    assert member.name == "王小明"
    assert away.row("account", "m1").balance(chain.clock.now()) == 170
    assert await chain.cases() == []


async def test_a_pass_used_at_two_stores_with_the_cable_out_is_one_case_of_the_second(
    chain: Chain, stores: tuple[StoreAtEnd, StoreAtEnd]
) -> None:
    home, away = stores
    await chain.write(replace(Member(id="m1", phone=NUMBER, name="王小明"), home_store="s2"))
    await chain.settle()
    text = await mint(chain, CodeKind.MEMBER_PASS, member_id="m1")
    code = signed(home, text)
    for store in stores:
        member = members.by_id(store.counter, "m1")
        assert member is not None
        proof = proofs.of_code(store.counter, signed(store, text))
        assert isinstance(buy(store, member, points=20, proof=proof), checkout.Receipt)
    await chain.settle()
    assert await chain.cases() == [("code_replayed", "s2", 0)]
    row: CodeUse = await chain.row("code_use", code.use_id)
    assert [use.store for use in row.used] == ["s1", "s2"]
    assert home.row("code_use", code.use_id) == away.row("code_use", code.use_id) == row
    refusal = scans.refusal_of(scans.read(away.counter, text))
    assert refusal is not None
    assert refusal.facts["store"] == "s1", "the first of them"


async def test_the_voucher_of_a_third_party_is_worth_its_case_where_it_is_taken_twice(
    chain: Chain, stores: tuple[StoreAtEnd, StoreAtEnd]
) -> None:
    await make_key(chain, issuer="giftco")
    text = await mint(chain, CodeKind.VOUCHER, issuer="giftco", number="V-1", amount_minor=500)
    await chain.settle()
    for store in stores:
        assert vouchers.take(store.counter, signed(store, text)) is None
        again = vouchers.take(store.counter, signed_once(store, text))
        assert again is not None
        assert again.reason == "code-replayed"
    await chain.settle()
    assert await chain.cases() == [("code_replayed", "s2", 500)]


def signed_once(store: StoreAtEnd, text: str) -> SignedCode:
    """As a terminal has it that scanned it before another one took it."""
    seen = store.replica.view.get
    store.replica.view.get = lambda table, id_: None if table == "code_use" else seen(table, id_)  # type: ignore[method-assign]
    try:
        return signed(store, text)
    finally:
        del store.replica.view.get


async def test_a_pin_that_was_chosen_in_one_store_counts_in_another_that_holds_the_member(
    chain: Chain, stores: tuple[StoreAtEnd, StoreAtEnd]
) -> None:
    home, away = stores
    member = members.by_id(home.counter, "m1")
    assert member is not None
    proof = proofs.of_code(home.counter, signed(home, await mint(chain, CodeKind.MEMBER_PASS, member_id="m1")))
    assert pins.set_member(home.counter, member, "8024", proof) is None
    await chain.settle()
    assert not pins.has_pin(away.counter, "m1"), "a store holds only what its own members need"
    await away.client.sight(wire.SightRequest(NUMBER, ""))
    await chain.settle()
    asked = pins.ask_member(away.counter, "m1", "8024")
    assert isinstance(asked, Proof)
    assert isinstance(buy(away, member, points=10, proof=asked), checkout.Receipt)
    shown = await ask(chain, "GET", "members/m1")
    assert "argon2" not in str(shown)


async def test_head_office_sets_pins_and_only_the_own_store_holds_the_staffs(
    chain: Chain, stores: tuple[StoreAtEnd, StoreAtEnd]
) -> None:
    home, away = stores
    staff = [
        {"id": "mgr", "name": "M", "store": "s1", "role": "manager", "pin": "135790"},
        {"id": "easy", "name": "E", "store": "s1", "pin": "123456"},
        {"id": "short", "name": "S", "store": "s1", "pin": "1357"},
    ]
    report = await ask(chain, "POST", "import/staff", staff)
    assert (report["taken"], [(one["row"], one["column"]) for one in report["errors"]]) == (1, [(2, "pin"), (3, "pin")])
    assert (await ask(chain, "POST", "import/staff", staff[:1]))["unchanged"] == 1
    await ask(chain, "POST", "import/members", [{"id": "m1", "pin": "8024"}])
    await chain.settle()
    assert away.row("staff_pin", "mgr") is None
    assert away.row("staff", "mgr") is not None
    approval = approvals.approve(home.counter, "mgr", "135790")
    assert isinstance(approval, approvals.Approval)
    assert isinstance(pins.ask_member(home.counter, "m1", "8024"), Proof)
    fed = [body for (body,) in await chain.ask("select body from feed")]
    assert not any("135790" in body or '"8024"' in body for body in fed)
    moved = await ask(chain, "POST", "import/staff", [{"id": "mgr", "store": "s2"}])
    assert moved["taken"] == 1
    await chain.settle()
    assert away.row("staff_pin", "mgr") is not None
    refused = approvals.approve(home.counter, "mgr", "135790")
    assert isinstance(refused, Refusal)


async def test_secrets_of_the_ledger_are_sealed_and_their_key_can_be_changed(
    chain: Chain, stores: tuple[StoreAtEnd, StoreAtEnd]
) -> None:
    old, new = SEALING.keys[0], bytes(range(32))

    async def kept() -> tuple[bytes, str]:
        [(secret, mark)] = await chain.ask("select secret, sealed_by from signing_secret")
        return bytes(secret), mark

    sealed, mark = await kept()
    secret = SEALING.open(sealed, mark)
    assert secret not in sealed
    assert await reseal(chain.centre.pool, SEALING) == 0
    assert await reseal(chain.centre.pool, Sealing((new,))) == 0, "one that it cannot open is left alone"
    assert await reseal(chain.centre.pool, Sealing((new, old))) == 1
    assert Sealing((new,)).open(*await kept()) == secret
    body = {"kind": CodeKind.MEMBER_CARD, "member_id": "m1"}
    assert (await ask(chain, "POST", "codes", body, status=409))["error"] == "sealing-key"
    chain.centre.sealing = Sealing((new,))
    assert signed(stores[0], await mint(chain, CodeKind.MEMBER_CARD, member_id="m1")).subject == "m1"
    await chain.ask("update signing_secret set secret = %s, sealed_by = '' returning 1", secret)
    assert await reseal(chain.centre.pool, Sealing((new,))) == 1, "one from before there was a key"
    assert Sealing((new,)).open(*await kept()) == secret
    chain.centre.sealing = Sealing()
    assert (await ask(chain, "POST", "keys", {"issuer": "giftco"}, status=409))["error"] == "sealing-key"
