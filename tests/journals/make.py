"""Makes the journal of the version that is released now: `python -m tests.journals.make v2`.

Once, when a version is released; a folder that is there is never made again. What stands in it: `journal.db` as the store
left it; `cache.sqlite.gz`, its cache without encryption, as a cache is mostly empty pages; `summary.json`, what all of it
means: the hashes, and every row as the store shows it.
"""

from __future__ import annotations

import gzip
import json
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Any

from sqlcipher3 import dbapi2 as sqlcipher

from store_agent.codec import NOUN_OF, encode_row
from store_agent.replica import Replica
from store_agent.replica.cache import Absorbed, Arrival
from store_agent.replica.journal import Place
from sync.wire import CHAIN, stream_of
from tests.journals.story import DEVICE, STORE, operations, rows_of
from tests.standing_clock import StandingClock

FOLDER = Path(__file__).parent
KEY = bytes(range(32))
"""Of every fixture: what is in them is made up."""


def summary_of(replica: Replica) -> dict[str, Any]:
    """What a journal and a cache mean."""
    entries = list(replica.journal.after(Place(0, 0)))
    subjects = {(entry.operation.table, entry.operation.subject) for entry in entries}
    for table in NOUN_OF:
        subjects |= {(table, row.id) for row in replica.view.all(table)}
    shown = {key: replica.view.get(*key) for key in sorted(subjects)}
    return {
        "hashes": [entry.hash for entry in entries],
        "kinds": [entry.operation.kind for entry in entries],
        "rows": {
            f"{table} {id_}": json.loads(encode_row(row)) for (table, id_), row in shown.items() if row is not None
        },
    }


def unpack_cache(path: Path, packed: Path, key: bytes) -> None:
    """The cache of a fixture, encrypted as a store's is."""
    plain = path.with_suffix(".plain")
    plain.write_bytes(gzip.decompress(packed.read_bytes()))
    _copy_with_key(plain, "", path, key.hex())
    plain.unlink()


def make(folder: Path) -> None:
    """A fixture in a folder that is not there yet."""
    folder.mkdir()
    with tempfile.TemporaryDirectory() as name:
        began, clock = Path(name), StandingClock()
        with Replica(began, KEY) as replica:
            replica.journal.keep(device=DEVICE, store=STORE, epoch="1")
            rows = rows_of(clock)
            arrivals = [Arrival(row.table, row.id, 1, encode_row(row).decode()) for row in rows]
            cursors = {CHAIN: (2, 2), stream_of(STORE): (len(rows) - 2, len(rows) - 2)}
            replica.cache.absorb(Absorbed(arrivals, (), cursors))
            for operation in operations(clock):
                with replica.journal.transaction():
                    replica.journal.append([operation], DEVICE, 1)
            summary = summary_of(replica)
            replica.rest()
        shutil.copy(began / "journal.db", folder)
        _copy_with_key(began / "cache.db", KEY.hex(), began / "cache.sqlite", "")
        packed = gzip.compress((began / "cache.sqlite").read_bytes(), mtime=0)
        (folder / "cache.sqlite.gz").write_bytes(packed)
    text = json.dumps(summary, ensure_ascii=False, indent=0, sort_keys=True)
    (folder / "summary.json").write_text(text + "\n", "utf-8")


def _copy_with_key(one: Path, key: str, other: Path, other_key: str) -> None:
    conn = sqlcipher.connect(str(one), isolation_level=None)
    if key:
        conn.execute(f"pragma key = \"x'{key}'\"")
    literal = f"\"x'{other_key}'\"" if other_key else "''"
    conn.execute(f"attach '{other}' as other key {literal}")
    conn.execute("select sqlcipher_export('other')")
    conn.execute("detach other")
    conn.close()


if __name__ == "__main__":
    make(FOLDER / sys.argv[1])
