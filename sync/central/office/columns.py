"""The columns of a sheet, made from the type of its records: a dot steps into (`name.zh-TW`, `benefit.pay_percent`).

An empty cell says nothing: what is there stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec import inspect

from store_agent.words import LANGUAGES
from sync.central.endpoints import Declined
from sync.central.office.strict import Malformed, bare, decode_plain, type_of

WHOLE = re.compile(r"[+-]?[0-9]{1,18}")
YES = frozenset({"true", "yes", "1"})
NO = frozenset({"false", "no", "0"})
SEPARATOR = "|"
"""Between the values of a cell that holds several. A cell may also hold a JSON array."""


@dataclass(frozen=True, slots=True)
class Columns:
    """The columns of one kind of record, by name, each with the type of its cells."""

    kinds: Mapping[str, inspect.Type]
    needed: tuple[str, ...]

    def check_header(self, header: Sequence[str]) -> list[str]:
        """The header row, if it is one; else Declined. A column without a name is passed over."""
        for name in header:
            if name and name not in self.kinds:
                known = ", ".join(self.kinds)
                raise Declined(422, "header", f"There is no column “{name[:60]}”. The columns are: {known}.")
            if name and header.count(name) > 1:
                raise Declined(422, "header", f"The column “{name}” stands there twice.")
        for name in self.needed:
            if name not in header:
                raise Declined(422, "header", f"The column “{name}” is missing.")
        return list(header)

    def read_cells(self, header: Sequence[str], cells: Sequence[str]) -> dict[str, Any]:
        """The values of one row; raises Malformed."""
        values: dict[str, Any] = {}
        for name, cell in zip(header, cells, strict=True):
            text = cell.strip()
            if name and text:
                put(values, name, _read_cell(name, text, self.kinds[name]))
        return values


def columns_of(record: Any) -> Columns:
    """The columns of a type of record."""
    kinds: dict[str, inspect.Type] = {}
    info = type_of(record)
    _spread(info, "", kinds)
    assert isinstance(info, (inspect.StructType, inspect.DataclassType))
    needed = tuple(field.encode_name for field in info.fields if field.required and field.encode_name in kinds)
    return Columns(kinds, needed)


def _spread(info: inspect.Type, path: str, kinds: dict[str, inspect.Type]) -> None:
    info = bare(info)
    if isinstance(info, (inspect.StructType, inspect.DataclassType)):
        for field in info.fields:
            _spread(field.type, f"{path}.{field.encode_name}".lstrip("."), kinds)
    elif isinstance(info, inspect.DictType):
        key = bare(info.key_type)
        for name in key.values if isinstance(key, inspect.LiteralType) else LANGUAGES:
            kinds[f"{path}.{name}"] = bare(info.value_type)
    else:
        kinds[path] = info


def _read_cell(name: str, text: str, kind: inspect.Type) -> Any:
    if isinstance(kind, inspect.IntType):
        if not WHOLE.fullmatch(text):
            raise Malformed(name, f"“{text[:40]}” is not a whole number.")
        return int(text)
    if isinstance(kind, inspect.BoolType):
        if text.lower() not in YES | NO:
            raise Malformed(name, f"“{text[:40]}” is neither yes nor no.")
        return text.lower() in YES
    if isinstance(kind, (inspect.VarTupleType, inspect.ListType)):
        if text.startswith("["):
            try:
                return decode_plain(text.encode())
            except Malformed as error:
                raise Malformed(name, "The cell begins like a JSON array and is none.") from error
        item = bare(kind.item_type)
        return [_read_cell(name, part.strip(), item) for part in text.split(SEPARATOR) if part.strip()]
    return text


def put(values: dict[str, Any], name: str, value: Any) -> None:
    """Put a value where its dotted name says; raises Malformed where something else is already."""
    *steps, last = name.split(".")
    for step in steps:
        inner = values.setdefault(step, {})
        if not isinstance(inner, dict):
            raise Malformed(name, f"“{step}” is given in two ways.")
        values = inner
    if last in values:
        raise Malformed(name, "It is given twice.")
    values[last] = value


def unfold(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of a JSON record with dotted names stepped into; null says nothing, like an empty cell."""
    unfolded: dict[str, Any] = {}
    for name, value in values.items():
        if value is not None:
            put(unfolded, name, value)
    return unfolded
