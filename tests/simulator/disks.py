"""A store's files copied aside while it works, and put back later: an older disk, or a part of one, in place of its own."""

from __future__ import annotations

import asyncio
import copy
import shutil
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING

from tests.simulator.model import StoreModel

if TYPE_CHECKING:
    from tests.simulator.store import Store

MOST = 3
"""So often at most: a device is given twelve epochs in an hour, and then somebody has to look at it."""
LIVING = ("-shm", ".lock")
DISK = ("journal.db", "cache.db", "anchor")
PARTS = (DISK, ("journal.db", "cache.db"), ("journal.db",), ("journal.db", "anchor"))
"""With its anchor only the centre can notice; without it the anchor does. A cache that stays is newer than the journal."""


@dataclass(frozen=True, slots=True)
class Kept:
    """A disk as it was, and what the store had to show then."""

    folder: Path
    model: StoreModel


class Keeping:
    """The copies of one store's disk."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._kept: list[Kept] = []
        self._times = 0

    def keep(self) -> None:
        """Only where what is on the disk is what was last looked at."""
        store = self._store
        if any(not one.is_up or one.replica.fuse.is_dead for one in store.terminals):
            return
        folder = store.folder.with_name(f"{store.id}.kept.{len(self._kept)}")
        folder.mkdir()
        for file in sorted(store.folder.iterdir()):
            if file.name.startswith(DISK) and not file.name.endswith(LIVING):
                shutil.copy(file, folder)
        self._kept.append(Kept(folder, copy.deepcopy(store.model)))

    async def put_back(self, random: Random) -> str:
        """One of the copies in the place of what is there by now; says which part of it."""
        store = self._store
        if not self._kept or self._times >= MOST or store.is_down:
            return ""
        self._times += 1
        kept, names = random.choice(self._kept), random.choice(PARTS)
        store.is_down = True
        for terminal in store.terminals:
            if terminal.is_up:
                terminal.replica.fuse.is_dead = True
        while any(one.is_up for one in store.terminals):
            await asyncio.sleep(0.05)
        for folder in (store.folder, kept.folder):
            for file in sorted(folder.iterdir()):
                if not file.name.startswith(names):
                    continue
                if folder is store.folder:
                    file.unlink()
                else:
                    shutil.copy(file, store.folder)
        store.put_back(copy.deepcopy(kept.model), names)
        store.is_down = False
        return " ".join(names)
