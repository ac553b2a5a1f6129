"""Signed codes beside an independent COSE library (pycose): it reads what we write, and we read what it writes."""

from __future__ import annotations

from importlib import import_module
from typing import Any

import cbor2
import pytest
from nacl.signing import SigningKey

from store_agent.codes import SignedCode, base45, claims, key_id_of
from store_agent.codes.reading import PREFIX
from tests.signed_examples import CARD, CODES, NEXT_SECRET, SECRET, as_text, bytes_of, read, reason, secret_for, text_of

# By name: the library has no types, and nothing but this test needs it.
Sign1Message: Any = import_module("pycose.messages").Sign1Message
headers: Any = import_module("pycose.headers")
OKPKey: Any = import_module("pycose.keys").OKPKey
EDDSA: Any = import_module("pycose.algorithms").EdDSA
ED25519: Any = import_module("pycose.keys.curves").Ed25519


def key_of(secret: bytes) -> Any:
    return OKPKey(crv=ED25519, x=bytes(SigningKey(secret).verify_key), d=secret)


def theirs(payload: bytes, secret: bytes, *, protected: dict[Any, Any] | None = None) -> bytes:
    """A message as that library makes it; in an array of four without a tag, as it is on the phone."""
    named = {headers.Algorithm: EDDSA, headers.KID: bytes.fromhex(key_id_of(bytes(SigningKey(secret).verify_key)))}
    message = Sign1Message(phdr=named if protected is None else protected, uhdr={}, payload=payload)
    message.key = key_of(secret)
    made: bytes = message.encode(tag=False)
    return made


@pytest.mark.parametrize("code", CODES, ids=lambda code: str(code.kind))
def test_it_believes_what_we_sign_and_not_when_a_bit_of_it_is_changed(code: SignedCode) -> None:
    parts = list(cbor2.loads(bytes_of(text_of(code))))
    message = Sign1Message.from_cose_obj(list(parts), True)
    message.key = key_of(secret_for(code))
    assert message.verify_signature()
    assert message.phdr[headers.Algorithm] is EDDSA
    assert message.phdr[headers.KID].hex() == key_id_of(bytes(SigningKey(secret_for(code)).verify_key))
    for place in (0, 2):
        changed = bytearray(parts[place])
        changed[-1] ^= 1
        other = Sign1Message.from_cose_obj([*parts[:place], bytes(changed), *parts[place + 1 :]], True)
        other.key = key_of(secret_for(code))
        assert not other.verify_signature()
    message.key = key_of(NEXT_SECRET)
    assert not message.verify_signature()


@pytest.mark.parametrize("code", CODES, ids=lambda code: str(code.kind))
def test_what_it_signs_is_what_we_would_have_signed_and_we_believe_it(code: SignedCode) -> None:
    made = theirs(claims.encode(code), secret_for(code))
    assert made == bytes_of(text_of(code)), "to the byte"
    found = read(as_text(made))
    assert isinstance(found, SignedCode)
    assert (found.kind, found.subject, found.expires_at) == (code.kind, code.subject, code.expires_at)


def test_the_claims_are_those_of_rfc_8392_by_their_numbers() -> None:
    said = cbor2.loads(cbor2.loads(bytes_of(text_of(CARD)))[2])
    issued_at = CARD.issued_at
    assert issued_at
    assert (said[2], said[3]) == (CARD.subject, CARD.chain)
    assert (said[4], said[6]) == (int(CARD.expires_at.timestamp()), int(issued_at.timestamp()))
    assert set(said) - {2, 3, 4, 6} == {claims.DETAILS}


def test_what_it_makes_in_another_form_is_refused() -> None:
    payload = claims.encode(CARD)
    bare = theirs(payload, SECRET, protected={headers.Algorithm: EDDSA})
    assert reason(as_text(bare)) == "code-malformed", "without the key's id"
    tagged = b"\xd2" + theirs(payload, SECRET)
    assert reason(PREFIX + base45.encode(tagged)) == "code-malformed", "with the tag of RFC 9052"
    loose = theirs(cbor2.dumps({**cbor2.loads(payload), 8: b"more"}), SECRET)
    assert reason(as_text(loose)) == "code-malformed", "with one claim more"
