"""Stores of a trial keep little room for a full disk: there are thousands of them."""

from __future__ import annotations

from contextlib import AbstractContextManager
from unittest.mock import patch

from store_agent.replica import ballast

BYTES = 4096


def small_ballast() -> AbstractContextManager[object]:
    """For as long as it lasts."""
    return patch.object(ballast, "BALLAST_BYTES", BYTES)
