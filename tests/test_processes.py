"""Real processes on one replica: hammering at once, and killed at any moment."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from store_agent.replica import Replica
from tests.test_replica import KEY, begin, check_chain, notes

ACCEPT = """
import sys
from pathlib import Path
from store_agent.clock import Ids, SystemClock
from store_agent.desk.counter import Counter
from store_agent.domain.coupons import RedeemCoupon
from store_agent.domain.purchases import RecordPurchase
from store_agent.domain.tags import AddNote
from store_agent.replica import Replica

folder, name, count = sys.argv[1:]
clock = SystemClock()
counter = Counter(Replica(Path(folder), bytes(range(32))), clock, Ids(clock), name)
print("open", flush=True)
sys.stdin.readline()
for n in range(int(count)):
    assert counter.accept(AddNote(**counter.named(), member_id="m1", text=f"{name} {n}")) is None
    print(f"{name} {n}", flush=True)
    if n == 1:
        use = RedeemCoupon(**counter.named(), coupon_id="k1", campaign_id="c", member_id="m1")
        print(f"coupon {counter.accept(use) is None}", flush=True)
        paid = dict(purchase_id="p1", member_id="m1", currency="TWD", total_minor=5, paid_minor=5)
        print(f"purchase {counter.accept(RecordPurchase(**counter.named(), **paid)) is None}", flush=True)
"""


def start(folder: Path, name: str, count: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", ACCEPT, str(folder), name, str(count)]
    return subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("\n")
    process.stdin.flush()


def test_two_processes_write_one_unbroken_chain_and_use_a_coupon_once(tmp_path: Path) -> None:
    begin(tmp_path).close()
    processes = [start(tmp_path, name, 150) for name in ("amy", "bob")]
    for process in processes:
        assert process.stdout is not None
        assert process.stdout.readline() == "open\n"
    for process in processes:
        go(process)
    said = [process.communicate(timeout=30)[0].splitlines() for process in processes]
    assert [process.returncode for process in processes] == [0, 0]
    lines = [line for part in said for line in part]
    for once in ("coupon", "purchase"):
        assert sorted(line for line in lines if line.startswith(once)) == [f"{once} False", f"{once} True"]
    with Replica(tmp_path, KEY) as replica:
        assert check_chain(replica) == 1 + 300 + 2
        assert len(notes(replica)) == 301
        assert replica.view.get("coupon", "k1").uses_left == 0


def test_what_was_confirmed_outlives_being_killed(tmp_path: Path) -> None:
    begin(tmp_path).close()
    confirmed = []
    for run in range(5):
        process = start(tmp_path, f"run{run}", 10_000)
        assert process.stdout is not None
        process.stdout.readline()
        go(process)
        # Killed while it writes, each time a little later.
        lines = [process.stdout.readline() for _n in range(10 + 7 * run)]
        process.kill()
        rest = process.communicate(timeout=30)[0].splitlines()
        confirmed += [line.strip() for line in (*lines, *rest) if line.startswith("run")]
    with Replica(tmp_path, KEY) as replica:
        kept = set(notes(replica))
        check_chain(replica)
        for part in (replica.journal, replica.cache):
            assert part.db.conn.execute("pragma quick_check").fetchall() == [("ok",)]
    assert len(confirmed) > 100
    assert not set(confirmed) - kept
