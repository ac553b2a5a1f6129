"""What a code says to its text, by whoever holds the secret key: the centre, or a third party for its vouchers."""

from __future__ import annotations

from store_agent.codes import base45, cbor, claims, cose
from store_agent.codes.claims import SignedCode
from store_agent.codes.reading import CHARACTERS_MOST, PREFIX
from store_agent.trouble import Trouble
from store_agent.words import _


def write_code(code: SignedCode, secret: bytes) -> str:
    """The text for a QR code, signed with an Ed25519 key of 32 bytes. The same code and key give the same text.

    Trouble for a code that no store could read: a value that is not allowed, or more than fits.
    """
    try:
        payload = claims.encode(code)
    except cbor.NotStrict as error:
        raise Trouble(_("This cannot be said in a signed code."), _("Check its texts, amounts and moments.")) from error
    text = PREFIX + base45.encode(cose.seal(payload, secret))
    if len(text) > CHARACTERS_MOST:
        raise Trouble(
            _("This is too much for a signed code."),
            _("Use shorter ids, or fewer stores; a campaign names stores too."),
        )
    return text
