"""What SQLite asks of the disk, written down in order. Knows files and bytes, and nothing of a store.

The driver's own library is asked for its file layer (`sqlite3_vfs`), and a layer of ours is put before it for as long as
somebody writes down: the code under test, its driver and its encryption are the real ones, and no compiler is needed.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any

from sqlcipher3 import _sqlite3 as driver

from store_agent.trouble import Trouble

OK, IO_ERROR, FULL = 0, 10, 13
"""SQLite's result codes (sqlite.org/rescode.html)."""
POINTERS_OF_METHODS = 19
POINTERS_OF_VFS = 18
CLOSE, READ, WRITE, TRUNCATE, SYNC = range(5)
OPEN, DELETE = 0, 1
_p, _i, _n = ctypes.c_void_p, ctypes.c_int, ctypes.c_int64


class _Methods(ctypes.Structure):
    """`sqlite3_io_methods`: what can be done to an open file."""

    _fields_ = (("version", _i), ("pointers", _p * POINTERS_OF_METHODS))


class _Vfs(ctypes.Structure):
    """`sqlite3_vfs`: how files are opened and deleted."""

    _fields_ = (
        ("version", _i),
        ("file_bytes", _i),
        ("path_most", _i),
        ("next", _p),
        ("name", ctypes.c_char_p),
        ("data", _p),
        ("pointers", _p * POINTERS_OF_VFS),
    )


_Write = ctypes.CFUNCTYPE(_i, _p, _p, _i, _n)
_Truncate = ctypes.CFUNCTYPE(_i, _p, _n)
_Sync = ctypes.CFUNCTYPE(_i, _p, _i)
# A name goes through as the pointer that it is: SQLite looks behind its end for parameters.
_Open = ctypes.CFUNCTYPE(_i, _p, _p, _p, _i, _p)
_Delete = ctypes.CFUNCTYPE(_i, _p, _p, _i)


class Did(StrEnum):
    """What was asked of the disk."""

    MADE = "made"
    WROTE = "wrote"
    CUT = "cut"
    SYNCED = "synced"
    SYNCED_FOLDER = "synced folder"
    DELETED = "deleted"


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that was asked of the disk, of one file."""

    did: Did
    name: str
    place: int = 0
    """Where it was written, or to how many bytes the file was cut."""
    data: bytes = b""


class Recorder:
    """All that happened to the files of one folder since it began, in order."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.acts: list[Act] = []
        self.room: Callable[[Act], bool] = lambda act: True
        """Whether the disk has room for what is to be written: a test makes it full."""
        self._unsynced_names: set[str] = set()

    def made(self, name: str) -> None:
        self.acts.append(Act(Did.MADE, name))
        self._unsynced_names.add(name)

    def synced(self, name: str) -> None:
        self.acts.append(Act(Did.SYNCED, name))
        # With its first sync, SQLite syncs also the folder of a log or a rollback journal that it made; not of a database.
        if name in self._unsynced_names and name.endswith(("-wal", "-journal")):
            self.acts.append(Act(Did.SYNCED_FOLDER, ""))
            self._unsynced_names.clear()

    def deleted(self, name: str, *, is_synced: bool) -> None:
        self.acts.append(Act(Did.DELETED, name))
        if is_synced:
            self.acts.append(Act(Did.SYNCED_FOLDER, ""))


class _Layer:
    """Our functions in front of the driver's. What SQLite holds a pointer to is never let go of."""

    def __init__(self) -> None:
        self.recorder: Recorder | None = None
        self.library = ctypes.CDLL(driver.__file__)
        try:
            self.library.sqlite3_vfs_find.restype = _p
        except AttributeError as error:
            raise Trouble("This sqlcipher3 hides its file layer.", "Install the wheel of sqlcipher3.") from error
        self.library.sqlite3_vfs_register.argtypes = (_p, _i)
        self.library.sqlite3_initialize()
        self.below = _Vfs.from_address(self.library.sqlite3_vfs_find(None))
        self.own = _Vfs.from_buffer_copy(self.below)
        self.own.name = b"written-down"
        self._open_below = _Open(self.below.pointers[OPEN])
        self._delete_below = _Delete(self.below.pointers[DELETE])
        self._kept: list[Any] = [_Open(self._open), _Delete(self._delete)]
        self.own.pointers[OPEN], self.own.pointers[DELETE] = (ctypes.cast(each, _p).value for each in self._kept)
        self._methods: dict[int, _Methods] = {}
        self._names: dict[int, str] = {}

    def begin(self, recorder: Recorder) -> None:
        assert self.recorder is None, "one is written down at a time"
        self.recorder = recorder
        self.library.sqlite3_vfs_register(ctypes.addressof(self.own), 1)

    def end(self) -> None:
        self.recorder = None
        self._names.clear()
        self.library.sqlite3_vfs_register(ctypes.addressof(self.below), 1)

    def _open(self, vfs: int, name: int | None, file: int, flags: int, out_flags: int | None) -> int:
        path = _path_of(name) if name else None
        is_new = path is not None and not path.exists()
        result: int = self._open_below(vfs, name, file, flags, out_flags)
        if result == OK and path is not None and self.recorder and path.parent == self.recorder.folder:
            self._names[file] = path.name
            pointer = _p.from_address(file)
            assert pointer.value is not None
            pointer.value = ctypes.addressof(self._in_front_of(pointer.value))
            if is_new:
                self.recorder.made(path.name)
        return result

    def _delete(self, vfs: int, name: int, sync_folder: int) -> int:
        path = _path_of(name)
        was_there = path.exists()
        result: int = self._delete_below(vfs, name, sync_folder)
        if was_there and result == OK and self.recorder and path.parent == self.recorder.folder:
            self.recorder.deleted(path.name, is_synced=bool(sync_folder))
        return result

    def _in_front_of(self, address: int) -> _Methods:
        if address in self._methods:
            return self._methods[address]
        below = _Methods.from_address(address)
        ours = _Methods.from_buffer_copy(below)
        write_below, truncate_below = _Write(below.pointers[WRITE]), _Truncate(below.pointers[TRUNCATE])
        sync_below = _Sync(below.pointers[SYNC])

        def write(file: int, data: int, length: int, place: int) -> int:
            name = self._names.get(file)
            if name is None or self.recorder is None:
                return int(write_below(file, data, length, place))
            act = Act(Did.WROTE, name, place, ctypes.string_at(data, length))
            if not self.recorder.room(act):
                return FULL
            result = int(write_below(file, data, length, place))
            if result == OK:
                self.recorder.acts.append(act)
            return result

        def truncate(file: int, length: int) -> int:
            result = int(truncate_below(file, length))
            name = self._names.get(file)
            if result == OK and name is not None and self.recorder:
                self.recorder.acts.append(Act(Did.CUT, name, length))
            return result

        def sync(file: int, flags: int) -> int:
            result = int(sync_below(file, flags))
            name = self._names.get(file)
            if result == OK and name is not None and self.recorder:
                self.recorder.synced(name)
            return result

        kept = (_Write(write), _Truncate(truncate), _Sync(sync))
        self._kept += [write_below, truncate_below, sync_below, *kept]
        for slot, function in zip((WRITE, TRUNCATE, SYNC), kept, strict=True):
            ours.pointers[slot] = ctypes.cast(function, _p).value
        self._methods[address] = ours
        return ours


def _path_of(name: int) -> Path:
    return Path(os.fsdecode(ctypes.string_at(name)))


_LAYERS: list[_Layer] = []


@contextmanager
def written_down(folder: Path) -> Iterator[Recorder]:
    """Writes down what SQLite does to the files of a folder. Whatever is opened inside is closed inside."""
    if not _LAYERS:
        _LAYERS.append(_Layer())
    recorder = Recorder(folder)
    _LAYERS[0].begin(recorder)
    try:
        yield recorder
    finally:
        _LAYERS[0].end()
