"""Finding members and products by any digits of a number's end or any characters of a name. Knows the index tables only."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from sqlite_utils import Database

ROWS_MOST = 50
APART = "zz"
NUMBER_LEAST = 8
"""So many digits are a whole number, which in many countries is also written with a zero before it."""


def characters_of(text: str) -> str:
    """A name as single characters with spaces between, folded: so that a phrase search finds any part of it."""
    plain = text.casefold()
    if plain.isalnum() and unicodedata.is_normalized("NFKD", text) and unicodedata.is_normalized("NFKC", text):
        # Most names: letters, and all of them as they should be.
        return " ".join(plain)
    # Accents of Latin letters go, as the index drops most of them itself; nobody types them into a till.
    bare = "".join(c for c in unicodedata.normalize("NFKD", text) if not "\u0300" <= c <= "\u036f")
    folded = unicodedata.normalize("NFKC", bare).casefold()
    return " ".join(character for character in folded if character.isalnum())


def digits_of(text: str) -> str:
    """Its digits only, full-width ones too."""
    if text.isascii():
        return text if text.isdigit() else "".join(filter(str.isdigit, text))
    return "".join(c for c in unicodedata.normalize("NFKC", text) if "0" <= c <= "9")


def index(db: Database, table: str, entries: Sequence[tuple[str, Iterable[str], Iterable[str]]], *, new: bool) -> None:
    """Put rows into the index of a table: (id, numbers, names) each. `new`: none of them was ever indexed."""
    if not entries:
        return
    execute, many = db.conn.execute, db.conn.executemany
    if not new:
        # The characters stay behind without a number that names a row, which finds nothing and costs nothing.
        for part in ("digits", "name"):
            many(f"delete from {table}_{part} where id = ?", [(id_,) for id_, *_keys in entries])
    digits = [(d[::-1], id_) for id_, numbers, _names in entries for n in numbers if (d := digits_of(n))]
    many(f"insert or ignore into {table}_digits values (?, ?)", digits)
    # Numbered here, on from the last number that ever was, so that two statements do for all rows.
    (last,) = execute("select coalesce(max(seq), 0) from sqlite_sequence where name = ?", [f"{table}_name"]).fetchone()
    many(f"insert into {table}_name values (?, ?)", [(n, id_) for n, (id_, *_) in enumerate(entries, last + 1)])
    texts = [texts_of(names) for _id, _numbers, names in entries]
    many(f"insert into {table}_characters (rowid, characters) values (?, ?)", list(enumerate(texts, last + 1)))


def texts_of(names: Iterable[str]) -> str:
    """All names of a row as the index has them."""
    # Between two names stands what no search can ask for, so that nothing is found across them.
    return f" {APART} ".join(filter(None, map(characters_of, names)))


class Filling:
    """An index that is empty is filled: numbers in their order at the end, all at once."""

    def __init__(self, db: Database, table: str) -> None:
        self._db = db
        self._table = table
        self._last = 0
        # In memory, as every temporary table here.
        db.conn.execute(f"create temp table {table}_waiting (reversed text not null, id text not null)")

    def add(self, entries: Sequence[tuple[str, Sequence[str], Sequence[str]]]) -> None:
        """Rows that were never indexed: (id, numbers, names) each."""
        table, first, many = self._table, self._last + 1, self._db.conn.executemany
        many(
            f"insert into temp.{table}_waiting values (?, ?)",
            [(d[::-1], id_) for id_, numbers, _names in entries for n in numbers if n and (d := digits_of(n))],
        )
        many(f"insert into {table}_name values (?, ?)", [(n, id_) for n, (id_, *_) in enumerate(entries, first)])
        many(
            f"insert into {table}_characters (rowid, characters) values (?, ?)",
            [(n, texts_of(names)) for n, (_id, _numbers, names) in enumerate(entries, first)],
        )
        self._last += len(entries)

    def finish(self) -> None:
        """Put the numbers where they belong."""
        table = self._table
        self._db.conn.execute(
            f"insert or ignore into {table}_digits select reversed, id from temp.{table}_waiting order by reversed, id"
        )
        self._db.conn.execute(f"drop table temp.{table}_waiting")


def find(db: Database, table: str, text: str, most: int = ROWS_MOST) -> list[str]:
    """Ids of rows whose number ends in these digits, or whose name holds these characters."""
    digits = digits_of(text)
    if digits and not any(c.isalpha() for c in text):
        national = digits.lstrip("0")
        found = by_digits(db, table, digits, most)
        return found or (by_digits(db, table, national, most) if len(national) >= NUMBER_LEAST else [])
    return by_name(db, table, text, most)


def matcher(text: str) -> Callable[[Iterable[str], Iterable[str]], bool]:
    """Whether a row with these numbers and names is one that `find` would find once it is in the index."""
    digits = digits_of(text)
    if digits and not any(c.isalpha() for c in text):
        national = digits.lstrip("0")
        ends = (digits, national) if len(national) >= NUMBER_LEAST else (digits,)
        return lambda numbers, _names: any(digits_of(number).endswith(ends) for number in numbers)
    parts = [part for part in map(characters_of, text.split()) if part]

    def matches(_numbers: Iterable[str], names: Iterable[str]) -> bool:
        characters = f" {APART} ".join(map(characters_of, names))
        return bool(parts) and all(part in characters for part in parts)

    return matches


def by_digits(db: Database, table: str, digits: str, most: int) -> list[str]:
    """Rows that have a number which ends so."""
    low = digits[::-1]
    found: list[Any] = db.conn.execute(
        # Its number is written in: SQLite plans a statement anew each time that a limit is bound.
        f"select distinct id from {table}_digits where reversed >= ? and reversed < ? limit {most:d}",
        [low, low + ":"],
    ).fetchall()
    return [row[0] for row in found]


def by_name(db: Database, table: str, text: str, most: int) -> list[str]:
    """Rows whose name holds every part of the text that stands between spaces."""
    phrases = [f'"{part}"' for part in map(characters_of, text.split()) if part]
    if not phrases:
        return []
    found: list[Any] = db.conn.execute(
        f"select n.id from {table}_characters c join {table}_name n on n.number = c.rowid"
        f" where {table}_characters match ? limit {most:d}",
        [" ".join(phrases)],
    ).fetchall()
    return [row[0] for row in found]
