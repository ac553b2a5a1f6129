"""What every test may ask for: a PostgreSQL, a chain with a centre, and a clock that only moves when told."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from tests.chain import Chain, open_chain
from tests.postgres_fixture import FreshDatabase, fresh_database, postgres
from tests.standing_clock import StandingClock
from tests.trials.small_ballast import small_ballast

__all__ = ["fresh_database", "postgres"]


@pytest.fixture(autouse=True, scope="session")
def _ballast() -> Iterator[None]:
    """Thousands of stores are made in the tests: each keeps little room for a full disk."""
    with small_ballast():
        yield


@pytest.fixture
def clock() -> StandingClock:
    """A clock at a Saturday noon in Taipei."""
    return StandingClock()


@pytest.fixture
async def chain(fresh_database: FreshDatabase, clock: StandingClock, tmp_path: Path) -> AsyncIterator[Chain]:
    """A real centre on a fresh ledger; stores are enrolled by `chain.store("s1")`."""
    async with open_chain(fresh_database(), clock, tmp_path) as chain:
        yield chain
