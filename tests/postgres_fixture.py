"""A real PostgreSQL for tests: one server per test process, one database per test.

`STORE_AGENT_TEST_DATABASE_URL` or `DATABASE_URL` lend a server that runs; `STORE_AGENT_TEST_POSTGRES=15` asks for one
of that version, found on this machine.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from itertools import count

import pytest

from sync.central.postgres.binaries import find_binaries
from sync.central.postgres.embedded import EmbeddedPostgres

FreshDatabase = Callable[..., str]
"""Makes one more database and returns its url: empty, or with `template=NAME` a copy of one that nobody is using."""


@pytest.fixture(scope="session")
def postgres() -> Iterator[EmbeddedPostgres]:
    """The server of this test process. It forgets everything in a power cut, and is faster for it."""
    wanted = os.environ.get("STORE_AGENT_TEST_POSTGRES")
    with EmbeddedPostgres(binaries=find_binaries(int(wanted)) if wanted else None, durable=False) as server:
        yield server


@pytest.fixture
def fresh_database(postgres: EmbeddedPostgres) -> Iterator[FreshDatabase]:
    """A function that makes databases for this test alone; after it they are dropped, whoever is still connected."""
    made: list[str] = []

    def make(template: str = "") -> str:
        name = f"test_{os.getpid()}_{next(NUMBERS)}"
        url = postgres.create_database(name, template=template)
        made.append(name)
        return url

    yield make
    for name in made:
        postgres.drop_database(name)


NUMBERS = count(1)
