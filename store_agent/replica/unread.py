"""Rows that this version cannot read, put aside until one can: a newer centre must not stop an older store.

Knows the table `unread` only. What was known of such a row before stays where it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from sqlite_utils import Database

from store_agent.codec import NOUN_OF, decode_row
from store_agent.trouble import Trouble
from store_agent.words import _

TABLE = re.compile("[a-z][a-z0-9_]{0,39}")


def read(table: str, id_: str, body: str) -> Any:
    """The row, or None where it is one of a newer version; raises Trouble for what is no row of any version."""
    row = None
    trouble: Trouble | None = None
    if table in NOUN_OF:
        try:
            row = decode_row(table, body)
        except Trouble as found:
            trouble = found
    if row is None and not _is_of_some_version(table, id_, body):
        raise trouble or Trouble(_("A row of {table} cannot be read.").format(table=table))
    if row is not None and row.id != id_:
        raise Trouble(_("A row of {table} cannot be read.").format(table=table))
    return row


def _is_of_some_version(table: str, id_: str, body: str) -> bool:
    """Every row of every version is an object that says its id."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return bool(TABLE.fullmatch(table)) and isinstance(value, dict) and value.get("id") == id_


def put_aside(db: Database, table: str, rows: Sequence[tuple[str, int, str]]) -> None:
    """Keep (id, revision, body), the newest of each."""
    db.conn.executemany(
        "insert into unread (tbl, id, revision, body) values (?, ?, ?, ?) on conflict (tbl, id) do update set"
        " revision = excluded.revision, body = excluded.body where excluded.revision > revision",
        [(table, *row) for row in rows],
    )


def outdate(db: Database, table: str, rows: Sequence[tuple[str, int]]) -> None:
    """A readable revision (id, revision) came: older ones that could not be read are of no more use."""
    if count(db):
        db.conn.executemany(
            "delete from unread where tbl = ? and id = ? and revision <= ?", [(table, *row) for row in rows]
        )


def take_back(db: Database) -> dict[str, list[tuple[str, int, str]]]:
    """By table: (id, revision, body) of what this version can read; they are no more aside."""
    found: dict[str, list[tuple[str, int, str]]] = {}
    for table, id_, revision, body in db.conn.execute("select tbl, id, revision, body from unread").fetchall():
        if table in NOUN_OF and read(table, id_, body) is not None:
            found.setdefault(table, []).append((id_, revision, body))
            db.conn.execute("delete from unread where tbl = ? and id = ?", [table, id_])
    return found


def count(db: Database) -> int:
    """How many are aside."""
    return int(db.conn.execute("select count(*) from unread").fetchone()[0])
