"""One of the two stores of `spread`, a process: it keeps in step, gives points when told, and says what it sees."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from random import Random
from typing import Any

from store_agent.clock import Ids, SystemClock
from store_agent.desk import baskets, overviews
from store_agent.desk.counter import Counter
from store_agent.domain.points import EarnPoints
from store_agent.replica import Replica
from sync.client import Client
from sync.in_step import InStep
from sync.session import Session
from tests.counter_fixture import KEY


async def keep(folder: Path, url: str, *, tells: bool) -> None:
    """Until the line that it reads ends."""
    clock = SystemClock()
    replica = Replica(folder, KEY)
    counter = Counter(replica, clock, Ids(clock), staff="amy")
    client = Client(url, device=replica.device, secret=replica.journal.setting("secret"))
    seen = 0

    def look() -> None:
        """The member whose points came last is the one on the screen."""
        nonlocal seen
        query = "select number, row_id from arrival where tbl = 'account' order by number desc limit 1"
        for number, member_id in replica.cache.db.conn.execute(query).fetchall():
            overview = overviews.member(counter, member_id, baskets.empty(counter), "en")
            assert overview is not None
            if number > seen and tells:
                say({"balance": overview.points.balance})
            seen = number

    in_step = InStep(Session(replica), client, clock, Random(1), changed=look)
    keeping = asyncio.create_task(in_step.run())
    async for asked in lines():
        if asked["does"] == "begin":
            while in_step.contact.heard_at is None:
                await asyncio.sleep(0.01)
            say({})
        else:
            points = EarnPoints(**counter.named(), member_id=asked["id"], points=1)
            assert counter.accept(points) is None
            in_step.poke()
    keeping.cancel()


async def lines() -> Any:
    """What is said to this process."""
    loop = asyncio.get_running_loop()
    reader = asyncio.StreamReader()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        yield json.loads(line)


def say(value: dict[str, Any]) -> None:
    print(json.dumps(value), flush=True)


if __name__ == "__main__":
    asyncio.run(keep(Path(sys.argv[1]), sys.argv[2], tells=sys.argv[3] == "b"))
