"""QR codes that we make, read back by another's reader."""

from __future__ import annotations

from pathlib import Path

import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from store_agent import qr
from store_agent.trouble import Trouble


def read(picture: Image.Image) -> list[bytes]:
    return [code.bytes for code in zxingcpp.read_barcodes(picture, formats=zxingcpp.barcode_formats_from_str("QRCode"))]


def drawn(rows: list[str], ground: str = "black") -> Image.Image:
    """The rows as a terminal draws them in the widget's colours, cells of 8×16 on a screen of the theme's ground."""
    width, height = 8 * len(rows[0]), 16 * len(rows)
    screen = Image.new("L", (width + 64, height + 64), ground)
    pen = ImageDraw.Draw(screen)
    pen.rectangle((32, 32, 31 + width, 31 + height), fill=qr.LIGHT)
    for y, row in enumerate(rows):
        for x, cell in enumerate(row):
            left, top = 32 + 8 * x, 32 + 16 * y
            if cell in "▀█":
                pen.rectangle((left, top, left + 7, top + 7), fill=qr.DARK)
            if cell in "▄█":
                pen.rectangle((left, top + 8, left + 7, top + 15), fill=qr.DARK)
    return screen


@pytest.mark.parametrize("ground", ["black", "white"])
@pytest.mark.parametrize("quiet_zone", [2, 4])
@pytest.mark.parametrize("text", ["SAM-0123456789", "珍珠奶茶 買一送一", "SA1:" + "0A $%*+-./:" * 17])
def test_what_the_terminal_shows_is_read_back_in_any_theme(text: str, quiet_zone: int, ground: str) -> None:
    assert read(drawn(qr.blocks(text, quiet_zone), ground)) == [text.encode()]


@settings(max_examples=30, deadline=None)
@given(text=st.text(min_size=1, max_size=60))
def test_what_a_picture_says_is_what_was_put_in(text: str) -> None:
    text = text.encode("utf-8", "ignore").decode() or "-"
    assert read(qr.picture(text, 4)) == [text.encode()]


def test_rows_are_equally_wide_with_light_all_around() -> None:
    rows = qr.blocks("SAM-0123456789")
    assert len({len(row) for row in rows}) == 1
    assert set("".join(rows)) <= set(qr.HALVES.values())
    assert rows[0].strip() == rows[1].strip() == "", "a quiet zone of four modules is two rows"
    assert all(row[:4].strip() == row[-4:].strip() == "" for row in rows)


def test_a_picture_has_a_quiet_zone_of_four_modules() -> None:
    picture = qr.picture("SAM-0123456789", module_px=5)
    assert picture.getbbox() is not None
    dark = picture.point(lambda level: 255 - level).getbbox()
    assert dark == (20, 20, picture.width - 20, picture.height - 20)


def test_a_code_is_saved_as_a_picture(tmp_path: Path) -> None:
    qr.save("會員", tmp_path / "member.png")
    assert read(Image.open(tmp_path / "member.png")) == ["會員".encode()]


def test_a_folder_that_is_not_there_is_trouble(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="could not be written"):
        qr.save("SAM", tmp_path / "nowhere" / "member.png")


def test_a_text_that_no_code_can_hold_is_trouble() -> None:
    with pytest.raises(Trouble, match="too long"):
        qr.blocks("x" * 4000)
