"""A file of records, piece by piece as it arrives: CSV, JSON lines or a JSON array to one record after the other.

Never more than one record in memory. A record that cannot be read is told with its row, and the next one is read.
"""

from __future__ import annotations

import csv
import re
from collections import deque
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

from sync.central.endpoints import Declined
from sync.central.office.columns import Columns, unfold
from sync.central.office.strict import Malformed, decode_plain

RECORD_BYTES_MOST = 256 * 1024
LINES_MOST = 20
"""Lines of one CSV record: a cell may hold line breaks, and a quote that is never closed must not swallow the file."""
HEAD_BYTES = 64 * 1024
"""How much is looked at to tell what kind of file it is."""
TOO_LONG = f"This is longer than {RECORD_BYTES_MOST // 1024} KiB."
NOT_UTF8 = "This is not UTF-8 text. Save the file as “CSV UTF-8”."
WIDE_MARKS = (b"\xff\xfe", b"\xfe\xff", b"\x00\x00\xfe\xff")
BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True)
class Record:
    """One record: its row in the file, and its values, or why there are none.

    Rows are counted as a spreadsheet does, so a CSV's first record is row 2; in JSON the first is row 1.
    """

    row: int
    values: dict[str, Any] | None
    column: str = ""
    why: str = ""


async def read_records(parts: AsyncIterator[bytes], columns: Columns, kind: str = "") -> AsyncIterator[Record]:
    """Records of a file; `kind` is its media type if it was said, else the first character tells.

    Raises Declined (422) for a file that cannot be one at all: empty, another encoding, unknown columns.
    """
    head = bytearray()
    async for part in parts:
        head += part
        if len(head) >= HEAD_BYTES:
            break
    start = bytes(head).removeprefix(BOM)
    _check_head(bytes(head[:HEAD_BYTES]))
    reader: CsvRecords | JsonLines | JsonArray
    first = start.lstrip()[:1]
    if first == b"[" and "csv" not in kind:
        reader = JsonArray()
    elif (first == b"{" or "json" in kind) and "csv" not in kind:
        reader = JsonLines()
    else:
        reader = CsvRecords(columns)
    for record in reader.take(start):
        yield record
    async for part in parts:
        for record in reader.take(part):
            yield record
    for record in reader.end():
        yield record


def _check_head(head: bytes) -> None:
    if head.startswith(WIDE_MARKS) or head.count(0) * 4 > len(head):
        raise Declined(422, "not-utf-8", "The file is UTF-16 or no text at all. Save it as “CSV UTF-8” and send that.")
    if not head.removeprefix(BOM).strip():
        raise Declined(422, "empty", "The file is empty.")
    lines = head.split(b"\n")
    if len(head) == HEAD_BYTES:
        lines.pop()  # It may be cut in the middle of a character.
    foreign = [line for line in lines if not line.isascii()]
    broken = sum(not _is_utf8(line) for line in foreign)
    # One broken row among good ones is that row's trouble; a file in another encoding is broken nearly everywhere.
    if broken * 2 > len(foreign) or (lines and not _is_utf8(lines[0])):
        raise Declined(422, "not-utf-8", "The file is not UTF-8 (Big5?). Save it as “CSV UTF-8” and send it again.")


def _is_utf8(line: bytes) -> bool:
    try:
        line.decode()
    except UnicodeDecodeError:
        return False
    return True


class Lines:
    """Bytes to lines; None stands for one that is too long."""

    def __init__(self) -> None:
        self._held = b""
        self._skips = False

    def take(self, part: bytes) -> Iterator[bytes | None]:
        pieces = (self._held + part).split(b"\n")
        self._held = pieces.pop()
        for piece in pieces:
            is_too_long, self._skips = self._skips or len(piece) > RECORD_BYTES_MOST, False
            yield None if is_too_long else piece.removesuffix(b"\r")
        if len(self._held) > RECORD_BYTES_MOST:
            self._held, self._skips = b"", True

    def end(self) -> Iterator[bytes | None]:
        if self._skips:
            yield None
        elif self._held:
            yield self._held.removesuffix(b"\r")


class CsvRecords:
    """RFC 4180 with a header row. An open quote that does not close soon costs its own line only."""

    def __init__(self, columns: Columns) -> None:
        self._columns = columns
        self._lines = Lines()
        self._header: list[str] | None = None
        self._open: list[str] = []
        self._row = 0

    def take(self, part: bytes) -> Iterator[Record]:
        for line in self._lines.take(part):
            yield from self._take_line(line)

    def end(self) -> Iterator[Record]:
        for line in self._lines.end():
            yield from self._take_line(line)
        while self._open:
            yield from self._give_up_first()
        if self._header is None:
            raise Declined(422, "empty", "The file has no header row.")

    def _take_line(self, line: bytes | None) -> Iterator[Record]:
        text, why = _text_of(line)
        while why and self._open:
            yield from self._give_up_first()
        if why:
            yield self._broken(why)
            return
        self._open.append(text + "\n")
        yield from self._try()

    def _give_up_first(self) -> Iterator[Record]:
        """The first open line is broken for sure; those behind it are read anew."""
        rest = deque(self._open[1:])
        self._open = []
        yield self._broken("A quote is opened and not closed, or stands in the wrong place.")
        while rest:
            self._open.append(rest.popleft())
            yield from self._try()

    def _try(self) -> Iterator[Record]:
        try:
            cells = next(csv.reader(self._open, strict=True))
        except csv.Error as error:
            if "unexpected end" not in str(error) or len(self._open) >= LINES_MOST:
                yield from self._give_up_first()
            return
        self._open = []
        self._row += 1
        if self._header is None:
            self._header = self._columns.check_header([cell.strip() for cell in cells])
        elif any(cell.strip() for cell in cells):
            yield self._record(cells)

    def _record(self, cells: list[str]) -> Record:
        assert self._header is not None
        if len(cells) != len(self._header):
            return Record(self._row, None, "", f"It has {len(cells)} cells where the header has {len(self._header)}.")
        try:
            return Record(self._row, self._columns.read_cells(self._header, cells))
        except Malformed as error:
            return Record(self._row, None, error.column, error.why)

    def _broken(self, why: str) -> Record:
        if self._header is None:
            raise Declined(422, "header", f"The header row cannot be read. {why}")
        self._row += 1
        return Record(self._row, None, "", why)


def _text_of(line: bytes | None) -> tuple[str, str]:
    if line is None:
        return "", TOO_LONG
    if b"\0" in line:
        return "", "It holds a NUL character."
    try:
        return line.decode(), ""
    except UnicodeDecodeError:
        return "", NOT_UTF8


class JsonLines:
    """One JSON object a line."""

    def __init__(self) -> None:
        self._lines = Lines()
        self._row = 0

    def take(self, part: bytes) -> Iterator[Record]:
        for line in self._lines.take(part):
            yield from self._take_line(line)

    def end(self) -> Iterator[Record]:
        for line in self._lines.end():
            yield from self._take_line(line)

    def _take_line(self, line: bytes | None) -> Iterator[Record]:
        self._row += 1
        if line is None:
            yield Record(self._row, None, "", TOO_LONG)
        elif line.strip():
            yield _read_object(self._row, line)


class JsonArray:
    """One JSON array of objects, cut into its elements without reading the whole."""

    MARKS = re.compile(rb'\\.|["{}\[\],]', re.DOTALL)

    def __init__(self) -> None:
        self._carry = b""
        self._depth = 0
        self._in_text = False
        self._is_over = False
        self._held = bytearray()
        self._is_too_long = False
        self._row = 0

    def take(self, part: bytes) -> Iterator[Record]:
        part = self._carry + part
        # A backslash belongs to the character behind it, which may be in the next part.
        self._carry = part[-1:] if (len(part) - len(part.rstrip(b"\\"))) % 2 else b""
        part = part.removesuffix(self._carry)
        since = 0
        for mark in self.MARKS.finditer(part):
            sign = mark.group()
            if sign == b'"':
                self._in_text = not self._in_text
            if self._in_text or self._is_over or sign[0] in b'"\\':
                continue
            if sign in (b"[", b"{"):
                since = mark.end() if self._depth == 0 else since
                self._depth += 1
            elif sign != b",":
                self._depth -= 1
            self._is_over = self._depth == 0
            if self._is_over or (sign == b"," and self._depth == 1):
                self._hold(part[since : mark.start()])
                since = mark.end()
                yield from self._element()
        self._hold(part[since:])

    def end(self) -> Iterator[Record]:
        if not self._is_over:
            yield Record(self._row + 1, None, "", "The file ends in the middle of the array.")
        elif self._held.strip() or self._is_too_long:
            yield Record(self._row + 1, None, "", "Something stands behind the end of the array.")

    def _hold(self, data: bytes) -> None:
        self._held += data
        if len(self._held) > RECORD_BYTES_MOST:
            self._held, self._is_too_long = bytearray(), True

    def _element(self) -> Iterator[Record]:
        data, is_too_long = bytes(self._held).strip(), self._is_too_long
        self._held, self._is_too_long = bytearray(), False
        if self._is_over and self._row == 0 and not data and not is_too_long:
            return
        self._row += 1
        yield Record(self._row, None, "", TOO_LONG) if is_too_long else _read_object(self._row, data)


def _read_object(row: int, data: bytes) -> Record:
    try:
        values = decode_plain(data)
        if not isinstance(values, dict):
            return Record(row, None, "", "This is no JSON object.")
        return Record(row, unfold(values))
    except Malformed as error:
        return Record(row, None, error.column, error.why)
