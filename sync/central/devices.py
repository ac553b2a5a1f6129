"""Who speaks: devices, the one-time codes that enrol them, and the signatures on their requests."""

from __future__ import annotations

import secrets
import uuid
from dataclasses import dataclass
from datetime import datetime, timedelta
from hashlib import sha256

from sync import wire
from sync.central.endpoints import Declined
from sync.central.ground import Connection

CODE_LETTERS = "ABCDEFGHJKMNPQRSTVWXYZ23456789"
CODE_LENGTH = 10
FIRST_HASH = "0" * 64


@dataclass(frozen=True, slots=True)
class Device:
    """A store's replica as the centre knows it. The store is looked up here and never believed from a request."""

    id: str
    store: str
    epoch: int
    seq: int
    last_hash: str


async def make_code(conn: Connection, store: str, now: datetime, lives: timedelta) -> str:
    """A new one-time code for a store; only its hash is kept."""
    code = "".join(secrets.choice(CODE_LETTERS) for _place in range(CODE_LENGTH))
    await conn.execute(
        "insert into enrolment_code (code_hash, store, made_at, expires_at) values (%s, %s, %s, %s)",
        [_hash(code), store, now, now + lives],
    )
    return code


async def enrol(conn: Connection, request: wire.EnrolRequest, now: datetime) -> Device:
    """Bind a device's own key to the code's store. The same device may ask again with the same code: its reply was lost."""
    row = await (
        await conn.execute(
            "select store, expires_at, used_by from enrolment_code where code_hash = %s for update",
            [_hash(request.code)],
        )
    ).fetchone()
    if row is None:
        raise Declined(403, "code-unknown", "This code is not known. Ask the head office for a new one.")
    store, expires_at, used_by = row
    if used_by:
        held = await _get(conn, used_by)
        if held and held[1] == request.public_key:
            return held[0]
        raise Declined(403, "code-used", "This code was used already. Ask the head office for a new one.")
    if now >= expires_at:
        raise Declined(403, "code-expired", "This code has expired. Ask the head office for a new one.")
    if request.device and request.store != store:
        raise Declined(403, "code-other-store", "This code is for another store than the machine's own.")
    known = await _get(conn, request.device) if request.device else None
    if known and known[1] != request.public_key:
        raise Declined(403, "device-taken", "Another machine has this device's id.")
    device = known[0] if known else Device(request.device or uuid.uuid4().hex, store, 1, 0, FIRST_HASH)
    await conn.execute(
        "insert into device (id, store, name, public_key, last_hash, enrolled_at) values (%s, %s, %s, %s, %s, %s)"
        " on conflict (id) do nothing",
        [device.id, store, request.name, request.public_key, FIRST_HASH, now],
    )
    await conn.execute("update enrolment_code set used_by = %s where code_hash = %s", [device.id, _hash(request.code)])
    return device


async def identify(conn: Connection, device_id: str, signature: str, text: bytes) -> Device:
    """The device that signed this request; declined if there is none, or it was revoked."""
    held = await _get(conn, device_id)
    if held is None or not wire.is_signed(held[1], signature, text):
        raise Declined(401, "device-unknown", "The centre does not know this device.")
    if held[2]:
        raise Declined(403, "device-revoked", "This device was revoked by the head office.")
    return held[0]


async def lock(conn: Connection, device: Device) -> Device:
    """The device as it is now, for this transaction alone: two requests of one device never interleave."""
    row = await (
        await conn.execute("select epoch, seq, last_hash from device where id = %s for update", [device.id])
    ).fetchone()
    assert row is not None
    return Device(device.id, device.store, *row)


async def advance(conn: Connection, device: Device, seq: int, last_hash: str, now: datetime) -> None:
    """How far the device's chain is held."""
    await conn.execute(
        "update device set seq = %s, last_hash = %s, heard_at = %s where id = %s", [seq, last_hash, now, device.id]
    )


async def held(conn: Connection, device: Device) -> wire.Held | None:
    """Where the device's chain ends at this moment."""
    row = await (await conn.execute("select epoch, seq, last_hash from device where id = %s", [device.id])).fetchone()
    return wire.Held(*row) if row else None


async def _get(conn: Connection, device_id: str) -> tuple[Device, str, bool] | None:
    row = await (
        await conn.execute(
            "select id, store, epoch, seq, last_hash, public_key, revoked_at is not null from device where id = %s",
            [device_id],
        )
    ).fetchone()
    return (Device(*row[:5]), row[5], row[6]) if row else None


def _hash(code: str) -> str:
    return sha256(code.strip().upper().encode()).hexdigest()
