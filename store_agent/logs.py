"""The log of one store: a rotating file in the data folder, never the screen, never a person's data.

Everything that reaches the file passes `mask` here, also the text of a crash and what other libraries say.
"""

from __future__ import annotations

import io
import json
import logging
import os
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from logging.handlers import RotatingFileHandler
from pathlib import Path
from typing import Any

from store_agent.trouble import Trouble
from store_agent.words import _

FILE_NAME = "store-agent.log"
MOST_BYTES = 2_000_000
KEPT_FILES = 5
PERSONAL_KEYS = frozenset(
    {
        "name",
        "member_name",
        "customer",
        "recipient",
        "nickname",
        "phone",
        "email",
        "address",
        "birthday",
        "line_user_id",
    }
    | {"note", "notes", "text", "code", "card", "carrier"}
    | {"token", "admin_token", "pin", "password", "secret", "key"}
)
"""Keys of `extra` and of a mapping of arguments whose values never reach the file."""
HIDDEN = "[hidden]"

# One pass, and what must stay readable is matched first: an id or a moment holds digits that look like a phone number.
_PATTERN = re.compile(
    r"""
    (?P<kept> [0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}
      | (?<!\d)\d{4}-\d\d-\d\d(?:[T\ ]\d\d:\d\d(?::\d\d(?:[.,]\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)? (?!\d)
      | (?<!\d)\d{1,3}(?:\.\d{1,3}){3}(?::\d+)?(?!\d) )
  | (?P<code> SA\d+:[0-9A-Z\ $%*+\-./:]+ )
  | (?P<mail> [^\s@<>"'(),;:=]+@[^\s@<>"'(),;:=]+\.[^\W\d_]{2,} )
  | (?P<secret> (?i:bearer|basic)\s+[\w.~+/=-]{8,} | (?<=://)[^/@\s:]*:[^/@\s]+(?=@) )
  | (?P<carrier> (?<![\w/.])/[0-9A-Z+\-.]{7}(?![\w/.]) )
  | (?P<phone> [+＋](?:[\s().‐–-]*\d){8,15}(?!\d) | (?<![\d.])\(?\d(?:[\s().‐–-]{0,2}\d){7,11}(?!\d) )
    """,
    re.VERBOSE,
)
# `color_message` is uvicorn's message once more, for a terminal.
_PLAIN_ATTRIBUTES = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName", "color_message"}
_CONTROLS = re.compile("[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069]")


def mask(text: str) -> str:
    """The text without phone numbers, mail addresses, signed codes, carrier barcodes and passwords.

    Eight to twelve digits in a row are taken for a phone number; GTINs have 13 or 14 and stay.
    """
    return _PATTERN.sub(lambda found: found[0] if found["kept"] else f"[{found.lastgroup}]", text)


def open_logs(folder: Path, form: str = "text", level: str = "info") -> Path:
    """Send all logging of this process to the file, as lines of `text` or `json`, and return where it is.

    Raises Trouble where the file cannot be written.
    """
    path = folder / FILE_NAME
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        handler = PrivateFile(
            path, maxBytes=MOST_BYTES, backupCount=KEPT_FILES, encoding="utf-8", errors="backslashreplace"
        )
    except OSError as error:
        raise Trouble(
            _("The log {file} cannot be written: {reason}.").format(file=path, reason=error.strerror),
            _("Let this user write to the folder, or set data_folder."),
        ) from error
    handler.setFormatter(JsonLines() if form == "json" else PlainLines())
    close_logs()
    root = logging.getLogger()
    root.addHandler(handler)
    root.setLevel(level.upper())
    # Each request of theirs is a line with its URL.
    for chatty in ("httpx", "httpcore"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    # A full disk must not write over the screen; and what has no handler is not worth a line on it either.
    logging.raiseExceptions = False
    logging.lastResort = None
    logging.captureWarnings(True)
    return path


def close_logs() -> None:
    """Close the file, and any other handler: one of a library would write to the screen."""
    root = logging.getLogger()
    for handler in [*root.handlers]:
        root.removeHandler(handler)
        handler.close()


class PrivateFile(RotatingFileHandler):
    """A file that only its owner reads, which several processes of one store write to and turn over."""

    def _open(self) -> io.TextIOWrapper:
        # The mode counts at the moment of creation: afterwards somebody else could have it open.
        descriptor = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        return io.TextIOWrapper(open(descriptor, "ab"), encoding=self.encoding, errors=self.errors, line_buffering=True)

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._follow()
        except OSError:
            self.handleError(record)
            return
        super().emit(record)

    def _follow(self) -> None:
        """Go to the new file where another process has turned the old one over."""
        if self.stream is None:
            return
        try:
            there = os.stat(self.baseFilename)
            same = os.path.samestat(os.fstat(self.stream.fileno()), there)
        except FileNotFoundError:
            same = False
        if not same:
            self.stream.close()
            self.stream = self._open()


class PlainLines(logging.Formatter):
    """`2026-11-21T12:35:07.123Z INFO sync.client: pulled 12 rows store=s1`; a crash follows on lines of its own."""

    def format(self, record: logging.LogRecord) -> str:
        extra = "".join(f" {key}={value}" for key, value in _extra(record).items())
        head = f"{_time(record)} {record.levelname} {record.name}: {_message(record)}{extra}"
        return f"{head}\n{trace}" if (trace := _trace(self, record)) else head


class JsonLines(logging.Formatter):
    """One JSON object a line: `at`, `level`, `logger`, `message`, what was given as extra, `trace` of a crash."""

    def format(self, record: logging.LogRecord) -> str:
        line: dict[str, Any] = {"at": _time(record), "level": record.levelname.lower(), "logger": record.name}
        line["message"] = _message(record)
        line.update((key, value) for key, value in _extra(record).items() if key not in line)
        if trace := _trace(self, record):
            line["trace"] = trace
        return json.dumps(line, ensure_ascii=False)


def _time(record: logging.LogRecord) -> str:
    return datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _message(record: logging.LogRecord) -> str:
    if isinstance(record.args, Mapping):
        # Not written back: other handlers, such as a test's, see the record as it was made.
        message = str(record.msg) % {key: _shown(key, value) for key, value in record.args.items()}
    else:
        message = record.getMessage()
    return _one_line(mask(message))


def _one_line(text: str) -> str:
    """A text of several lines could pretend to be several messages, and a control could act on who reads the file."""
    return _CONTROLS.sub(lambda found: found[0].encode("unicode_escape").decode("ascii"), text)


def _extra(record: logging.LogRecord) -> dict[str, Any]:
    return {key: _shown(key, value) for key, value in vars(record).items() if key not in _PLAIN_ATTRIBUTES}


def _shown(key: str, value: Any) -> Any:
    if key in PERSONAL_KEYS:
        return HIDDEN
    if isinstance(value, Mapping):
        return {str(inner): _shown(str(inner), rest) for inner, rest in value.items()}
    if isinstance(value, int | float) or value is None:
        return value
    return _one_line(mask(str(value)))


def _trace(formatter: logging.Formatter, record: logging.LogRecord) -> str:
    lines = mask(formatter.formatException(record.exc_info)).split("\n") if record.exc_info else []
    return "\n".join(map(_one_line, lines))
