"""Everything that one seed plays with: chances, time, ids, the log of all that happened, centres, stores, and the watch."""

from __future__ import annotations

import asyncio
import secrets
import uuid
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from random import Random
from unittest.mock import patch

from store_agent.clock import Ids
from store_agent.codec import Entry
from sync.central import app, own
from tests.simulator.centre import CentreProcess, pool_of
from tests.simulator.line import Server
from tests.simulator.model import Held, Published, StoreModel
from tests.simulator.postgres import Ground
from tests.simulator.truth import Truth

BEGAN = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
LINES_KEPT = 40


class SimulatedClock:
    """The loop's time, as a machine tells it whose clock may be wrong."""

    def __init__(self) -> None:
        self.skew = timedelta()

    def now(self) -> datetime:
        return BEGAN + self.skew + timedelta(microseconds=int(self.monotonic() * 1e6))

    def monotonic(self) -> float:
        return asyncio.get_running_loop().time()

    async def sleep(self, pause_s: float) -> None:
        await asyncio.sleep(pause_s)


class World:
    """One seed's chain. The first thing that does not hold ends it."""

    def __init__(self, seed: int, url: str, folder: Path) -> None:
        self.seed = seed
        self.folder = folder
        self.clock = SimulatedClock()
        self.hash = sha256()
        self.lines: deque[str] = deque(maxlen=LINES_KEPT)
        self.failure = ""
        self.is_over = False
        self.truth = Truth(self.fail)
        self._turns = self.random("turns")
        # Where statements take time, transactions lie over each other, and wait for each other's locks.
        self._pace_s = self._turns.choice((0.0, 0.005, 0.02))
        self.ground = Ground(url, self._turn, self._committed)
        self.centres: dict[str, CentreProcess] = {}
        self.devices: dict[str, str] = {}
        """By device: its store's stream."""
        self.put_back: set[str] = set()
        """Devices of which an older disk came back."""
        self.lost: set[str] = set()
        """Operations that were on the disk before it: the centre has them or nobody has."""
        self._may_fork = False
        self._hashes: dict[tuple[str, int, int], str] = {}
        self.models: list[StoreModel] = []
        self._seqs: dict[str, int] = {}
        self.happened: dict[str, int] = {}

    def random(self, purpose: str) -> Random:
        """Chances for one purpose, so that more of one do not change another."""
        return Random(f"{self.seed}/{purpose}")

    def say(self, line: str) -> None:
        """Write down what happened."""
        text = f"{asyncio.get_running_loop().time():.6f} {line}"
        self.hash.update(text.encode())
        self.lines.append(text[:400])

    def fail(self, what: str) -> None:
        """Something does not hold."""
        if not self.failure:
            self.failure = what
            self.say(f"FAILED {what}")

    def count(self, what: str) -> None:
        """How often what happened, for a look at what the seeds cover."""
        self.happened[what] = self.happened.get(what, 0) + 1

    def servers(self) -> list[Server]:
        return [centre for centre in self.centres.values() if centre.is_up]

    async def _turn(self) -> None:
        """Before each statement of a centre: others may go first, and sometimes the server is slow."""
        if self._turns.random() < 0.02:
            await asyncio.sleep(self._turns.uniform(0, 0.2))
        else:
            await asyncio.sleep(self._turns.uniform(0, self._pace_s) if self._pace_s else 0)

    def _committed(self) -> None:
        """After each transaction of a centre: whatever it published is looked at before anybody else can."""
        heads: dict[str, int] = dict(
            self.ground.look.execute("select stream, position from head order by stream").fetchall()
        )
        if heads == self.truth.heads():
            return
        known = self.truth.heads()
        found = self.ground.look.execute(
            "select feed.stream, position, group_end, tbl, row_id, revision, body"
            " from unnest(%s::text[], %s::bigint[]) as known (stream, seen)"
            " join feed on feed.stream = known.stream and position > seen order by feed.stream, position",
            [list(heads), [known.get(stream, 0) for stream in heads]],
        ).fetchall()
        came: dict[str, list[Published]] = {}
        for stream, *rest in found:
            came.setdefault(stream, []).append(Published(*rest))
        held = self._held()
        for stream, part in came.items():
            for one in part:
                self.hash.update(f"{stream} {one}".encode())
        self.truth.committed(came, held, self.devices)

    def _held(self) -> list[Held]:
        devices = [device for device in self.devices if device not in self.put_back]
        found = self.ground.look.execute(
            "select device, seq, op_id, outcome, reason, data from unnest(%s::text[], %s::bigint[]) as known (id, seen)"
            " join operation on device = id and seq > seen order by device, epoch, seq",
            [devices, [self._seqs.get(device, 0) for device in devices]],
        ).fetchall()
        held = [Held(*row) for row in found]
        for one in held:
            self._seqs[one.device] = one.seq
        return held + self._held_of_put_back()

    def _held_of_put_back(self) -> list[Held]:
        """Of devices whose numbers say nothing any more: whatever was not seen before."""
        devices = [device for device in self.devices if device in self.put_back]
        if not devices:
            return []
        found = self.ground.look.execute(
            "select device, seq, op_id, outcome, reason, data from operation where device = any(%s)"
            " and not op_id = any(%s) order by device, epoch, seq, branch",
            [devices, list(self.truth.outcomes)],
        ).fetchall()
        return [Held(*row) for row in found]

    def numbered(self, entries: Sequence[Entry], device: str) -> None:
        """EPOCH: a number is used once, but where nobody could know that the disk is an older one."""
        for entry in entries:
            place = device, entry.epoch, entry.seq
            if self._hashes.setdefault(place, entry.hash) != entry.hash and not self._may_fork:
                self.fail(f"EPOCH: {device} used number {entry.epoch}.{entry.seq} twice")

    def lose(self, device: str, op_ids: set[str], *, is_noticed: bool) -> None:
        """An older disk was put in the place of the one that these operations are on."""
        self.put_back.add(device)
        self.lost |= op_ids
        self._may_fork = self._may_fork or not is_noticed

    async def start_centre(self, name: str) -> None:
        """Begin, or begin again."""
        self.centres[name] = CentreProcess(name, self.ground, self.clock.now, self.fail)
        await self.centres[name].start()

    @contextmanager
    def held_still(self) -> Iterator[None]:
        """Ids and secrets come from the seed, and centres take their connections from us."""
        ids = self.random("ids")
        with ExitStack() as stack:
            for place, name, value in (
                (uuid, "uuid4", lambda: uuid.UUID(int=ids.getrandbits(128), version=4)),
                (secrets, "choice", ids.choice),
                (secrets, "randbelow", ids.randrange),
                (secrets, "randbits", ids.getrandbits),
                (secrets, "token_bytes", lambda size=32: ids.randbytes(size)),
                (secrets, "token_hex", lambda size=32: ids.randbytes(size).hex()),
                (own, "new_id", Ids(self.clock, ids.getrandbits).new),
                (app, "open_pool", pool_of(self.centres)),
            ):
                stack.enter_context(patch.object(place, name, value))
            yield
