"""Operations and rows to bytes and back, and the registry of what there is.

The only place that knows every noun by name. An operation is encoded once, when it happens; after that its bytes are
its identity and are never made again.
"""

from __future__ import annotations

from dataclasses import dataclass, fields, is_dataclass
from datetime import datetime
from functools import cache
from hashlib import sha256
from typing import Annotated, Any

import msgspec

from store_agent.domain import (
    allowances,
    campaigns,
    cases,
    code_uses,
    coupons,
    keys,
    members,
    pickup_endings,
    pickup_handover,
    pickup_steps,
    pins,
    points,
    points_rights,
    products,
    purchases,
    quotas,
    rights,
    stock,
    stores,
    tags,
)
from store_agent.domain.operation import Operation, Row
from store_agent.domain.pickups import Pickup
from store_agent.trouble import Trouble
from store_agent.words import _

VERSION = 1
"""Of the envelope. Bytes in a journal are never migrated; a reader of a later version reads the earlier ones."""
BYTES_MOST = 64 * 1024
NUMBER_MOST = 2**53
"""Beyond it other readers of JSON round, and the ledger's columns end."""


@dataclass(frozen=True, slots=True)
class Noun:
    """A kind of row, who may see it, and what may happen to it."""

    row: type[Any]
    audience: str
    """`chain`: every store. `member`: the stores that hold the row's `member_id` (or `id`). `store`: the row's store.
    `stores`: the row's stores."""
    operations: tuple[type[Operation], ...] = ()


NOUNS: tuple[Noun, ...] = (
    Noun(stores.Store, "chain"),
    Noun(stores.Staff, "chain"),
    Noun(products.Product, "chain"),
    Noun(campaigns.Campaign, "chain"),
    Noun(tags.TagWord, "chain"),
    Noun(stock.Availability, "chain"),
    Noun(keys.Key, "chain"),
    Noun(members.Member, "member", (members.RegisterMember, members.LinkMember, members.ChangeMember)),
    Noun(
        points.Account,
        "member",
        (points.EarnPoints, points.RedeemPoints, points.ReversePoints, points_rights.ReturnPoints),
    ),
    Noun(
        coupons.Coupon,
        "member",
        (coupons.IssueCoupon, coupons.RedeemCoupon, coupons.RestoreCoupon, coupons.ReturnCoupon),
    ),
    Noun(quotas.Quota, "member", (quotas.UseQuota, quotas.GiveBackQuota)),
    Noun(purchases.Purchase, "member", (purchases.RecordPurchase,)),
    Noun(tags.MemberTags, "member", (tags.AddTag, tags.RemoveTag, tags.AddNote)),
    Noun(
        Pickup,
        "store",
        (
            pickup_steps.AcceptPickup,
            pickup_steps.StartPicking,
            pickup_steps.PickLine,
            pickup_steps.PutBackLine,
            pickup_steps.MarkReady,
            pickup_handover.HandOver,
            pickup_endings.RejectPickup,
            pickup_endings.CancelPickup,
            pickup_endings.ReleaseCancelled,
            pickup_endings.ExpirePickup,
            pickup_endings.ReturnToShelf,
            pickup_endings.ExtendHold,
        ),
    ),
    Noun(
        stock.Stock,
        "store",
        (stock.MoveStock, stock.HoldStock, stock.ReleaseHold, stock.CountStock, stock.MarkShelfEmpty),
    ),
    Noun(code_uses.CodeUse, "stores", (code_uses.UseCode,)),
    Noun(pins.MemberPin, "member", (pins.SetMemberPin,)),
    Noun(pins.StaffPin, "store"),
    Noun(allowances.Allowance, "store", (allowances.UseAllowance,)),
    Noun(rights.Right, "store"),
    Noun(cases.Case, "store", (cases.ResolveCase,)),
)
NOUN_OF: dict[str, Noun] = {noun.row.table: noun for noun in NOUNS}
OPERATION_OF: dict[str, type[Operation]] = {kind.kind: kind for noun in NOUNS for kind in noun.operations}


class Envelope(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An operation as it is written: who numbered it, what came before it, and the operation itself."""

    version: int
    device: str
    epoch: int
    seq: int
    prev_hash: str
    kind: str
    body: msgspec.Raw


class Named(msgspec.Struct, frozen=True):
    """The least that can be known of an operation."""

    op_id: Annotated[str, msgspec.Meta(pattern="^[0-9a-f-]{36}$")]


@dataclass(frozen=True, slots=True)
class Entry:
    """An operation in its place in a device's chain, with the bytes that it was stored as."""

    operation: Operation
    device: str
    epoch: int
    seq: int
    prev_hash: str
    data: bytes

    @property
    def hash(self) -> str:
        """What the next entry's `prev_hash` must be."""
        return hash_of(self.data)


_encoder = msgspec.json.Encoder()
_envelope_decoder = msgspec.json.Decoder(Envelope)
_operation_decoders = {kind: msgspec.json.Decoder(cls) for kind, cls in OPERATION_OF.items()}
_row_decoders = {table: msgspec.json.Decoder(noun.row) for table, noun in NOUN_OF.items()}


def hash_of(data: bytes) -> str:
    """SHA-256 in hex of the stored bytes."""
    return sha256(data).hexdigest()


def encode_entry(operation: Operation, device: str, epoch: int, seq: int, prev_hash: str) -> Entry:
    """Write an operation down, once and for all; raises Trouble for one that nobody could ever read back."""
    try:
        body = msgspec.Raw(_encoder.encode(operation))
    except (UnicodeEncodeError, OverflowError) as error:
        raise Trouble(_("This cannot be written down."), str(error)) from error
    data = _encoder.encode(Envelope(VERSION, device, epoch, seq, prev_hash, operation.kind, body))
    # Read back before it is kept: a journal with one entry that cannot be read would stop the whole store.
    decode_entry(data)
    return Entry(operation, device, epoch, seq, prev_hash, data)


def decode_entry(data: bytes) -> Entry:
    """Read an operation back; raises Trouble for bytes that are none."""
    if len(data) > BYTES_MOST:
        raise Trouble(_("An operation is larger than any can be."))
    try:
        envelope = _envelope_decoder.decode(data)
        operation = _operation_decoders[envelope.kind].decode(envelope.body)
    except KeyError as error:
        raise Trouble(_("An operation is of a kind that this version does not know."), str(error)) from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Trouble(_("An operation cannot be read."), str(error)) from error
    if envelope.version != VERSION:
        raise Trouble(_("An operation was written by a newer version."), _("Update Store Agent."))
    check_values(operation)
    return Entry(operation, envelope.device, envelope.epoch, envelope.seq, envelope.prev_hash, data)


def decode_envelope(data: bytes) -> tuple[Envelope, str]:
    """Who numbered an operation that this version cannot read, and its op_id; raises Trouble where not even that is there."""
    try:
        envelope = _envelope_decoder.decode(data)
        named = msgspec.json.decode(envelope.body, type=Named)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Trouble(_("An operation cannot be read."), str(error)) from error
    return envelope, named.op_id


def encode_row(row: Row) -> bytes:
    """A row as JSON."""
    return _encoder.encode(row)


def decode_row(table: str, data: bytes | str) -> Any:
    """Read a row back; raises Trouble where it is none of that table."""
    try:
        return _row_decoders[table].decode(data)
    except (KeyError, msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Trouble(_("A row of {table} cannot be read.").format(table=table), str(error)) from error


def check_values(value: Any) -> None:
    """What msgspec lets pass and an operation may not hold; raises Trouble."""
    for leaf in _leaves(value):
        if isinstance(leaf, str):
            if "\0" in leaf:
                # PostgreSQL keeps no NUL in a text, so an operation that holds one could never be written down there.
                raise Trouble(_("An operation cannot be read."), "NUL")
        elif isinstance(leaf, int):
            if abs(leaf) > NUMBER_MOST:
                raise Trouble(_("A number in an operation is larger than any can be."))
        elif isinstance(leaf, datetime):
            _check_moment(leaf)


def check_moments(value: Any) -> None:
    """Every moment in an operation must say its zone: msgspec lets one pass that does not."""
    for leaf in _leaves(value):
        if isinstance(leaf, datetime):
            _check_moment(leaf)


def _check_moment(moment: datetime) -> None:
    if moment.tzinfo is None:
        raise Trouble(_("A moment in an operation has no time zone."))


def _leaves(value: Any) -> list[Any]:
    """All that a value holds at any depth. In one loop, as this stands between a key pressed and the yes on the screen."""
    leaves, left = [], [value]
    while left:
        part = left.pop()
        if isinstance(part, tuple):
            left += part
        elif isinstance(part, dict):
            left += [*part, *part.values()]
        elif names := _names_of(part.__class__):
            left += [getattr(part, name) for name in names]
        else:
            leaves.append(part)
    return leaves


@cache
def _names_of(kind: Any) -> tuple[str, ...]:
    """The fields of a dataclass; not `__dataclass_fields__`, where a class variable that has no value stands too."""
    return tuple(field.name for field in fields(kind)) if is_dataclass(kind) else ()
