"""`python -m store_agent.words.compile`: for whoever changed a sentence.

Collects the sentences of the source, adds the new ones to each catalogue, drops the old ones, compiles, and names what
has no translation yet. The only module that needs babel, which a store does not have.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po

from store_agent.words import DOMAIN, FOLDER, LANGUAGES

ROOT = FOLDER.parent.parent
SOURCES = ("store_agent", "sync", "tui")
KEYWORDS: dict[str, tuple[int, ...] | None] = {"_": None, "ngettext": (1, 2), "later": None}


def file_of(code: str, ending: str = "po") -> Path:
    """The catalogue of a language: `po` as written, `mo` as read by gettext."""
    return FOLDER / code.replace("-", "_") / "LC_MESSAGES" / f"{DOMAIN}.{ending}"


def sentences() -> Catalog:
    """All that the source says, in English."""
    found = Catalog(domain=DOMAIN)
    for source in SOURCES:
        for place, _line, message, comments, context in extract_from_dir(
            ROOT / source, method_map=[("**.py", "python")], keywords=KEYWORDS, comment_tags=(), directory_filter=None
        ):
            if message:
                # No line numbers: a catalogue changes when a sentence does, not when a line moves.
                found.add(message, None, [(f"{source}/{place}", 0)], auto_comments=comments, context=context)
    return found


def read(code: str) -> Catalog:
    """The catalogue of a language as it was written."""
    return read_po(io.BytesIO(file_of(code).read_bytes()), locale=code.replace("-", "_"), domain=DOMAIN)


def untranslated(written: Catalog) -> list[str]:
    """The sentences that have no words, or only guessed ones."""
    open_ones = (message for message in written if message.id and (message.fuzzy or not _is_said(message.string)))
    return [_english(message.id) for message in open_ones]


def compiled(written: Catalog) -> bytes:
    """The catalogue as gettext reads it; the same words give the same bytes."""
    out = io.BytesIO()
    write_mo(out, written)
    return out.getvalue()


def update(code: str) -> list[str]:
    """Bring one language in step with the source, compile it, and return what has no words yet."""
    written = read(code)
    made_at = written.creation_date
    written.update(sentences(), no_fuzzy_matching=True)
    written.obsolete.clear()
    # Else the file would change with every run.
    written.creation_date = made_at
    out = io.BytesIO()
    write_po(out, written, width=120, sort_output=True, include_lineno=False, omit_header=False)
    file_of(code).write_bytes(out.getvalue())
    # Compiled from the file and not from memory, so that whoever compiles the file gets the same.
    file_of(code, "mo").write_bytes(compiled(read(code)))
    return untranslated(written)


def _english(message: str | list[str] | tuple[str, ...]) -> str:
    return message if isinstance(message, str) else message[0]


def _is_said(string: str | list[str] | tuple[str, ...] | None) -> bool:
    return bool(string) if isinstance(string, str) or string is None else all(string)


def main() -> int:
    missing = 0
    for code in LANGUAGES:
        if code == "en":
            continue
        for sentence in update(code):
            missing += 1
            print(f"{code}: {sentence}", file=sys.stderr)
    return 1 if missing else 0


if __name__ == "__main__":
    sys.exit(main())
