"""Pictures to codes, over the public test pictures beside the project and over files that are none."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageOps

from store_agent import optics, qr
from store_agent.optics import Code, decode, read_picture, zbar_version
from store_agent.trouble import Trouble

CODES = Path(__file__).parents[2] / "shared" / "codes"
# Six of the codes hold Shift_JIS, as codes from Japan do: they are read as a store there would be set up.
CHARSET = "shift_jis"
WITH_ZBAR = zbar_version() is not None


def measure(*, fallback: str | None, use_zbar: bool) -> dict[str, Counter[str]]:
    """For each format: how many pictures gave the exact text, another text, opaque bytes, or nothing."""
    counts: dict[str, Counter[str]] = {"QRCode": Counter(), "EAN13": Counter(), "Code128": Counter(), "all": Counter()}
    for entry in json.loads((CODES / "manifest.json").read_text("utf-8")):
        codes = read_picture(CODES / entry["file"], fallback=fallback, use_zbar=use_zbar)
        texts = [code.text for code in codes if code.text is not None]
        # Some pictures show more than one code; the manifest expects one of them.
        if (entry["format"], entry["expected"]) in [(code.format, code.text) for code in codes]:
            result = "exact"
        else:
            result = "wrong" if texts else "opaque" if codes else "none"
        counts[entry["format"]][result] += 1
        counts["all"][result] += 1
    return counts


# Without libzbar the second row measures zxing-cpp alone once more, against its own threshold: nothing is skipped.
@pytest.mark.parametrize(
    ("use_zbar", "least"),
    [(False, 90), (True, 94 if WITH_ZBAR else 90)],
    ids=["zxing-cpp alone", "with zbar" if WITH_ZBAR else "without libzbar on this machine"],
)
def test_the_106_pictures_are_read_exactly_or_not_at_all(use_zbar: bool, least: int) -> None:
    counts = measure(fallback=CHARSET, use_zbar=use_zbar)
    assert counts["all"].total() == 106
    assert counts["QRCode"].total() == 61
    assert counts["QRCode"]["exact"] >= 57
    assert counts["all"]["exact"] >= least
    # The one is a true reading: a Japanese book bears two barcodes, and only the one that is not expected can be read.
    assert counts["all"]["wrong"] <= 1
    assert counts["QRCode"]["wrong"] == counts["Code128"]["wrong"] == 0


def test_without_a_configured_charset_no_text_is_made_up() -> None:
    counts = measure(fallback=None, use_zbar=True)["QRCode"]
    assert counts["wrong"] == 0
    assert counts["opaque"] == 7
    assert counts["exact"] >= 52


def test_bytes_in_another_charset_stay_bytes() -> None:
    (code,) = read_picture(CODES / "zxing-qrcode-2-10.png")
    assert code == Code("QRCode", "Google モバイル\r\nhttp://google.jp".encode("shift_jis"), None)


def test_a_separator_of_gs1_stays_one_character() -> None:
    (code,) = read_picture(CODES / "zxingcpp-qrcode-2-gs1-figure-4.15.1-2.png")
    assert code.text is not None
    assert "\x1d" in code.text
    assert "<GS>" not in code.text


@pytest.mark.parametrize("use_zbar", [False, True])
@settings(max_examples=60, deadline=None)
@given(text=st.text("會員優惠券珍珠奶茶你好貨到付款折價滿額贈品門市取貨點數", min_size=1, max_size=12))
def test_chinese_that_we_make_is_read_back(text: str, use_zbar: bool) -> None:
    assert [code.text for code in optics.read_luminance(qr.picture(text, 4), use_zbar=use_zbar)] == [text]


@pytest.mark.parametrize("words", ["你好", "貨到付款", "珍珠奶茶", "會員", "滿千折百 85折"])
def test_zbar_gives_the_bytes_of_chinese_as_they_are(words: str) -> None:
    found = optics._read_zbar(qr.picture(words, 4))
    assert found == ([("QRCode", words.encode())] if WITH_ZBAR else [])


def test_bytes_are_utf8_or_the_one_charset_or_nothing() -> None:
    assert decode("會員".encode()) == "會員"
    assert decode("會員".encode("big5")) is None
    assert decode("會員".encode("big5"), "big5") == "會員"
    assert decode("會員".encode("gb18030"), "gb18030") == "會員"
    assert decode(b"\xff\xff", "big5") is None
    assert decode(b"\x01\xb0\xa2", "gb18030") is None, "what has control characters is no text in another charset"
    with pytest.raises(Trouble, match="no charset big55"):
        decode(b"\xff", "big55")


@given(data=st.binary(max_size=60), fallback=st.sampled_from([None, "big5", "big5hkscs", "gb18030", "shift_jis"]))
def test_what_is_decoded_is_those_bytes_and_no_others(data: bytes, fallback: str | None) -> None:
    text = decode(data, fallback)
    if text is not None and fallback is None:
        assert text.encode() == data


def test_light_on_dark_and_transparent_codes_are_read(tmp_path: Path) -> None:
    made = qr.picture("SAM-0000000000")
    ImageOps.invert(made).save(tmp_path / "inverted.png")
    clear = Image.new("RGBA", made.size, (0, 0, 0, 0))
    clear.paste((0, 0, 0, 255), mask=ImageOps.invert(made))
    clear.save(tmp_path / "transparent.png")
    for name in ("inverted.png", "transparent.png"):
        assert [code.text for code in read_picture(tmp_path / name)] == ["SAM-0000000000"], name


def test_a_code_on_a_curved_thing_is_pressed_flat() -> None:
    picture = Image.open(CODES / "zxing-qrcode-4-06.png").convert("L")
    assert optics._read_zxing(picture, optics.QR_ONLY) == []
    (code,) = optics.read_luminance(picture, use_zbar=False)
    assert code.text == "Google Print Ads - T.G.I.A.F. - January 31, 2008"


def test_no_second_look_is_taken_at_barcodes(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[Any] = []
    read = zxingcpp.read_barcodes

    def listen(picture: Image.Image, formats: Any, **options: Any) -> Any:
        asked.append(formats)
        return read(picture, formats=formats, **options)

    monkeypatch.setattr(zxingcpp, "read_barcodes", listen)
    assert read_picture(CODES / "zxing-ean13-5-03.png") == []
    assert len(asked) > 5
    assert asked[0] == optics.FORMATS
    assert all(formats == optics.QR_ONLY for formats in asked[1:])


def test_zbar_is_not_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(optics, "_zbar", lambda: None)
    assert zbar_version() is None
    assert read_picture(CODES / "zxing-ean13-4-10.png") == []
    assert [code.text for code in read_picture(CODES / "gen-utf8-00.png")] == ["你好"]


def test_the_readers_print_nothing() -> None:
    # From C, past Python's own streams: only another process can see it.
    done = subprocess.run(
        [
            sys.executable,
            "-c",
            "import sys; from store_agent.optics import read_picture, zbar_version; zbar_version(); "
            "[read_picture(path) for path in sys.argv[1:]]",
            *map(str, sorted(CODES.glob("*2-*"))),
        ],
        capture_output=True,
        cwd=Path(__file__).parents[1],
        check=True,
    )
    assert (done.stdout, done.stderr) == (b"", b"")


def bad_files(folder: Path) -> dict[str, Path]:
    good = (CODES / "zxing-ean13-2-03.png").read_bytes()
    files = {
        "empty.png": b"",
        "text.png": b"this is a text\n",
        "cut.png": good[: len(good) // 2],
        "scrambled.png": good[:60] + bytes(reversed(good[60:])),
        "script.eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 10 10\n",
    }
    for name, data in files.items():
        (folder / name).write_bytes(data)
    # A few kilobytes that claim 400 million pixels, and some that Pillow itself would only warn of.
    Image.new("1", (20_000, 20_000)).save(folder / "bomb.png")
    Image.new("1", (10_000, 10_000)).save(folder / "large.png")
    (folder / "folder.png").mkdir()
    if hasattr(os, "mkfifo"):
        os.mkfifo(folder / "pipe.png")
    names = [*files, "bomb.png", "large.png", "folder.png", "pipe.png", "missing.png"]
    return {name: folder / name for name in names}


def test_a_bad_file_gets_one_sentence_and_what_to_do(tmp_path: Path) -> None:
    for name, path in bad_files(tmp_path).items():
        with pytest.raises(Trouble) as raised:
            read_picture(path)
        assert raised.value.what.count(str(path)) == 1, name
        assert "\n" not in str(raised.value)
        assert raised.value.hint, name


def test_a_picture_without_a_code_gives_none(tmp_path: Path) -> None:
    Image.new("RGB", (300, 200), "white").save(tmp_path / "white.jpg")
    assert read_picture(tmp_path / "white.jpg") == []
    for size in ((1, 1), (1, 3000), (30_000, 50), (41, 41)):
        Image.new("L", size).save(tmp_path / "small.png")
        assert read_picture(tmp_path / "small.png") == [], size
