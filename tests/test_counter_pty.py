"""The real counter in a real pty at 80×24: a scanner's bursts, function keys, and what reaches the terminal.

Run as a program, with a folder and a language, this file is the counter that the tests look at.
"""

from __future__ import annotations

import sys
from pathlib import Path

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))

from rich.cells import cell_len

from store_agent.words import use_language
from tests.counter_fixture import COFFEE, COOKIES, HOSTILE_NAME, WANG_CODE, counter_at, open_replica, open_store
from tests.terminal import ENTER, Terminal
from tui.app import StoreApp

F2, CTRL_Q = "\x1bOQ", "\x11"


def counter_in(folder: Path, language: str) -> Terminal:
    with open_store(folder):
        pass
    command = [sys.executable, str(Path(__file__)), str(folder), language]
    return Terminal(command, columns=80, lines=24)


def test_thirty_codes_in_one_burst_are_taken_in_order_and_redeemed_in_two_keys(tmp_path: Path) -> None:
    with counter_in(tmp_path / "store", "zh-TW") as terminal:
        terminal.wait_for("請掃描")
        terminal.send("".join(f"{code}{ENTER}" for code in (WANG_CODE, *[COFFEE] * 9, *[COOKIES] * 20)))
        terminal.wait_for("20×")
        terminal.wait_for("9×")
        terminal.send(F2)
        terminal.wait_for("[✓]")
        terminal.send(ENTER)
        shown = terminal.wait_for("已使用")
        # Chinese is two cells wide: every frame ends in the same column.
        assert {cell_len(line) for line in shown.splitlines() if line.startswith(" │")} == {79}
        terminal.send(CTRL_Q)
        assert terminal.wait_for_end() == 0
        assert "Traceback" not in terminal.screenshot()


def test_a_hostile_name_sends_no_control_byte_to_the_terminal(tmp_path: Path) -> None:
    with counter_in(tmp_path / "store", "en") as terminal:
        terminal.wait_for("Scan a card")
        terminal.send(f"0955666777{ENTER}")
        terminal.wait_for("0955 666 777")
        assert "\x1b[31mred" in HOSTILE_NAME
        assert b"\x1b[31mred" not in terminal.raw
        assert "\u202e".encode() not in terminal.raw


if __name__ == "__main__":
    use_language(sys.argv[2])
    with open_replica(Path(sys.argv[1])) as replica:
        StoreApp(counter_at(replica)).run()
