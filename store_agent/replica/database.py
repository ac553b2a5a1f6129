"""Opening one encrypted SQLite file, transactions on it, and its errors said as trouble. Knows no table."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlcipher3 import dbapi2 as sqlcipher
from sqlite_utils import Database, Migrations

from store_agent.replica import ballast
from store_agent.trouble import Trouble
from store_agent.words import _

KEY_BYTES = 32
BUSY_S = 5.0
LOG_BYTES_MOST = 4 * 1024 * 1024
"""A log that grew larger, as under a reader that stayed, is cut to this once it was moved into its file."""
OLDEST_SAFE = (3, 51, 3)
"""Before it, two connections that write and checkpoint at once can corrupt a WAL file (sqlite.org, the WAL-reset bug)."""


class Corrupt(Trouble):
    """The file is damaged, is no database, or belongs to another key."""


class Full(Trouble):
    """There is no room on the disk."""


def connect(path: Path, key: bytes, *, durable: bool) -> Database:
    """Open or make an encrypted file. `durable`: a commit that returned survives a power cut."""
    if sqlcipher.sqlite_version_info < OLDEST_SAFE:
        raise Trouble(_("This SQLite can corrupt a file."), _("Update the package sqlcipher3."))
    with translated(path):
        conn = sqlcipher.connect(str(path), isolation_level=None, timeout=BUSY_S)
        try:
            # Before the key, or a wrong one prints to stderr and tears the screen.
            conn.execute("pragma cipher_log_level = NONE")
            conn.execute(f"pragma key = \"x'{key.hex()}'\"")
            conn.execute("pragma journal_mode = wal")
            conn.execute(f"pragma synchronous = {'full' if durable else 'normal'}")
            conn.execute(f"pragma journal_size_limit = {LOG_BYTES_MOST}")
            conn.execute("pragma foreign_keys = on")
            if durable and conn.execute("pragma synchronous").fetchone()[0] != 2:
                raise Trouble(_("This disk does not keep what it confirms."), _("Put the data folder on a local disk."))
        except BaseException:
            conn.close()
            raise
    return Database(conn)


def is_plain(path: Path) -> bool:
    """Whether the file can be read without a key. SQLite is asked: what it has open is never opened beside it."""
    if not path.stat().st_size:
        return False
    conn = sqlcipher.connect(f"file:{path}?mode=ro", uri=True, isolation_level=None)
    try:
        conn.execute("pragma cipher_log_level = NONE")
        conn.execute("select count(*) from sqlite_master").fetchone()
    except sqlcipher.DatabaseError:
        return False
    finally:
        conn.close()
    return True


def connect_to_read(path: Path, key: bytes) -> Database:
    """Open a file that nobody may change: also a copy on a disk that takes nothing."""
    if not path.is_file():
        raise Trouble(_("{path} cannot be opened.").format(path=path), _("Check that the folder exists and is yours."))
    wal = path.with_name(path.name + "-wal")
    # Without a log beside it there is nobody who writes, and then it can be read where no file can be made.
    how = "mode=ro" if wal.exists() else "immutable=1"
    with translated(path):
        conn = sqlcipher.connect(f"{path.absolute().as_uri()}?{how}", uri=True, isolation_level=None, timeout=5.0)
        try:
            conn.execute("pragma cipher_log_level = NONE")
            conn.execute(f"pragma key = \"x'{key.hex()}'\"")
            conn.execute("select count(*) from sqlite_master").fetchone()
        except BaseException:
            conn.close()
            raise
    return Database(conn)


def migrate(db: Database, migrations: Migrations, path: Path) -> None:
    """Bring a file to this version; one of a newer version is left alone."""
    known = {migration.name for migration in migrations._migrations}
    with transaction(db, path):
        newer = [migration.name for migration in migrations.applied(db) if migration.name not in known]
        if newer:
            raise Trouble(
                _("{path} was written by a newer version of Store Agent.").format(path=path.name),
                _("Install that version; nothing was changed."),
            )
        migrations.apply(db)


@contextmanager
def transaction(db: Database, path: Path) -> Iterator[None]:
    """One write transaction. It takes the lock at once: a deferred one would fail late, whatever the timeout."""
    try:
        with translated(path):
            db.conn.execute("begin immediate")
            try:
                yield
                db.conn.execute("commit")
            except BaseException:
                if db.conn.in_transaction:
                    db.conn.execute("rollback")
                raise
    except Full:
        ballast.throw_out(path.parent)
        raise


def empty_log(db: Database, path: Path) -> bool:
    """Move the log into its file and cut it to nothing; False where somebody reads or writes just now.

    SQLite does the first by itself, and never the second: a log stays as long as it once was.
    """
    log = path.with_name(f"{path.name}-wal")
    if not log.exists() or not log.stat().st_size:
        return True
    with translated(path):
        # Not waited for: nothing is lost if it is done later, and whoever writes would wait behind us.
        db.conn.execute("pragma busy_timeout = 0")
        try:
            busy: int = db.conn.execute("pragma wal_checkpoint(truncate)").fetchone()[0]
        finally:
            db.conn.execute(f"pragma busy_timeout = {BUSY_S * 1000:.0f}")
    return not busy


def version(db: Database) -> tuple[int, int]:
    """Another one after every commit to the file, by whichever connection; inside a snapshot, that of the snapshot."""
    return db.conn.execute("pragma data_version").fetchone()[0], db.conn.total_changes


class translated:
    """SQLite's errors, once, as what a person can act on. Errors of ours (a broken rule of the schema) stay bugs."""

    # No generator: this stands around every read, and beside one a generator is not cheap.
    __slots__ = ("_path",)

    def __init__(self, path: Path) -> None:
        self._path = path

    def __enter__(self) -> None:
        pass

    def __exit__(self, _kind: object, error: BaseException | None, _traceback: object) -> None:
        if isinstance(error, sqlcipher.DatabaseError) and not isinstance(error, sqlcipher.IntegrityError):
            raise _trouble(error, self._path) from error


class snapshot(translated):
    """Several reads of one moment. Nested in a transaction or another snapshot, that one's moment counts."""

    __slots__ = ("_conn", "_is_outer")

    def __init__(self, db: Database, path: Path) -> None:
        super().__init__(path)
        self._conn = db.conn

    def __enter__(self) -> None:
        self._is_outer = not self._conn.in_transaction
        if self._is_outer:
            self._conn.execute("begin")

    def __exit__(self, kind: object, error: BaseException | None, traceback: object) -> None:
        # Some errors of the disk end the transaction by themselves.
        if self._is_outer and self._conn.in_transaction:
            with translated(self._path):
                self._conn.execute("commit")
        super().__exit__(kind, error, traceback)


def is_full() -> Full:
    """What is said when there is no room."""
    return Full(_("The disk is full."), _("Nothing that was confirmed is lost. Make room, then try again."))


def _trouble(error: Any, path: Path) -> Exception:
    text = str(error)
    name = path.name
    if "full" in text:
        return is_full()
    if "readonly" in text or "read-only" in text:
        return Trouble(_("{path} cannot be written.").format(path=name), _("Check the folder's permissions."))
    if "unable to open" in text:
        return Trouble(_("{path} cannot be opened.").format(path=path), _("Check that the folder exists and is yours."))
    if "not a database" in text or "malformed" in text or "corrupt" in text:
        hint = _("Nothing was changed. Put back the right key file, or run `store-agent doctor`.")
        if name.startswith("journal"):
            hint = _(
                "Nothing was changed. Put back the right key file, or run `store-agent audit verify`, which says where;"
                " `store-agent audit salvage OUT` copies what is whole."
            )
        return Corrupt(_("{path} is damaged, or belongs to another key.").format(path=name), hint)
    if "locked" in text or "busy" in text:
        return Trouble(_("{path} is in use for too long.").format(path=name), _("Try again."))
    if "disk I/O" in text:
        return Trouble(
            _("The disk does not answer as it should."), _("Nothing that was confirmed is lost. Check the disk.")
        )
    return error if isinstance(error, Exception) else Trouble(text)
