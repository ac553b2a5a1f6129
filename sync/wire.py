"""What goes over the line, as types that both ends check strictly. No I/O and no rule of the product lives here."""

from __future__ import annotations

import zlib
from datetime import datetime
from hashlib import sha256
from typing import Annotated, Literal

import msgspec
from msgspec import Meta, Raw, Struct
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

Number = Annotated[int, Meta(ge=0, le=2**53)]
"""A position, revision, epoch or number in a chain. A greater one would break the database that it is written into."""

DEVICE_HEADER = "x-store-agent-device"
SIGNATURE_HEADER = "x-store-agent-signature"
CHAIN = "chain"
ANSWER = "answer"
"""The table name under which answers travel inside a store's stream."""


def stream_of(store: str) -> str:
    """The name of a store's own stream."""
    return f"store/{store}"


class PushRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Operations as the bytes that were stored, oldest first."""

    operations: list[Raw]


class Held(Struct, frozen=True):
    """Where a device's chain ends at the centre."""

    epoch: Number
    seq: Number
    hash: str = ""


class PushReply(Struct, frozen=True):
    """Up to this number of this epoch the centre holds everything. What came of it arrives in the stream."""

    epoch: Number
    seq: Number
    incarnation: str
    hash: str = ""
    """Of the operation with this number, so that a store notices if it is another one than its own."""
    at: datetime | None = None
    """The centre's time."""


class SalvageRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Operations of one epoch that was closed, as the bytes that were stored, oldest first."""

    epoch: Number
    """The epoch that the device writes in by now."""
    operations: list[Raw]


class SalvageReply(Struct, frozen=True):
    """The centre holds everything that was sent, by its ids; the last of it had this number."""

    epoch: Number
    seq: Number
    hash: str
    incarnation: str
    closed: Held | None = None
    """Where the chain of that epoch ended at the centre. A store that has the same there need not send what is before."""
    at: datetime | None = None


class EpochRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A device asks for a new chain, because it cannot go on with the one that it has."""

    epoch: Number
    seq: Number
    hash: Annotated[str, Meta(max_length=64)]
    """Where its journal ends."""
    reason: Annotated[str, Meta(pattern="^[a-z-]{1,40}$")]


class EpochReply(Struct, frozen=True):
    """The device's new chain, and where its streams ended at that moment: all that is held of it is before."""

    epoch: Number
    incarnation: str
    heads: dict[str, Number]
    at: datetime | None = None


class FeedRow(Struct, frozen=True, array_like=True):
    """One row at one position of a stream."""

    position: Number
    table: str
    id: str
    revision: Number
    body: Raw


class StreamPage(Struct, frozen=True):
    """Rows behind a cursor, ending where a transaction of the centre ended; `head` is where the stream ends by now."""

    position: Number
    head: Number
    rows: list[FeedRow]


class PullReply(Struct, frozen=True):
    """Pages of a store's streams, all read in one snapshot of the ledger."""

    incarnation: str
    streams: dict[str, StreamPage]
    held: Held | None = None
    """Where the device's own chain ends here."""
    at: datetime | None = None
    """The centre's time."""


class AnswerBody(Struct, frozen=True):
    """What the centre made of one operation."""

    op_id: str
    epoch: Number
    seq: Number
    outcome: str
    case: str = ""
    """The kind of the case that was opened, if any."""
    reason: str = ""
    """The refusal that the centre found, if any."""


class EnrolRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A one-time code, and the public key that the device made for itself (hex)."""

    code: Annotated[str, Meta(min_length=4, max_length=64)]
    public_key: Annotated[str, Meta(pattern="^[0-9a-f]{64}$")]
    name: Annotated[str, Meta(max_length=80)] = ""
    device: Annotated[str, Meta(pattern="^([0-9a-f]{32})?$")] = ""
    """The id that it was given once, by a ledger that was restored since and does not know it any more."""
    store: str = ""
    """The store that it was given for; only together with `device`."""


class EnrolReply(Struct, frozen=True):
    """Who the device is from now on."""

    device: str
    store: str
    epoch: Number
    incarnation: str


class SightRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody stands at the counter whom this store does not hold."""

    phone: str = ""
    code: str = ""


class SightReply(Struct, frozen=True):
    """Their id, or empty; their rows follow in the store's stream."""

    member_id: str


class AcquireRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Somebody wants to spend at the counter what this store holds no right to. The same id asks for the same again."""

    id: Annotated[str, Meta(min_length=8, max_length=64)]
    table: str
    subject: Annotated[str, Meta(max_length=200)]
    amount: Annotated[int, Meta(ge=1, le=10**9)] = 1


class AcquireReply(Struct, frozen=True):
    """How much is this store's right now: it holds it once it has read its stream up to `position`."""

    amount: Number
    recalled: bool
    """Others hold the rest, and were asked to give it back."""
    position: Number


class SnapshotRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """A store that has little or nothing asks for all its rows at once."""

    cursors: dict[str, Number]
    """How far it has read its streams: a snapshot of an earlier moment is of no use."""
    rows_least: Number = 0
    """With fewer rows than these to come, it had rather pull."""


class Included(Struct, frozen=True):
    """Which operations of one epoch of a device are in the rows: all up to `seq` but the `missing` ones.

    Of a closed epoch, whose numbers another journal may have used, exactly those of `op_ids`.
    """

    epoch: Number
    seq: Number
    missing: list[Number] = []
    op_ids: list[str] | None = None


class SnapshotReply(Struct, frozen=True):
    """`ready`: the file can be had. `making`: ask again in a moment. `pull`: pulling is as quick."""

    state: Literal["ready", "making", "pull"]
    incarnation: str
    id: str = ""
    size: Number = 0
    """Bytes of the file."""
    sha256: str = ""
    rows: Number = 0
    positions: dict[str, Number] = {}
    """The moment of the ledger that it is: where each stream ended."""
    included: list[Included] = []
    """Of the device that asks, as of that moment."""


class Health(Struct, frozen=True):
    """Whether the centre can work."""

    ok: bool
    version: str
    incarnation: str
    at: datetime | None = None


class Problem(Struct, frozen=True):
    """Why a request was not taken: a fixed word for programs, a sentence for people."""

    error: str
    sentence: str


def encode(value: object) -> bytes:
    """Any of the types above as JSON."""
    return msgspec.json.encode(value)


def signed_text(method: str, target: str, device: str, body: bytes) -> bytes:
    """What a device signs: everything that decides what a request does."""
    return "\n".join((method.upper(), target, device, sha256(body).hexdigest())).encode()


def make_key() -> tuple[str, str]:
    """A new device key: (secret, public), both hex."""
    key = SigningKey.generate()
    return bytes(key).hex(), bytes(key.verify_key).hex()


def public_of(secret: str) -> str:
    """The public half of a device key, both hex."""
    return bytes(SigningKey(bytes.fromhex(secret)).verify_key).hex()


def sign(secret: str, text: bytes) -> str:
    """Ed25519 signature in hex."""
    return SigningKey(bytes.fromhex(secret)).sign(text).signature.hex()


def is_signed(public_key: str, signature: str, text: bytes) -> bool:
    """Whether the owner of this key signed this text."""
    try:
        VerifyKey(bytes.fromhex(public_key)).verify(text, bytes.fromhex(signature))
    except (BadSignatureError, ValueError):
        return False
    return True


FRAME_HEAD_BYTES = 4
FRAME_BYTES_MOST = 32 * 1024 * 1024
"""No frame of a snapshot is larger, packed or not: whoever reads one holds it in memory."""


FrameRow = tuple[str, Number, Raw]
"""One row in a snapshot: id, revision, body."""


class Frame(Struct, frozen=True, array_like=True):
    """Rows of one table, by id. A snapshot is one after the other, each packed by zlib behind its length in four bytes."""

    table: str
    rows: list[FrameRow]


def pack_frame(frame: Frame) -> bytes:
    """A frame as it stands in the file."""
    packed = zlib.compress(encode(frame), 1)
    return len(packed).to_bytes(FRAME_HEAD_BYTES, "big") + packed
