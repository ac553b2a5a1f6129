"""The frames of a snapshot as they are read: one after the other, none larger than memory has room for. No I/O."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator

import msgspec

from store_agent.words import _
from sync import wire
from sync.session import Rubbish


def unpack_frames(pieces: Iterable[bytes]) -> Iterator[wire.Frame]:
    """The frames of a snapshot, whatever pieces its bytes come in; Rubbish where they are none."""
    buffer = bytearray()
    decoder = msgspec.json.Decoder(wire.Frame)
    for piece in pieces:
        buffer += piece
        while len(buffer) >= wire.FRAME_HEAD_BYTES:
            end = wire.FRAME_HEAD_BYTES + int.from_bytes(buffer[: wire.FRAME_HEAD_BYTES], "big")
            if end > wire.FRAME_BYTES_MOST:
                raise _no_frame()
            if len(buffer) < end:
                break
            unpacker = zlib.decompressobj()
            try:
                # No more than a frame can be, or a small file could fill the memory.
                yield decoder.decode(
                    unpacker.decompress(bytes(buffer[wire.FRAME_HEAD_BYTES : end]), wire.FRAME_BYTES_MOST)
                )
            except (zlib.error, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
                raise _no_frame() from error
            del buffer[:end]
    if buffer:
        raise _no_frame()


def _no_frame() -> Rubbish:
    return Rubbish(_("The snapshot is not what the centre made."), _("It is begun anew."))
