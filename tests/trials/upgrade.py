"""Journals of every released version open with today's code, mean what they meant, and reach a centre of today."""

from __future__ import annotations

import asyncio
import json
import shutil
import tempfile
from contextlib import closing, nullcontext
from pathlib import Path
from typing import Any

from store_agent import schema
from store_agent.codec import NOUN_OF, encode_row
from store_agent.replica import Replica, database
from store_agent.trouble import Trouble
from sync.central.postgres.embedded import EmbeddedPostgres
from tests.chain import Chain, open_chain
from tests.invariants import check_converged, check_ledger
from tests.journals import make
from tests.journals.story import DEVICE, STORE
from tests.standing_clock import StandingClock
from tests.trials.after_cut import Broken, check_files, check_journal
from tests.trials.small_ballast import small_ballast
from tests.trials.trial import Found, Trial
from tests.trials.upgrade_plants import PLANTS


def released() -> list[Path]:
    """The fixture of each released version."""
    return sorted(path.parent for path in make.FOLDER.glob("*/summary.json"))


def _open(fixture: Path, folder: Path) -> Replica:
    """A store's folder as that version left it, opened by today's code."""
    folder.mkdir()
    shutil.copy(fixture / "journal.db", folder)
    make.unpack_cache(folder / "cache.db", fixture / "cache.sqlite.gz", make.KEY)
    return Replica(folder, make.KEY)


def check_meaning(replica: Replica, summary: dict[str, Any]) -> None:
    """Every operation is there with its hash, and every row is shown as it was."""
    check_files(replica)
    found = make.summary_of(replica)
    if found["hashes"] != summary["hashes"]:
        raise Broken("ORDER: an operation has another hash than when it was written")
    check_journal(replica, set())
    _compare(found["rows"], summary["rows"], "as the store shows it")


def _compare(found: dict[str, Any], wanted: dict[str, Any], where: str) -> None:
    for key, row in wanted.items():
        if not _holds(_meaning(found.get(key)), _meaning(row)):
            raise Broken(f"DURABLE: {key} is not what it was, {where}")


def _meaning(row: Any) -> Any:
    """A row without what the centre does on its own: it may set parts of a batch of points aside for stores."""
    if not isinstance(row, dict) or "batches" not in row:
        return row
    left: dict[str, int] = {}
    for batch in row["batches"]:
        left[batch["id"]] = left.get(batch["id"], 0) + batch["left"]
    return {**row, "batches": [[id_, left[id_]] for id_ in sorted(left)]}


def _holds(found: Any, wanted: Any) -> bool:
    """Whether all that was there is there still; what a later version adds is nobody's loss."""
    if isinstance(wanted, dict):
        return isinstance(found, dict) and all(_holds(found.get(name), value) for name, value in wanted.items())
    if isinstance(wanted, list):
        return isinstance(found, list) and len(found) == len(wanted) and all(map(_holds, found, wanted))
    return bool(found == wanted)


def check_older_caches(fixture: Path, folder: Path, summary: dict[str, Any]) -> int:
    """A cache as each step of its schema left it is brought on, with the rows that are in it; returns how many there are."""
    names = [migration.name for migration in schema.cache._migrations]
    for number, first_missing in enumerate([*names[1:], ""], 1):
        older = folder / f"cache-of-{number}"
        with closing(_open(fixture, older)) as replica:
            rows = [row for table in ("member", "coupon", "pickup") for row in replica.cache.all(table)]
        for file in older.glob("cache.db*"):
            file.unlink()
        db = database.connect(older / "cache.db", make.KEY, durable=False)
        schema.cache.apply(db, stop_before=first_missing or None)
        for row in rows:
            db.conn.execute(
                f"insert into {row.table} (id, revision, body) values (?, 1, ?)", [row.id, encode_row(row).decode()]
            )
        db.conn.close()
        with Replica(older, make.KEY) as replica:
            if [row for table in ("member", "coupon", "pickup") for row in replica.cache.all(table)] != rows:
                raise Broken(f"DURABLE: a cache from before {first_missing} lost rows")
            if [entry.hash for entry in replica.view.waiting()] != summary["hashes"]:
                raise Broken(f"VIEW: over a cache from before {first_missing} not everything waits")
    return len(names)


async def check_drain(chain: Chain, fixture: Path, folder: Path, summary: dict[str, Any]) -> int:
    """The outbox reaches a centre that knows the same rows, every operation is applied, and all comes back; how many."""
    enrolled = await chain.store(STORE)
    await chain.ask("update device set id = %s returning id", DEVICE)
    with _open(fixture, folder) as replica:
        await chain.write(*(row for table in NOUN_OF for row in replica.cache.all(table)))
    enrolled.folder, enrolled.key = folder, make.KEY
    # Its cache was read from another centre's streams.
    store = chain.restart(STORE, without_cache=True)
    await store.settle()
    counted = store.replica.journal.count()
    outcomes = dict(await chain.ask("select outcome, count(*) from operation group by outcome"))
    if sum(outcomes.values()) != counted or set(outcomes) - {"applied", "applied_with_case"}:
        raise Broken(f"DURABLE: of {counted} operations the centre made {outcomes}")
    await check_ledger(chain)
    await check_converged(chain)
    _compare(make.summary_of(store.replica)["rows"], summary["rows"], "once the centre has answered")
    return counted


def _drain(fixture: Path, folder: Path, summary: dict[str, Any]) -> int:
    with EmbeddedPostgres(durable=False) as postgres:
        return asyncio.run(_drain_into(postgres.create_database("upgrade"), fixture, folder, summary))


async def _drain_into(database_url: str, fixture: Path, folder: Path, summary: dict[str, Any]) -> int:
    async with open_chain(database_url, StandingClock(), folder) as chain:
        return await check_drain(chain, fixture, folder / "drained", summary)


def _play(count: int, seed: int, plant: str) -> Found:
    """The seed says nothing here: what was released is what it is."""
    fixtures = released()[-count:]
    figures = {"versions": len(fixtures), "operations": 0, "caches": 0}
    with small_ballast(), tempfile.TemporaryDirectory() as name:
        for fixture in fixtures:
            folder = Path(name) / fixture.name
            folder.mkdir()
            summary = json.loads((fixture / "summary.json").read_text("utf-8"))
            try:
                with PLANTS[plant][1]() if plant else nullcontext():
                    with _open(fixture, folder / "opened") as replica:
                        check_meaning(replica, summary)
                    figures["caches"] += check_older_caches(fixture, folder, summary)
                    figures["operations"] += _drain(fixture, folder, summary)
            except (Broken, AssertionError, Trouble) as broken:
                return Found(figures=figures, failure=f"{fixture.name}: {broken}")
    return Found(figures=figures)


TRIAL = Trial(
    name="upgrade",
    about=__doc__ or "",
    count=100,
    unit="versions, or as many as there are",
    play=_play,
    plants={name: about for name, (about, _planting) in PLANTS.items()},
)
