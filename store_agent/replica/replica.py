"""The two files together: what is known, and the one way in which something is accepted."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Sequence
from datetime import datetime
from pathlib import Path
from types import TracebackType
from typing import Any, Self

from store_agent.codec import Entry
from store_agent.domain.operation import Operation, Refusal
from store_agent.replica import ballast, building, database
from store_agent.replica.anchor import Anchor, Mark
from store_agent.replica.building import Building
from store_agent.replica.cache import DAMAGE_MARK, Cache
from store_agent.replica.download import Download
from store_agent.replica.journal import Journal, Place
from store_agent.replica.standing import Standing
from store_agent.replica.view import View
from store_agent.trouble import Trouble
from store_agent.words import _

DOWNLOAD = "cache.download"
OLD = "cache.old.db"
NOWHERE = Place(0, 0)
"""Before the first entry."""


class Refused(Exception):
    """Carries a refusal out of the transaction, so that it is rolled back."""

    def __init__(self, refusal: Refusal) -> None:
        self.refusal = refusal


class Replica:
    """What a store has on disk: `journal.db` and `cache.db` under one key, and the anchor beside them or elsewhere."""

    def __init__(self, folder: Path, key: bytes, anchor: Path | None = None) -> None:
        self.folder = folder
        self._key = key
        # Given once and for good, so they are read once: every operation that is named asks for the store.
        self._device = self._store = ""
        ballast.probe(folder)
        self._server_at: datetime | None = None
        self._time_version: object = None
        self.journal = Journal(folder / "journal.db", key)
        self.anchor = Anchor(anchor or folder / "anchor")
        self.standing = Standing(self.journal, self.anchor)
        try:
            self.standing.check(self.device)
            self._cache = self._open_cache()
        except BaseException:
            self.journal.close()
            raise
        # Not through the property: a look at the folder costs as much as a read. Whoever watches `version` looks for all.
        self.view = View(self.journal, lambda: self._cache)
        ballast.take_in(folder)

    @property
    def cache(self) -> Cache:
        """The cache that lies in the folder now: it may have been deleted, or begun anew by another process."""
        # Never in the middle of something: what was begun on one file ends on it.
        if not self.view.is_in_moment and not self.journal.db.conn.in_transaction and not self._cache.is_in_place():
            self._cache.close()
            self._cache = self._open_cache()
        return self._cache

    def _open_cache(self) -> Cache:
        """A damaged cache is put aside and begun anew: it holds nothing that the centre does not."""
        path, mark = self.folder / "cache.db", self.folder / DAMAGE_MARK
        # Under the journal's lock: another process that finds the same must not sweep away what this one has just begun.
        with self.journal.transaction():
            try:
                if path.exists() and not mark.exists():
                    return Cache(path, self._key)
            except database.Corrupt:
                pass
            for name in ("cache.db-wal", "cache.db-shm"):
                (self.folder / name).unlink(missing_ok=True)
            if path.exists():
                os.replace(path, self.folder / "cache.damaged.db")
            mark.unlink(missing_ok=True)
            return Cache(path, self._key)

    def make_download(self) -> Download:
        """Where a cache on its way here is kept until it is whole."""
        return Download(self.folder / DOWNLOAD, self._key)

    def begin_building(self) -> Building:
        """A new cache, to be made beside the one in use."""
        return Building(self.folder, self._key)

    def sweep(self) -> None:
        """Throw away what a kill left of a new cache or of an old one. For the process in the sync seat only."""
        building.remove(self.folder)
        (self.folder / OLD).unlink(missing_ok=True)

    def open_new(self, path: Path) -> Cache:
        """A cache that was made and is not in place yet, to be brought up to now."""
        return Cache(path, self._key)

    def put_in_place(self, new: Path) -> None:
        """From now on this file is the cache; every process of the store goes over to it by itself."""
        assert not self.view.is_in_moment, "what is being read must not go from under its reader"
        path, old = self.folder / "cache.db", self.folder / OLD
        # Under the journal's lock, as in `_open_cache`: nobody may open or begin a cache meanwhile.
        with self.journal.transaction():
            # First away with the old one: its WAL beside the new file would be played into that one. A kill in between
            # leaves a store without a cache, which is a thing that is allowed to happen.
            if path.exists():
                os.replace(path, old)
            for name in ("cache.db-wal", "cache.db-shm", DAMAGE_MARK):
                (self.folder / name).unlink(missing_ok=True)
            os.replace(new, path)
            old.unlink(missing_ok=True)
        self.cache.cursors()

    def accept(self, operations: Sequence[Operation]) -> Refusal | None:
        """Accept operations that happened together, all or none: judged against what this store knows, then durable."""
        return self.accept_drafted(lambda: operations)

    def accept_drafted(self, draft: Callable[[], Sequence[Operation]]) -> Refusal | None:
        """The same for operations that depend on what stands now: they are drafted once no other terminal can change it.

        The journal is locked first, so two terminals cannot both spend the same thing.
        """
        assert not self.view.is_in_moment, "what is judged must be read after the journal is locked"
        if not ballast.take_in(self.folder):
            # What room is left is for the push of what was confirmed.
            raise database.is_full()
        try:
            with self.journal.transaction(), self.view.moment():
                epoch = self.standing.open_epoch()
                operations = draft()
                after: dict[tuple[str, str], Any] = {}
                for operation in map(self.view.meant, operations):
                    subject = (operation.table, operation.subject)
                    before = after[subject] if subject in after else self.view.get(*subject)
                    refusal = operation.judge(before)
                    if refusal:
                        raise Refused(refusal)
                    after[subject] = operation.effect(before)
                entries = self.journal.append(operations, self.device, epoch)
        except Refused as refused:
            return refused.refusal
        if entries:
            last = entries[-1]
            self.anchor.write(last.device, Mark(Place(last.epoch, last.seq), last.hash))
        return None

    def rest(self) -> bool:
        """What is done when nobody waits: both logs are moved into their files, and the ballast is taken in again.

        False where somebody reads or writes just now: then later.
        """
        if self.view.is_in_moment:
            return False
        ballast.take_in(self.folder)
        parts = (self.journal, self.cache)
        return all([database.empty_log(part.db, part.path) for part in parts])

    def outbox(self, most: int) -> list[Entry]:
        """The oldest operations that the centre has not said it received, in order."""
        return list(self.journal.after(self.received(), most))

    def received(self) -> Place:
        """Up to here the centre holds every own operation. Said of another journal than this one, it counts for nothing."""
        place, hash = self.cache.received()
        return place if not place.seq or self.journal.hash_at(place) == hash else NOWHERE

    def raise_floor(self) -> None:
        """Below the floor every own operation is included, but for those that are parked, in this epoch and before it."""
        cache = self.cache
        parked = set(cache.parked())
        before = floor = self.floor()
        most = 1
        while part := self.journal.op_ids_after(floor, most):
            answered = parked | cache.answered([op_id for _place, op_id in part])
            count = next((n for n, (_place, op_id) in enumerate(part) if op_id not in answered), len(part))
            if count:
                floor = part[count - 1][0]
            if count < len(part):
                break
            most = min(most * 8, 500)
        if floor != before:
            cache.keep(floor=f"{floor.epoch}.{floor.seq}.{self.journal.op_id_at(floor)}")

    def floor(self) -> Place:
        """Up to here every own operation is included; by its id, as an older journal may have used the number for another."""
        place, op_id = self.cache.floor()
        return place if op_id and self.journal.op_id_at(place) == op_id else NOWHERE

    def outbox_data(self, most: int) -> list[tuple[int, bytes]]:
        """The same as epochs and the bytes that were stored."""
        return self.journal.data_after(self.received(), most)

    def version(self) -> tuple[int, ...]:
        """Changes whenever another process has committed to either file; for looking again at what is on a screen."""
        cache = self.cache
        versions = [int(part.db.conn.execute("pragma data_version").fetchone()[0]) for part in (self.journal, cache)]
        return (*versions, *cache.place)

    def server_at(self) -> datetime | None:
        """The latest time that the centre ever told this store; with the cache it is forgotten, and all rows with it."""
        if self._time_version and self.view.is_in_moment:
            return self._server_at  # What was judged by is one moment's.
        cache = self._cache
        version = (cache.place, database.version(cache.db))
        if version != self._time_version:
            text = cache.setting("server_at")
            self._server_at = datetime.fromisoformat(text) if text else None
            self._time_version = version
        return self._server_at

    @property
    def device(self) -> str:
        """This device's id at the centre, or empty where the store is not enrolled yet."""
        self._device = self._device or self.journal.setting("device")
        return self._device

    @property
    def store(self) -> str:
        """The id of the store that this device was enrolled for."""
        self._store = self._store or self.journal.setting("store")
        return self._store

    @property
    def epoch(self) -> int:
        """The chain that is being written."""
        return self.standing.epoch()

    def close(self) -> None:
        self.anchor.close()
        self._cache.close()
        self.journal.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: type[BaseException] | BaseException | TracebackType | None) -> None:
        self.close()


def open_key(path: Path, *, make: bool) -> bytes:
    """The key of both files: 32 random bytes in a file that only its owner may read. `make`: for a new store only."""
    try:
        if make and not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_hex(database.KEY_BYTES) + "\n")
                file.flush()
                os.fsync(file.fileno())
            _keep_name(path.parent)
        key = bytes.fromhex(path.read_text("ascii").strip())
    except FileNotFoundError as error:
        raise Trouble(
            _("The key file {path} is missing.").format(path=path),
            _("Put it back from your backup: without it this store's data cannot be read. Nothing was changed."),
        ) from error
    except (OSError, ValueError) as error:
        raise Trouble(_("The key file {path} cannot be read.").format(path=path), str(error)) from error
    if len(key) != database.KEY_BYTES:
        raise Trouble(_("The key file {path} holds no key.").format(path=path), _("Put it back from your backup."))
    return key


def _keep_name(folder: Path) -> None:
    """What was made in a folder is found in it after a power cut: a file that was synced may still have no name."""
    if os.name == "nt":
        return
    descriptor = os.open(folder, os.O_RDONLY)
    try:
        # Where a file system cannot do this, SQLite goes on without it, too.
        with contextlib.suppress(OSError):
            os.fsync(descriptor)
    finally:
        os.close(descriptor)
