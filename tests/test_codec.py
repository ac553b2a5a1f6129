"""Operations and rows as bytes: every kind there and back, nothing read that is not one, and bytes that never change."""

from __future__ import annotations

import types
from dataclasses import MISSING, fields
from datetime import UTC, date, datetime
from enum import Enum
from pathlib import Path
from typing import Any, Union, get_args, get_origin, get_type_hints

import msgspec
import pytest

from store_agent.codec import (
    BYTES_MOST,
    NOUN_OF,
    NUMBER_MOST,
    OPERATION_OF,
    decode_entry,
    decode_envelope,
    decode_row,
    encode_entry,
    encode_row,
)
from store_agent.domain.members import Consent, RegisterMember
from store_agent.domain.operation import Operation
from store_agent.domain.points import EarnPoints
from store_agent.trouble import Trouble

GOLDEN = Path(__file__).parent / "golden"
AT = datetime(2026, 11, 21, 4, 0, 0, 250_000, tzinfo=UTC)
OP_ID = "019aa000-0000-7000-8000-000000000001"
HASH = "0" * 64
NAMED: dict[str, Any] = {"op_id": OP_ID, "at": AT, "store": "s1", "staff": "amy"}


def example(kind: Any) -> Any:
    """A value of a type, with everything filled in."""
    origin, parts = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        return example(next(part for part in parts if part is not type(None)))
    if origin is tuple:
        return (example(parts[0]),) if parts[-1] is Ellipsis else tuple(map(example, parts))
    if origin is dict:
        return {example(parts[0]): example(parts[1])}
    if isinstance(kind, type) and issubclass(kind, Enum):
        return list(kind)[-1]
    plain = {str: "王 \\u0000 \U0001f600", int: -7, bool: True, datetime: AT, date: AT.date()}
    return plain[kind] if kind in plain else make(kind)


SOUND: dict[str, Any] = {"zone": "Asia/Taipei", "closing": {"1": "22:00"}, "amount": 1, "extra_days": 0}
"""Fields whose value is checked when it is made."""


def make(kind: Any, *, only_needed: bool = False) -> Any:
    hints = get_type_hints(kind)
    wanted = [f.name for f in fields(kind) if not only_needed or f.default is f.default_factory is MISSING]
    return kind(**{name: SOUND[name] if name in SOUND else example(hints[name]) for name in wanted})


def encode(operation: Operation) -> bytes:
    return encode_entry(operation, "d1", 1, 1, HASH).data


def changed(data: bytes, **changes: Any) -> bytes:
    """The same envelope with other fields; `body=` changes fields of the operation."""
    envelope = msgspec.json.decode(data)
    body = {**envelope["body"], **changes.pop("body", {})}
    return msgspec.json.encode({**envelope, "body": body, **changes})


@pytest.mark.parametrize("kind", sorted(OPERATION_OF))
def test_every_operation_comes_back_as_it_went(kind: str) -> None:
    operation = make(OPERATION_OF[kind])
    entry = encode_entry(operation, "d1", 2, 3, HASH)
    again = decode_entry(entry.data)
    assert again == entry
    assert again.operation == operation
    assert again.hash == entry.hash


@pytest.mark.parametrize("kind", sorted(OPERATION_OF))
def test_what_an_operation_may_leave_out_has_a_default(kind: str) -> None:
    operation = make(OPERATION_OF[kind], only_needed=True)
    needed = [f.name for f in fields(operation) if f.default is f.default_factory is MISSING]
    body = {name: msgspec.to_builtins(getattr(operation, name)) for name in needed}
    envelope = {"version": 1, "device": "d1", "epoch": 1, "seq": 1, "prev_hash": HASH, "kind": kind, "body": body}
    assert decode_entry(msgspec.json.encode(envelope)).operation == operation


@pytest.mark.parametrize("table", sorted(NOUN_OF))
def test_every_row_comes_back_as_it_went(table: str) -> None:
    row = make(NOUN_OF[table].row)
    assert decode_row(table, encode_row(row)) == row


GOLDEN_ENTRIES = {
    "earn-points": EarnPoints(**NAMED, group="p1", member_id="m1", points=42, expires_at=AT, purchase_id="p1"),
    "register-member": RegisterMember(
        **NAMED, member_id="m1", phone="+886912345678", name="王小明", consent=Consent(True, AT)
    ),
}


@pytest.mark.parametrize("name", sorted(GOLDEN_ENTRIES))
def test_bytes_are_what_they_were_when_stores_first_wrote_them(name: str) -> None:
    golden = (GOLDEN / f"{name}.json").read_bytes().rstrip(b"\n")
    assert encode(GOLDEN_ENTRIES[name]) == golden, "an encoding in the field is never changed: add a version"
    assert decode_entry(golden).operation == GOLDEN_ENTRIES[name]


GOOD = encode(GOLDEN_ENTRIES["earn-points"])


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{",
        b"\xff\xfe",
        b"[" * 5000,
        b'{"version":1}',
        changed(GOOD, surprise=1),
        changed(GOOD, version=2),
        changed(GOOD, version="1"),
        changed(GOOD, seq=1.5),
        changed(GOOD, kind="no-such-kind"),
        changed(GOOD, body={"points": "42"}),
        changed(GOOD, body={"points": 4.5}),
        changed(GOOD, body={"points": True}),
        changed(GOOD, body={"points": None}),
        changed(GOOD, body={"points": NUMBER_MOST + 1}),
        changed(GOOD, body={"points": 10**40}),
        changed(GOOD, body={"at": "2026-11-21T04:00:00"}),
        changed(GOOD, body={"expires_at": "2026-11-21T04:00:00"}),
        changed(GOOD, body={"at": "yesterday"}),
        changed(GOOD, body={"at": 1_700_000_000}),
        changed(GOOD, body={"member_id": "a\0b"}),
        GOOD.replace(b'"m1"', b'"\\ud800x"'),
        changed(GOOD, body={"member_id": "x" * BYTES_MOST}),
    ],
)
def test_bytes_that_are_no_operation_are_trouble_and_nothing_else(data: bytes) -> None:
    with pytest.raises(Trouble):
        decode_entry(data)


def test_a_field_of_a_later_version_is_passed_over_in_the_body_and_stays_in_the_bytes() -> None:
    later = changed(GOOD, body={"campaign_id": "of tomorrow"})
    entry = decode_entry(later)
    assert entry.operation == GOLDEN_ENTRIES["earn-points"]
    assert entry.data == later


@pytest.mark.parametrize("op_id", ["", "x", 5, None, "../../etc", OP_ID.upper(), OP_ID + "0"])
def test_an_operation_that_cannot_be_read_has_at_least_an_id_that_is_one(op_id: object) -> None:
    unknown = changed(GOOD, kind="no-such-kind")
    assert decode_envelope(unknown)[1] == OP_ID
    with pytest.raises(Trouble):
        decode_envelope(changed(unknown, body={"op_id": op_id}))


@pytest.mark.parametrize("changes", [{"at": AT.replace(tzinfo=None)}, {"staff": "a\0"}, {"points": 2**60}])
def test_what_could_not_be_read_back_is_not_encoded(changes: dict[str, Any]) -> None:
    with pytest.raises(Trouble):
        encode(EarnPoints(**{**NAMED, "member_id": "m1", "points": 1, **changes}))


@pytest.mark.parametrize(("table", "data"), [("no_such_table", b"{}"), ("member", b"{}"), ("member", b'{"id":1}')])
def test_a_row_that_is_none_is_trouble(table: str, data: bytes) -> None:
    with pytest.raises(Trouble):
        decode_row(table, data)
