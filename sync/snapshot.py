"""A store that has nothing, or is too far behind, takes all its rows as one file: asked for, downloaded, checked, built.

What it has stays in use until the new cache is whole; a cut or a kill at any byte costs only what was not yet on disk.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from hashlib import sha256
from pathlib import Path
from typing import Any

import msgspec

from store_agent.clock import Clock
from store_agent.replica.building import Building
from store_agent.replica.download import Download
from store_agent.trouble import Trouble
from store_agent.words import _
from sync import wire
from sync.client import Client, Gone, Offline
from sync.covered import covered
from sync.frames import unpack_frames
from sync.session import Rubbish, Session

log = logging.getLogger(__name__)

ROWS_LEAST = 5_000
"""With fewer rows to come than these, pulling is as quick."""
TRIES = 3
MAKING_S = 1.0
STEP = 0.01
"""How much more has to be there before it is said again."""
CARRIED = ("heard_at", "offline_since", "trouble", "server_at", "clock_ahead_s", "past_incarnations")
"""What a cache says of the line and of the centre's lives, and the next one goes on saying."""

Aside = Callable[[Callable[[], Any]], Awaitable[Any]]
"""Does long work where it keeps nobody waiting: in a thread, or for a simulation at once."""


class Bootstrap:
    """Takes snapshots for one store, for the process in the sync seat."""

    def __init__(
        self,
        session: Session,
        client: Client,
        clock: Clock,
        *,
        rows_least: int = ROWS_LEAST,
        aside: Aside = asyncio.to_thread,
        changed: Callable[[], None] = lambda: None,
    ) -> None:
        self._session = session
        self._replica = session.replica
        self._client = client
        self._clock = clock
        self._rows_least = rows_least
        self._aside = aside
        self._changed = changed
        self._is_forced = False
        self._declined = ""
        """The generation of the cache for which pulling was found to be as good."""
        self._failures = 0
        self._told = -1.0

    def tidy(self) -> None:
        """Throw away what a kill left behind and nobody needs: of a file that is on its way, nothing."""
        self._replica.sweep()
        download, cursors = self._replica.make_download(), self._session.cursors()
        reply = _read_label(download.resume())
        is_ahead = reply and any(position > cursors.get(name, 0) for name, position in reply.positions.items())
        if reply and is_ahead and self._is_good(reply, cursors):
            download.close()
        else:
            download.discard()

    def is_wanted(self) -> bool:
        """Whether this store has nothing yet, or is behind what the centre still has."""
        cache = self._replica.cache
        is_empty = not any(self._session.cursors().values())
        return self._is_forced or (is_empty and cache.setting("generation") != self._declined)

    def force(self) -> None:
        """The centre has not kept what comes next: there is no other way."""
        self._is_forced = True

    async def step(self) -> bool:
        """One attempt; whether there is a new cache now. Falls back to pulling after a few, where that is possible."""
        download = self._replica.make_download()
        before = 0
        try:
            reply = await self._begin(download)
            if reply is None:
                return False
            before = download.size
            await self._fetch(download, reply)
            path = await self._build(download, reply)
            await self._catch_up(path)
            # Nothing else moves this store's cursors; but a cache that was lost meanwhile may have been begun anew.
            # And where this device's chain turned out to be another's, numbers of it say nothing: a new one has to begin.
            if not self._is_good(reply, self._session.cursors()) or self._session.needs_epoch():
                raise _too_old()
            self._replica.put_in_place(path)
        except Gone:
            download.discard()
            await self._failed(before, before)
            raise
        except Offline:
            await self._failed(before, download.size)
            raise
        except Trouble as trouble:
            log.warning("the snapshot is of no use: %s", trouble)
            download.discard()
            await self._failed(0, 0)
            raise
        finally:
            download.close()
        download.discard()
        self._is_forced, self._failures = False, 0
        log.info("all %s rows of the snapshot are here", f"{reply.rows:,}")
        return True

    async def _failed(self, before: int, after: int) -> None:
        """Count what brought nothing though the centre answers; a cable that is out is no failure of the snapshot."""
        self._tell("", 0, 0)
        if after > before:
            self._failures = 0
            return
        await self._client.health()
        self._failures += 1
        if self._failures >= TRIES:
            log.warning("no snapshot after %s attempts: the rows are pulled", self._failures)
            self._decline()

    def _decline(self) -> None:
        self._declined = self._replica.cache.setting("generation")
        self._failures = 0

    async def _begin(self, download: Download) -> wire.SnapshotReply | None:
        """The snapshot that is on its way already, or a new one; None where there is none to be had just now."""
        cursors = self._session.cursors()
        reply = _read_label(download.resume())
        if reply is None or not self._is_good(reply, cursors):
            rows_least = 0 if self._is_forced else self._rows_least
            reply = await self._client.snapshot(wire.SnapshotRequest(cursors, rows_least))
            if reply.state == "pull":
                self._is_forced = False
                self._decline()
                return None
            if reply.state == "making":
                await self._clock.sleep(MAKING_S)
                return None
            if not self._is_good(reply, cursors):
                raise _too_old()
            download.begin(wire.encode(reply))
        log.info("taking a snapshot of %s rows, %s of %s bytes are here", reply.rows, download.size, reply.size)
        return reply

    def _is_good(self, reply: wire.SnapshotReply, cursors: dict[str, int]) -> bool:
        """It is of the centre's life that this store knows, of its own streams, and takes it back in neither."""
        known = self._replica.cache.setting("incarnation")
        is_same_life = known in ("", reply.incarnation)
        is_ahead = all(reply.positions.get(stream, -1) >= cursor for stream, cursor in cursors.items())
        return is_same_life and is_ahead and set(reply.positions) == set(cursors)

    async def _fetch(self, download: Download, reply: wire.SnapshotReply) -> None:
        """The rest of the file, and its hash over all of it."""
        hash = sha256()
        for piece in download.read():
            hash.update(piece)
        if download.size < reply.size:
            async with aclosing(self._client.download(reply, download.size)) as pieces:
                async for piece in pieces:
                    hash.update(piece)
                    download.add(piece)
                    self._tell("fetched", download.size, reply.size)
                    if download.size > reply.size:
                        break
        download.flush()
        if download.size < reply.size:
            raise Offline(_("The centre cannot be reached."), _("Work goes on; it will be tried again."))
        if hash.hexdigest() != reply.sha256:
            raise Rubbish(_("The snapshot is not what the centre made."), _("It is begun anew."))

    async def _build(self, download: Download, reply: wire.SnapshotReply) -> Path:
        """The new cache as of the snapshot's moment."""
        held = covered(self._replica.journal, self._replica.epoch, reply.included)
        carried = {name: self._replica.cache.setting(name) for name in CARRIED}
        # Here, as the work aside may not touch the journal.
        journal = self._replica.journal
        floor_id = journal.op_id_at(held.floor)
        received = f"{held.received.epoch}.{held.received.seq}.{journal.hash_at(held.received)}"
        loop = asyncio.get_running_loop()
        building: Building | None = None

        def build() -> Path:
            nonlocal building
            building = self._replica.begin_building()
            try:
                for frame in unpack_frames(download.read()):
                    building.add(frame.table, frame.rows)
                    loop.call_soon_threadsafe(self._tell, "built", building.row_count, reply.rows)
                if building.row_count != reply.rows:
                    raise Rubbish(_("The snapshot is not what the centre made."), _("It is begun anew."))
                building.include(held.entries, held.floor, floor_id)
                building.keep(incarnation=reply.incarnation, received=received, **carried)
                return building.finish(reply.positions)
            finally:
                building.close()

        try:
            path: Path = await self._aside(build)
        except asyncio.CancelledError:
            if building:
                building.stop()
            raise
        return path

    async def _catch_up(self, path: Path) -> None:
        """Read on to where the streams end by now, so that nobody looks at an hour ago; with the cable out, that has to do."""
        cache = self._replica.open_new(path)
        try:
            ends: dict[str, int] | None = None
            while ends is None or any(self._session.cursors_of(cache)[stream] < end for stream, end in ends.items()):
                reply = await self._client.pull(self._session.cursors_of(cache), self._session.page_rows)
                self._session.absorb(reply, into=cache)
                ends = ends or {stream: page.head for stream, page in reply.streams.items()}
        except Offline as offline:
            log.info("the rows behind the snapshot are pulled later: %s", offline.what)
        finally:
            cache.close()

    def _tell(self, what: str, done: int, whole: int) -> None:
        """Terminals of this store read it from the cache that is in use."""
        share = done / whole if whole else 0.0
        if what and abs(share - self._told) < STEP and done != whole:
            return
        if what and int(share * 10) != int(self._told * 10):
            log.info("first data: %s, %d %% (%s of %s)", what, share * 100, f"{done:,}", f"{whole:,}")
        self._told = share if what else -1.0
        try:
            self._replica.cache.keep(arriving=f"{what} {done} {whole}" if what else "")
        except Trouble as trouble:
            log.warning("how far the first data are cannot be kept: %s", trouble.what)
        self._changed()


def _too_old() -> Rubbish:
    return Rubbish(_("The centre's snapshot is older than what this store has."), _("It is asked again."))


def _read_label(label: bytes) -> wire.SnapshotReply | None:
    try:
        return msgspec.json.decode(label, type=wire.SnapshotReply) if label else None
    except (msgspec.DecodeError, UnicodeDecodeError):
        return None
