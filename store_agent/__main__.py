"""`python -m store_agent` is `store-agent`."""

from __future__ import annotations

import sys

from store_agent.cli import main

if __name__ == "__main__":
    sys.exit(main())
