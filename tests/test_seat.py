"""The sync seat: one process keeps a store in step, and another takes over however the first one ends."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from store_agent.replica.seat import Seat
from store_agent.trouble import Trouble

SIT = """
import sys
from pathlib import Path
from store_agent.replica.seat import Seat

seat = Seat(Path(sys.argv[1]))
print(seat.take(), flush=True)
sys.stdin.readline()
"""


def sit(folder: Path) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-c", SIT, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def test_another_process_takes_the_seat_once_the_first_is_killed(tmp_path: Path) -> None:
    process, took = sit(tmp_path)
    seat = Seat(tmp_path)
    try:
        assert took == "True"
        assert not seat.take()
    finally:
        process.kill()
        process.communicate(timeout=30)
    assert seat.take()
    other, took_too = sit(tmp_path)
    other.communicate("\n", timeout=30)
    assert took_too == "False"
    seat.leave()


def test_who_stands_up_leaves_the_seat_to_others(tmp_path: Path) -> None:
    first, second = Seat(tmp_path), Seat(tmp_path)
    assert first.take()
    assert first.take(), "who sits stays"
    assert not second.take()
    first.leave()
    assert second.take()
    second.leave()


def test_a_folder_that_is_none_is_said(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="cannot be opened"):
        Seat(tmp_path / "nowhere").take()
