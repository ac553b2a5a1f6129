"""`run.py bench`: how fast it is. It prints what it measured, met or not, and never fails for a figure."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from tests.benchmarks import accept, bootstrap, busy, codes, fleet, growth, lookup, pull, push, spread
from tests.benchmarks.harness import Effort, Row, machine

QUICK = Effort(rounds=5, calls=3, rivals=False)


@dataclass(frozen=True, slots=True)
class Benchmark:
    """One name that can be measured, at which sizes, and what a size counts."""

    about: str
    measure: Callable[[Sequence[int], Effort], list[Row]]
    counted: str
    sizes: tuple[int, ...]
    quick_sizes: tuple[int, ...]
    effort: Effort


BENCHMARKS = {
    # Short turns where the disk takes part: it is shared, and its bad moments are longer than a call.
    accept.NAME: Benchmark(
        "redeem a coupon until it is safe on disk",
        accept.measure,
        "waiting operations",
        (0, 10_000),
        (0, 50),
        Effort(40, 20),
    ),
    bootstrap.NAME: Benchmark(
        "a new store to its first look-up", bootstrap.measure, "members", (100_000,), (300,), Effort(5, 1)
    ),
    lookup.NAME: Benchmark(
        "a member by phone, by code", lookup.measure, "members", (10_000, 100_000), (200, 400), Effort(15, 200)
    ),
    codes.NAME: Benchmark(
        "a picture to text, a signed code to what it says",
        codes.measure,
        "pixels a module",
        (4, 8),
        (4,),
        Effort(15, 60),
    ),
    busy.NAME: Benchmark(
        "accept while a long pull is absorbed", busy.measure, "rows absorbed", (100_000,), (2_000,), Effort(5, 200)
    ),
    pull.NAME: Benchmark("1,000 changed members", pull.measure, "members held", (100_000,), (1_000,), Effort(7, 1)),
    push.NAME: Benchmark(
        "what waits in a store into PostgreSQL", push.measure, "waiting operations", (10_000,), (300,), Effort(5, 1)
    ),
    spread.NAME: Benchmark(
        "from one store's counter to another's screen", spread.measure, "members held", (10_000,), (50,), Effort(10, 20)
    ),
    growth.NAME: Benchmark(
        "what must cost the same where there is more",
        growth.measure,
        "members held, with a tenth as many stores and ten times as many operations",
        (10_000, 100_000),
        (100, 300),
        Effort(9, 20),
    ),
    fleet.NAME: Benchmark(
        "held polls, and operations beside them", fleet.measure, "stores", (1_000,), (20,), Effort(5, 200)
    ),
}


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="run.py bench", description="How fast it is, beside a limit or a rival.")
    parser.add_argument("names", nargs="*", metavar="NAME", help="what to measure; without one, everything")
    parser.add_argument("--list", action="store_true", help="say what can be measured")
    parser.add_argument("--markdown", action="store_true", help="as a table for a page")
    parser.add_argument("--json", action="store_true", help="for a machine")
    parser.add_argument("--quick", action="store_true", help="at a small size, to see that it runs")
    parser.add_argument(
        "--size", type=int, nargs="+", default=[], metavar="N", help="of one NAME, instead of its own sizes"
    )
    asked = parser.parse_args(arguments)
    if asked.list:
        _list(asked.json)
        return 0
    unknown = [name for name in asked.names if name not in BENCHMARKS]
    if unknown:
        return _stop(f"There is no benchmark '{unknown[0]}': it is one of {', '.join(BENCHMARKS)}.")
    if asked.size and len(asked.names) != 1:
        return _stop("A size means something else for each benchmark: name the one that it is for.")
    if any(size < 0 for size in asked.size):
        return _stop("A size is 0 or more.")
    rows: list[Row] = []
    is_said = not asked.json and not asked.markdown
    if is_said:
        print(machine())
        print(
            "In turns. A p50 is the median of the rounds' medians; its ratio is the median of the rounds' ratios.",
            flush=True,
        )
    for name in asked.names or BENCHMARKS:
        benchmark = BENCHMARKS[name]
        sizes = asked.size or (benchmark.quick_sizes if asked.quick else benchmark.sizes)
        measured = benchmark.measure(sorted(set(sizes)), QUICK if asked.quick else benchmark.effort)
        rows += measured
        if is_said:
            print(f"\n{name}: {benchmark.about}")
            print("\n".join(map(_line, measured)), flush=True)
    if asked.markdown:
        print("\n".join(_table(rows)))
    if asked.json:
        print(json.dumps({"machine": machine(), "rows": [row.as_json() for row in rows]}, ensure_ascii=False, indent=1))
    return 0


def _list(as_json: bool) -> None:
    if as_json:
        print(json.dumps({name: benchmark.about for name, benchmark in BENCHMARKS.items()}))
        return
    for name, benchmark in BENCHMARKS.items():
        sizes = ", ".join(f"{size:,}" for size in benchmark.sizes)
        print(f"{name:10} {benchmark.about} ({sizes} {benchmark.counted})")


def _line(row: Row) -> str:
    parts = [f"  {row.what}: {_figure(row.ours, row.unit)}"]
    if row.theirs is None and row.rival:
        parts.append(f"rival {row.rival}")
    if row.theirs is not None:
        parts.append(f"{row.rival}: {_figure(row.theirs, row.unit)}")
    if row.ratio is not None:
        parts.append(f"{row.ratio:.2f} ×")
    if row.goal is not None:
        sign = "≥" if row.at_least else "≤"
        parts.append(f"goal {sign} {row.goal:g} ×, {'met' if row.met else 'NOT MET'}")
    return "; ".join(parts)


def _table(rows: Sequence[Row]) -> list[str]:
    """What has a goal, for a page that people read."""
    lines = [
        f"{machine()}.",
        "",
        "| name | work | ours | rival | ratio | goal | met |",
        "|---|---|---|---|---|---|---|",
    ]
    for row in rows:
        if row.goal is None or row.ratio is None or row.theirs is None:
            continue
        sign = "≥" if row.at_least else "≤"
        cells = [
            f"`{row.name}`",
            row.what,
            _figure(row.ours, row.unit),
            f"{row.rival}: {_figure(row.theirs, row.unit)}",
        ]
        cells += [f"{row.ratio:.2f}", f"{sign} {row.goal:g}", "yes" if row.met else "**no**"]
        lines.append(f"| {' | '.join(cells)} |")
    return lines


def _figure(value: float, unit: str) -> str:
    if unit == "µs" and value >= 1_000_000:
        return f"{value / 1_000_000:.2f} s"
    if unit == "µs" and value >= 1_000:
        return f"{value / 1_000:.2f} ms"
    return f"{value:,.0f} {unit}" if value >= 100 else f"{value:.1f} {unit}"


def _stop(sentence: str) -> int:
    print(sentence, file=sys.stderr)
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
