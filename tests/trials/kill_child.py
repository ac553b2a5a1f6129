"""One process of a store in the trial `kill`: accepts, says what was confirmed, and sits in the sync seat when it is free.

On its output: `open`, then `OP MEMBER` for each operation that was confirmed, before anything else is done. On its input:
what the other process confirmed, in the same words, which must be seen here from then on.
"""

from __future__ import annotations

import asyncio
import os
import sys
from contextlib import nullcontext
from pathlib import Path
from random import Random

from store_agent.clock import Ids, SystemClock
from store_agent.desk.counter import Counter
from store_agent.domain.points import EarnPoints
from store_agent.domain.tags import AddNote
from store_agent.replica import Replica
from store_agent.replica.seat import Seat
from store_agent.trouble import Trouble
from sync.client import Client
from sync.in_step import InStep
from sync.session import Session
from tests.trials.day import tune
from tests.trials.kill_plants import PLANTS
from tests.trials.small_ballast import small_ballast

PAUSE_S = 0.004
SEAT_S = 0.05
OPEN, BLIND, FAILED = "open", "blind", "failed"


def say(*words: str) -> None:
    """In one piece, past every buffer: what was said before this process is killed is heard."""
    os.write(1, (" ".join(words) + "\n").encode())


class Child:
    """The work of one process."""

    def __init__(self, folder: Path, key: bytes, secret: str, url: str, random: Random) -> None:
        self.replica = Replica(folder, key)
        tune(self.replica, 60)
        clock = SystemClock()
        self._random = random
        self._url, self._secret = url, secret
        self._clock = clock
        self._counter = Counter(self.replica, clock, Ids(clock), staff=f"p{os.getpid()}")

    async def accept(self, members: list[str]) -> None:
        """Until killed."""
        while True:
            member, named = self._random.choice(members), self._counter.named
            note = AddNote(**named("g"), member_id=member, text="你好")
            refusal = self._counter.accept(note, EarnPoints(**named("g"), member_id=member, points=1))
            assert refusal is None, refusal
            say(note.op_id, member)
            if self._random.random() < 0.02:
                self.replica.rest()
            await asyncio.sleep(self._random.random() * PAUSE_S)

    async def keep(self) -> None:
        """Sit down when the seat is free, and keep in step until killed."""
        seat = Seat(self.replica.folder)
        while not seat.take():
            await asyncio.sleep(SEAT_S)
        async with Client(self._url, device=self.replica.device, secret=self._secret) as client:
            session = Session(self.replica, batch_most=20, page_rows=20)
            in_step = InStep(session, client, self._clock, self._random, long_poll_s=0.1, longest_pause_s=0.2)
            self._counter.accepted = in_step.poke
            await in_step.run()

    async def look(self) -> None:
        """Whether what others confirmed is seen here; ends this process when nobody tells any more."""
        reader = asyncio.StreamReader()
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := await reader.readline():
            op_id, member = line.decode().split()
            tags = self.replica.view.get("tags", member)
            if tags is None or [note.id for note in tags.notes].count(op_id) != 1:
                say(BLIND, op_id)
        raise asyncio.CancelledError


async def main(arguments: list[str]) -> None:
    folder, key, secret, url, seed, plant, *members = arguments
    with small_ballast(), PLANTS[plant].day() if plant else nullcontext():
        child = Child(Path(folder), bytes.fromhex(key), secret, url, Random(seed))
        say(OPEN)
        try:
            async with asyncio.TaskGroup() as tasks:
                looking = tasks.create_task(child.look())
                working = [tasks.create_task(child.accept(members)), tasks.create_task(child.keep())]
                looking.add_done_callback(lambda _done: [task.cancel() for task in working])
        except* Trouble as group:
            say(FAILED, *str(group.exceptions[0]).split())
        finally:
            child.replica.close()


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
