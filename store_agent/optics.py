"""Pictures to codes: zxing-cpp first, zbar where that finds nothing, then, for QR codes alone, a second look.

Readers are asked for bytes, never for text: their text is a guess, and with Chinese often a silently wrong one. What a
code means is not known here (`scan` does), and nothing about a code is ever made up: opaque bytes stay bytes.
"""

from __future__ import annotations

import ctypes
import functools
import os
import stat
import struct
import unicodedata
import warnings
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import zxingcpp
from PIL import Image, UnidentifiedImageError

from store_agent.trouble import Trouble
from store_agent.words import _

MOST_PIXELS = 64_000_000
"""More than any phone's everyday picture; a file of a few kilobytes can claim to be far larger."""
SECOND_LOOK_SIDE = 800
"""Pixels of the longer side to which a picture is made smaller before the second look, which takes many tries."""
SMALLEST_SIDE = 42
"""Two pixels to each module of the smallest QR code. In less there is nothing to press flat."""
PICTURE_KINDS = ("PNG", "JPEG", "WEBP", "GIF", "BMP", "TIFF")
"""What cameras, shops and screens make. Not everything that Pillow opens: some of it runs other programs."""

RETAIL_FORMATS = frozenset({"EAN13", "EAN8", "UPCA", "UPCE"})
FORMATS = zxingcpp.barcode_formats_from_str("QRCode,EAN13,EAN8,UPCA,UPCE,Code128,Code39")
QR_ONLY = zxingcpp.barcode_formats_from_str("QRCode")
# zbar is the reader for hopeless pictures, and there the short symbologies without much of a check (UPC-E, Code 39) are
# more often seen than there. DataBar prints to the terminal from C.
ZBAR_FORMATS = {64: "QRCode", 13: "EAN13", 12: "UPCA", 8: "EAN8", 128: "Code128"}
ZBAR_ENABLE, ZBAR_BINARY, ZBAR_QR, ZBAR_ALL = 0, 4, 64, 0
ZBAR_LUMINANCE = int.from_bytes(b"Y800", "little")


@dataclass(frozen=True, slots=True)
class Code:
    """One code in a picture. `text` is None where the bytes are in no charset that we were told of."""

    format: str
    data: bytes
    text: str | None


def read_picture(path: str | Path, *, fallback: str | None = None, use_zbar: bool = True) -> list[Code]:
    """All codes in a picture file, none twice; empty where there is none that can be read. Trouble for a bad file.

    `fallback` names the one charset, such as big5 or gb18030, in which bytes that are not UTF-8 are read, strictly.
    """
    return read_luminance(_open(path), fallback=fallback, use_zbar=use_zbar)


def read_luminance(picture: Image.Image, *, fallback: str | None = None, use_zbar: bool = True) -> list[Code]:
    """All codes in a picture of mode L that is already in memory."""
    found = _read_zxing(picture, FORMATS)
    if not found and use_zbar:
        found = _read_zbar(picture)
    if not found:
        found = next((codes for look in _second_looks(picture) if (codes := _look_again(look))), [])
    return [Code(name, data, decode(data, fallback)) for name, data in dict.fromkeys(found)]


def decode(data: bytes, fallback: str | None = None) -> str | None:
    """The text of a code's bytes: strict UTF-8, else strictly the one configured charset, else None. Never a guess.

    Other charsets fit almost any bytes, so what they give is taken only if it is text: no control, private or
    unassigned characters (UTF-8 needs no such care: it does not fit by chance).
    """
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        if not fallback:
            return None
    try:
        text = data.decode(fallback)
    except UnicodeDecodeError:
        return None
    except LookupError as error:
        raise Trouble(
            _("There is no charset {name}.").format(name=fallback), _("Use big5, gb18030 or none.")
        ) from error
    plain = all(unicodedata.category(letter)[0] != "C" or letter in "\t\r\n\x1d" for letter in text)
    return text if plain else None


def zbar_version() -> str | None:
    """The version of zbar, or None where this machine has none and zxing-cpp reads alone."""
    zbar = _zbar()
    if zbar is None:
        return None
    # The C function of zbar 0.23 writes three numbers. pyzbar declares two, and the third would go anywhere.
    parts = [ctypes.c_uint() for _part in range(3)]
    zbar.zbar_version(*map(ctypes.byref, parts))
    return ".".join(str(part.value) for part in parts)


def _open(path: str | Path) -> Image.Image:
    unreadable = _("Give a picture of the code as PNG, JPEG or WebP, taken once more if need be.")
    try:
        # A pipe or a device would be waited for.
        if not stat.S_ISREG(os.stat(path).st_mode):
            raise Trouble(_("{path} is not a file.").format(path=path), unreadable)
        with warnings.catch_warnings():
            # Pillow warns on the terminal of what is refused or handled here.
            warnings.simplefilter("ignore")
            with Image.open(path, formats=PICTURE_KINDS) as picture:
                if picture.width * picture.height > MOST_PIXELS:
                    raise Image.DecompressionBombError
                return _luminance(picture)
    except (FileNotFoundError, NotADirectoryError) as error:
        raise Trouble(_("There is no file {path}.").format(path=path), _("Check its name.")) from error
    except PermissionError as error:
        raise Trouble(_("The file {path} may not be read.").format(path=path), _("Check its rights.")) from error
    except Image.DecompressionBombError as error:
        what = _("The picture {path} is too large.").format(path=path)
        raise Trouble(what, _("Give one of at most 64 million pixels.")) from error
    except UnidentifiedImageError as error:
        raise Trouble(_("{path} is not a picture.").format(path=path), unreadable) from error
    # Pillow's decoders raise all of these on damaged files.
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, TypeError, struct.error, zlib.error) as error:
        raise Trouble(_("The picture {path} is damaged.").format(path=path), unreadable) from error


def _luminance(picture: Image.Image) -> Image.Image:
    if not picture.has_transparency_data:
        return picture.convert("L")
    # Black modules on a transparent ground would become black on black.
    coloured = picture.convert("RGBA")
    paper = Image.new("RGBA", coloured.size, "white")
    return Image.alpha_composite(paper, coloured).convert("L")


def _read_zxing(
    picture: Image.Image, formats: Any, binarizer: zxingcpp.Binarizer = zxingcpp.Binarizer.LocalAverage
) -> list[tuple[str, bytes]]:
    codes = zxingcpp.read_barcodes(picture, formats=formats, binarizer=binarizer)
    return [(code.format.name, code.bytes) for code in codes if code.valid]


def _look_again(picture: Image.Image) -> list[tuple[str, bytes]]:
    for binarizer in (zxingcpp.Binarizer.LocalAverage, zxingcpp.Binarizer.GlobalHistogram):
        if found := _read_zxing(picture, QR_ONLY, binarizer):
            return found
    return []


def _second_looks(picture: Image.Image) -> Iterator[Image.Image]:
    """The picture as it might have been taken: as it is, from nearer, turned, off a bottle, a bag or a sleeve.

    For QR codes only. Their error correction makes a wrong read next to impossible; a 1D code has one check digit, and
    ten tries are ten chances to hit one by accident.
    """
    whole = picture.copy()
    whole.thumbnail((SECOND_LOOK_SIDE, SECOND_LOOK_SIDE))
    yield whole
    if min(whole.size) < SMALLEST_SIDE:
        return
    yield whole.resize((whole.width * 3 // 2, whole.height * 3 // 2), Image.Resampling.BICUBIC)
    for angle in (0, 45):
        turned = whole.rotate(angle, Image.Resampling.BICUBIC, expand=True, fillcolor=128) if angle else whole
        if angle:
            yield turned
        for bend in (0.03, -0.03):
            yield _unbent(turned, bend, 0)
            yield _unbent(turned, 0, bend)


def _unbent(picture: Image.Image, across: float, down: float) -> Image.Image:
    """The picture pressed flat: rows moved by a parabola of `across` its width, or columns by `down` its height."""
    width, height = picture.size
    strips = 24
    mesh: list[tuple[tuple[int, int, int, int], tuple[float, ...]]] = []
    for strip in range(strips):
        if across:
            top, bottom = strip * height // strips, (strip + 1) * height // strips
            first, last = (across * width * (1 - (2 * y / height - 1) ** 2) for y in (top, bottom))
            box = (0, top, width, bottom)
            quad: tuple[float, ...] = (first, top, last, bottom, width + last, bottom, width + first, top)
        else:
            left, right = strip * width // strips, (strip + 1) * width // strips
            first, last = (down * height * (1 - (2 * x / width - 1) ** 2) for x in (left, right))
            box = (left, 0, right, height)
            quad = (left, first, left, height + first, right, height + last, right, last)
        mesh.append((box, quad))
    return picture.transform(picture.size, Image.Transform.MESH, mesh, Image.Resampling.BICUBIC, fillcolor=128)


@functools.cache
def _zbar() -> Any:
    """pyzbar's bindings of the C library, or None without it: `OSError` is how Windows says so."""
    try:
        from pyzbar import wrapper
    except (ImportError, OSError):
        return None
    return wrapper


def _read_zbar(picture: Image.Image) -> list[tuple[str, bytes]]:
    """By hand, not by `pyzbar.decode`: that knows no BINARY mode, and fails on codes that are parts of a series."""
    zbar = _zbar()
    if zbar is None:
        return []
    pixels = picture.tobytes()
    scanner, image = zbar.zbar_image_scanner_create(), zbar.zbar_image_create()
    try:
        zbar.zbar_image_scanner_set_config(scanner, ZBAR_ALL, ZBAR_ENABLE, 0)
        for symbology in ZBAR_FORMATS:
            zbar.zbar_image_scanner_set_config(scanner, symbology, ZBAR_ENABLE, 1)
        zbar.zbar_image_scanner_set_config(scanner, ZBAR_QR, ZBAR_BINARY, 1)
        zbar.zbar_image_set_format(image, ZBAR_LUMINANCE)
        zbar.zbar_image_set_size(image, picture.width, picture.height)
        zbar.zbar_image_set_data(image, ctypes.cast(ctypes.c_char_p(pixels), ctypes.c_void_p), len(pixels), None)
        zbar.zbar_scan_image(scanner, image)
        found = []
        symbol = zbar.zbar_image_first_symbol(image)
        while symbol:
            name = ZBAR_FORMATS.get(symbol.contents.type)
            length = zbar.zbar_symbol_get_data_length(symbol)
            if name:
                found.append((name, ctypes.string_at(zbar.zbar_symbol_get_data(symbol), length)))
            symbol = zbar.zbar_symbol_next(symbol)
        return found
    finally:
        zbar.zbar_image_destroy(image)
        zbar.zbar_image_scanner_destroy(scanner)
