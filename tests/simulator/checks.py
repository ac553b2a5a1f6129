"""What must hold once everything is quiet, by the names that `docs/trust.md` gives it. `None`, or the first that does not."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from store_agent.codec import decode_entry
from store_agent.domain.merging import readdress
from store_agent.domain.pickups import PickupState, PickupStep
from store_agent.domain.points import Account, EarnPoints, MovementKind, RedeemPoints
from store_agent.domain.rights import Cover
from store_agent.domain.stock import CountStock, MoveStock, stock_id
from tests.simulator.model import decoded
from tests.simulator.store import Store
from tests.simulator.world import World

Stores = dict[str, Store]
BROKEN_KINDS = ("points_overdrawn", "coupon_over", "quota_over", "order_conflict", "stock_negative")


def check_all(world: World, stores: Stores) -> str:
    """The first invariant that does not hold, or an empty text."""
    for check in (durable, feed, once, epochs, cases, converged, conserve, coupons, pickups, stock, charged):
        for wrong in check(world, stores):
            return wrong
    return ""


def ask(world: World, query: str, *values: object) -> list[tuple[Any, ...]]:
    """What the ledger answers."""
    return world.ground.look.execute(query.encode(), values).fetchall()


def is_quiet(world: World, stores: Stores) -> bool:
    """Whether nothing waits that could go on, and every store has read to the end of its streams."""
    heads = world.truth.heads()
    for store in stores.values():
        if not all(terminal.is_up for terminal in store.terminals):
            return False
        cursors = store.model.cursors
        if any(cursors.get(stream, 0) != heads.get(stream, 0) for stream in ("chain", store.stream())):
            return False
        if any(world.truth.outcomes.get(op_id) != "parked" for op_id in store.model.waiting()):
            return False
        if store.terminals[0].replica.outbox(1) or store.terminals[0].replica.standing.frozen:
            return False
    return True


def durable(world: World, stores: Stores) -> Iterator[str]:
    """DURABLE, ORDER: the ledger holds exactly what every journal holds, and it is chained."""
    for store in stores.values():
        journal = [(e.operation.op_id, e.epoch, e.seq, e.hash, e.data) for e in store.model.journal]
        query = "select op_id, epoch, seq, hash, data from operation where device = %s order by epoch, seq, branch"
        there = {row[0] for row in journal}
        ledger = [(*row[:4], bytes(row[4])) for row in ask(world, query, store.device)]
        # What was lost with a disk is there too, if it was sent in time.
        if [row for row in ledger if row[0] in there or row[0] not in world.lost] != journal:
            yield f"DURABLE: the ledger does not hold what {store.id} wrote down"
        if store.entries(store.terminals[0]):
            yield f"DURABLE: {store.id} wrote something that nobody saw"
        before = {(e.epoch, e.seq): e.hash for e in store.model.journal}
        if any(e.prev_hash != before.get((e.epoch, e.seq - 1), "0" * 64) for e in store.model.journal):
            yield f"ORDER: the chain of {store.id} is broken"


def feed(world: World, stores: Stores) -> Iterator[str]:
    """FEED: what is in the streams now is what was seen when it was published."""
    query = "select stream, position, group_end, tbl, row_id, revision, body from feed order by stream, position"
    found: dict[str, list[Any]] = {}
    for stream, *rest in ask(world, query):
        found.setdefault(stream, []).append(tuple(rest))
    for stream in sorted({*found, *world.truth.streams}):
        seen = [
            (p.position, p.group_end, p.table, p.id, p.revision, p.body) for p in world.truth.streams.get(stream, [])
        ]
        if found.get(stream, []) != seen:
            yield f"FEED: {stream} was changed after it was published"


def once(world: World, stores: Stores) -> Iterator[str]:
    """ONCE, NOBLOCK: every operation has one outcome; what is parked is poison or lies behind it."""
    for op_id, outcome, reason, subject in ask(
        world, "select op_id, outcome, reason, subject from operation where device <> 'centre' order by op_id"
    ):
        if outcome == "parked" and reason not in ("Crashed", "behind another"):
            yield f"NOBLOCK: {op_id} on {subject} is parked: {reason}"
        if outcome == "parked" and not subject.startswith("tags/"):
            yield f"NOBLOCK: {op_id} on {subject} is parked, though nothing on that row crashed"


def epochs(world: World, stores: Stores) -> Iterator[str]:
    """EPOCH: only who lost a disk begins anew, and a fork is said of nobody else."""
    for store in stores.values():
        if why := store.terminals[0].replica.standing.frozen:
            yield f"EPOCH: {store.id} is frozen for ever: {why}"
    for device, epoch, reason in ask(world, "select device, epoch, reason from epoch order by 1, 2"):
        if device not in world.put_back:
            yield f"EPOCH: {device} lost nothing and closed epoch {epoch}: {reason}"
    for (body,) in ask(world, "select body::text from cases where kind = 'device_fork' order by id"):
        if not any(device in body for device in world.put_back):
            yield f"EPOCH: a fork is said of a device that lost nothing: {body}"


def cases(world: World, stores: Stores) -> Iterator[str]:
    """CASE: every limit that was broken is named by one case of its kind, and none is opened where nothing was broken."""
    found: dict[tuple[str, str], int] = {}
    for kind, body in ask(world, "select kind, body::text from cases order by id"):
        op_ids = decoded("cases", body).op_ids
        for op_id in op_ids:
            found[op_id, kind] = found.get((op_id, kind), 0) + 1
        theirs = [op_id for op_id in op_ids if op_id in world.truth.outcomes]
        if kind in BROKEN_KINDS and theirs and not any(world.truth.cases.get(op_id) == kind for op_id in theirs):
            yield f"CASE: {kind} was opened about {op_ids}, which broke nothing"
    for op_id, kind in sorted(world.truth.cases.items()):
        if found.get((op_id, kind), 0) != 1:
            yield f"CASE: {op_id} broke {kind}, and {found.get((op_id, kind), 0)} cases say so"


def converged(world: World, stores: Stores) -> Iterator[str]:
    """CONVERGE: every row that a store holds is the centre's, and it holds all that it should."""
    follow: dict[str, set[str]] = {}
    for member_id, store_id in ask(world, "select member_id, store from follow"):
        follow.setdefault(store_id, set()).add(member_id)
    for store in stores.values():
        cache = store.terminals[0].replica.cache
        tables = sorted({table for table, _id in world.truth.rows})
        for table in tables:
            held = {row.id: row for row in cache.all(table)}
            truth = {row_id: decoded(table, body) for row_id, body in ask(world, f"select id, body::text from {table}")}
            for row_id, row in held.items():
                if truth.get(row_id) != row:
                    yield f"CONVERGE: {store.id} holds {table} {row_id} as {row}, and the centre {truth.get(row_id)}"
            if table in ("member", "account", "tags"):
                missing = sorted((follow.get(store.id, set()) & set(truth)) - set(held))
                if missing:
                    yield f"CONVERGE: {store.id} lacks {table} {missing[:3]}"
            if table == "member":
                stays = dict(ask(world, "select id, alias_of from member where alias_of <> ''"))
                lost = sorted(id_ for id_, to in stays.items() if to in follow.get(store.id, set()) and id_ not in held)
                if lost:
                    yield f"CONVERGE: {store.id} lacks the other ids {lost[:3]} of members that it holds"
        for one in store.terminals:
            shown = {entry.operation.op_id for entry in one.replica.view.waiting()}
            if shown != set(store.model.waiting()):
                yield f"VIEW: {one.name} shows other operations as waiting than do"


def _operations(world: World) -> list[Any]:
    rows = ask(world, "select data, outcome from operation where outcome <> 'parked' order by device, epoch, seq")
    return [readdress(decode_entry(bytes(data)).operation, world.truth.aliases) for data, _outcome in rows]


def conserve(world: World, stores: Stores) -> Iterator[str]:
    """CONSERVE: every account is what was earned less what was spent, by the operations alone."""
    moved: dict[str, int] = {}
    for operation in _operations(world):
        if isinstance(operation, (EarnPoints, RedeemPoints)) and operation.points > 0:
            sign = 1 if isinstance(operation, EarnPoints) else -1
            moved[operation.member_id] = moved.get(operation.member_id, 0) + sign * operation.points
    for row_id, body in ask(world, "select id, body::text from account order by id"):
        account: Account = decoded("account", body)
        reversed_ = sum(m.reversed if m.kind is MovementKind.REDEEM else -m.reversed for m in account.movements)
        if len(account.movements) < 30:
            total = sum(batch.left for batch in account.batches) - account.owed
            if total != moved.get(row_id, 0) + reversed_:
                yield f"CONSERVE: account {row_id} has {total}, and {moved.get(row_id, 0)} moved, {reversed_} taken back"


def coupons(world: World, stores: Stores) -> Iterator[str]:
    """COUPON: used no more often than allowed, but for uses that have a case each."""
    over: dict[str, int] = {}
    for (body,) in ask(world, "select body::text from cases where kind = 'coupon_over'"):
        case = decoded("cases", body)
        id_ = "/".join(world.truth.aliases.get(part, part) for part in case.subject.split("/")[1:])
        over[id_] = over.get(id_, 0) + len(case.op_ids)
    for row_id, body in ask(world, "select id, body::text from coupon order by id"):
        coupon = decoded("coupon", body)
        if len(coupon.standing) > coupon.uses_limit + over.get(row_id, 0):
            yield f"COUPON: {row_id} was used {len(coupon.standing)} times of {coupon.uses_limit}, {over.get(row_id, 0)} cases"
        if len({use.op_id for use in coupon.used}) != len(coupon.used):
            yield f"ONCE: a use of coupon {row_id} counts twice"


def pickups(world: World, stores: Stores) -> Iterator[str]:
    """PICKUP: handed over at most once, and never what was taken back without a case."""
    conflicts = {
        row[0].partition("/")[2]
        for row in ask(world, "select body ->> 'subject' from cases where kind = 'order_conflict'")
    }
    for row_id, body in ask(world, "select id, body::text from pickup order by id"):
        order = decoded("pickup", body)
        for line in order.lines:
            if line.handed > line.picked and row_id not in conflicts:
                yield f"PICKUP: {row_id} gave {line.handed} of {line.picked}"
        steps = [step.step for step in order.history]
        both = PickupStep.HANDED_OVER in steps and PickupStep.CANCELLED in steps
        if both and row_id not in conflicts:
            yield f"PICKUP: {row_id} was handed over and cancelled, and there is no case"
        if order.state is PickupState.HANDED_OVER and PickupStep.HANDED_OVER not in steps:
            yield f"PICKUP: {row_id} is handed over, and nobody did it"


def stock(world: World, stores: Stores) -> Iterator[str]:
    """STOCK: a quantity is the sum of what happened, in any order."""
    moved: dict[str, int] = {}
    for operation in _operations(world):
        if isinstance(operation, MoveStock):
            key, delta = stock_id(operation.store, operation.gtin), operation.delta
        elif isinstance(operation, CountStock):
            key, delta = stock_id(operation.store, operation.gtin), operation.counted - operation.seen_on_hand
        else:
            continue
        moved[key] = moved.get(key, 0) + delta
    for row_id, body in ask(world, "select id, body::text from stock order by id"):
        row = decoded("stock", body)
        if row.on_hand != moved.get(row_id, 0):
            yield f"STOCK: {row_id} is {row.on_hand}, and {moved.get(row_id, 0)} happened"


def charged(world: World, stores: Stores) -> Iterator[str]:
    """CASE: a broken limit is charged to what was risked on allowance, and to what was spent by right only where
    nothing was: who joined at two stores had a welcome coupon by right at each, until the two became one."""
    query = (
        "select operation.op_id, subject, data, exists (select 1 from cases where cases.op_id = operation.op_id)"
        " from operation where kind in ('redeem-coupon', 'redeem-points') and outcome <> 'parked' order by 1"
    )
    wronged: dict[str, str] = {}
    free: dict[str, str] = {}
    merged = set(world.truth.aliases.values())
    for op_id, subject, data, has_case in ask(world, query):
        cover = getattr(decode_entry(bytes(data)).operation, "cover", Cover.OPEN)
        if cover is Cover.RIGHT and has_case:
            wronged[subject] = op_id
            row = world.truth.rows.get(("coupon", subject.partition("/")[2]), (0, None))[1]
            if row and row.member_id not in merged and not world.put_back:
                yield f"RIGHTS: {op_id} used {subject} by right, and another had used it up"
        if cover is Cover.ALLOWANCE and not has_case:
            free[subject] = op_id
    if world.put_back:
        # Who forgot what they spent by right spends it again by right.
        return
    for subject in sorted(wronged.keys() & free.keys()):
        yield f"CASE: {subject} is charged to {wronged[subject]}, by right, and not to {free[subject]}, on allowance"
