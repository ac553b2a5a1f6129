"""The real program in a real pseudo-terminal of 80 × 24: bytes in, a painted screen out, an operation on disk."""

from __future__ import annotations

import os
import sys
from pathlib import Path

from store_agent.domain.coupons import RedeemCoupon
from store_agent.replica import Replica
from store_agent.replica.journal import Place
from tests.counter_fixture import KEY, WANG_CODE, open_store
from tests.terminal import Terminal

ROOT = Path(__file__).parents[1]
NOBODY_LISTENS = "http://127.0.0.1:9"


def environment(folder: Path) -> dict[str, str]:
    """Of a store whose centre cannot be reached."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("STORE_AGENT_")}
    return kept | {
        "PYTHONPATH": str(ROOT),
        "STORE_AGENT_CONFIG": os.devnull,
        "STORE_AGENT_DATA_FOLDER": str(folder),
        "STORE_AGENT_KEY": KEY.hex(),
        "STORE_AGENT_CENTRE_URL": NOBODY_LISTENS,
        "TERM": "xterm-256color",
        "LC_ALL": "C.UTF-8",
    }


def test_a_cashier_scans_and_redeems_with_no_centre_at_all(tmp_path: Path) -> None:
    replica = open_store(tmp_path)
    replica.journal.keep(secret="11" * 32)
    replica.close()
    command = [sys.executable, "-m", "store_agent", "--lang", "zh-TW"]
    with Terminal(command, columns=80, lines=24, cwd=ROOT, env=environment(tmp_path)) as terminal:
        terminal.wait_for("離線")
        terminal.scan(WANG_CODE + "\r", 0.0)
        terminal.wait_for("王小明")
        # In one write, as a slow line delivers what a person types.
        terminal.send("=500\r")
        terminal.wait_for("NT$405")
        terminal.send("\x1bOQ")
        terminal.wait_for("Enter")
        terminal.send("\r")
        shown = terminal.wait_for("省")
        assert all(len(line) <= 80 for line in shown.splitlines())
        terminal.send("\x11")
        assert terminal.wait_for_end() == 0
    with Replica(tmp_path, KEY) as replica:
        done = [entry.operation for entry in replica.journal.after(Place(0, 0))]
        assert any(isinstance(operation, RedeemCoupon) for operation in done)
        assert replica.view.waiting_count() == len(done)
