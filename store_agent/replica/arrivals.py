"""Which of the centre's rows came last, so that a process which holds rows in memory reads only those again.

Knows the table `arrival` only, and the number of the last one, which counts also those that are not kept.
"""

from __future__ import annotations

from collections.abc import Sequence

from sqlite_utils import Database

KEPT = 2_000
"""Whoever missed more than these reads all again."""
LAST = "arrivals"


def note(db: Database, keys: Sequence[tuple[str, str]]) -> None:
    """These rows, each a table and an id, came just now; inside the transaction that brings them."""
    last = last_number(db) + len(keys)
    execute = db.conn.execute
    if len(keys) <= KEPT:
        numbered = [(number, *key) for number, key in enumerate(keys, last - len(keys) + 1)]
        db.conn.executemany("insert into arrival values (?, ?, ?)", numbered)
    execute("delete from arrival where number <= ?", [last - KEPT])
    execute("insert or replace into setting values (?, ?)", [LAST, str(last)])


def last_number(db: Database) -> int:
    """The number of the row that came last."""
    row = db.conn.execute("select value from setting where name = ?", [LAST]).fetchone()
    return int(row[0]) if row else 0


def after(db: Database, number: int) -> tuple[int, list[tuple[str, str]] | None]:
    """The last number by now, and (table, id) of every row that came behind this one; None if they are not all kept."""
    last = last_number(db)
    query = "select tbl, row_id from arrival where number > ?"
    keys = db.conn.execute(query, [number]).fetchall() if last > number else []
    return last, keys if len(keys) == last - number else None
