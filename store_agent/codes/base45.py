"""Base45 (RFC 9285): bytes in the 45 characters of a QR code's alphanumeric mode, three characters for two bytes."""

from __future__ import annotations

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
VALUE_OF = {letter: value for value, letter in enumerate(ALPHABET)}
NOT_A_LETTER = 1 << 16
"""More than any group of letters may be worth."""


def encode(data: bytes) -> str:
    """The text of these bytes. It never ends in a space, so nothing is lost where texts are stripped."""
    letters = []
    for place in range(0, len(data) - 1, 2):
        rest, first = divmod(data[place] << 8 | data[place + 1], 45)
        third, second = divmod(rest, 45)
        letters += [ALPHABET[first], ALPHABET[second], ALPHABET[third]]
    if len(data) % 2:
        second, first = divmod(data[-1], 45)
        letters += [ALPHABET[first], ALPHABET[second]]
    return "".join(letters)


def decode(text: str) -> bytes:
    """The bytes of this text; every text has one meaning or none. ValueError for one that is not base45."""
    values = [VALUE_OF.get(letter, NOT_A_LETTER) for letter in text]
    data = bytearray()
    for place in range(0, len(values) - 2, 3):
        first, second, third = values[place : place + 3]
        data += _bytes_of(first + 45 * second + 2025 * third, 2)
    if len(values) % 3 == 2:
        data += _bytes_of(values[-2] + 45 * values[-1], 1)
    elif len(values) % 3:
        raise ValueError("not base45")
    return bytes(data)


def _bytes_of(value: int, size: int) -> bytes:
    if value >> 8 * size:
        raise ValueError("not base45")
    return value.to_bytes(size)
