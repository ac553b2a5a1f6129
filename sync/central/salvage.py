"""What was left of a closed epoch: operations that happened and that the centre never got. Taken by their ids alone.

Nothing is numbered anew and no byte is changed. Where another operation has the number already, this one stands in
another branch of the chain, and there is one case for the fork.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from itertools import pairwise

import psycopg

from store_agent.codec import Entry, Envelope, decode_entry, decode_envelope, hash_of
from store_agent.domain.cases import CaseKind
from store_agent.trouble import Trouble
from sync import wire
from sync.central import cases, devices, epochs, exchange, ground, ledger
from sync.central.devices import Device
from sync.central.endpoints import Declined
from sync.central.ground import Connection, Pool

log = logging.getLogger(__name__)


async def take(pool: Pool, device: Device, request: wire.SalvageRequest, now: datetime) -> wire.SalvageReply:
    """Take leftovers in the order in which they come: those that are held by id are skipped, the others are applied."""
    if not 0 < len(request.operations) <= exchange.OPERATIONS_MOST:
        raise Declined(413, "too-many", f"From 1 to {exchange.OPERATIONS_MOST} operations at once.")
    singly = False
    for attempt in range(ledger.TRIES + 1):
        try:
            async with pool.connection() as conn, conn.transaction():
                return await _take(conn, device, request, now, singly=singly)
        except exchange.UNKEEPABLE:
            if singly:
                raise
            singly = True
        except psycopg.Error as error:
            if not ledger.is_worth_another_try(error, attempt):
                raise
    raise AssertionError("the last try returns or raises")


async def _take(
    conn: Connection, device: Device, request: wire.SalvageRequest, now: datetime, *, singly: bool
) -> wire.SalvageReply:
    device = await devices.lock(conn, device)
    if request.epoch != device.epoch:
        word = "epoch-unknown" if request.epoch > device.epoch else "epoch-closed"
        raise Declined(409, word, f"This device writes in epoch {device.epoch}.")
    sent = [(bytes(raw), *decode_envelope(bytes(raw))) for raw in request.operations]
    _check(device, [envelope for _data, envelope, _op_id in sent])
    held = await _held(conn, [op_id for _data, _envelope, op_id in sent])
    fresh: list[Entry] = []
    unreadable: list[tuple[bytes, int, str]] = []
    branches: dict[str, int] = {}
    forks: dict[str, str] = {}
    for data, envelope, op_id in sent:
        if op_id in held:
            if held[op_id] != hash_of(data):
                await _keep_stray(conn, device, data, envelope, op_id, now)
                forks[op_id] = "id-taken"
            continue
        held[op_id] = hash_of(data)
        branch = await _branch(conn, device, envelope)
        if branch:
            branches[op_id] = branch
            if await _begins_fork(conn, device, envelope):
                forks[op_id] = "number-used-twice"
        try:
            entry = decode_entry(data)
        except Trouble as trouble:
            log.error("operation %s is kept unread: %s", op_id, trouble)
            unreadable.append((data, envelope.seq, op_id))
            continue
        if entry.operation.store != device.store:
            raise Declined(403, "other-store", "An operation names another store.")
        fresh.append(entry)
    epoch = sent[-1][1].epoch
    if singly:
        unreadable += await exchange.apply_singly(conn, device, fresh, now, branches)
    elif fresh:
        await ledger.apply(conn, device.store, fresh, now, branches)
    if unreadable:
        await exchange.keep_unread(conn, device, unreadable, now, epoch=epoch, branches=branches)
    kind = CaseKind.DEVICE_FORK
    opened = [cases.open_unread(kind, device.store, device.id, op_id, why, now) for op_id, why in forks.items()]
    if opened:
        await ledger.write_own(conn, await cases.not_yet_open(conn, opened), now, {})
    data, envelope, _op_id = sent[-1]
    closed = await epochs.end_of(conn, device, epoch)
    return wire.SalvageReply(epoch, envelope.seq, hash_of(data), await ground.incarnation(conn), closed, now)


def _check(device: Device, envelopes: Sequence[Envelope]) -> None:
    """One device, one closed epoch, numbers that go up."""
    if any(envelope.device != device.id for envelope in envelopes):
        raise Declined(403, "other-device", "An operation was written by another device.")
    numbers = [envelope.seq for envelope in envelopes]
    epoch = envelopes[0].epoch
    if any(envelope.epoch != epoch for envelope in envelopes) or not 0 < epoch < device.epoch:
        raise Declined(409, "epoch-open", "Only operations of one closed epoch are salvaged at once.")
    if any(later <= earlier for earlier, later in pairwise(numbers)) or numbers[0] < 1:
        raise Declined(409, "out-of-order", "Operations are salvaged in their order.")


async def _held(conn: Connection, op_ids: Sequence[str]) -> dict[str, str]:
    found = await conn.execute("select op_id, hash from operation where op_id = any(%s)", [list(op_ids)])
    return dict(await found.fetchall())


async def _branch(conn: Connection, device: Device, envelope: Envelope) -> int:
    """0 where nobody has this number yet; else one that is free."""
    found = await conn.execute(
        "select coalesce(max(branch) + 1, 0) from operation where device = %s and epoch = %s and seq = %s",
        [device.id, envelope.epoch, envelope.seq],
    )
    row = await found.fetchone()
    return int(row[0]) if row else 0


async def _begins_fork(conn: Connection, device: Device, envelope: Envelope) -> bool:
    """Whether the two journals parted here: one case a fork, and not one at each operation that came after it."""
    found = await conn.execute(
        "select 1 from operation where device = %s and epoch = %s and hash = %s and branch = 0",
        [device.id, envelope.epoch, envelope.prev_hash],
    )
    return envelope.seq == 1 or await found.fetchone() is not None


async def _keep_stray(
    conn: Connection, device: Device, data: bytes, envelope: Envelope, op_id: str, now: datetime
) -> None:
    """Another operation has its id. It cannot be applied, must not be lost, and must not hold up what is behind it."""
    log.error("device %s salvages the id %s of another operation", device.id, op_id)
    await conn.execute(
        "insert into stray values (%s, %s, %s, %s, %s, %s, %s) on conflict do nothing",
        [device.id, envelope.epoch, envelope.seq, hash_of(data), op_id, data, now],
    )
