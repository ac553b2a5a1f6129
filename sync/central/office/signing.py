"""The keys that sign codes: made, followed by the next, revoked. What they sign is in `minting`.

A secret key never leaves its table but to sign here; it is deleted as soon as nothing is to be signed with it any more.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Annotated

from msgspec import Meta
from nacl.bindings import crypto_core_ed25519_is_valid_point
from nacl.signing import SigningKey

from store_agent.codes import key_id_of
from store_agent.domain.keys import CHAIN, CodeKind, Key
from sync.central import own, rows
from sync.central.endpoints import Declined
from sync.central.ground import Connection, Pool
from sync.central.office.records import Incoming, Moment
from sync.central.office.sealing import Sealing

ACTIVE_MOST = 2
"""Keys of one issuer that count at a time: the one that signs, and the one before or after it."""
NOTICE = timedelta(hours=24)
"""Between the publishing of a next key and its first code, so that stores with the cable out have heard of it."""
SECRET_BYTES = 32

Issuer = Annotated[str, Meta(pattern=r"^[a-z0-9][a-z0-9.-]{0,31}$(?!\n)")]
PublicKey = Annotated[str, Meta(pattern=r"^[0-9a-f]{64}$(?!\n)")]


class KeyRequest(Incoming, frozen=True, kw_only=True):
    """A key for an issuer. Where that has one already, this is the next one."""

    issuer: Issuer = CHAIN
    public_key: PublicKey | None = None
    """Of whoever signs elsewhere. Without one, the centre makes the key and keeps its secret half."""
    purposes: list[CodeKind] | None = None
    """Null: whatever the issuer may sign."""
    valid_from: Moment | None = None
    """Null: now where no other key signs; else in 24 hours, by when stores have heard of it."""
    valid_until: Moment | None = None
    overlap_days: Annotated[int, Meta(ge=1, le=400)] = 35
    """How long codes by the earlier key still count once this one begins."""


async def make_key(pool: Pool, request: KeyRequest, now: datetime, sealing: Sealing) -> Key:
    """Make or take a key and publish it; an earlier one ends after the overlap."""

    async def work(conn: Connection) -> Key:
        return await _make(conn, request, now, sealing)

    return await own.in_transaction(pool, work)


async def _make(conn: Connection, request: KeyRequest, now: datetime, sealing: Sealing) -> Key:
    chain = await chain_name(conn, lock=True)
    active = [key for key in await _keys_of(conn, request.issuer) if _is_active(key, now)]
    if len(active) >= ACTIVE_MOST:
        raise Declined(409, "keys-active", "Two keys of this issuer are active. Revoke one, or wait until one ends.")
    secret = None if request.public_key else secrets.token_bytes(SECRET_BYTES)
    public = bytes(SigningKey(secret).verify_key) if secret else bytes.fromhex(request.public_key or "")
    if not crypto_core_ed25519_is_valid_point(public):
        raise Declined(422, "malformed", "public_key: This is no Ed25519 key.")
    key = Key(
        id=key_id_of(public),
        public_key=public.hex(),
        issuer=request.issuer,
        chain=chain,
        purposes=_purposes(request),
        valid_from=request.valid_from or (now + NOTICE if any(one.valid_from <= now for one in active) else now),
        valid_until=request.valid_until,
    )
    if key.valid_from < now or (key.valid_until and key.valid_until <= key.valid_from):
        raise Declined(422, "malformed", "A key begins now or later, and ends after it began.")
    work = await own.begin(conn, [(Key.table, one.id) for one in (key, *active)], now)
    if work.row(Key.table, key.id) is not None:
        raise Declined(409, "key-known", "This key is known already.")
    for earlier in active:
        ends = key.valid_from + timedelta(days=request.overlap_days)
        work.put(replace(earlier, valid_until=min(earlier.valid_until or ends, ends)))
    work.put(key)
    await work.finish()
    if secret:
        sealed, mark = sealing.seal(secret)
        await conn.execute(
            "insert into signing_secret (key_id, secret, made_at, sealed_by) values (%s, %s, %s, %s)",
            [key.id, sealed, now, mark],
        )
    return key


def _purposes(request: KeyRequest) -> tuple[str, ...]:
    may = list(CodeKind) if request.issuer == CHAIN else [CodeKind.VOUCHER]
    wanted = may if request.purposes is None else request.purposes
    if not wanted or not set(wanted) <= set(may):
        raise Declined(422, "malformed", "purposes: A third party signs vouchers only.")
    return tuple(kind.value for kind in CodeKind if kind in wanted)


def _is_active(key: Key, now: datetime) -> bool:
    return key.revoked_at is None and not key.is_over(now)


async def revoke_key(pool: Pool, id_: str, now: datetime) -> Key:
    """From when a store hears of it, no code by this key counts there; revoking it again changes nothing."""

    async def work(conn: Connection) -> Key:
        work = await own.begin(conn, [(Key.table, id_)], now)
        key: Key | None = work.row(Key.table, id_)
        if key is None:
            raise Declined(404, "key-unknown", "There is no such key.")
        revoked = replace(key, revoked_at=key.revoked_at or now)
        work.put(revoked)
        await work.finish()
        await _forget(conn, [id_])
        return revoked

    return await own.in_transaction(pool, work)


async def list_keys(conn: Connection) -> list[Key]:
    """Every key that there is or was, by issuer, the latest first."""
    found = await (await conn.execute("select id from key")).fetchall()
    held = await rows.load(conn, [(Key.table, row[0]) for row in found], lock=False)
    keys: list[Key] = [kept.row for kept in held.values()]
    return sorted(keys, key=lambda key: (key.issuer, -key.valid_from.timestamp(), key.id))


async def signing_key(
    conn: Connection, issuer: str, kind: CodeKind, now: datetime, sealing: Sealing
) -> tuple[Key, bytes]:
    """The latest key of an issuer that has begun, with its secret half; Declined where there is none for such codes."""
    keys = [key for key in await _keys_of(conn, issuer) if _is_active(key, now) and key.valid_from <= now]
    found = await conn.execute(
        "select key_id, secret, sealed_by from signing_secret where key_id = any(%s)", [[k.id for k in keys]]
    )
    held = {row[0]: (bytes(row[1]), str(row[2])) for row in await found.fetchall()}
    able = [key for key in keys if key.id in held and key.may_sign(kind)]
    if not able:
        raise Declined(
            409, "key-missing", f"The centre has no key of “{issuer}” for codes of the kind {kind}. Make one."
        )
    key = max(able, key=lambda key: (key.valid_from, key.id))
    # What it signed before still counts; nothing more is signed with it.
    await _forget(
        conn, [one.id for one in able if one.valid_from < key.valid_from and set(one.purposes) <= set(key.purposes)]
    )
    return key, sealing.open(*held[key.id])


async def chain_name(conn: Connection, *, lock: bool = False) -> str:
    """The chain's short name in codes. Locked, it lets one transaction at a time change keys."""
    query = "select value from setting where name = 'chain'" + (" for update" if lock else "")
    row = await (await conn.execute(query.encode())).fetchone()
    assert row is not None
    return str(row[0])


async def _keys_of(conn: Connection, issuer: str) -> list[Key]:
    return [kept.row for kept in await rows.find(conn, Key.table, "issuer", [issuer])]


async def _forget(conn: Connection, key_ids: Sequence[str]) -> None:
    await conn.execute("delete from signing_secret where key_id = any(%s)", [list(key_ids)])
