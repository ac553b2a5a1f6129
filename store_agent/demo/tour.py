"""`demo --tour`: the main job at two stores and the centre, with the cable out and in, a plain line for each step.

Nothing is special here: the same desks, sync and centre; each line says what was seen, not what was hoped for.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from store_agent.demo.cable import Cable
from store_agent.demo.comparing import come_into_step, compare, settle, until
from store_agent.demo.machine import Machine
from store_agent.demo.sample import (
    NEWCOMER_EMAIL,
    NEWCOMER_NAME,
    NEWCOMER_PHONE,
    TAICHUNG,
    TAIPEI,
    WANG,
    progress,
)
from store_agent.demo.sample.products import CHIPS, CREAM, LATTE, MASK
from store_agent.demo.sample.stories import PIN
from store_agent.desk import baskets, checkout, members, overviews, pickups, pins, stock, tags
from store_agent.desk.counter import Counter
from store_agent.domain import bills
from store_agent.domain.members import Member
from store_agent.domain.operation import Refusal
from store_agent.domain.pickups import IdentityCheck, PickupState
from store_agent.domain.proofs import Proof, ProofKind
from store_agent.domain.stock import Stock
from store_agent.domain.tags import NoteKind
from store_agent.entry.store import Keeper, open_counter, open_replica
from store_agent.logs import open_logs
from store_agent.optics import read_picture
from store_agent.scan import ScanKind, read_scan
from store_agent.trouble import Trouble
from store_agent.words import _, language
from store_agent.words.cases import kind_of
from store_agent.words.formats import money
from store_agent.words.refusals import say


@dataclass(slots=True)
class StoreOnTour:
    """One store with its own cable."""

    counter: Counter
    cable: Cable
    keeper: Keeper
    name: str


def walk(machine: Machine) -> int:
    """Walk it; 0 if at the end the centre and both stores say the same."""
    open_logs(machine.folder)
    return asyncio.run(_walk(machine))


class Steps:
    """Prints one line a step."""

    def __init__(self) -> None:
        self._number = 0

    def __call__(self, where: str, seen: str) -> None:
        self._number += 1
        print(f"{self._number:2}. [{where}] {seen}", flush=True)


async def _walk(machine: Machine) -> int:
    step = Steps()
    async with _store(machine, TAIPEI) as taipei, _store(machine, TAICHUNG) as taichung:
        both = (taipei, taichung)
        for store in both:
            await come_into_step(machine, store.counter)
            line = overviews.line(store.counter)
            held = store.counter.replica.view.count("member")
            step(store.name, _("in step: {members} members here, {n} waiting").format(members=held, n=line.waiting))
            progress(store.counter)
        await settle(machine, taipei.counter, taichung.counter)
        person = _scan_card(machine, taipei, step)
        await _redeem_online(machine, taipei, person, step)
        await _on_sight(machine, taichung, person, step)
        await _offline(both, person, step)
        await _again(machine, both, step)
        _cases(machine, step)
        return await compare(machine, taipei.counter, taichung.counter)


def _cases(machine: Machine, step: Steps) -> None:
    """What the centre found that no store could know."""
    for case in msgspec.json.decode(machine.office.ask("GET", "cases"))["cases"]:
        step(
            _("centre"),
            _("case for a person: {kind} at {store}, {amount}").format(
                kind=kind_of(case["kind"]),
                store=case["store"],
                amount=money(case["amount_minor"], case["currency"] or "TWD"),
            ),
        )


@asynccontextmanager
async def _store(machine: Machine, store: str) -> AsyncIterator[StoreOnTour]:
    host, port = machine.centre_url.removeprefix("http://").split(":")
    cable = Cable(host, int(port))
    await cable.lay()
    settings = replace(machine.stores[store], centre_url=cable.url, long_poll_s=2)
    with open_replica(settings) as replica:
        counter = open_counter(replica)
        keeper = Keeper(counter, settings, longest_pause_s=1.0)
        keeping = asyncio.create_task(keeper.run(lambda: None))
        try:
            yield StoreOnTour(counter, cable, keeper, store)
        finally:
            keeping.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await keeping
            await cable.take_up()


def _scan_card(machine: Machine, store: StoreOnTour, step: Steps) -> Member:
    """A real picture of a real code."""
    picture = _picture_of(machine.pictures, WANG.code)
    scan = read_scan(WANG.code)
    person = members.look_up(store.counter, scan.value)
    assert person is not None, "the sample holds this member"
    overview = overviews.member(store.counter, person.id, baskets.empty(store.counter), language())
    assert overview is not None
    step(
        store.name,
        _("scanned {picture}: {name}, {points} points, {coupons} coupons, {orders} orders to collect").format(
            picture=picture.name,
            name=person.name,
            points=overview.points.balance,
            coupons=len(overview.quote.verdicts),
            orders=len(overview.pickups),
        ),
    )
    return person


def _picture_of(folder: Path, code: str) -> Path:
    for picture in sorted(folder.glob("*.png")):
        if any(read.text == code and read_scan(code).kind is ScanKind.MEMBER_CODE for read in read_picture(picture)):
            return picture
    raise Trouble(_("No picture shows the code {code}.").format(code=code))


async def _redeem_online(machine: Machine, store: StoreOnTour, person: Member, step: Steps) -> None:
    receipt = _buy(store.counter, person, LATTE, LATTE)
    step(store.name, _bought(store.counter, receipt))
    await come_into_step(machine, store.counter)
    step(store.name, _("the centre has it: nothing is waiting"))


async def _on_sight(machine: Machine, store: StoreOnTour, person: Member, step: Steps) -> None:
    """A store holds only the members whom it serves; another one is fetched when they stand there."""
    assert members.look_up(store.counter, person.phone) is None
    await store.keeper.sight(person.phone, "")
    await until(lambda: members.look_up(store.counter, person.phone) is not None)
    await come_into_step(machine, store.counter)
    step(store.name, _("{name} was fetched from the centre on sight").format(name=person.name))


async def _offline(both: tuple[StoreOnTour, StoreOnTour], person: Member, step: Steps) -> None:
    """Everything that elsewhere is switched off when the line is down."""
    taipei, taichung = both
    for store in both:
        store.cable.pull()
        step(store.name, _("the cable is out"))
    counter = taipei.counter
    for store in both:
        # The same coupon at both, which neither can know of the other: one of the two will be a case.
        points = 100 if store is taipei else 0
        step(store.name, _bought(store.counter, _buy(store.counter, person, CREAM, MASK, points=points)))
    joined = members.register(counter, NEWCOMER_PHONE, NEWCOMER_NAME, NEWCOMER_EMAIL, marketing=True)
    assert isinstance(joined, Member), joined
    step(taipei.name, _("{name} joined").format(name=joined.name))
    step(taipei.name, _bought(counter, _buy(counter, joined, CHIPS, CHIPS)))
    for order in pickups.of_member(counter, person.id):
        if order.state is PickupState.READY:
            _done(pickups.hand_over(counter, order.id, IdentityCheck.CODE, paid_here=not order.paid))
            step(taipei.name, _("order {number} handed over").format(number=order.order_no))
            again = pickups.hand_over(counter, order.id, IdentityCheck.CODE)
            step(taipei.name, _("pressed a second time: {sentence}").format(sentence=say(again) if again else "?"))
    _done(tags.note(counter, person.id, NoteKind.TRIAL, "試用眼霜,膚感清爽"))
    word = tags.vocabulary(counter, language())[0][0]
    refused = tags.add(counter, joined.id, word)
    step(taipei.name, _("a tag and a note: {outcome}").format(outcome=say(refused) if refused else _("kept")))
    shelf = _shelf(taichung.counter)
    _done(stock.mark_shelf_empty(taichung.counter, shelf))
    step(taichung.name, _("the shelf of {gtin} is empty: nothing of it is promised any more").format(gtin=shelf))
    twin = members.register(taichung.counter, NEWCOMER_PHONE, NEWCOMER_NAME)
    assert isinstance(twin, Member), twin
    step(taichung.name, _("{name} joined here too, in the same minute").format(name=twin.name))
    for store in both:
        line = overviews.line(store.counter)
        step(store.name, _("{n} operations wait for the line").format(n=line.waiting))


async def _again(machine: Machine, both: tuple[StoreOnTour, StoreOnTour], step: Steps) -> None:
    for store in both:
        store.cable.plug()
    await settle(machine, *(store.counter for store in both))
    for store in both:
        step(store.name, _("the cable is in: in step, nothing is waiting"))
        found = members.find(store.counter, NEWCOMER_PHONE)
        names = ", ".join(f"{one.name} ({one.id[:8]}…)" for one in found)
        step(store.name, _("who joined twice is one member: {names}").format(names=names))


def _buy(counter: Counter, person: Member, *gtins: str, points: int = 0) -> checkout.Receipt:
    """Scan products, use what saves most, show who they are, pay."""
    proof = Proof(kind=ProofKind.JOINED, member_id=person.id)
    if pins.has_pin(counter, person.id):
        proof = _done(pins.ask_member(counter, person.id, PIN))
    basket = baskets.empty(counter)
    for gtin in gtins:
        basket = _done(baskets.add(counter, basket, gtin))
    quoted = checkout.quote_for(counter, person, basket)
    receipt: checkout.Receipt = _done(checkout.redeem(counter, person, quoted, bills.best(quoted), points, proof=proof))
    return receipt


def _bought(counter: Counter, receipt: checkout.Receipt) -> str:
    campaigns = [counter.replica.view.get("campaign", taken.campaign_id) for taken in receipt.bill.taken]
    used = _(", ").join(campaign.name.get(language(), campaign.id) for campaign in campaigns) or "–"
    sentence: str = _(
        "to pay {paid}: coupons {used} saved {saved}, {points} points used, {earned} earned, {balance} now"
    ).format(
        paid=money(receipt.to_pay_minor, receipt.currency),
        used=used,
        saved=money(receipt.bill.saved_minor, receipt.currency),
        points=receipt.points_used,
        earned=receipt.points_earned,
        balance=receipt.balance,
    )
    return sentence


def _shelf(counter: Counter) -> str:
    """A product of which the store may promise something."""
    rows: list[Stock] = counter.replica.view.all("stock")
    return next(row.gtin for row in rows if row.sellable > 0)


def _done(outcome: Any) -> Any:
    """What was asked for happened; a refusal here means that the tour is wrong."""
    if isinstance(outcome, Refusal):
        raise Trouble(say(outcome))
    return outcome
