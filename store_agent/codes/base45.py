"""Base45 (RFC 9285): bytes in the 45 characters of a QR code's alphanumeric mode, three characters for two bytes."""

from __future__ import annotations

ALPHABET = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ $%*+-./:"
VALUE_OF = {letter: value for value, letter in enumerate(ALPHABET)}


def encode(data: bytes) -> str:
    """The text of these bytes."""
    letters = []
    for place in range(0, len(data), 2):
        pair = data[place : place + 2]
        value = int.from_bytes(pair)
        for _letter in range(len(pair) + 1):
            value, rest = divmod(value, 45)
            letters.append(ALPHABET[rest])
    return "".join(letters)


def decode(text: str) -> bytes:
    """The bytes of this text; every text has one meaning or none. ValueError for one that is not base45."""
    data = bytearray()
    for place in range(0, len(text), 3):
        letters = text[place : place + 3]
        if len(letters) == 1 or not set(letters) <= VALUE_OF.keys():
            raise ValueError("not base45")
        value = sum(VALUE_OF[letter] * 45**power for power, letter in enumerate(letters))
        if value >= 256 ** (len(letters) - 1):
            raise ValueError("not base45")
        data += value.to_bytes(len(letters) - 1)
    return bytes(data)
