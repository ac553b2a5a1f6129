"""What a store says and asks: push, pull, sight, enrol. Each is one transaction."""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import psycopg

from store_agent.codec import Entry, decode_entry, decode_envelope, hash_of
from store_agent.domain.cases import CaseKind
from store_agent.trouble import Trouble
from sync import wire
from sync.central import audience, cases, compaction, cover, devices, feed, ground, ledger, lending, parking, rows
from sync.central.devices import Device
from sync.central.endpoints import Declined
from sync.central.ground import Connection, Pool
from sync.central.standby import Standby, begin_snapshot

log = logging.getLogger(__name__)

UNKEEPABLE = (psycopg.DataError, psycopg.errors.ProgramLimitExceeded)
"""Errors that come from a value itself, so that trying again cannot help."""
OPERATIONS_MOST = 1000
PAGE_MOST = 5000
NO_BRANCHES: Mapping[str, int] = {}


class Fork(Declined):
    """Somebody speaks with this device's name who is not the one that spoke before: a copied or restored disk."""

    def __init__(self, error: str, op_id: str, sentence: str) -> None:
        super().__init__(409, error, sentence)
        self.op_id = op_id


@dataclass(frozen=True, slots=True)
class Known:
    """What a store says that this centre once told it."""

    incarnation: str = ""
    received: tuple[int, int] = (0, 0)
    """Epoch and number up to which it was told that all is held."""


@dataclass(slots=True)
class _SortedOut:
    """The operations of a push, and where the device's chain ends with them."""

    seq: int
    last_hash: str
    fresh: list[Entry] = field(default_factory=list)
    held: dict[tuple[int, int], tuple[str, str]] = field(default_factory=dict)
    """By epoch and number: op_id and hash as they were sent now."""
    new_ids: list[str] = field(default_factory=list)
    unreadable: list[tuple[bytes, int, str]] = field(default_factory=list)
    broken: Declined | None = None
    """Why it does not go on with the device's chain, if it does not."""


async def push(pool: Pool, device: Device, request: wire.PushRequest, now: datetime) -> wire.PushReply:
    """Take operations: those that are held already are skipped, the next ones in order are applied."""
    if len(request.operations) > OPERATIONS_MOST:
        raise Declined(413, "too-many", f"More than {OPERATIONS_MOST} operations at once. Send fewer.")
    singly = False
    for attempt in range(ledger.TRIES + 1):
        try:
            async with pool.connection() as conn, conn.transaction():
                return await _push(conn, device, request, now, singly=singly)
        except UNKEEPABLE:
            if singly:
                raise
            singly = True
        except Fork as fork:
            async with pool.connection() as conn, conn.transaction():
                kind = CaseKind.DEVICE_FORK
                case = cases.open_unread(kind, device.store, device.id, fork.op_id, fork.error, now)
                await ledger.write_own(conn, await cases.not_yet_open(conn, [case]), now, {})
            raise
        except psycopg.Error as error:
            if not ledger.is_worth_another_try(error, attempt):
                raise
    raise AssertionError("the last try returns or raises")


async def _push(
    conn: Connection, device: Device, request: wire.PushRequest, now: datetime, *, singly: bool = False
) -> wire.PushReply:
    device = await devices.lock(conn, device)
    sorted_out = _sort_out(device, request)
    await _check_held(conn, device, sorted_out.held)
    if sorted_out.broken:
        # Only now: where something before it is another operation here, that is what has to be said.
        raise sorted_out.broken
    await _check_new(conn, device, sorted_out.new_ids)
    unreadable = sorted_out.unreadable
    if singly:
        unreadable += await apply_singly(conn, device, sorted_out.fresh, now)
    elif sorted_out.fresh:
        await ledger.apply(conn, device.store, sorted_out.fresh, now)
    if unreadable:
        await keep_unread(conn, device, unreadable, now)
    if sorted_out.seq > device.seq:
        await devices.advance(conn, device, sorted_out.seq, sorted_out.last_hash, now)
    return wire.PushReply(device.epoch, sorted_out.seq, await ground.incarnation(conn), sorted_out.last_hash, now)


def _sort_out(device: Device, request: wire.PushRequest) -> _SortedOut:
    """What of a push is held, new, or not to be read; declined where it does not go on with the device's chain."""
    found = _SortedOut(device.seq, device.last_hash)
    for raw in request.operations:
        data = bytes(raw)
        envelope, op_id = decode_envelope(data)
        if envelope.device != device.id:
            raise Declined(403, "other-device", "An operation was written by another device.")
        if (envelope.epoch, envelope.seq) <= (device.epoch, device.seq):
            found.held[envelope.epoch, envelope.seq] = (op_id, hash_of(data))
            continue
        if envelope.epoch > device.epoch:
            raise Declined(409, "epoch-unknown", f"This device writes in epoch {device.epoch} here.")
        seq = found.seq + 1
        if (envelope.epoch, envelope.seq, envelope.prev_hash) != (device.epoch, seq, found.last_hash):
            found.broken = Declined(
                409, "out-of-order", f"Operation {seq} of epoch {device.epoch} comes next, unbroken."
            )
            if envelope.seq == seq == device.seq + 1 and device.seq:
                found.broken = Fork(
                    "fork", op_id, f"Operation {seq} of this device goes on with another one than here."
                )
            break
        found.seq, found.last_hash = seq, hash_of(data)
        found.new_ids.append(op_id)
        try:
            entry = decode_entry(data)
        except Trouble as trouble:
            found.unreadable.append((data, seq, op_id))
            log.error("operation %s is kept unread: %s", op_id, trouble)
            continue
        if entry.operation.store != device.store:
            raise Declined(403, "other-store", "An operation names another store.")
        found.fresh.append(entry)
    return found


async def apply_singly(
    conn: Connection, device: Device, entries: Sequence[Entry], now: datetime, branches: Mapping[str, int] = NO_BRANCHES
) -> list[tuple[bytes, int, str]]:
    """One after the other, so that one which the ledger cannot keep does not hold up the rest; returns those."""
    unkeepable = []
    for entry in entries:
        try:
            async with conn.transaction():
                await ledger.apply(conn, device.store, [entry], now, branches)
        except UNKEEPABLE as error:
            log.error("operation %s cannot be applied: %s", entry.operation.op_id, error)
            unkeepable.append((entry.data, entry.seq, entry.operation.op_id))
    return unkeepable


async def _check_held(conn: Connection, device: Device, held: dict[tuple[int, int], tuple[str, str]]) -> None:
    """What is sent again must be what was sent before; else somebody copied the store's disk."""
    if not held:
        return
    found = await conn.execute(
        "select epoch, seq, hash from operation where device = %s and epoch = any(%s) and seq = any(%s)",
        [device.id, sorted({epoch for epoch, _seq in held}), sorted({seq for _epoch, seq in held})],
    )
    known = set(await found.fetchall())
    places = {(epoch, seq) for epoch, seq, _hash in known}
    for place, (op_id, hash) in held.items():
        if place not in places and 0 < place[0] < device.epoch and place[1] > 0:
            raise Declined(409, "epoch-closed", f"This device writes in epoch {device.epoch} by now.")
        if (*place, hash) not in known:
            log.error("device %s sent another operation under number %s", device.id, place)
            raise Fork("fork", op_id, f"Operation {place[1]} of this device is another one here. Call the head office.")


async def _check_new(conn: Connection, device: Device, op_ids: Sequence[str]) -> None:
    """An id names one operation for ever, whoever numbered it."""
    found = await conn.execute("select op_id from operation where op_id = any(%b::text[])", [list(op_ids)])
    taken = [row[0] for row in await found.fetchall()] + [
        op_id for op_id, times in Counter(op_ids).items() if times > 1
    ]
    if taken:
        log.error("device %s sent the id %s of another operation", device.id, taken[0])
        raise Fork("id-taken", taken[0], f"Another operation has the id {taken[0]} already. Call the head office.")


async def keep_unread(
    conn: Connection,
    device: Device,
    unreadable: Sequence[tuple[bytes, int, str]],
    now: datetime,
    *,
    epoch: int = 0,
    branches: Mapping[str, int] = NO_BRANCHES,
) -> None:
    """Bytes that this version cannot read wait for one that can; nothing behind them waits."""
    for data, seq, op_id in unreadable:
        await conn.execute(
            "insert into operation"
            " (op_id, device, epoch, seq, branch, hash, kind, subject, data, outcome, reason, received_at)"
            " values (%s, %s, %s, %s, %s, %s, '', '', %s, 'parked', 'unreadable', %s)",
            [op_id, device.id, epoch or device.epoch, seq, branches.get(op_id, 0), hash_of(data), data, now],
        )
    await parking.park(conn, [(op_id, "") for _data, _seq, op_id in unreadable])
    kind, reason = CaseKind.PARKED_OPERATION, "unreadable"
    opened = [cases.open_unread(kind, device.store, device.id, op_id, reason, now) for _data, _seq, op_id in unreadable]
    saved = await rows.save(conn, await cases.not_yet_open(conn, opened), {})
    answers = [
        feed.answer_entry(wire.AnswerBody(op_id, epoch or device.epoch, seq, "parked", kind, reason))
        for _data, seq, op_id in unreadable
    ]
    await feed.publish(conn, {wire.stream_of(device.store): [*map(feed.entry, saved), *answers]})


async def pull(
    pool: Pool,
    cursors: dict[str, int],
    page_rows: int,
    standby: Standby | None = None,
    *,
    device: Device | None = None,
    known: Known | None = None,
    now: datetime | None = None,
) -> wire.PullReply:
    """Pages behind these cursors, all of one moment, and where the device's own chain ends at that moment.

    With a synchronous standby, of what that has as well.
    """
    async with pool.connection() as conn, conn.transaction():
        synchronous = await begin_snapshot(conn)
        incarnation = await ground.incarnation(conn)
        if known and known.incarnation not in ("", incarnation):
            # Positions of another life of this ledger mean nothing here: the store has to know that first.
            return wire.PullReply(incarnation, {}, None, now)
        floors = await compaction.floors(conn, cursors)
        if any(cursor < floors[stream] for stream, cursor in cursors.items()):
            raise Declined(410, "gone", "These rows are not kept any more. Take a snapshot.")
        held = await devices.held(conn, device) if device else None
        most = max(1, min(page_rows, PAGE_MOST))
        streams = {stream: await feed.read_page(conn, stream, cursor, most) for stream, cursor in cursors.items()}
        if held and known:
            _check_ahead(streams, held, known)
        reply = wire.PullReply(incarnation, streams, held, now)
    if standby is not None and synchronous and any(page.rows for page in streams.values()):
        await standby.reached()
    return reply


def _check_ahead(streams: Mapping[str, wire.StreamPage], held: wire.Held, known: Known) -> None:
    """A store that knows more than this ledger, under the same name: it was restored, and nobody gave it a new one."""
    ahead = [stream for stream, page in streams.items() if page.position > page.head]
    if ahead or known.received > (held.epoch, held.seq):
        log.error("a store was told more than this ledger holds. Was it restored? Run `store-agent central restored`.")
        raise Declined(409, "ledger-behind", "This ledger holds less than it once told. It was restored from a backup.")


async def sight(pool: Pool, device: Device, request: wire.SightRequest, now: datetime) -> wire.SightReply:
    """Someone stands at the counter: from now on that store holds them."""
    async with pool.connection() as conn, conn.transaction():
        found = await rows.find(conn, "member", "phone", [request.phone]) if request.phone else []
        for column in ("code", "card_no", "id") if request.code else ():
            found = found or await rows.find(conn, "member", column, [request.code])
        if not found:
            return wire.SightReply("")
        member = found[0].row
        staying = next((kept.row for kept in found if not kept.row.alias_of), member)
        member_id = staying.alias_of or staying.id
        new = await audience.follow(conn, [(member_id, device.store)], now)
        if new:
            saved = await _name_too(conn, member_id, device.store)
            welcomed = await audience.welcome(conn, new)
            # At once: what one transaction publishes is one group, or a page could end in the middle of it.
            await feed.publish(conn, audience.merge(await audience.address(conn, saved), welcomed))
        return wire.SightReply(member_id)


async def _name_too(conn: Connection, member_id: str, store: str) -> list[rows.Saved]:
    """A store that holds the member may risk those of their coupons that few others may."""
    kept = (await rows.load(conn, [("store", store)], lock=False)).get(("store", store))
    coupons, known = await cover.named_too(conn, member_id, store, kept.row.currency if kept else "TWD")
    return await rows.save(conn, coupons, known)


async def enrol(pool: Pool, request: wire.EnrolRequest, now: datetime) -> wire.EnrolReply:
    """A device becomes a store's."""
    async with pool.connection() as conn, conn.transaction():
        device = await devices.enrol(conn, request, now)
        await _begin_allowance(conn, device, now)
        return wire.EnrolReply(device.id, device.store, device.epoch, await ground.incarnation(conn))


async def _begin_allowance(conn: Connection, device: Device, now: datetime) -> None:
    """What a new device may risk with the cable out."""
    wanted = [("store", device.store), ("allowance", device.id)]
    known = await rows.load(conn, wanted, lock=False)
    if wanted[1] in known:
        return
    await _write_off_before(conn, device, now)
    currency = known[wanted[0]].row.currency if wanted[0] in known else "TWD"
    allowance = await cover.begin_allowance(conn, device.id, device.store, currency, now)
    await ledger.write_own(conn, [allowance], now, {})


async def _write_off_before(conn: Connection, device: Device, now: datetime) -> None:
    """A store that is enrolled anew has lost its replica, and nobody knows what that one still spent.

    So what the store held is available again; whoever made the code for a second device has taken that risk.
    """
    found = await conn.execute("select 1 from device where store = %s and id <> %s limit 1", [device.store, device.id])
    if await found.fetchone():
        holding = await lending.held_rows(conn, device.store)
        await lending.write_off(conn, device.store, holding, now, device.id)
