"""A store's parts put together: its replica, its counter, and what keeps it in step."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import signal
from collections.abc import Callable, Sequence
from itertools import count
from random import SystemRandom

from store_agent.clock import Ids, SystemClock
from store_agent.config import Settings
from store_agent.desk import rights
from store_agent.desk.counter import Counter, check_enrolled
from store_agent.desk.rights import Want
from store_agent.domain.stores import Role, Staff
from store_agent.logs import open_logs
from store_agent.replica import Replica
from store_agent.replica.database import KEY_BYTES
from store_agent.replica.replica import open_key
from store_agent.replica.seat import Seat
from store_agent.trouble import Trouble
from store_agent.words import _, formats
from sync import wire
from sync.acquiring import acquire
from sync.client import Client, Offline, TooMuch, Unwelcome
from sync.in_step import InStep
from sync.session import Rubbish, Session
from sync.snapshot import Bootstrap

log = logging.getLogger(__name__)

LOOK_S = 0.3
ACQUIRE_S = 0.8
"""So long somebody waits at the counter for a right; then it is accepted on allowance, or refused."""
DUE_S = 30.0
SEAT_S = 2.0
REST_LOOKS = 200
"""About once a minute."""


def open_replica(settings: Settings, *, make: bool = False) -> Replica:
    """The replica of this machine's store. `make`: begin one where there is none (at enrolment only)."""
    folder = settings.data_path
    try:
        is_there = (folder / "journal.db").exists()
        if make:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise Trouble(
            _("The data folder {folder} cannot be used: {reason}.").format(folder=folder, reason=error.strerror),
            _("Let this user write to it, or set data_folder."),
        ) from error
    if not make and not is_there:
        raise Trouble(
            _("There is no store on this machine yet."),
            _("Ask the head office for a one-time code, then run `store-agent enroll URL CODE`."),
        )
    # A new key beside a journal would hide that the journal's own key is missing.
    return Replica(folder, open_key_of(settings, make=make and not is_there), settings.anchor_path)


def open_key_of(settings: Settings, *, make: bool = False) -> bytes:
    """The key of the store's files, from the settings or from its file."""
    if not settings.key:
        return open_key(settings.key_path, make=make)
    try:
        key = bytes.fromhex(settings.key)
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise Trouble(_("The setting `key` is no key."), _("It is 64 hexadecimal digits."))
    return key


def open_counter(replica: Replica) -> Counter:
    """A counter of this store."""
    check_enrolled(replica)
    clock = SystemClock()
    counter = Counter(replica, clock, Ids(clock), staff=replica.store)
    take_place(counter)
    return counter


def take_place(counter: Counter) -> None:
    """Until somebody scans a badge, the store's first cashier stands here. Again once the first rows have come."""
    view = counter.replica.view
    with view.moment():
        store = counter.store
        formats.use_store(store.zone, store.currency)
        if counter.staff != store.id:
            return
        people: list[Staff] = sorted(view.all("staff"), key=lambda one: (one.role is not Role.CASHIER, one.id))
        counter.staff = next((one.id for one in people if one.store == store.id), counter.staff)


def make_client(replica: Replica, settings: Settings) -> Client:
    """The line to this store's centre."""
    return Client(
        settings.centre_url or replica.journal.setting("centre_url"),
        device=replica.device,
        secret=replica.journal.setting("secret"),
        request_s=settings.request_timeout_s,
    )


class Keeper:
    """Keeps a store in step while this process has the seat, and watches for what others do while it has not."""

    def __init__(self, counter: Counter, settings: Settings, *, longest_pause_s: float = 30.0) -> None:
        self._counter = counter
        self._replica = counter.replica
        self._settings = settings
        self._longest_pause_s = longest_pause_s
        self._clock = counter.clock
        self._client = make_client(counter.replica, settings)
        self._in_step: InStep | None = None
        counter.accepted = self.poke
        counter.acquire = self.acquire

    def poke(self) -> None:
        """Something was accepted: push it now."""
        if self._in_step:
            self._in_step.poke()

    async def sight(self, phone: str, code: str) -> str:
        """Ask the centre for a member whom this store does not hold; their id, or empty."""
        return await self._client.sight(wire.SightRequest(phone, code))

    async def acquire(self, wants: Sequence[Want]) -> None:
        """Ask for rights, all at once, and wait until they are here; no longer than a customer would."""
        if self._in_step and self._in_step.contact.offline_since:
            return

        async def ask(want: Want) -> None:
            # Each for itself: what one fails by must not leave the others asking behind everybody's back.
            with contextlib.suppress(Trouble):
                await acquire(self._replica, self._client, self._counter, want)

        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(ACQUIRE_S):
                await asyncio.gather(*(ask(want) for want in wants))

    async def run(self, changed: Callable[[], None]) -> None:
        """Until cancelled."""

        def tell() -> None:
            take_place(self._counter)
            self._give_back()
            changed()

        seat = Seat(self._replica.folder)
        try:
            watching = asyncio.create_task(self._watch(tell))
            try:
                while not seat.take():
                    await self._clock.sleep(SEAT_S)
                await self._keep(tell)
            finally:
                watching.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await watching
        finally:
            seat.leave()
            await self._client.close()

    def _give_back(self) -> None:
        """What the centre asks back goes back at once, and what was lent and not used when it is due."""
        if self._in_step is None:
            return
        try:
            rights.give_back(self._counter)
        except Trouble as trouble:
            # A full disk or a frozen journal must not end what would get it out of that: it goes back later.
            log.warning("no right is given back just now: %s", trouble.what)

    async def _give_back_in_time(self) -> None:
        while True:
            await self._clock.sleep(DUE_S)
            self._give_back()

    async def _keep(self, changed: Callable[[], None]) -> None:
        session = Session(self._replica, batch_most=self._settings.batch_size)
        bootstrap = Bootstrap(
            session, self._client, self._clock, rows_least=self._settings.snapshot_rows, changed=changed
        )
        bootstrap.tidy()
        self._in_step = InStep(
            session,
            self._client,
            self._clock,
            SystemRandom(),
            bootstrap=bootstrap,
            long_poll_s=self._settings.long_poll_s,
            longest_pause_s=self._longest_pause_s,
            changed=changed,
        )
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._in_step.run())
            tasks.create_task(self._give_back_in_time())

    async def _watch(self, changed: Callable[[], None]) -> None:
        """Another terminal of this store accepted something, or the process in the seat took rows in."""
        version = self._replica.version()
        for look in count(1):
            await self._clock.sleep(LOOK_S)
            if look % REST_LOOKS == 0:
                self._rest()
            seen = self._replica.version()
            if seen != version:
                version = seen
                changed()

    def _rest(self) -> None:
        try:
            self._replica.rest()
        except Trouble as trouble:
            # It is only put off; a disk that is full tells whoever accepts.
            log.warning("the logs cannot be emptied: %s", trouble.what)


def serve(settings: Settings) -> None:
    """Keep in step without a screen until SIGTERM or Ctrl-C."""
    with open_replica(settings) as replica:
        open_logs(settings.data_path, settings.log_format, settings.log_level)
        counter = open_counter(replica)
        log.info("serving store %s", replica.store)
        asyncio.run(_serve(Keeper(counter, settings)))


async def _serve(keeper: Keeper) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        with contextlib.suppress(
            NotImplementedError
        ):  # Windows has no signal handlers in its loop; Ctrl-C still ends it.
            loop.add_signal_handler(number, stop.set)
    keeping = asyncio.create_task(keeper.run(lambda: None))
    stopping = asyncio.create_task(stop.wait())
    await asyncio.wait((keeping, stopping), return_when=asyncio.FIRST_COMPLETED)
    stopping.cancel()
    keeping.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await keeping


def enroll(settings: Settings, url: str, code: str) -> dict[str, object]:
    """Make a key for this machine, exchange the code for an identity, and keep both. Says who the machine is now."""
    with open_replica(settings, make=True) as replica:
        if replica.device:
            return _enroll_again(replica, settings, url, code)
        secret = replica.journal.setting("secret_offered")
        public = replica.journal.setting("public_offered")
        if not secret:
            # Kept before it is offered: if the reply is lost, the same key may ask again with the same code.
            secret, public = wire.make_key()
            replica.journal.keep(secret_offered=secret, public_offered=public)
        reply = asyncio.run(_enrol(url, wire.EnrolRequest(code, public), settings.request_timeout_s))
        replica.journal.keep(
            device=reply.device, store=reply.store, epoch=str(reply.epoch), secret=secret, centre_url=url
        )
        return {"store": reply.store, "device": reply.device, "centre_url": url}


def _enroll_again(replica: Replica, settings: Settings, url: str, code: str) -> dict[str, object]:
    """The centre was restored to a time before this machine was bound: bind it as the device that it is, with its key."""
    here = Trouble(
        _("This machine is a device of store {store} already.").format(store=replica.store),
        _("To begin anew, choose another data folder: nothing here is ever thrown away."),
    )
    if not asyncio.run(_is_forgotten(replica, settings)):
        raise here
    request = wire.EnrolRequest(
        code, wire.public_of(replica.journal.setting("secret")), device=replica.device, store=replica.store
    )
    reply = asyncio.run(_enrol(url, request, settings.request_timeout_s))
    if reply.device != replica.device:
        # A centre of an older version took no notice of who asked.
        raise here
    replica.journal.keep(centre_url=url)
    return {"store": reply.store, "device": reply.device, "centre_url": url}


async def _is_forgotten(replica: Replica, settings: Settings) -> bool:
    """Whether the centre answers, and does not know this device."""
    client = make_client(replica, settings)
    try:
        await client.pull({}, 1)
    except Unwelcome as trouble:
        return trouble.is_unknown
    except Trouble:
        return False
    finally:
        await client.close()
    return False


async def _enrol(url: str, request: wire.EnrolRequest, request_s: float) -> wire.EnrolReply:
    try:
        async with Client(url, request_s=request_s) as client:
            return await client.enrol(request)
    except (Offline, TooMuch) as trouble:
        # Elsewhere it would be tried again by itself; here a person has to.
        raise Trouble(
            trouble.what, _("Check the line and the address, then run this again: the code is still good.")
        ) from trouble
    except Unwelcome as trouble:
        raise Trouble(trouble.what, _("This machine was not bound to a store.")) from trouble
    except Rubbish as trouble:
        raise Trouble(trouble.what, _("Is {url} the address of the centre?").format(url=url)) from trouble
