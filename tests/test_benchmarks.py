"""Benchmarks and trials run and say what they must. How fast anything is, is asserted nowhere."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.benchmarks.__main__ import BENCHMARKS
from tests.benchmarks.__main__ import main as bench
from tests.benchmarks.harness import Effort, Row, Work, in_turns
from tests.benchmarks.node import open_all
from tests.benchmarks.processes import Absent, talking
from tests.trials.__main__ import find_trials
from tests.trials.__main__ import main as try_out

ROOT = Path(__file__).parents[1]


def measured(*arguments: str) -> str:
    """What a benchmark prints. In a process of its own: between turns it collects garbage, and this one has plenty."""
    command = [sys.executable, "-m", "tests.benchmarks", *arguments]
    return subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout


LONG = ("busy", "fleet", "growth", "spread")
"""Their programs take longer to start than everything else here to run: `bench --quick` runs them (CONTRIBUTING.md)."""


@pytest.mark.parametrize("name", [name for name in BENCHMARKS if name not in LONG])
def test_every_benchmark_runs_at_a_small_size_and_reports_for_a_machine(name: str) -> None:
    said = json.loads(measured(name, "--quick", "--json"))
    assert "SQLite" in said["machine"]
    assert any(row["goal"] for row in said["rows"])
    for row in said["rows"]:
        assert row["name"] == name
        assert row["what"]
        assert row["ours"] > 0
        assert (row["goal"] is None) == (row["met"] is None)
        if row["goal"]:
            assert row["theirs"] > 0
            assert row["ratio"] > 0
            assert row["rival"]


def test_every_benchmark_runs_at_a_size_that_is_asked_for() -> None:
    said = measured("lookup", "--quick", "--size", "50")
    assert "50 members" in said
    assert "goal ≤ 3 ×" in said


@pytest.mark.parametrize("ask", [bench, try_out])
def test_an_unknown_name_gets_one_sentence_with_the_known_ones(
    ask: Callable[[list[str]], int], capsys: pytest.CaptureFixture[str]
) -> None:
    assert ask(["looukp"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.count("\n") == 1
    assert said.err.startswith("There is no ")
    assert any(name in said.err for name in [*BENCHMARKS, *find_trials()])


def test_a_size_without_a_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench(["--size", "10"]) == 2
    assert capsys.readouterr().err.count("\n") == 1


def test_an_unknown_plant_gets_one_sentence(capsys: pytest.CaptureFixture[str]) -> None:
    assert try_out(["fleet", "--plant", "cosmic rays"]) == 2
    assert next(iter(find_trials()["fleet"].plants)) in capsys.readouterr().err


def test_the_lists_name_everything(capsys: pytest.CaptureFixture[str]) -> None:
    assert bench(["--list"]) == 0
    listed = capsys.readouterr().out
    assert all(name in listed for name in BENCHMARKS)
    assert try_out(["--list"]) == 0
    listed = capsys.readouterr().out
    for trial in find_trials().values():
        assert all(name in listed for name in [trial.name, *trial.plants])


def test_the_table_for_a_page_says_what_has_a_goal() -> None:
    said = measured("lookup", "--quick", "--markdown")
    head, *lines = said[said.index("| name") :].splitlines()
    assert head == "| name | work | ours | rival | ratio | goal | met |"
    assert all(line.count("|") == head.count("|") for line in lines)
    assert all("`lookup`" in line for line in lines[1:])


def test_a_rival_without_node_is_absent_and_nothing_fails(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", "")
    with ExitStack() as stack:
        running, absent = open_all(stack, ["watermelondb"])
    assert running == {}
    assert "no node" in absent["watermelondb"]
    assert "rival absent: watermelondb" in capsys.readouterr().err


def test_a_rival_that_breaks_says_so() -> None:
    program = "import json; input(); print(json.dumps({'error': 'no disk'}), flush=True)"
    with talking([sys.executable, "-c", program]) as rival, pytest.raises(Absent, match="no disk"):
        rival.ask("begin")
    with talking([sys.executable, "-c", "input()"]) as rival, pytest.raises(Absent, match="ended"):
        rival.ask("begin")


def test_a_row_says_whether_its_goal_is_met() -> None:
    assert Row(name="n", what="w", ours=2.0, theirs=1.0, ratio=2.0, goal=3.0).met is True
    assert Row(name="n", what="w", ours=4.0, theirs=1.0, ratio=4.0, goal=3.0).met is False
    assert Row(name="n", what="w", ours=4.0, theirs=1.0, ratio=4.0, goal=3.0, at_least=True).met is True
    assert Row(name="n", what="w", ours=4.0).met is None


def test_every_work_takes_its_turn_and_never_fewer_than_five_rounds() -> None:
    order: list[str] = []

    def work_of(name: str) -> Callable[[int], Work]:
        return lambda calls: lambda: order.append(name)

    timed = in_turns(Effort(rounds=1, calls=2), {name: work_of(name) for name in ("ours", "theirs")})
    assert [len(each.rounds) for each in timed.values()] == [5, 5]
    assert order[:8] == ["theirs", "theirs", "ours", "ours", "ours", "ours", "theirs", "theirs"]
