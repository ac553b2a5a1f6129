"""What people at the terminals of a store do, by the desks' own verbs where there is one; each with how often it is done."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from store_agent.desk import checkout, members, pickups, rights, stock, tags
from store_agent.domain.baskets import Basket, Line
from store_agent.domain.coupons import Coupon, IssueCoupon, RestoreCoupon
from store_agent.domain.members import Member
from store_agent.domain.operation import Operation, Refusal
from store_agent.domain.pickups import IdentityCheck, Pickup, PickupState, RejectReason
from store_agent.domain.points import Account, EarnPoints, ReversePoints
from store_agent.domain.proofs import Proof, ProofKind
from store_agent.domain.quotas import GiveBackQuota
from store_agent.domain.quotes import VerdictKind
from store_agent.domain.stock import MoveReason, Stock, stock_id
from store_agent.domain.tags import MemberTags, NoteKind
from store_agent.trouble import Trouble
from sync import wire
from tests.head_office import gtin
from tests.simulator.poison import POISON
from tests.simulator.store import Terminal

GTINS = tuple("0" + gtin(n) for n in (1, 2, 3))
PHONES = tuple(f"09123456{n:02d}" for n in range(24))
WORDS = ("vegan", "regular", "allergic")
PAUSE_S = 0.12
Did = Callable[[Terminal], object]
NOTHING = Trouble("there is nothing to do it with")


async def person(terminal: Terminal) -> None:
    """Work until the story is over."""
    world = terminal.store.world
    names, weights = list(JOBS), [weight for weight, _do in JOBS.values()]
    while not world.is_over:
        await asyncio.sleep(terminal.random.expovariate(1 / PAUSE_S))
        [name] = terminal.random.choices(names, weights)
        if name == "sight":
            await sight(terminal)
        elif name == "pay":
            await pay(terminal)
        else:
            terminal.job(name, lambda do=JOBS[name][1]: do(terminal))  # type: ignore[misc]
    # At home, with the lights on: the process goes on without anybody at it.
    await asyncio.Event().wait()


async def sight(terminal: Terminal) -> None:
    """Somebody comes whom this store may not hold."""
    phone = _strangers_phone(terminal) or "+886" + terminal.random.choice((*PHONES, *PHONES[:6] * 4))[1:]
    try:
        found = await terminal.client.sight(wire.SightRequest(phone=phone))
    except Trouble as trouble:
        found = trouble.what
    terminal.store.world.say(f"{terminal.name} sight {found}")


def _strangers_phone(terminal: Terminal) -> str:
    """Of somebody whom others hold, preferably under two ids, or while another store has just served them."""
    world, known = terminal.store.world, terminal.store.model.rows
    members = [row for (table, _id), (_revision, row) in world.truth.rows.items() if table == "member"]
    strangers = [row for row in members if row.phone and not row.alias_of and ("member", row.id) not in known]
    stays, busy = set(world.truth.aliases.values()), {id_ for model in world.models for id_ in model.over()}
    preferred = [row for row in strangers if row.id in stays or row.id in busy]
    if not strangers or terminal.random.random() < 0.2:
        return ""
    return str(terminal.random.choice(preferred or strangers).phone)


def _accept(terminal: Terminal, operation: type[Operation], **what: Any) -> Refusal | None:
    make: Any = operation
    return terminal.counter.accept(make(**terminal.counter.named(), **what))


def _member(terminal: Terminal) -> str:
    known = terminal.store.model.ids("member")
    if not known:
        raise NOTHING
    # A few go to every store, or there would be little to disagree about.
    everywhere = [id_ for id_ in known if len(id_) == 2]
    return terminal.random.choice(everywhere if everywhere and terminal.random.random() < 0.6 else known)


def _one(terminal: Terminal, rows: list[Any]) -> Any:
    if not rows:
        raise NOTHING
    return terminal.random.choice(rows)


def earn(terminal: Terminal) -> object:
    return _accept(terminal, EarnPoints, member_id=_member(terminal), points=terminal.random.randint(1, 9))


def reverse(terminal: Terminal) -> object:
    member_id = terminal.replica.view.canonical(_member(terminal))
    account: Account | None = terminal.replica.view.get("account", member_id)
    movement = _one(terminal, list(account.movements if account else ()))
    points = terminal.random.randint(1, movement.points)
    return _accept(terminal, ReversePoints, member_id=member_id, reverses=movement.op_id, points=points)


def _coupon(terminal: Terminal) -> Coupon:
    coupon: Coupon = _one(terminal, terminal.replica.view.of_member("coupon", _member(terminal)))
    return coupon


def restore(terminal: Terminal) -> object:
    coupon = _coupon(terminal)
    use = _one(terminal, list(coupon.standing))
    return _accept(terminal, RestoreCoupon, coupon_id=coupon.id, use_op_id=use.op_id)


def issue(terminal: Terminal) -> object:
    coupon_id = f"thanks/{terminal.random.randrange(40)}"
    uses = terminal.random.randint(1, 2)
    what = {"coupon_id": coupon_id, "campaign_id": "c10", "member_id": _member(terminal), "uses_limit": uses}
    return _accept(terminal, IssueCoupon, **what)


async def pay(terminal: Terminal) -> None:
    """A basket with coupons and points. With the line up the centre is asked for rights first, as a screen does."""
    counter, random = terminal.counter, terminal.random
    try:
        member: Member | None = members.by_id(counter, _member(terminal))
    except Trouble:
        return
    if member is None:
        return
    lines = [
        Line(gtin=product, quantity=random.randint(1, 3), unit_minor=random.randint(5, 40))
        for product in random.sample(GTINS, random.randint(1, 2))
    ]
    quoted = checkout.quote_for(counter, member, Basket(currency="TWD", lines=tuple(lines)))
    usable = [one.coupon_id for one in quoted.verdicts if one.kind is VerdictKind.USABLE]
    chosen = random.sample(usable, min(len(usable), random.choice((0, 1, 1))))
    points = min(random.choice((0, 0, 3, 12)), checkout.most_points(counter, member, 20))
    if random.random() < 0.7:
        await terminal.acquire(checkout.lacking(counter, member, quoted, chosen, points))

    proof = Proof(kind=ProofKind.PASS, member_id=member.id)

    def paid() -> object:
        said = checkout.redeem(counter, member, quoted, chosen, points, proof=proof)
        return said if isinstance(said, Refusal) else None

    terminal.job("pay", paid)


def register(terminal: Terminal) -> object:
    said = members.register(terminal.counter, terminal.random.choice(PHONES), "王小明")
    return said if isinstance(said, Refusal) else None


def change(terminal: Terminal) -> object:
    return members.change(terminal.counter, _member(terminal), name=f"陳{terminal.random.randrange(99)}")


def link(terminal: Terminal) -> object:
    return members.link(terminal.counter, _member(terminal), "line", f"U{terminal.random.randrange(99)}")


def add_tag(terminal: Terminal) -> object:
    return tags.add(terminal.counter, _member(terminal), terminal.random.choice(WORDS))


def remove_tag(terminal: Terminal) -> object:
    member_id = _member(terminal)
    row: MemberTags | None = terminal.replica.view.get("tags", member_id)
    tag = _one(terminal, list(row.tags if row else ()))
    return tags.remove(terminal.counter, member_id, tag.name, terminal.counter.now())


def note(terminal: Terminal) -> object:
    world = terminal.store.world
    text = POISON if world.seed % 4 == 3 and terminal.random.random() < 0.2 else "喜歡無糖"
    return tags.note(terminal.counter, _member(terminal), NoteKind.NOTE, text)


def give_back(terminal: Terminal) -> object:
    quota = _one(terminal, terminal.replica.view.of_member("quota", _member(terminal)))
    return _accept(terminal, GiveBackQuota, quota_id=quota.id)


def give_rights_back(terminal: Terminal) -> object:
    """What the agent does by itself, now and then."""
    rights.give_back(terminal.counter)
    return None


def receive(terminal: Terminal) -> object:
    return stock.receive(terminal.counter, terminal.random.choice(GTINS), terminal.random.randint(1, 12))


def sell(terminal: Terminal) -> object:
    product, pieces = terminal.random.choice(GTINS), terminal.random.randint(1, 3)
    return stock.move(terminal.counter, product, -pieces, MoveReason.SELL)


def count(terminal: Terminal) -> object:
    """Counting takes its time: what is said now was seen before, and others sell meanwhile."""
    product = terminal.random.choice(GTINS)
    row: Stock | None = terminal.replica.view.get("stock", stock_id(terminal.store.id, product))
    begun = terminal.memory.pop(product, None)
    if begun is None:
        terminal.memory[product] = (row.on_hand if row else 0, terminal.counter.now())
        raise NOTHING
    counted = max(0, begun[0] + terminal.random.randint(-2, 2))
    return stock.count(terminal.counter, product, counted, *begun)


def shelf_empty(terminal: Terminal) -> object:
    return stock.mark_shelf_empty(terminal.counter, terminal.random.choice(GTINS))


def work_order(terminal: Terminal) -> object:
    """The next step of some order, or one out of turn."""
    counter, random = terminal.counter, terminal.random
    order: Pickup = _one(terminal, pickups.board(counter))
    if random.random() < 0.12:
        return random.choice(ASIDE)(terminal, order)
    if order.cancel_requested:
        return pickups.release_cancelled(counter, order.id)
    match order.state:
        case PickupState.PLACED:
            return pickups.accept(counter, order.id)
        case PickupState.ACCEPTED:
            return pickups.start_picking(counter, order.id)
        case PickupState.PICKING:
            return _pick(terminal, order)
        case PickupState.READY:
            return pickups.hand_over(counter, order.id, IdentityCheck.CODE, paid_here=not order.paid)
    return pickups.return_to_shelf(counter, order.id)


def _pick(terminal: Terminal, order: Pickup) -> object:
    counter, random = terminal.counter, terminal.random
    lines = [line for line in order.lines if line.open_quantity]
    if not lines:
        return pickups.mark_ready(counter, order.id, "A1")
    line = random.choice(lines)
    if random.random() < 0.15:
        return pickups.pick(counter, order.id, line.no, short=line.open_quantity)
    return pickups.pick(counter, order.id, line.no, picked=random.randint(1, line.open_quantity))


def _put_back(terminal: Terminal, order: Pickup) -> object:
    return pickups.put_back(terminal.counter, order.id, order.lines[0].no)


def _cancel(terminal: Terminal, order: Pickup) -> object:
    return pickups.cancel(terminal.counter, order.id)


def _reject(terminal: Terminal, order: Pickup) -> object:
    return pickups.reject(terminal.counter, order.id, RejectReason.DAMAGED)


def _extend(terminal: Terminal, order: Pickup) -> object:
    return pickups.extend_hold(terminal.counter, order.id, 1)


def _expire(terminal: Terminal, order: Pickup) -> object:
    return pickups.expire(terminal.counter, order.id)


ASIDE: tuple[Callable[[Terminal, Pickup], object], ...] = (_put_back, _cancel, _reject, _extend, _expire)

JOBS: dict[str, tuple[int, Did]] = {
    "earn": (8, earn),
    "reverse": (3, reverse),
    "restore coupon": (2, restore),
    "issue coupon": (2, issue),
    "pay": (18, lambda terminal: None),
    "give rights back": (10, give_rights_back),
    "register": (6, register),
    "change": (2, change),
    "link": (1, link),
    "add tag": (3, add_tag),
    "remove tag": (1, remove_tag),
    "note": (3, note),
    "give back": (1, give_back),
    "receive": (3, receive),
    "sell": (6, sell),
    "count": (4, count),
    "shelf empty": (1, shelf_empty),
    "order": (22, work_order),
    "sight": (4, lambda terminal: None),
}
