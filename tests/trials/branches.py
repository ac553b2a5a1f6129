"""Stores at work over real sockets: each accepts without end, keeps in step, and remembers what it was answered."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import httpx

from store_agent.clock import Ids, SystemClock
from store_agent.desk.counter import Counter
from store_agent.domain.points import EarnPoints
from store_agent.domain.tags import AddNote
from store_agent.replica import Replica
from store_agent.trouble import Trouble
from sync import wire
from sync.client import Client
from sync.in_step import InStep
from sync.session import Session
from tests.trials.centre_process import TOKEN

MEMBERS = 40
WITHIN_S = 60.0


class Switching(httpx.AsyncBaseTransport):
    """Every request goes to the next of the centres, as a load balancer may have it."""

    def __init__(self, urls: Sequence[str]) -> None:
        self._urls = [httpx.URL(url) for url in urls]
        self._line = httpx.AsyncHTTPTransport(limits=httpx.Limits(max_connections=20))
        self._turn = 0
        self.asked = [0] * len(urls)

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self._turn += 1
        place = self._turn % len(self._urls)
        self.asked[place] += 1
        to = self._urls[place]
        request.url = request.url.copy_with(host=to.host, port=to.port)
        return await self._line.handle_async_request(request)

    async def aclose(self) -> None:
        await self._line.aclose()


class Listening(Client):
    """A store's line that remembers up to which number the centre answered that it holds everything."""

    answered = 0

    async def push(self, request: wire.PushRequest) -> wire.PushReply:
        reply = await super().push(request)
        self.answered = max(self.answered, reply.seq)
        return reply


@dataclass
class Branch:
    """One store."""

    id: str
    replica: Replica
    counter: Counter
    client: Listening
    line: Switching
    in_step: InStep
    session: Session
    tasks: list[asyncio.Task[None]] = field(default_factory=list)

    async def work(self, random: Random, pause_s: float) -> None:
        """Serve members without end."""
        while True:
            member = f"m{random.randrange(MEMBERS)}"
            named = self.counter.named()
            if random.random() < 0.5:
                self.counter.accept(AddNote(**named, member_id=member, text="你好"))
            else:
                self.counter.accept(EarnPoints(**named, member_id=member, points=5))
            self.in_step.poke()
            await asyncio.sleep(random.uniform(0, 2 * pause_s))

    def is_quiet(self) -> bool:
        """Whether nothing of this store waits for the centre."""
        return not self.replica.outbox(1) and not self.replica.view.waiting_count()


def bind(urls: Sequence[str], count: int, folder: Path, seed: int) -> list[Branch]:
    """Enrol so many stores through the first centre."""
    branches = []
    with httpx.Client(base_url=urls[0], headers={"authorization": f"Bearer {TOKEN}"}, timeout=20) as office:
        stores = [{"id": f"s{n}", "name": {"en": f"Store {n}"}} for n in range(count)]
        office.post("/v1/admin/import/stores", json=stores).raise_for_status()
        for n in range(count):
            code = office.post("/v1/admin/enrolment-codes", json={"store": f"s{n}"}).raise_for_status().json()["code"]
            secret, public = wire.make_key()
            said = office.post("/v1/enrol", json={"code": code, "public_key": public}).raise_for_status().json()
            (folder / f"s{n}").mkdir()
            replica = Replica(folder / f"s{n}", secrets.token_bytes(32))
            kept = {"device": said["device"], "store": said["store"], "epoch": str(said["epoch"]), "secret": secret}
            replica.journal.keep(**kept)
            branches.append(_open(replica, urls, Random(f"{seed} {n}")))
    return branches


def _open(replica: Replica, urls: Sequence[str], random: Random) -> Branch:
    clock = SystemClock()
    counter = Counter(replica, clock, Ids(clock), staff="amy")
    secret = replica.journal.setting("secret")
    line = Switching(urls)
    client = Listening(urls[0], device=replica.device, secret=secret, transport=line)
    session = Session(replica, batch_most=20, page_rows=50)
    in_step = InStep(session, client, clock, random, long_poll_s=2, longest_pause_s=0.5, connect_within_s=0.1)
    return Branch(replica.store, replica, counter, client, line, in_step, session)


@contextmanager
def at_work(branches: Sequence[Branch], seed: int, pause_s: float) -> Iterator[Callable[[], None]]:
    """All keep in step and accept; what is yielded ends the accepting alone."""
    keeping = [asyncio.create_task(branch.in_step.run()) for branch in branches]
    working = [asyncio.create_task(b.work(Random(f"{seed} {b.id}"), pause_s)) for b in branches]

    def close_counters() -> None:
        for task in working:
            task.cancel()

    try:
        yield close_counters
    finally:
        for task in (*working, *keeping):
            task.cancel()


async def until(done: Callable[[], object], what: str) -> None:
    """Wait for something that others do."""
    ends = asyncio.get_running_loop().time() + WITHIN_S
    while not done():
        if asyncio.get_running_loop().time() > ends:
            raise Trouble(f"This takes too long: {what}.")
        await asyncio.sleep(0.02)
