"""The keys that secret signing keys are sealed with, so that a backup of the ledger signs nothing. XSalsa20-Poly1305."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from sync.central.endpoints import Declined
from sync.central.ground import Connection, Pool

MARK = 16
"""Characters by which a sealed secret names its key."""
PLAIN = ""
"""What stands there instead where a secret was kept before there was a key."""


@dataclass(frozen=True, slots=True)
class Sealing:
    """Keys of 32 bytes. The first one seals; all of them open, so that one can follow the other."""

    keys: tuple[bytes, ...] = ()

    @property
    def mark(self) -> str:
        """The name of the key that seals."""
        return mark_of(self.keys[0]) if self.keys else PLAIN

    def seal(self, secret: bytes) -> tuple[bytes, str]:
        """What is kept of a secret, and the name of its key; Declined where this centre has none."""
        if not self.keys:
            raise Declined(409, "sealing-key", "This centre has no key to seal secrets with: set central.key.")
        return bytes(SecretBox(self.keys[0]).encrypt(secret)), self.mark

    def open(self, sealed: bytes, mark: str) -> bytes:
        """The secret; Declined where it was sealed with a key that this centre does not have."""
        if mark == PLAIN:
            return sealed
        for key in self.keys:
            if mark_of(key) == mark:
                try:
                    return SecretBox(key).decrypt(sealed)
                except CryptoError as error:
                    raise Declined(409, "sealing-key", "A secret in the ledger is damaged.") from error
        raise Declined(409, "sealing-key", "This centre lacks the key of the ledger's secrets: see central.key.")


def mark_of(key: bytes) -> str:
    """The name of a key, which tells nothing of it."""
    return sha256(b"sealing" + key).hexdigest()[:MARK]


def read_keys(lines: Iterable[str]) -> Sealing:
    """Keys as 64 hexadecimal digits each; ValueError for one that is none."""
    keys = tuple(bytes.fromhex(line.strip()) for line in lines if line.strip())
    if any(len(key) != SecretBox.KEY_SIZE for key in keys):
        raise ValueError("not a key")
    return Sealing(keys)


async def reseal(pool: Pool, sealing: Sealing) -> int:
    """Seal what is not sealed with the first key, where this centre can open it; how many there were."""
    if not sealing.keys:
        return 0
    async with pool.connection() as conn, conn.transaction():
        return await _reseal(conn, sealing)


async def _reseal(conn: Connection, sealing: Sealing) -> int:
    found = await conn.execute(
        "select key_id, secret, sealed_by from signing_secret where sealed_by <> %s order by key_id for update",
        [sealing.mark],
    )
    known = {PLAIN, *map(mark_of, sealing.keys)}
    able = [(row[0], bytes(row[1]), row[2]) for row in await found.fetchall() if row[2] in known]
    for key_id, secret, mark in able:
        await conn.execute(
            "update signing_secret set secret = %s, sealed_by = %s where key_id = %s",
            [*sealing.seal(sealing.open(secret, mark)), key_id],
        )
    return len(able)
