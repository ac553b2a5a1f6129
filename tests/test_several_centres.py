"""Any number of central processes on one ledger: stores that speak to another one at each request, and to two at once."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from store_agent.domain.points import EarnPoints
from store_agent.domain.tags import AddNote
from store_agent.trouble import Trouble
from sync import wire
from sync.client import Client, TooMuch
from tests.chain import Chain
from tests.invariants import check_converged, check_ledger, check_view
from tests.postgres_fixture import FreshDatabase
from tests.trials.branches import Branch, bind
from tests.trials.centre_process import running_centre

ROUNDS = 6


class Ledger:
    """The ledger and the stores, as the invariants want them."""

    def __init__(self, url: str, branches: list[Branch]) -> None:
        self.url = url
        self.stores = {branch.id: branch for branch in branches}

    async def ask(self, query: str, *values: object) -> list[tuple[Any, ...]]:
        async with await psycopg.AsyncConnection.connect(self.url, autocommit=True) as conn:
            return await (await conn.execute(query.encode(), values)).fetchall()


@pytest.fixture
def database_url(fresh_database: FreshDatabase) -> str:
    return fresh_database()


@pytest.fixture
def centres(database_url: str, tmp_path: Path) -> Iterator[list[str]]:
    """Two processes that know nothing of each other."""
    with ExitStack() as stack:
        yield [stack.enter_context(running_centre(database_url, tmp_path / name)) for name in ("a", "b")]


@pytest.fixture
def branches(centres: list[str], tmp_path: Path) -> Iterator[list[Branch]]:
    bound = bind(centres, 3, tmp_path, 1)
    yield bound
    for branch in bound:
        branch.replica.close()


def client_of(branch: Branch, url: str) -> Client:
    return Client(url, device=branch.replica.device, secret=branch.replica.journal.setting("secret"))


def serve_members(branch: Branch, number: int) -> None:
    for member in ("m1", "m2"):
        branch.counter.accept(EarnPoints(**branch.counter.named(), member_id=member, points=number))
        branch.counter.accept(AddNote(**branch.counter.named(), member_id=member, text=f"{branch.id} {number}"))


async def pull_all(branch: Branch) -> None:
    """Each page from another process."""
    while branch.session.absorb(await branch.client.pull(branch.session.cursors(), 1)):
        pass


async def push_to_both(branch: Branch, lines: list[Client], request: wire.PushRequest) -> int:
    """The same batch to both processes in the same moment, as after a reply that was lost; how often it was answered."""
    answers = await asyncio.gather(*(line.push(request) for line in lines), return_exceptions=True)
    for answer in answers:
        if isinstance(answer, wire.PushReply):
            branch.session.received(answer)
        else:
            assert isinstance(answer, Trouble), answer
    return sum(isinstance(answer, wire.PushReply) for answer in answers)


async def test_stores_speak_to_another_process_at_each_request_and_to_both_at_once(
    database_url: str, centres: list[str], branches: list[Branch]
) -> None:
    lines = {branch.id: [client_of(branch, url) for url in centres] for branch in branches}
    answered = 0
    for number in range(1, ROUNDS + 1):
        for branch in branches:
            serve_members(branch, number)
        requests = {branch.id: branch.session.draft() for branch in branches}
        both = [
            push_to_both(b, lines[b.id], request)
            for b in branches
            if isinstance(request := requests[b.id], wire.PushRequest)
        ]
        answered += sum(await asyncio.gather(*both))
        await asyncio.gather(*(pull_all(branch) for branch in branches))
    assert answered == 2 * ROUNDS * len(branches), "both say that they hold it"
    for _turn in range(2):
        for branch in branches:
            await pull_all(branch)
    ledger: Any = Ledger(database_url, branches)
    chain: Chain = ledger
    for branch in branches:
        assert branch.replica.outbox(1) == []
        anyone: Any = branch
        check_view(anyone)
    await check_ledger(chain)
    await check_converged(chain)
    assert all(min(branch.line.asked) > 5 for branch in branches), "each store read from both"
    earned = sum(range(1, ROUNDS + 1)) * len(branches)
    assert [branch.replica.view.get("account", "m1").balance(branch.counter.clock.now()) for branch in branches] == (
        [earned] * len(branches)
    )
    for each in (*(line for pair in lines.values() for line in pair), *(branch.client for branch in branches)):
        await each.close()


async def test_a_pull_that_waits_at_one_process_hears_of_what_came_through_the_other(
    centres: list[str], branches: list[Branch]
) -> None:
    branch = branches[0]
    await pull_all(branch)
    one, other = (client_of(branch, url) for url in centres)
    waiting = asyncio.create_task(one.pull(branch.session.cursors(), 10, 30))
    while not waiting.done():
        serve_members(branch, 1)
        request = branch.session.draft()
        assert isinstance(request, wire.PushRequest)
        branch.session.received(await other.push(request))
        await asyncio.wait([waiting], timeout=0.5)
    assert any(page.rows for page in (await waiting).streams.values())
    for line in (one, other, branch.client):
        await line.close()


async def test_a_push_that_is_too_large_hears_so_and_is_not_cut_off_while_it_sends(
    centres: list[str], branches: list[Branch]
) -> None:
    """Found by the fuzz: the connection was reset under the body, and the store would have sent the same for ever."""
    branch = branches[0]
    async with client_of(branch, centres[0]) as line:
        with pytest.raises(TooMuch):
            await line.push(wire.PushRequest([msgspec.Raw(b'"' + b"x" * 12_000_000 + b'"')]))
    await branch.client.close()
