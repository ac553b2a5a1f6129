"""Finding members and products by any digits of a number's end or any characters of a name. Knows the index tables only."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from typing import Any

from sqlite_utils import Database

ROWS_MOST = 50
APART = "zz"
NUMBER_LEAST = 8
"""So many digits are a whole number, which in many countries is also written with a zero before it."""


def characters_of(text: str) -> str:
    """A name as single characters with spaces between, folded: so that a phrase search finds any part of it."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    return " ".join(character for character in folded if character.isalnum())


def digits_of(text: str) -> str:
    """Its digits only, full-width ones too."""
    return "".join(c for c in unicodedata.normalize("NFKC", text) if "0" <= c <= "9")


def index(db: Database, table: str, entries: Sequence[tuple[str, Iterable[str], Iterable[str]]], *, new: bool) -> None:
    """Put rows into the index of a table: (id, numbers, names) each. `new`: none of them was ever indexed."""
    execute, many = db.conn.execute, db.conn.executemany
    if not new:
        known = []
        for id_, _numbers, _names in entries:
            execute(f"delete from {table}_digits where id = ?", [id_])
            row = execute(f"select number from {table}_name where id = ?", [id_]).fetchone()
            if row:
                known.append(row)
        # The characters stay behind without a number that names a row, which finds nothing and costs nothing.
        many(f"delete from {table}_name where number = ?", known)
    digits = [(d[::-1], id_) for id_, numbers, _names in entries for n in numbers if (d := digits_of(n))]
    many(f"insert or ignore into {table}_digits values (?, ?)", digits)
    # Numbered here, on from the last number that ever was, so that two statements do for all rows.
    (last,) = execute("select coalesce(max(seq), 0) from sqlite_sequence where name = ?", [f"{table}_name"]).fetchone()
    many(f"insert into {table}_name values (?, ?)", [(n, id_) for n, (id_, *_) in enumerate(entries, last + 1)])
    # Between two names stands what no search can ask for, so that nothing is found across them.
    texts = [f" {APART} ".join(filter(None, map(characters_of, names))) for _id, _numbers, names in entries]
    many(f"insert into {table}_characters (rowid, characters) values (?, ?)", list(enumerate(texts, last + 1)))


def find(db: Database, table: str, text: str, most: int = ROWS_MOST) -> list[str]:
    """Ids of rows whose number ends in these digits, or whose name holds these characters."""
    digits = digits_of(text)
    if digits and not any(c.isalpha() for c in text):
        national = digits.lstrip("0")
        found = by_digits(db, table, digits, most)
        return found or (by_digits(db, table, national, most) if len(national) >= NUMBER_LEAST else [])
    return by_name(db, table, text, most)


def by_digits(db: Database, table: str, digits: str, most: int) -> list[str]:
    """Rows that have a number which ends so."""
    low = digits[::-1]
    found: list[Any] = db.conn.execute(
        f"select distinct id from {table}_digits where reversed >= ? and reversed < ? limit ?", [low, low + ":", most]
    ).fetchall()
    return [row[0] for row in found]


def by_name(db: Database, table: str, text: str, most: int) -> list[str]:
    """Rows whose name holds every part of the text that stands between spaces."""
    phrases = [f'"{part}"' for part in map(characters_of, text.split()) if part]
    if not phrases:
        return []
    found: list[Any] = db.conn.execute(
        f"select n.id from {table}_characters c join {table}_name n on n.number = c.rowid"
        f" where {table}_characters match ? limit ?",
        [" ".join(phrases), most],
    ).fetchall()
    return [row[0] for row in found]
