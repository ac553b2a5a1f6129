"""The replica's two schemas as migrations, only ever added to. A new noun adds one table here.

Rows are kept as the JSON that the centre sent; what is searched by is a generated column of it, so that a row and its
index cannot disagree.
"""

from __future__ import annotations

from sqlite_utils import Database, Migrations

journal = Migrations("journal")
cache = Migrations("cache")


def run(db: Database, script: str) -> None:
    """Each statement by itself: `executescript` would commit the migration's transaction under its feet."""
    for statement in script.split(";"):
        if statement.strip():
            db.conn.execute(statement)


def make_noun(db: Database, table: str, *indexed: str) -> None:
    """A table of rows, with a generated column and an index for each field that is searched by."""
    columns = "".join(f", {name} text generated always as (body ->> '$.{name}') virtual" for name in indexed)
    db.conn.execute(
        f"create table {table} (id text primary key, revision integer not null, body text not null{columns})"
    )
    for name in indexed:
        db.conn.execute(f"create index {table}_{name} on {table} ({name})")


@journal()
def operations(db: Database) -> None:
    """What happened here, in order, never changed; `setting` holds who this device is."""
    run(
        db,
        """
        create table operation (
            epoch integer not null, seq integer not null, op_id text not null unique, kind text not null,
            hash text not null, data blob not null, primary key (epoch, seq)) without rowid;
        create table setting (name text primary key, value text not null)
        """,
    )


@cache()
def rows(db: Database) -> None:
    """The centre's rows, how far each stream was read, and the answers to own operations."""
    run(
        db,
        """
        create table setting (name text primary key, value text not null);
        create table cursor (stream text primary key, position integer not null, head integer not null);
        create table answer (number integer primary key, op_id text not null unique, epoch integer not null,
            seq integer not null, outcome text not null, body text not null)
        """,
    )
    make_noun(db, "store")
    make_noun(db, "staff", "badge")
    make_noun(db, "product")
    make_noun(db, "campaign")
    make_noun(db, "tag_word")
    make_noun(db, "availability")
    make_noun(db, "member", "phone", "code", "card_no", "alias_of")
    make_noun(db, "account")
    make_noun(db, "coupon", "member_id", "code")
    make_noun(db, "quota", "member_id")
    make_noun(db, "purchase", "member_id")
    make_noun(db, "tags")
    make_noun(db, "pickup", "member_id", "code", "order_no", "state")
    make_noun(db, "stock")


@cache()
def answers_in_order(db: Database) -> None:
    """The floor is raised step by step along the own chain; without this each step reads every answer."""
    db.conn.execute("create index answer_place on answer (epoch, seq)")


@cache()
def search(db: Database) -> None:
    """Digits back to front for "ends in 678"; names one character a token, since unicode61 takes a run of Chinese as one."""
    for table in ("member", "product"):
        run(
            db,
            f"""
            create table {table}_digits (reversed text not null, id text not null, primary key (reversed, id)) without rowid;
            create index {table}_digits_id on {table}_digits (id);
            create table {table}_name (number integer primary key autoincrement, id text not null unique);
            create virtual table {table}_characters using fts5 (characters, content = '')
            """,
        )


@cache()
def arrivals(db: Database) -> None:
    """Which rows came last, numbered, so that a process which holds rows in memory reads only those again."""
    db.conn.execute("create table arrival (number integer primary key, tbl text not null, row_id text not null)")


@cache()
def purchases_by_time(db: Database) -> None:
    """A member's last purchases are shown at each visit; a regular has thousands."""
    run(
        db,
        """
        alter table purchase add column at text generated always as (body ->> '$.at') virtual;
        create index purchase_newest on purchase (member_id, at)
        """,
    )


@cache()
def keys(db: Database) -> None:
    """Whose codes this store believes."""
    make_noun(db, "key")


@cache()
def rights(db: Database) -> None:
    """What this device may risk, and the rights that were lent to it or are asked back."""
    make_noun(db, "allowance")
    make_noun(db, "store_right", "state")


@cache()
def cases(db: Database) -> None:
    """What broke a limit here. An answer that says "parked" is followed by another one, so these are looked for."""
    make_noun(db, "cases", "state")
    db.conn.execute("create index answer_parked on answer (op_id) where outcome = 'parked'")


@cache()
def codes_and_pins(db: Database) -> None:
    """Codes that were used, and PINs."""
    make_noun(db, "code_use")
    make_noun(db, "member_pin", "member_id")
    make_noun(db, "staff_pin")


@cache()
def unread(db: Database) -> None:
    """Rows of a newer centre that this version cannot read, kept for one that can."""
    db.conn.execute(
        "create table unread (tbl text not null, id text not null, revision integer not null, body text not null,"
        " primary key (tbl, id))"
    )
