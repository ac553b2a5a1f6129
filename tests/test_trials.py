"""The trials, short: each holds, and each finds what is planted in it. `run.py trial NAME` plays them long."""

from __future__ import annotations

import json

import pytest

from tests.postgres_fixture import FreshDatabase
from tests.test_connections import has_two_servers
from tests.trials import feedrace, fuzz, servers
from tests.trials.__main__ import main


@pytest.fixture
def url(fresh_database: FreshDatabase) -> str:
    return fresh_database()


@pytest.mark.parametrize("plant", ["", feedrace.SEQUENCE])
def test_a_race_of_writers_leaves_nothing_out_but_where_a_sequence_numbers(url: str, plant: str) -> None:
    found = feedrace.race_on(url, 2, 1, plant)
    assert bool(found.figures["rows_skipped"]) == bool(found.failure) == bool(plant), found
    assert int(found.figures["transactions"]) > 0


def test_every_endpoint_answers_whatever_is_said_to_it(url: str) -> None:
    found = fuzz.play_on(url, 4, 1, "")
    assert found.failure == "", found.details
    assert int(found.figures["cases"]) > 100


def test_the_fuzz_finds_a_number_that_nobody_checks(url: str) -> None:
    found = fuzz.play_on(url, 4, 1, fuzz.NUMBER, only=("/v1/pull",))
    assert "500" in found.failure


@pytest.mark.parametrize("plant", ["", "cancelled commit"])
def test_a_failover_loses_nothing_but_what_a_cancelled_commit_says(
    plant: str, capsys: pytest.CaptureFixture[str]
) -> None:
    code = main(["failover", "--count", "1", "--seed", "1", "--plant", plant, "--json"])
    said = capsys.readouterr()
    if not has_two_servers():
        assert code == 2
        assert "apt-get install postgresql" in said.err
        return
    assert code == 0, said
    found = json.loads(said.out)
    assert bool(found["found"]) == bool(plant)
    assert ("DURABLE" in found["found"]) == bool(plant)


def test_a_trial_for_which_something_is_missing_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(servers, "system_binaries", lambda: iter(()))
    assert main(["failover", "--count", "1"]) == 2
    assert capsys.readouterr().err.count("\n") == 1
