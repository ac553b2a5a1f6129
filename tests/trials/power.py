"""What a disk may hold after the power went: as much as was synced, and of the rest anything that ever stood in a sector.

A model of the worst that a disk with a working `fsync` may do. Knows files and bytes, and nothing of a store.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from tests.trials.disk import Act, Did

SECTOR_BYTES = 512
"""What a disk writes whole or not at all."""


@dataclass(slots=True)
class _File:
    synced: bytes = b""
    since: list[Act] = field(default_factory=list)
    """What was asked of it since its last sync."""

    def hold(self, acts: Sequence[Act]) -> bytes:
        data = bytearray(self.synced)
        for act in acts:
            _apply(data, act)
        return bytes(data)

    def sync(self) -> None:
        self.synced = self.hold(self.since)
        self.since = []

    def left(self, random: Random) -> bytes:
        """What may be left of it."""
        match random.choice(("lost", "kept", "in order", "in order", "scattered", "scattered", "scattered")):
            case "lost":
                return self.synced
            case "kept":
                return self.hold(self.since)
            case "in order":
                return self._in_order(random)
            case _:
                return self._scattered(random)

    def _in_order(self, random: Random) -> bytes:
        """Everything up to one write, and of that one some sectors."""
        whole = random.randint(0, len(self.since))
        data = bytearray(self.hold(self.since[:whole]))
        if whole < len(self.since) and self.since[whole].did is Did.WROTE:
            torn = self.since[whole]
            for start in range(0, len(torn.data), SECTOR_BYTES):
                if random.random() < 0.5:
                    part = torn.data[start : start + SECTOR_BYTES]
                    _apply(data, Act(Did.WROTE, torn.name, torn.place + start, part))
        return bytes(data)

    def _scattered(self, random: Random) -> bytes:
        """Each sector as it stood at some moment since the last sync, each at its own; the length at another one."""
        data = bytearray(self.synced)
        lengths = [len(data)]
        versions: dict[int, list[bytes]] = {}
        for act in self.since:
            first, last = _sectors(act, len(data))
            for sector in range(first, last):
                versions.setdefault(sector, [_sector(data, sector)])
            _apply(data, act)
            lengths.append(len(data))
            for sector in range(first, last):
                versions[sector].append(_sector(data, sector))
        length = random.choice((lengths[0], lengths[-1], random.choice(lengths)))
        # Where a file grew and its new sectors never came, there may be whatever somebody else once wrote.
        garbage = random.random() < 0.25
        left = bytearray(self.synced)
        for sector, stood in versions.items():
            start = sector * SECTOR_BYTES
            index = random.choice((0, len(stood) - 1, random.randrange(len(stood))))
            part = stood[index]
            if garbage and index == 0 and start >= len(self.synced):
                part = random.randbytes(SECTOR_BYTES)
            left[len(left) : start] = bytes(max(0, start - len(left)))
            left[start : start + SECTOR_BYTES] = part.ljust(SECTOR_BYTES, b"\0")
        return bytes(left[:length].ljust(length, b"\0"))


def _sector(data: bytearray, sector: int) -> bytes:
    return bytes(data[sector * SECTOR_BYTES : (sector + 1) * SECTOR_BYTES])


def _sectors(act: Act, length: int) -> tuple[int, int]:
    """The sectors that an act changes: from, and to before."""
    end = act.place + len(act.data) if act.did is Did.WROTE else max(length, act.place)
    return act.place // SECTOR_BYTES, -(-end // SECTOR_BYTES)


def _apply(data: bytearray, act: Act) -> None:
    if act.did is Did.CUT:
        del data[act.place :]
        data.extend(bytes(act.place - len(data)))
    else:
        data.extend(bytes(max(0, act.place - len(data))))
        data[act.place : act.place + len(act.data)] = act.data


class Disk:
    """A folder under the hands of `acts`, one after another. The names in it reach the disk in order."""

    def __init__(self, *, is_lying: bool = False) -> None:
        self._is_lying = is_lying
        """A disk that says it synced and did not."""
        self._names: dict[str, _File] = {}
        self._names_synced: dict[str, _File] = {}
        self._names_since: list[dict[str, _File]] = []

    @classmethod
    def of(cls, folder: Path) -> Disk:
        """A disk that holds a folder as it lies there."""
        disk = cls()
        disk._names = {path.name: _File(path.read_bytes()) for path in folder.iterdir()}
        disk._names_synced = disk._names
        return disk

    def take(self, act: Act) -> None:
        """One act more."""
        match act.did:
            case Did.MADE:
                self._rename({**self._names, act.name: _File()})
            case Did.DELETED:
                self._rename({name: file for name, file in self._names.items() if name != act.name})
            case Did.SYNCED_FOLDER:
                if not self._is_lying:
                    self._names_synced, self._names_since = self._names, []
            case Did.SYNCED:
                if not self._is_lying:
                    self._names[act.name].sync()
            case _:
                self._names[act.name].since.append(act)

    def _rename(self, names: dict[str, _File]) -> None:
        self._names = names
        self._names_since.append(names)

    def after_cut(self, random: Random, folder: Path) -> None:
        """The power goes now; what may be left is written into an empty folder. This disk itself goes on."""
        names = random.choice([self._names_synced, *self._names_since])
        for name in sorted(names):
            (folder / name).write_bytes(names[name].left(random))
