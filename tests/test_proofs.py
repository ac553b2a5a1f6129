"""Who may spend: what was shown in a visit, at the desk and by keys."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from store_agent.codes import write_code
from store_agent.desk import approvals, baskets, checkout, pins, proofs, scans
from store_agent.desk.counter import Counter
from store_agent.domain.code_uses import UseCode
from store_agent.domain.coupons import RedeemCoupon
from store_agent.domain.members import Member
from store_agent.domain.operation import Refusal
from store_agent.domain.pins import MemberPin, StaffPin
from store_agent.domain.proofs import NO_PROOF, Proof, ProofKind, ShownCode, SpendingProof, stronger
from store_agent.domain.stores import Store
from store_agent.pins import hash_pin
from store_agent.replica import Replica
from store_agent.words import use_language
from tests.counter_fixture import LI, MEI_BADGE, NOW, STORE, WANG, absorb, counter_at, open_store
from tests.screen_text import scan, screen_text
from tests.signed_examples import CARD, COUPON, KEY, MINUTE, PASS, SECRET
from tests.test_counter import press
from tui.app import StoreApp

PIN, STAFF_PIN = "2468", "135790"
AT = {"issued_at": NOW - MINUTE, "expires_at": NOW + 5 * MINUTE}
WANGS_PASS = write_code(replace(PASS, subject=WANG, **AT), SECRET)  # type: ignore[arg-type]
WANGS_CARD = write_code(replace(CARD, subject=WANG), SECRET)
WANGS_COUPON = write_code(
    replace(COUPON, subject=WANG, coupon_id="k-c85", campaign_id="c85", stores=(), valid_from_at=NOW - MINUTE), SECRET
)


@pytest.fixture
def replica(tmp_path: Path) -> Iterator[Replica]:
    """A store that asks for a proof; Wang has a PIN, and so has Mei, who leads it."""
    use_language("en")
    with open_store(tmp_path / "store") as opened:
        store: Store = opened.view.get("store", STORE)
        rows = [
            replace(store, spending_proof=SpendingProof.PROOF),
            replace(KEY, valid_from=NOW - MINUTE * 600, valid_until=None),
            MemberPin(id=WANG, member_id=WANG, pin_hash=hash_pin(PIN)),
            StaffPin(id="s-mei", store=STORE, pin_hash=hash_pin(STAFF_PIN)),
            StaffPin(id="s-an", store=STORE, pin_hash=hash_pin(STAFF_PIN)),
        ]
        absorb(opened, rows, revision=2)
        yield opened


@pytest.fixture
def counter(replica: Replica) -> Counter:
    return counter_at(replica)


def wang(counter: Counter) -> Member:
    member: Member = counter.replica.view.get("member", WANG)
    return member


def buy(
    counter: Counter, *chosen: str, proof: Proof = NO_PROOF, points: int = 0, purchase_id: str = ""
) -> checkout.Receipt | Refusal:
    member = wang(counter)
    quoted = checkout.quote_for(counter, member, baskets.of_total(counter, 500))
    return checkout.redeem(counter, member, quoted, chosen, points, purchase_id, proof=proof)


def reason(result: object) -> str:
    return str(result.reason) if isinstance(result, Refusal) else "done"


def proof_of(counter: Counter, text: str) -> Proof:
    code = scans.signed_in(scans.read(counter, text))
    assert code is not None
    return proofs.of_code(counter, code)


def operations(counter: Counter, kind: type) -> list[object]:
    return [entry.operation for entry in counter.replica.view.waiting() if isinstance(entry.operation, kind)]


@pytest.mark.parametrize("kind", list(ProofKind))
def test_a_phone_number_finds_and_earns_and_only_a_proof_spends(counter: Counter, kind: ProofKind) -> None:
    proof = Proof(kind=kind, member_id=WANG)
    assert reason(buy(counter, proof=proof)) == "done", "earning"
    may = kind in (ProofKind.JOINED, ProofKind.PASS, ProofKind.PIN, ProofKind.APPROVED)
    assert reason(buy(counter, "k-c85", proof=proof)) == ("done" if may else "proof-wanted")
    assert reason(buy(counter, points=10, proof=proof)) == ("done" if may else "proof-wanted")


def test_the_proof_of_one_member_spends_nothing_of_another(counter: Counter) -> None:
    assert reason(buy(counter, "k-c85", proof=Proof(kind=ProofKind.PIN, member_id=LI))) == "proof-wanted"


def test_a_chain_may_ask_for_nothing(counter: Counter) -> None:
    absorb(counter.replica, [replace(counter.store, spending_proof=SpendingProof.ANY)], revision=3)
    assert reason(buy(counter, "k-c85")) == "done"


def test_a_coupons_own_signed_code_is_the_proof_for_that_coupon_and_no_other(counter: Counter) -> None:
    code = scans.signed_in(scans.read(counter, WANGS_COUPON))
    assert code is not None
    proof = NO_PROOF.also(proofs.shown(code))
    assert reason(buy(counter, "k-c85", "k-c-20", proof=proof)) == "proof-wanted"
    assert reason(buy(counter, points=10, proof=proof)) == "proof-wanted"
    assert reason(buy(counter, "k-c85", proof=proof)) == "done"
    assert [use.use_id for use in operations(counter, UseCode)] == [f"{KEY.id}:{code.code_id}"]  # type: ignore[attr-defined]


def test_a_pass_is_used_up_by_its_checkout_and_the_second_try_says_when_and_by_whom(counter: Counter) -> None:
    proof = proof_of(counter, WANGS_PASS)
    assert proof.kind is ProofKind.PASS
    assert reason(buy(counter, "k-c85", proof=proof, purchase_id="p1")) == "done"
    [redeemed] = operations(counter, RedeemCoupon)
    assert redeemed.proof == "pass"  # type: ignore[attr-defined]
    again = buy(counter, points=10, proof=proof, purchase_id="p2")
    assert isinstance(again, Refusal)
    assert (reason(again), again.facts) == ("code-replayed", {"used_at": NOW, "store": STORE, "staff": "s-an"})
    assert operations(counter, RedeemCoupon) == [redeemed], "nothing of the second checkout happened"
    scanned = scans.refusal_of(scans.read(counter, WANGS_PASS))
    assert scanned == again


def test_two_terminals_cannot_both_use_a_code(counter: Counter, replica: Replica) -> None:
    other = Replica(replica.folder, replica._key)
    proof = proof_of(counter, WANGS_PASS)
    second = counter_at(other, staff="s-mei")
    assert proof_of(second, WANGS_PASS) == proof, "both have scanned it before either used it"
    assert reason(buy(counter, points=10, proof=proof)) == "done"
    assert reason(buy(second, points=10, proof=proof)) == "code-replayed"
    other.close()


def test_a_card_may_be_shown_as_often_as_one_likes(counter: Counter) -> None:
    for _time in range(2):
        assert reason(buy(counter, proof=proof_of(counter, WANGS_CARD))) == "done"
    assert operations(counter, UseCode) == []


def test_what_was_shown_adds_up_and_another_members_proof_goes(counter: Counter) -> None:
    one, two = (
        ShownCode(use_id="k:1", code_kind="member-pass"),
        ShownCode(use_id="k:2", code_kind="coupon", coupon_id="c"),
    )
    shown = Proof(kind=ProofKind.PASS, member_id=WANG, codes=(one, two))
    assert stronger(shown, Proof(kind=ProofKind.FOUND, member_id=WANG)) == shown
    assert stronger(shown, Proof(kind=ProofKind.FOUND, member_id=LI)) == Proof(
        kind=ProofKind.FOUND, member_id=LI, codes=(two,)
    )
    assert shown.used_up([]) == [one]
    assert shown.used_up(["c"]) == [one, two]


async def test_by_keys_the_pin_is_asked_for_when_it_is_needed_and_the_checkout_goes_on(replica: Replica) -> None:
    counter = counter_at(replica)
    app = StoreApp(counter)
    async with app.run_test(size=(80, 24)) as pilot:
        await scan(pilot, "0912345678")
        await press(pilot, *"=500", "enter")
        shown = await press(pilot, "f2", "enter")
        assert "The member's PIN" in shown
        shown = await press(pilot, *"1111", "enter")
        assert "This is not the PIN" in shown
        assert "1111" not in shown
        shown = await press(pilot, *PIN, "enter")
        assert PIN not in shown
        assert "saved" in shown
        assert {operation.proof for operation in operations(counter, RedeemCoupon)} == {"pin"}  # type: ignore[attr-defined]


async def test_by_keys_a_scanned_pass_is_three_keys_to_the_benefit(replica: Replica) -> None:
    counter = counter_at(replica)
    app = StoreApp(counter)
    async with app.run_test(size=(80, 24)) as pilot:
        await press(pilot, *"=500", "enter")
        await scan(pilot, WANGS_PASS)
        shown = await press(pilot, "f2", "enter")
        assert "saved" in shown
        assert "PIN" not in shown
        await press(pilot, "f9")
        await scan(pilot, WANGS_PASS)
        assert "already used" in screen_text(app)


async def test_a_pin_from_a_pad_that_types_like_a_scanner_is_a_pin_and_is_never_shown(replica: Replica) -> None:
    app = StoreApp(counter_at(replica))
    async with app.run_test(size=(80, 24)) as pilot:
        await scan(pilot, "0912345678")
        await press(pilot, *"=500", "enter", "f2", "enter")
        await scan(pilot, "1111")
        assert "This is not the PIN" in screen_text(app)
        assert "1111" not in screen_text(app)
        await scan(pilot, PIN)
        assert "saved" in screen_text(app)


async def test_by_keys_a_lead_approves_for_whom_has_nothing_with_them(replica: Replica) -> None:
    counter = counter_at(replica)
    app = StoreApp(counter)
    async with app.run_test(size=(80, 24)) as pilot:
        await scan(pilot, "0912345678")
        await press(pilot, *"=500", "enter", "f2", "enter", "f2")
        assert "林美" in screen_text(app)
        await scan(pilot, MEI_BADGE)
        shown = await press(pilot, *STAFF_PIN, "enter")
        assert "saved" in shown
    spent = operations(counter, RedeemCoupon)
    assert {(operation.proof, operation.approved_by) for operation in spent} == {("approved", "s-mei")}  # type: ignore[attr-defined]


async def test_by_keys_a_pass_scanned_while_the_pin_is_asked_for_is_the_proof(replica: Replica) -> None:
    app = StoreApp(counter_at(replica))
    async with app.run_test(size=(80, 24)) as pilot:
        await scan(pilot, "0912345678")
        await press(pilot, *"=500", "enter", "f3")
        await press(pilot, "enter")
        await scan(pilot, WANGS_PASS)
        assert "points paid" in screen_text(app)


def test_who_approves_is_another_person_with_the_role_and_the_pin(counter: Counter) -> None:
    assert reason(approvals.approve(counter, "s-an", STAFF_PIN)) == "approval-same-person"
    assert reason(approvals.approve(counter, "s-mei", "000000")) == "pin-wrong"
    assert reason(approvals.approve(counter, "nobody", STAFF_PIN)) == "pin-wrong"
    yes = approvals.approve(counter, "s-mei", STAFF_PIN)
    assert isinstance(yes, approvals.Approval)
    assert yes.staff_id == "s-mei"
    by_mei = counter_at(counter.replica, staff="s-mei")
    assert reason(approvals.approve(by_mei, "s-an", STAFF_PIN)) == "approval-role"
    assert [one.id for one in approvals.approvers(counter)] == ["s-mei"]


def test_a_pin_is_locked_after_five_wrong_ones_in_all_processes_and_after_a_restart(replica: Replica) -> None:
    counter = counter_at(replica)
    for _time in range(5):
        assert reason(pins.ask_member(counter, WANG, "0000")) == "pin-wrong"
    assert reason(pins.ask_member(counter, WANG, PIN)) == "pin-locked"
    with Replica(replica.folder, replica._key) as other:
        assert reason(pins.ask_member(counter_at(other), WANG, PIN)) == "pin-locked"
    yes = approvals.approve(counter, "s-mei", STAFF_PIN)
    assert isinstance(yes, approvals.Approval)
    assert approvals.for_member(counter, WANG, yes).may_spend_of(WANG)
    assert isinstance(pins.ask_member(counter, WANG, PIN), Proof)


def test_a_right_pin_sets_the_count_back_and_a_new_pin_has_its_own(counter: Counter) -> None:
    for _round in range(3):
        for _time in range(4):
            assert reason(pins.ask_member(counter, WANG, "0000")) == "pin-wrong"
        assert isinstance(pins.ask_member(counter, WANG, PIN), Proof)
    for _time in range(6):
        pins.ask_member(counter, WANG, "0000")
    fresh = MemberPin(id=WANG, member_id=WANG, pin_hash=hash_pin(PIN))
    absorb(counter.replica, [fresh], revision=9)
    assert isinstance(pins.ask_member(counter, WANG, PIN), Proof)


def test_the_try_is_on_disk_before_the_pin_is_looked_at(counter: Counter, monkeypatch: pytest.MonkeyPatch) -> None:
    def cut(*_: str) -> bool:
        raise KeyboardInterrupt

    monkeypatch.setattr(pins, "is_pin", cut)
    for _time in range(5):
        with pytest.raises(KeyboardInterrupt):
            pins.ask_member(counter, WANG, PIN)
    monkeypatch.undo()
    assert reason(pins.ask_member(counter, WANG, PIN)) == "pin-locked"


def test_a_pin_is_chosen_by_whoever_has_shown_who_they_are(counter: Counter) -> None:
    member = wang(counter)
    for kind in (ProofKind.NONE, ProofKind.PHONE, ProofKind.CARD, ProofKind.JOINED):
        refusal = pins.set_member(counter, member, "8024", Proof(kind=kind, member_id=WANG))
        assert reason(refusal) == "pin-unproven"
    proof = proof_of(counter, WANGS_PASS)
    for pin, why in (("12", "pin-form"), ("1234567", "pin-form"), ("７０２４", "pin-form"), ("4321", "pin-easy")):
        assert reason(pins.set_member(counter, member, pin, proof)) == why
    assert pins.set_member(counter, member, "8024", proof) is None
    assert reason(pins.ask_member(counter, WANG, PIN)) == "pin-wrong"
    assert pins.ask_member(counter, WANG, "8024") == Proof(kind=ProofKind.PIN, member_id=WANG)


async def test_by_keys_a_member_chooses_a_pin_with_an_approval(replica: Replica) -> None:
    counter = counter_at(replica)
    app = StoreApp(counter)
    async with app.run_test(size=(80, 24)) as pilot:
        await scan(pilot, "0922000678")
        shown = await press(pilot, "f4", "f3", *"8024", "enter", *"8024", "enter")
        assert "Somebody else approves" in shown
        shown = await press(pilot, *STAFF_PIN, "enter")
        assert "The PIN is set" in shown
    assert isinstance(pins.ask_member(counter, LI, "8024"), Proof)
