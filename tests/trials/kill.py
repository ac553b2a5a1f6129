"""Two real processes on one store and a real centre, killed at any moment: all that was confirmed is there, once."""

from __future__ import annotations

import asyncio
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random

import uvicorn

from store_agent.codec import Entry
from store_agent.domain.members import Member
from store_agent.domain.points import EarnPoints
from store_agent.domain.tags import AddNote
from sync.central.postgres.embedded import EmbeddedPostgres
from tests.chain import Chain, StoreAtEnd, open_chain
from tests.invariants import check_converged, check_ledger
from tests.standing_clock import StandingClock
from tests.trials.after_cut import Broken, check_files, check_journal
from tests.trials.kill_child import BLIND, FAILED, OPEN
from tests.trials.kill_plants import PLANTS
from tests.trials.small_ballast import small_ballast
from tests.trials.trial import Found, Trial

MEMBERS = [f"m{n}" for n in range(40)]
BEFORE_A_KILL_MOST = 25
"""Operations that a process confirms before it is killed."""
PATIENCE_S = 60.0
"""A process that says nothing for so long hangs."""


class Two:
    """Both processes, what they said, and the hand that kills them."""

    def __init__(self, store: StoreAtEnd, url: str, random: Random, plant: str) -> None:
        self._arguments = [str(store.folder), store.key.hex(), store.secret, url]
        self._random = random
        self._plant = plant
        self.running: list[asyncio.subprocess.Process] = []
        self._readers: list[asyncio.Task[None]] = []
        self._said = [0, 0]
        self._news = asyncio.Event()
        self.confirmed: set[str] = set()
        self.failure = ""

    async def start(self, index: int) -> None:
        command = [*self._arguments, str(self._random.getrandbits(32)), self._plant, *MEMBERS]
        pipe = asyncio.subprocess.PIPE
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "tests.trials.kill_child", *command, stdin=pipe, stdout=pipe
        )
        self._said[index] = 0
        reader = asyncio.create_task(self._listen(index, process))
        self.running[index : index + 1] = [process]
        self._readers[index : index + 1] = [reader]

    async def _listen(self, index: int, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        while line := await process.stdout.readline():
            word, *rest = line.decode().split()
            if word == BLIND:
                self.failure = self.failure or f"VIEW: one process does not see {rest[0]}, which the other confirmed"
            elif word == FAILED:
                self.failure = self.failure or f"ONE TRUTH: a process could not work: {' '.join(rest)}"
            else:
                self._said[index] += 1
                if word != OPEN:
                    self.confirmed.add(word)
                    self._tell(1 - index, line)
            self._news.set()
        self._news.set()

    def _tell(self, index: int, line: bytes) -> None:
        stdin = self.running[index].stdin if index < len(self.running) else None
        # Not everything: what is told makes work, and looking must not be all that is done.
        if stdin is not None and not stdin.is_closing() and self._random.random() < 0.2:
            stdin.write(line)

    async def heard(self, index: int, lines: int) -> None:
        """Until a process said so much, or ended."""
        async with asyncio.timeout(PATIENCE_S):
            while self._said[index] < lines and not self._readers[index].done() and not self.failure:
                self._news.clear()
                await self._news.wait()

    async def kill(self, index: int) -> None:
        if self.running[index].returncode is None:
            self.running[index].kill()
        await self._ended(index)

    async def _ended(self, index: int) -> None:
        await self.running[index].wait()
        await self._readers[index]

    async def finish(self) -> None:
        """Both end by themselves."""
        for index in (0, 1):
            await self.heard(index, 2)
        for process in self.running:
            assert process.stdin is not None
            process.stdin.close()
        for index in (0, 1):
            await self._ended(index)


async def _rounds(two: Two, count: int, random: Random) -> int:
    kills = 0
    for index in (0, 1):
        await two.start(index)
    while kills < count and not two.failure:
        victims = [0, 1] if random.random() < 0.1 else [random.randrange(2)]
        # The other one has opened the store too, or nobody would ever get to work.
        for index in (0, 1):
            await two.heard(index, random.randint(1, BEFORE_A_KILL_MOST) if index in victims else 1)
        await asyncio.sleep(random.random() * 0.01)
        for index in victims:
            await two.kill(index)
            kills += 1
        for index in victims:
            await two.start(index)
        if random.random() < 0.2:
            # Killed once more while it comes up.
            await asyncio.sleep(random.random() * 0.6)
            await two.kill(victims[0])
            kills += 1
            await two.start(victims[0])
    await two.finish()
    return kills


def _check_view(store: StoreAtEnd, journal: list[Entry]) -> None:
    """VIEW by what adds up, and not by the movements of an account, which forgets the oldest."""
    notes: dict[str, list[str]] = {member: [] for member in MEMBERS}
    points = dict.fromkeys(MEMBERS, 0)
    for entry in journal:
        match entry.operation:
            case AddNote() as note:
                notes[note.subject].append(note.op_id)
            case EarnPoints() as earned:
                points[earned.subject] += earned.points
    for member in MEMBERS:
        tags, account = store.row("tags", member), store.row("account", member)
        shown = sorted(note.id for note in tags.notes) if tags else []
        balance = account.balance(store.counter.now()) if account else 0
        if (shown, balance) != (sorted(notes[member]), points[member]):
            raise Broken(f"VIEW: an operation of {member} counts twice or not at all")


async def _check(chain: Chain, two: Two) -> int:
    store = chain.restart("s1")
    check_files(store.replica)
    journal = check_journal(store.replica, two.confirmed)
    _check_view(store, journal)
    await store.settle()
    _check_view(store, journal)
    await check_converged(chain)
    await check_ledger(chain)
    return len(journal)


async def _run(database_url: str, folder: Path, count: int, seed: int, plant: str) -> Found:
    random = Random(seed)
    async with open_chain(database_url, StandingClock(), folder) as chain, _listening(chain) as url:
        store = await chain.store("s1")
        members = [Member(id=id_, phone=f"+8869{n:08d}", name="王", home_store="s1") for n, id_ in enumerate(MEMBERS)]
        await chain.write(*members)
        store.replica.close()
        two = Two(store, url, random, plant)
        kills = await _rounds(two, count, random)
        figures = {"kills": kills, "operations_confirmed": 2 * len(two.confirmed)}
        if two.failure:
            chain.restart("s1")
            return Found(figures=figures, failure=two.failure)
        try:
            figures["operations_kept"] = await _check(chain, two)
        except (Broken, AssertionError) as broken:
            return Found(figures=figures, failure=str(broken).splitlines()[0])
    return Found(figures={**figures, "lost": 0})


@asynccontextmanager
async def _listening(chain: Chain) -> AsyncIterator[str]:
    """The centre over HTTP; its parts have begun already."""
    server = uvicorn.Server(uvicorn.Config(chain.app, port=0, log_level="warning", lifespan="off"))
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    try:
        yield f"http://127.0.0.1:{port}"
    finally:
        server.should_exit = True
        await serving


def _play(count: int, seed: int, plant: str) -> Found:
    with small_ballast(), EmbeddedPostgres(durable=False) as postgres, tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_run(postgres.create_database("kill"), Path(folder), count, seed, plant))


TRIAL = Trial(
    name="kill",
    about=__doc__ or "",
    count=50,
    unit="kills",
    play=_play,
    plants={name: plant.about for name, plant in PLANTS.items()},
)
