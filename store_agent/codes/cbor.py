"""CBOR (RFC 8949) in its one deterministic form, and nothing that a signed code has no use for.

A code comes from a stranger's phone. Its bytes are walked here before a library sees them: whole numbers, byte strings,
texts, arrays and maps only, of stated length, each as short as can be; no tags, no floats, nothing behind the end.
"""

from __future__ import annotations

from typing import Any

import cbor2

DEPTH_MOST = 4
LEAST = {24: 24, 25: 1 << 8, 26: 1 << 16, 27: 1 << 32}
"""By the form of a head: the least value for which it is the shortest one."""
NUMBERS, STRINGS, ARRAY, MAP = (0, 1), (2, 3), 4, 5


class NotStrict(ValueError):
    """These bytes are not the one way to write something."""


class Trailing(NotStrict):
    """Something stands behind the end."""


def encode(value: Any) -> bytes:
    """The one way to write this value."""
    return cbor2.dumps(value, canonical=True)


def decode(data: bytes) -> Any:
    """The value that these bytes are; raises NotStrict."""
    if _end_of(data, 0, DEPTH_MOST) != len(data):
        raise Trailing
    try:
        value = cbor2.loads(data, allow_duplicate_keys=False)
    except cbor2.CBORDecodeError as error:
        raise NotStrict from error
    # The order of a map's keys is all that is left to be wrong.
    if encode(value) != data:
        raise NotStrict
    return value


def _end_of(data: bytes, start: int, depth: int) -> int:
    """Where the item that begins here ends."""
    if start >= len(data) or depth < 0:
        raise NotStrict
    major, form = data[start] >> 5, data[start] & 31
    value, place = form, start + 1
    if major > MAP or form > max(LEAST):
        raise NotStrict
    if form in LEAST:
        size = 1 << (form - 24)
        value, place = int.from_bytes(data[place : place + size]), place + size
        if value < LEAST[form]:
            raise NotStrict
    if major in STRINGS:
        place += value
    if place > len(data):
        raise NotStrict
    if major not in (ARRAY, MAP):
        return place
    # A stated number of items that are not there ends with the data, however large it is.
    for _item in range(value * (2 if major == MAP else 1)):
        place = _end_of(data, place, depth - 1)
    return place
