"""Reading the centre anew: all that it told is thrown away in one transaction, because it is another centre than it was.

Own operations are then over nothing until they are answered again; the journal is not touched.
"""

from __future__ import annotations

import uuid

from sqlite_utils import Database

from store_agent.codec import NOUN_OF

TOLD = ("answer", "cursor", "arrival", "unread")
FORGOTTEN = ("received", "floor", "arrivals")
SEARCHED = ("member", "product")
PAST_MOST = 50


def forget(db: Database, incarnation: str) -> None:
    """Inside a transaction: empty but for how the line is; the centre goes by this name from now on."""
    execute = db.conn.execute
    values = dict(execute("select name, value from setting").fetchall())
    for table in (*NOUN_OF, *TOLD):
        execute(f"delete from {table}")
    for table in SEARCHED:
        # Their characters stay behind without a number that names a row, which finds nothing.
        execute(f"delete from {table}_digits")
        execute(f"delete from {table}_name")
    for name in FORGOTTEN:
        execute("delete from setting where name = ?", [name])
    past = [*values.get("past_incarnations", "").split(), values.get("incarnation", "")][-PAST_MOST:]
    new = {
        "incarnation": incarnation,
        "past_incarnations": " ".join(filter(None, past)),
        # Another name for what is here: every process reads it again.
        "generation": uuid.uuid4().hex,
        "catching_up": "yes",
    }
    db.conn.executemany("insert or replace into setting values (?, ?)", list(new.items()))
