"""Rows, stores and devices straight into a ledger, as if they had been there for long. What is measured goes by the doors."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import psycopg

from store_agent.codec import encode_row
from store_agent.domain.stores import Store
from store_agent.replica import Replica
from store_agent.replica.journal import FIRST_HASH
from sync import wire
from tests.counter_fixture import KEY, NOW

Connection = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Device:
    """A store's device with its secret."""

    id: str
    store: str
    secret: str


def put_rows(conn: Connection, rows: Iterable[Any]) -> None:
    """Rows that the ledger does not hold yet, in revision 1."""
    by_table: dict[str, list[Any]] = {}
    for row in rows:
        by_table.setdefault(row.table, []).append(row)
    for table, group in by_table.items():
        values = ((row.id, 1, encode_row(row).decode()) for row in group)
        copy(conn, f"copy {table} (id, revision, body) from stdin", values)


def put_followers(conn: Connection, pairs: Iterable[tuple[str, str]]) -> None:
    """(member, store): these stores hold these members."""
    copy(conn, "copy follow from stdin", ((member, store, NOW) for member, store in pairs))


def put_stores(conn: Connection, stores: Sequence[str]) -> list[Device]:
    """Stores with one device each. One key for all of them: it is signed and checked just the same."""
    secret, public = wire.make_key()
    put_rows(conn, [Store(id=store, name={"en": store}) for store in stores])
    devices = [Device(uuid.uuid4().hex, store, secret) for store in stores]
    columns = "id, store, name, public_key, last_hash, enrolled_at"
    values = ((device.id, device.store, "", public, FIRST_HASH, NOW) for device in devices)
    copy(conn, f"copy device ({columns}) from stdin", values)
    copy(conn, "copy head (stream, position) from stdin", ((wire.stream_of(store), 0) for store in stores))
    return devices


def copy(conn: Connection, statement: str, values: Iterable[Sequence[Any]]) -> None:
    """Rows into a table by the fastest way there is."""
    with conn.cursor() as cursor, cursor.copy(statement.encode()) as into:
        for value in values:
            into.write_row(value)


def open_replica(folder: Path, device: Device) -> Replica:
    """The replica of an enrolled store; the same folder opens the same store."""
    folder.mkdir(parents=True, exist_ok=True)
    replica = Replica(folder, KEY)
    if not replica.device:
        replica.journal.keep(device=device.id, store=device.store, epoch="1", secret=device.secret)
    return replica


@contextmanager
def store_of(device: Device) -> Iterator[Replica]:
    """The same in a folder that goes afterwards."""
    with ExitStack() as stack:
        folder = Path(stack.enter_context(TemporaryDirectory(prefix="store-agent-bench-")))
        replica = open_replica(folder, device)
        stack.callback(replica.close)
        yield replica
