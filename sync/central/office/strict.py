"""JSON from outside to typed values, strictly: unknown names, numbers out of reach, NUL, moments without zone."""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import inspect

from store_agent.codec import check_moments
from store_agent.trouble import Trouble

NUMBER_MOST = 2**53 - 1
"""The largest whole number that every JSON reader keeps exactly."""
_types: dict[Any, inspect.Type] = {}


class Malformed(Exception):
    """A value is not what is asked for: where (`benefit.kind`), and why in a sentence."""

    def __init__(self, column: str, why: str) -> None:
        super().__init__(f"{column}: {why}" if column else why)
        self.column = column
        self.why = why


def decode_strictly(data: bytes, kind: Any) -> Any:
    """A value of this type from JSON; raises Malformed."""
    return convert_strictly(decode_plain(data), kind)


def decode_plain(data: bytes) -> Any:
    """Any JSON as plain values; raises Malformed."""
    if b"\\u0000" in data:
        # PostgreSQL keeps no NUL in a text.
        raise Malformed("", "It holds a NUL character.")
    try:
        return msgspec.json.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Malformed("", f"This is not JSON: {error}.") from error


def convert_strictly(value: Any, kind: Any) -> Any:
    """A value of this type from plain values; raises Malformed."""
    try:
        _check(value, type_of(kind), "")
        converted = msgspec.convert(value, kind)
    except RecursionError as error:
        raise Malformed("", "It is nested too deeply.") from error
    except msgspec.ValidationError as error:
        what, _at, where = str(error).partition(" - at `")
        raise Malformed(where.rstrip("`").removeprefix("$").lstrip("."), f"{what}.") from error
    try:
        check_moments(converted)
    except Trouble as trouble:
        raise Malformed("", "A moment needs its zone, like 2026-01-31T18:00:00+08:00.") from trouble
    return converted


_fields: dict[type, dict[str, inspect.Type]] = {}


def type_of(kind: Any) -> inspect.Type:
    """A type as msgspec sees it."""
    if kind not in _types:
        _types[kind] = inspect.type_info(kind)
    return _types[kind]


def bare(info: inspect.Type) -> inspect.Type:
    """The type without what may stand in its place: None, nothing said, limits."""
    if isinstance(info, inspect.Metadata):
        return bare(info.type)
    if isinstance(info, inspect.UnionType):
        rest = [one for one in info.types if not isinstance(one, inspect.NoneType)]
        if len(rest) == 1:
            return bare(rest[0])
    return info


def _fields_of(info: inspect.StructType | inspect.DataclassType) -> dict[str, inspect.Type]:
    """By name; worked out once a type, and not once a record."""
    if info.cls not in _fields:
        _fields[info.cls] = {field.encode_name: field.type for field in info.fields}
    return _fields[info.cls]


def _check(value: Any, info: inspect.Type, path: str) -> None:
    """Names that the type does not know (a dataclass would ignore them), and numbers that others could not read."""
    info = bare(info)
    if isinstance(value, bool):
        return
    if isinstance(value, int) and abs(value) > NUMBER_MOST:
        raise Malformed(path, f"It is larger than {NUMBER_MOST}.")
    if isinstance(value, dict) and isinstance(info, (inspect.StructType, inspect.DataclassType)):
        known = _fields_of(info)
        for name, part in value.items():
            if name not in known:
                raise Malformed(f"{path}.{name}".lstrip("."), "No such field is known.")
            _check(part, known[name], f"{path}.{name}".lstrip("."))
    elif isinstance(value, dict) and isinstance(info, inspect.DictType):
        for name, part in value.items():
            _check(part, info.value_type, f"{path}.{name}".lstrip("."))
    elif isinstance(value, list) and isinstance(info, (inspect.VarTupleType, inspect.ListType)):
        for no, part in enumerate(value):
            _check(part, info.item_type, f"{path}[{no}]")
