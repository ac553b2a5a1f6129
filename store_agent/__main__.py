"""`python -m store_agent` is `store-agent`."""

from __future__ import annotations

import sys


def run() -> int:
    """The command line, with a quiet end also for a Ctrl-C that comes while it is still being loaded."""
    try:
        from store_agent.cli import main

        return main()
    except KeyboardInterrupt:
        # 128 + SIGINT, as a shell says it.
        return 130


if __name__ == "__main__":
    sys.exit(run())
