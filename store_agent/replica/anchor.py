"""Where this device's chain last ended, kept outside of the journal: so that an older journal put in its place is noticed.

Written after each commit and not synced. A power cut may leave it behind the journal, which is harmless; it can never
be ahead of one that is whole. Two places in the file take turns, so that a torn write leaves the other.
"""

from __future__ import annotations

import logging
import os
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

from store_agent.replica.journal import Place

log = logging.getLogger(__name__)

WORD = "store-agent-anchor"
RECORD_BYTES = 256
PLACES = 2


@dataclass(frozen=True, slots=True)
class Mark:
    """The end of a chain: its place, and the hash of the entry there."""

    place: Place
    hash: str


class Anchor:
    """A small file beside the journal, or where the setting `anchor_file` says."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._file = -1
        self._is_said = False

    def read(self, device: str) -> Mark | None:
        """The furthest end that was noted for this device; None where there is none."""
        try:
            data = self.path.read_bytes()
        except OSError:
            return None
        records = [data[start : start + RECORD_BYTES] for start in range(0, PLACES * RECORD_BYTES, RECORD_BYTES)]
        marks = [mark for record in records if (mark := _decode(record, device))]
        return max(marks, key=lambda mark: (mark.place.epoch, mark.place.seq), default=None)

    def write(self, device: str, mark: Mark, *, sync: bool = False) -> None:
        """Note an end. What was accepted is accepted, so a disk that takes no note is said in the log and nowhere else."""
        try:
            if self._file < 0:
                self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
                self._file = os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600)
            os.lseek(self._file, mark.place.seq % PLACES * RECORD_BYTES, os.SEEK_SET)
            os.write(self._file, _encode(device, mark))
            if sync:
                os.fsync(self._file)
        except OSError as error:
            if not self._is_said:
                log.warning("the anchor %s cannot be written: %s", self.path, error.strerror)
            self._is_said = True

    def close(self) -> None:
        if self._file >= 0:
            os.close(self._file)
            self._file = -1


def _encode(device: str, mark: Mark) -> bytes:
    text = f"{WORD} {device} {mark.place.epoch} {mark.place.seq} {mark.hash}"
    return f"{text} {_check(text)}\n".encode().ljust(RECORD_BYTES)


def _decode(record: bytes, device: str) -> Mark | None:
    text, _space, check = record.decode("ascii", "replace").strip().rpartition(" ")
    parts = text.split(" ")
    if len(parts) != 5 or check != _check(text) or parts[:2] != [WORD, device]:
        return None
    return Mark(Place(int(parts[2]), int(parts[3])), parts[4])


def _check(text: str) -> str:
    return sha256(text.encode()).hexdigest()[:16]
