"""One store of a seed: its disk, its clock, its line, its terminals, and what it must show after everything it does."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Coroutine, Sequence
from pathlib import Path
from random import Random
from typing import Any

from store_agent.clock import Ids
from store_agent.codec import Entry, decode_entry
from store_agent.desk.counter import Counter
from store_agent.desk.rights import Want
from store_agent.domain.operation import Operation, Refusal
from store_agent.replica.cache import Cache
from store_agent.trouble import Trouble
from sync.acquiring import acquire
from sync.client import Client
from sync.in_step import InStep
from sync.session import Session
from sync.wire import EpochReply, PullReply, PushReply, SalvageReply, stream_of
from tests.chain import URL
from tests.simulator.cover import risked_too_much
from tests.simulator.disk import Died, Fuse, FusedReplica
from tests.simulator.disks import Keeping
from tests.simulator.line import Line
from tests.simulator.model import Key, StoreModel, same
from tests.simulator.world import SimulatedClock, World

BATCH_MOST = 2
PAGE_ROWS = 1
LONG_POLL_S = 5.0
ACQUIRE_S = 0.8
FULL_CHECK_EVERY = 100
Person = Callable[["Terminal"], Coroutine[Any, Any, None]]


class WatchedSession(Session):
    """The real session; after each reply it is seen what the store shows."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__(terminal.replica, batch_most=BATCH_MOST, page_rows=PAGE_ROWS)
        self._terminal = terminal

    def absorb(self, reply: PullReply, into: Cache | None = None) -> int:
        brought = super().absorb(reply, into)
        self._terminal.store.saw(self._terminal)
        return brought

    def received(self, reply: PushReply | SalvageReply) -> None:
        super().received(reply)
        self._terminal.store.saw(self._terminal)

    def begin_epoch(self, reply: EpochReply) -> None:
        if self.replica.standing.frozen:
            self._terminal.store.due = dict(reply.heads)
        super().begin_epoch(reply)
        self._terminal.store.saw(self._terminal)


class WatchedReplica(FusedReplica):
    """The real replica; what is asked of it is noted, since a store writes down all of it or nothing."""

    drafted: list[Operation] = []  # noqa: RUF012
    """What was accepted since somebody last asked."""
    drafting: list[Operation] = []  # noqa: RUF012
    """What is being accepted."""

    def accept_drafted(self, draft: Callable[[], Sequence[Operation]]) -> Refusal | None:
        def noted() -> Sequence[Operation]:
            self.drafting = list(draft())
            return self.drafting

        refusal = super().accept_drafted(noted)
        if refusal is None:
            self.drafted = [*self.drafted, *self.drafting]
        return refusal


class Store:
    """A shop with one disk and one line."""

    def __init__(self, world: World, id_: str, folder: Path, device: str, key: bytes, secret: str) -> None:
        self.world, self.id, self.folder, self.device = world, id_, folder, device
        self.key, self.secret = key, secret
        self.clock = SimulatedClock()
        self.model = StoreModel(id_)
        world.models.append(self.model)
        self.line = Line(id_, world.random(f"line {id_}"), world.servers, world.say)
        self.terminals: list[Terminal] = []
        self.kept = Keeping(self)
        self.is_down = False
        """Nothing begins here just now."""
        self.due: dict[str, int] = {}
        """Where a store that was frozen must have read to before it accepts again."""
        self._saw = 0

    def entries(self, terminal: Terminal) -> list[Entry]:
        """What the journal holds beyond what is known, read without the product's own reader."""
        conn: Any = terminal.replica.journal.db.conn
        known = len(self.model.journal)
        query = "select data from operation order by epoch, seq limit -1 offset ?"
        found = conn.inner.execute(query, [known]).fetchall()
        return [decode_entry(data) for (data,) in found]

    def saw(self, terminal: Terminal) -> None:
        """Something was committed to a file of this store: all that it touches must show exactly once, on every terminal."""
        up = [other for other in self.terminals if other.is_up and not other.replica.fuse.is_dead]
        for other in up:
            other.replica.fuse.is_held = True
        try:
            keys = self._read(terminal)
            for other in up:
                self._check(other, keys)
        finally:
            for other in up:
                other.replica.fuse.is_held = False

    def _read(self, terminal: Terminal) -> list[Key]:
        touched = self.model.wrote(wrote := self.entries(terminal))
        self.world.numbered(wrote, self.device)
        behind = [stream for stream, head in self.due.items() if self.model.cursors.get(stream, 0) < head]
        if wrote and behind:
            self.world.fail(f"EPOCH: {self.id} accepts before it has caught up with {behind}")
        cursors = {stream: read[0] for stream, read in terminal.replica.cache.cursors().items()}
        for stream, before in self.model.cursors.items():
            if cursors.get(stream, 0) < before:
                self.world.fail(f"MONO: {self.id} went back from {before} to {cursors.get(stream, 0)} in {stream}")
        for stream, position in sorted(cursors.items()):
            published = self.world.truth.streams.get(stream, [])
            if position > len(published) or (position and published[position - 1].group_end != position):
                self.world.fail(f"PAGES: {self.id} stands at {position} of {stream}, in the middle of a commit")
        touched |= self.model.read(self.world.truth.streams, cursors)
        if wrong := risked_too_much(self.device, self.model.journal, self.world.truth.rows):
            self.world.fail(wrong)
        self._saw += 1
        return self.model.keys() if self._saw % FULL_CHECK_EVERY == 0 else sorted(touched)

    def _check(self, terminal: Terminal, keys: Sequence[Key]) -> None:
        # A screen looks whether anything is new before it reads, and so finds that the cache is another file.
        terminal.replica.version()
        view = terminal.replica.view
        with view.moment():
            for key in keys:
                shown, due = view.get(*key), self.model.row(key)
                if not same(shown, due):
                    self.world.fail(f"VIEW: {terminal.name} shows {key} as {shown}, and must {due}")
            waiting = {entry.operation.op_id for entry in view.waiting()}
        if waiting != set(self.model.waiting()):
            wrong = sorted(waiting ^ set(self.model.waiting()))
            self.world.fail(f"VIEW: {terminal.name} has {wrong} waiting, or not waiting, wrongly")

    def lose_cache(self) -> None:
        """Somebody deletes it, while the store runs or not."""
        for file in sorted(self.folder.glob("cache.db*")):
            file.unlink()
        self.model.forget()

    def put_back(self, model: StoreModel, names: Sequence[str]) -> None:
        """The files of these names are as they were when the model was that."""
        ours = self.model
        gone = {entry.operation.op_id for entry in ours.journal} - {e.operation.op_id for e in model.journal}
        self.world.lose(self.device, gone, is_noticed="anchor" not in names)
        ours.journal = model.journal
        if "cache.db" in names:
            ours.cursors, ours.rows, ours.answered, ours.aliases = (
                model.cursors,
                model.rows,
                model.answered,
                model.aliases,
            )
        ours.recount()
        self.due = {}
        for terminal in self.terminals:
            terminal.forget_death()

    def stream(self) -> str:
        return stream_of(self.id)


class Terminal:
    """One process of a store. The first one sits in the sync seat."""

    def __init__(self, store: Store, number: int, person: Person) -> None:
        self.store, self.number, self.name = store, number, f"{store.id}.{number}"
        self._person = person
        self.random: Random = store.world.random(f"person {self.name}")
        self._ids = Ids(store.clock, store.world.random(f"ids {self.name}").getrandbits)
        self.is_up = False
        self.memory: dict[str, Any] = {}
        self._dying: list[str] = []
        """Operations that were being written down when the process last died."""
        self._task: asyncio.Task[None] | None = None

    def open(self) -> None:
        """The process begins."""
        store = self.store
        self.replica = WatchedReplica(store.folder, store.key, Fuse())
        self.counter = Counter(self.replica, store.clock, self._ids, staff=f"staff of {self.name}", accepted=self._poke)
        self.session = WatchedSession(self)
        self.client = Client(URL, device=store.device, secret=store.secret, transport=store.line)
        jitter = store.world.random(f"jitter {self.name}")
        self.in_step = InStep(self.session, self.client, store.clock, jitter, long_poll_s=LONG_POLL_S)
        self.is_up = True

    def _poke(self) -> None:
        if self.number == 0:
            self.in_step.poke()

    def start(self) -> None:
        self._task = asyncio.create_task(self._live())

    async def acquire(self, wants: Sequence[Want]) -> None:
        """Ask for rights just in time, as a screen does."""
        with contextlib.suppress(TimeoutError, Trouble):
            async with asyncio.timeout(ACQUIRE_S):
                for want in wants:
                    await acquire(self.replica, self.client, self.counter, want)

    async def stop(self) -> None:
        """The process ends, at the end of a story."""
        if self._task:
            self._task.cancel()
            await asyncio.wait([self._task])
        if self.is_up:
            self.is_up = False
            self.replica.let_go()

    async def _live(self) -> None:
        world = self.store.world
        while True:
            while self.store.is_down:
                await asyncio.sleep(0.05)
            self.open()
            world.say(f"{self.name} begins")
            self._check_torn()
            self.store.saw(self)
            try:
                async with asyncio.TaskGroup() as tasks:
                    if self.number == 0:
                        tasks.create_task(self.in_step.run())
                    tasks.create_task(self._person(self))
                    tasks.create_task(self._die_in_time())
            except BaseExceptionGroup as group:
                wrong = group.split(Died)[1]
                if wrong:
                    error = wrong.exceptions[0]
                    while isinstance(error, BaseExceptionGroup):
                        error = error.exceptions[0]
                    world.fail(f"CRASH: {self.name}: {type(error).__name__}: {error}")
            self.is_up = False
            self.replica.let_go()
            world.say(f"{self.name} died")
            world.count("store process died")
            await asyncio.sleep(self.random.uniform(0.05, 2.0))

    def forget_death(self) -> None:
        """Another disk: what was being written down on the one before says nothing."""
        self._dying = []

    def _check_torn(self) -> None:
        """What was being written down when the process died is there as a whole or not at all."""
        there = {entry.operation.op_id for entry in (*self.store.model.journal, *self.store.entries(self))}
        found = [op_id in there for op_id in self._dying]
        if any(found) and not all(found):
            self.store.world.fail(f"DURABLE: {self.name} died and left a part of {self._dying}")
        self._dying = []

    async def _die_in_time(self) -> None:
        """A process whose fuse blew in a part that caught its breath must end all the same."""
        while not self.replica.fuse.is_dead:
            await asyncio.sleep(0.05)
        raise Died

    def job(self, name: str, do: Callable[[], object]) -> None:
        """One thing that a person does. All of it is written down or nothing, and yes is said only where it is."""
        world, store = self.store.world, self.store
        if len(store.terminals) > 1 and store.entries(self):
            # Another terminal died as it wrote this down, and nobody has looked since.
            store.saw(self)
        before, frozen = len(store.model.journal), self.replica.standing.frozen
        said: object
        self.replica.drafted, self.replica.drafting = [], []
        try:
            said = do()
        except Trouble as trouble:
            said = trouble
        except Died:
            world.say(f"{self.name} {name} and the process died")
            self._dying = [operation.op_id for operation in self.replica.drafting]
            # What it wrote before it died is not what the next terminal writes.
            for other in store.terminals:
                if other is not self and other.is_up and not other.replica.fuse.is_dead:
                    store.saw(other)
            raise
        store.saw(self)
        wrote = [entry.operation.op_id for entry in store.model.journal[before:]]
        drafted = [operation.op_id for operation in self.replica.drafted]
        if isinstance(said, (Refusal, Trouble)) and wrote:
            world.fail(f"DURABLE: {self.name} said no to {name}, and wrote {wrote}")
        if not isinstance(said, (Refusal, Trouble)) and wrote != drafted:
            world.fail(f"DURABLE: {self.name} said yes to {name} with {drafted}, and wrote {wrote}")
        if frozen and wrote:
            world.fail(f"EPOCH: {self.name} accepts {name}, and is frozen: {frozen}")
        outcome = "done" if wrote else "refused" if isinstance(said, Refusal) else str(said)[:40]
        world.say(f"{self.name} {name} {said.reason if isinstance(said, Refusal) else outcome} {len(wrote)}")
        world.count(f"{name} {outcome}")
