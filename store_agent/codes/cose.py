"""COSE_Sign1 (RFC 9052) with EdDSA: bytes that one key signed, and whose key that is. What they say is in `claims`.

Of all that COSE allows there is one form here: untagged, `{1: -8, 4: key id}` protected, nothing unprotected.
"""

from __future__ import annotations

from dataclasses import dataclass
from hashlib import sha256

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from store_agent.codes import cbor

ALGORITHM, KEY_ID = 1, 4
EDDSA = -8
KEY_ID_BYTES = 4
SIGNATURE_BYTES = 64


class UnknownAlgorithm(ValueError):
    """Signed in a way that this version does not know."""


@dataclass(frozen=True, slots=True)
class Sealed:
    """A payload under a signature that nobody has checked yet."""

    key_id: str
    protected: bytes
    payload: bytes
    signature: bytes

    def is_signed_by(self, public_key: str) -> bool:
        """Whether this key, in hex, signed it."""
        try:
            VerifyKey(bytes.fromhex(public_key)).verify(signed_bytes(self.protected, self.payload), self.signature)
        # A key that is none signed nothing.
        except (BadSignatureError, ValueError, TypeError):
            return False
        return True


def key_id_of(public_key: bytes) -> str:
    """The id of a key in hex: the first four bytes of its SHA-256. Short, as it stands in every code."""
    return sha256(public_key).digest()[:KEY_ID_BYTES].hex()


def signed_bytes(protected: bytes, payload: bytes) -> bytes:
    """What is signed: the Sig_structure of RFC 9052, 4.4, with nothing added from outside."""
    return cbor.encode(["Signature1", protected, b"", payload])


def seal(payload: bytes, secret: bytes) -> bytes:
    """Sign a payload with a secret key of 32 bytes."""
    key = SigningKey(secret)
    protected = cbor.encode({ALGORITHM: EDDSA, KEY_ID: bytes.fromhex(key_id_of(bytes(key.verify_key)))})
    signature = key.sign(signed_bytes(protected, payload)).signature
    return cbor.encode([protected, {}, payload, signature])


def unseal(data: bytes) -> Sealed:
    """Take the message apart without believing it; raises NotStrict, UnknownAlgorithm."""
    parts = cbor.decode(data)
    if not isinstance(parts, list) or len(parts) != 4:
        raise cbor.NotStrict
    protected, unprotected, payload, signature = parts
    if unprotected != {} or not all(isinstance(part, bytes) for part in (protected, payload, signature)):
        raise cbor.NotStrict
    header = cbor.decode(protected)
    if not isinstance(header, dict) or header.keys() != {ALGORITHM, KEY_ID}:
        raise cbor.NotStrict
    if header[ALGORITHM] != EDDSA:
        raise UnknownAlgorithm
    key_id = header[KEY_ID]
    if not isinstance(key_id, bytes) or len(key_id) != KEY_ID_BYTES or len(signature) != SIGNATURE_BYTES:
        raise cbor.NotStrict
    return Sealed(key_id.hex(), protected, payload, signature)
