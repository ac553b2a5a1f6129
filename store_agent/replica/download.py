"""A file on its way here, kept sealed: what came survives a kill at any byte, and nothing of it lies in clear.

It knows nothing of what it holds. First stands what the file is (a few bytes of its owner's), then the pieces as they
came, each sealed by itself behind its length. A piece that was cut off in the middle of writing is dropped.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from hashlib import blake2b
from pathlib import Path
from typing import BinaryIO

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from store_agent.trouble import Trouble
from store_agent.words import _

PIECE_BYTES = 256 * 1024
LENGTH_BYTES = 4
NUMBER_BYTES = 8


class Download:
    """`cache.download`: appended to by one process at a time, the one in the sync seat."""

    def __init__(self, path: Path, key: bytes) -> None:
        self.path = path
        # A key of its own: one key never does two kinds of work.
        self._box = SecretBox(blake2b(b"download", key=key, digest_size=SecretBox.KEY_SIZE).digest())
        self._file: BinaryIO | None = None
        self._waiting = bytearray()
        self._number = 0
        self.size = 0
        """Bytes that are here, with those that are not written yet."""

    def begin(self, label: bytes) -> None:
        """Throw away what is there, and begin a file that is known by its label."""
        self.discard()
        try:
            self._file = os.fdopen(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_TRUNC, 0o600), "r+b", buffering=0)
            self._write(label)
        except OSError as error:
            raise _trouble(error) from error

    def resume(self) -> bytes:
        """The label of the file that was begun, with what of it is whole; empty where there is none."""
        self.close()
        try:
            self._file = os.fdopen(os.open(self.path, os.O_RDWR), "r+b", buffering=0)
            pieces = self._pieces(self._file)
            label = next(pieces, b"")
            whole_to = self._file.tell()
            for piece in pieces:
                self.size += len(piece)
                whole_to = self._file.tell()
            self._file.seek(whole_to)
            self._file.truncate()
        except FileNotFoundError:
            return b""
        except OSError as error:
            raise _trouble(error) from error
        if not label:
            self.discard()
        return label

    def add(self, data: bytes) -> None:
        """What came next. It may be lost with the process until there is enough of it for a piece, or `flush`."""
        self._waiting += data
        self.size += len(data)
        if len(self._waiting) >= PIECE_BYTES:
            self.flush()

    def flush(self) -> None:
        """Write what came, so that it is there after a kill."""
        if self._waiting and self._file:
            try:
                self._write(bytes(self._waiting))
            except OSError as error:
                raise _trouble(error) from error
            self._waiting.clear()

    def read(self) -> Iterator[bytes]:
        """Everything that came, in order."""
        self.flush()
        try:
            with open(self.path, "rb") as file:
                pieces = self._pieces(file)
                next(pieces, b"")
                yield from pieces
        except OSError as error:
            raise _trouble(error) from error

    def close(self) -> None:
        """Keep what came for later."""
        self.flush()
        if self._file:
            self._file.close()
        self._file, self._number, self.size = None, 0, 0

    def discard(self) -> None:
        """Throw everything away."""
        self._waiting.clear()
        self.close()
        self.path.unlink(missing_ok=True)

    def _write(self, piece: bytes) -> None:
        assert self._file is not None
        # Its number is sealed with it: pieces cannot be left out or change places.
        sealed = self._box.encrypt(self._number.to_bytes(NUMBER_BYTES, "big") + piece)
        self._file.write(len(sealed).to_bytes(LENGTH_BYTES, "big") + sealed)
        self._number += 1

    def _pieces(self, file: BinaryIO) -> Iterator[bytes]:
        """Pieces until the end, or until one that is not whole. Where they are read to go on writing, they are counted."""
        number = 0
        while len(head := file.read(LENGTH_BYTES)) == LENGTH_BYTES:
            length = int.from_bytes(head, "big")
            sealed = file.read(length)
            try:
                opened = self._box.decrypt(sealed) if len(sealed) == length else b""
            except (CryptoError, ValueError):
                return
            if opened[:NUMBER_BYTES] != number.to_bytes(NUMBER_BYTES, "big"):
                return
            number += 1
            if file is self._file:
                self._number = number
            yield opened[NUMBER_BYTES:]


def _trouble(error: OSError) -> Trouble:
    return Trouble(
        _("The first data cannot be kept: {reason}.").format(reason=error.strerror or error),
        _("Make room on the disk; it goes on where it stopped."),
    )
