"""One seed on a given ledger: `python -m tests.simulator URL SEED OPERATIONS` prints its hash, and its failure if any."""

from __future__ import annotations

import sys

from tests.simulator.story import Stage

if __name__ == "__main__":
    url, seed, operations = sys.argv[1:]
    story = Stage(url).play(int(seed), int(operations))
    sys.stdout.write(f"{story.hash} {story.operations} {story.failure}\n")
