"""Whether the ledger's operations are what devices wrote: bytes, hashes and chains, of every device and epoch.

Reads in the order of the chains, piece by piece; changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from store_agent.codec import decode_envelope, hash_of
from store_agent.trouble import Trouble
from sync.central.devices import FIRST_HASH
from sync.central.ground import Connection

TOLD_EVERY = 5_000
FINDINGS_MOST = 100


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is wrong, at an operation or at the end of a chain."""

    device: str
    epoch: int
    seq: int
    damage: str
    """`changed`, `unchained`, `missing` (numbers before it) or `end-missing`."""


@dataclass(slots=True)
class Report:
    """What was found."""

    operations: int = 0
    devices: int = 0
    findings: list[Finding] = field(default_factory=list)

    def note(self, device: str, epoch: int, seq: int, damage: str) -> None:
        """Keep one more, up to a number that a person can read."""
        if len(self.findings) < FINDINGS_MOST:
            self.findings.append(Finding(device, epoch, seq, damage))


@dataclass(slots=True)
class _Chain:
    """Where the reading is in one device's epoch: branches of a forked chain go side by side."""

    device: str = ""
    epoch: int = 0
    seq: int = 0
    hashes: set[str] = field(default_factory=set)
    before: set[str] = field(default_factory=set)


async def verify(conn: Connection, tell: Callable[[int], None]) -> Report:
    """Every operation of the ledger, then every chain's end."""
    report, chain = Report(), _Chain()
    ends: dict[tuple[str, int], tuple[int, set[str]]] = {}
    async with conn.transaction(), conn.cursor("audit") as cursor:
        await cursor.execute(
            "select device, epoch, seq, op_id, kind, hash, data from operation order by device, epoch, seq, branch"
        )
        async for device, epoch, seq, op_id, kind, hash, data in cursor:
            if (device, epoch) != (chain.device, chain.epoch):
                report.devices += device != chain.device
                chain = _Chain(device, epoch, 0, set(), {FIRST_HASH})
            if seq != chain.seq:
                if seq != chain.seq + 1:
                    report.note(device, epoch, seq, damage="missing")
                chain.before = chain.hashes or {FIRST_HASH}
                chain.hashes, chain.seq = set(), seq
            damage = _damage(device, epoch, seq, op_id, kind, hash, bytes(data), chain.before)
            if damage:
                report.note(device, epoch, seq, damage=damage)
            chain.hashes |= {hash, hash_of(bytes(data))}
            ends[device, epoch] = (seq, chain.hashes)
            report.operations += 1
            if report.operations % TOLD_EVERY == 0:
                tell(report.operations)
    await _check_ends(conn, report, ends)
    tell(report.operations)
    return report


def _damage(
    device: str, epoch: int, seq: int, op_id: str, kind: str, hash: str, data: bytes, before: set[str]
) -> str | None:
    try:
        envelope, named = decode_envelope(data)
    except Trouble:
        return "changed"
    said = (envelope.device, envelope.epoch, envelope.seq, named)
    # Of what could not be read when it came, no kind was kept.
    if hash_of(data) != hash or said != (device, epoch, seq, op_id) or kind not in ("", envelope.kind):
        return "changed"
    return None if envelope.prev_hash in before else "unchained"


async def _check_ends(conn: Connection, report: Report, ends: dict[tuple[str, int], tuple[int, set[str]]]) -> None:
    """What devices were told that is held must be here."""
    found = await conn.execute(
        "select id, epoch, seq, last_hash from device union all select device, epoch, seq, last_hash from epoch"
        " union all select device, 1, seq, last_hash from own_chain order by 1, 2"
    )
    for device, epoch, seq, last_hash in await found.fetchall():
        held_seq, hashes = ends.get((device, epoch), (0, {FIRST_HASH}))
        # A closed chain may go on with what was salvaged.
        if seq and (held_seq < seq or (held_seq == seq and last_hash not in hashes)):
            report.note(device, epoch, seq, damage="end-missing")
