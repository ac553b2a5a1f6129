"""`codes`: a picture to text beside zxing-cpp alone, and signed codes beside the bare Ed25519 of libsodium.

What a camera's picture costs is the search for codes; what a signed code costs is its signature. Ours is to add little.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import nacl.bindings
import zxingcpp
from nacl.signing import SigningKey
from PIL import Image

from store_agent import qr
from store_agent.codes import cose, write_code
from store_agent.optics import FORMATS, read_luminance
from tests.benchmarks.harness import Effort, Row, in_turns, walk
from tests.signed_examples import CARD, KEY, SECRET, bytes_of, read, text_of

NAME = "codes"
GOAL = 1.5
QUIET_PX = 40


def measure(sizes: Sequence[int], effort: Effort) -> list[Row]:
    """Rows for each size of a module of the code, in pixels."""
    return [row for size in sizes for row in _pictures(size, effort)] + _signatures(effort)


def _pictures(module_px: int, effort: Effort) -> list[Row]:
    texts = [text_of(replace(CARD, points=number)) for number in range(20)]
    pictures: list[Image.Image] = [_framed(qr.picture(text, module_px=module_px)) for text in texts]
    for text, picture in zip(texts, pictures, strict=True):
        assert [seen.text for seen in read_luminance(picture)] == [text]
        assert [seen.bytes.decode() for seen in _alone(picture)] == [text]
    timed = in_turns(
        effort,
        {"ours": walk(pictures, read_luminance), "theirs": walk(pictures, _alone)},
    )
    ours, theirs = timed["ours"], timed["theirs"]
    side = pictures[0].width
    what = f"picture of {side} × {side} to text"
    return [
        Row(
            name=NAME,
            what=f"{what}, p50",
            ours=ours.p50,
            theirs=theirs.p50,
            ratio=ours.ratio(theirs),
            goal=GOAL,
            rival="zxing-cpp alone",
        ),
        Row(name=NAME, what=f"{what}, p99", ours=ours.p99, theirs=theirs.p99, rival="zxing-cpp alone"),
    ]


def _alone(picture: Image.Image) -> list[zxingcpp.Barcode]:
    """For the same kinds of codes, and nothing after it."""
    return list(zxingcpp.read_barcodes(picture, formats=FORMATS))


def _framed(picture: Image.Image) -> Image.Image:
    """With some of the world around it, as in front of a camera."""
    framed = Image.new("L", (picture.width + 2 * QUIET_PX, picture.height + 2 * QUIET_PX), 200)
    framed.paste(picture, (QUIET_PX, QUIET_PX))
    return framed


def _signatures(effort: Effort) -> list[Row]:
    texts = [text_of(replace(CARD, points=number)) for number in range(50)]
    sealed = [cose.unseal(bytes_of(text)) for text in texts]
    signed = [one.signature + cose.signed_bytes(one.protected, one.payload) for one in sealed]
    public = bytes.fromhex(KEY.public_key)
    whole_secret = SECRET + bytes(SigningKey(SECRET).verify_key)
    messages = [cose.signed_bytes(one.protected, one.payload) for one in sealed]
    cards = [replace(CARD, points=number) for number in range(50)]
    reading = in_turns(
        effort,
        {
            "ours": walk(texts, read),
            "theirs": walk(signed, lambda one: nacl.bindings.crypto_sign_open(one, public)),
        },
    )
    writing = in_turns(
        effort,
        {
            "ours": walk(cards, lambda card: write_code(card, SECRET)),
            "theirs": walk(messages, lambda one: nacl.bindings.crypto_sign(one, whole_secret)),
        },
    )
    return [
        Row(
            name=NAME,
            what=what,
            ours=timed["ours"].p50,
            theirs=timed["theirs"].p50,
            ratio=timed["ours"].ratio(timed["theirs"]),
            rival=rival,
        )
        for what, timed, rival in (
            ("a member card, from its text to what it says, p50", reading, "the bare Ed25519 verification"),
            ("a member card, from what it says to its text, p50", writing, "the bare Ed25519 signature"),
        )
    ]
