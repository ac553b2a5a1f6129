"""`lookup`: one member by a phone number or a member code, as a desk finds them, beside the bare statement.

Theirs is one prepared statement on the same encrypted file, through the same driver and a connection of its own, which
returns the row's text and does nothing with it. Ours reads the row as it stands for this store: the store's own waiting
operations over it, aliases followed, decoded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from store_agent.codec import decode_row
from store_agent.demo.sample.people import make_holdings
from store_agent.desk.counter import Counter
from store_agent.desk.members import by_field, look_up
from store_agent.domain.stores import Store
from store_agent.replica import Replica, database
from tests.benchmarks.harness import Effort, Row, Work, fill, in_turns, make_store, walk
from tests.counter_fixture import KEY, NOW, STORE, absorb, counter_at

NAME = "lookup"
GOAL = 3.0
FLAT_GOAL = 2.0
ASKED = 6_000
"""More than are asked for in one measurement, so that no answer is still at hand from the turn before."""
DECODED = 100
FIELDS = ("phone", "code")


def measure(sizes: Sequence[int], effort: Effort) -> list[Row]:
    """Rows for each number of members, and how the largest stands to the smallest."""
    rows: list[Row] = []
    p50_of: dict[int, dict[str, float]] = {}
    for size in sizes:
        with make_store() as replica:
            absorb(replica, [Store(id=STORE, name={"en": "Bench"})])
            a_second = fill(replica, (held.member for held in make_holdings(size, NOW, seed=1)))
            p50_of[size] = _measure_store(replica, size, effort, rows)
            rows.append(Row(name=NAME, what=f"filling: {size:,} members absorbed", ours=a_second, unit="rows/s"))
    rows += _flat(p50_of)
    return rows


def _measure_store(replica: Replica, size: int, effort: Effort, rows: list[Row]) -> dict[str, float]:
    counter = counter_at(replica)
    p50_of = {}
    for field in FIELDS:
        asked = _draw(replica, field)
        bare = database.connect(replica.cache.path, KEY, durable=False).conn
        try:
            p50_of[field] = _measure_field(counter, bare, field, asked, size, effort, rows)
        finally:
            bare.close()
    return p50_of


def _measure_field(
    counter: Counter, bare: Any, field: str, asked: Sequence[str], size: int, effort: Effort, rows: list[Row]
) -> float:
    query = f"select body from member where {field} = ?"

    def theirs_of(values: Sequence[str]) -> Callable[[int], Work]:
        return walk(values, lambda value: bare.execute(query, [value]).fetchone())

    half = ASKED // 2
    found = {
        "ours": walk(asked[:half], lambda value: by_field(counter, field, value)),
        "theirs": theirs_of(asked[:half]),
    }
    read = {
        "ours": walk(asked[half:], lambda value: look_up(counter, value)),
        "theirs": theirs_of(asked[half:]),
    }
    timed, typed = in_turns(effort, found), in_turns(effort, read)
    bodies = [bare.execute(query, [value]).fetchone()[0] for value in asked[:DECODED]]
    decoding = in_turns(effort, {"ours": walk(bodies, lambda body: decode_row("member", body))})
    ours, theirs = timed["ours"], timed["theirs"]
    what = f"member by {field}, {size:,} members"
    rival = "the same statement, prepared, undecoded"
    more: dict[str, Any] = {"name": NAME, "rival": rival}
    rows += [
        Row(what=f"{what}, p50", ours=ours.p50, theirs=theirs.p50, ratio=ours.ratio(theirs), goal=GOAL, **more),
        Row(what=f"{what}, p99", ours=ours.p99, theirs=theirs.p99, ratio=ours.p99 / theirs.p99, **more),
        Row(
            what=f"{what}, from the typed or scanned text, p50",
            ours=typed["ours"].p50,
            theirs=typed["theirs"].p50,
            ratio=typed["ours"].ratio(typed["theirs"]),
            **more,
        ),
        Row(what=f"{what}: decoding within ours", ours=decoding["ours"].p50, name=NAME),
    ]
    return ours.p50


def _draw(replica: Replica, field: str) -> list[str]:
    """Values that are there, at random, so that the pages they lie on are not the warmest."""
    query = f"select {field} from member where rowid in ({','.join('?' * ASKED)})"
    most = replica.cache.count("member")
    random = Random(1)
    numbers = [random.randrange(1, most + 1) for _ in range(ASKED)]
    values = [row[0] for row in replica.cache.db.conn.execute(query, numbers)]
    return random.sample(values * (ASKED // len(values) + 1), ASKED)


def _flat(p50_of: dict[int, dict[str, float]]) -> list[Row]:
    least, most = min(p50_of), max(p50_of)
    if least == most:
        return []
    return [
        Row(
            name=NAME,
            what=f"member by {field}, {most:,} members beside {least:,}, p50",
            ours=p50_of[most][field],
            theirs=p50_of[least][field],
            ratio=p50_of[most][field] / p50_of[least][field],
            goal=FLAT_GOAL,
            rival=f"ours at {least:,}",
        )
        for field in FIELDS
    ]
