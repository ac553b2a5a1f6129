"""The demo's machinery: PostgreSQL, the centre as a process of its own, and two enrolled stores, all under one folder.

Everything hangs on a leash: it ends when this process ends, whichever way that is.
"""

from __future__ import annotations

import os
import secrets
import shutil
import socket
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path

import msgspec

from store_agent.clock import SystemClock
from store_agent.config import Settings
from store_agent.demo.filling import Office, fill
from store_agent.demo.pictures import write_pictures
from store_agent.demo.sample import STORES, Sample, make_sample
from store_agent.entry.store import enroll
from store_agent.trouble import Trouble
from store_agent.words import _
from sync.central.postgres.embedded import EmbeddedPostgres
from sync.central.postgres.leash import Leash, leashed

READY_S = 30.0
STOP_S = 0.5
"""The demo's processes hold nothing that a hard end could hurt: their folder goes with them."""
LOOK_S = 0.05
LEAST_BYTES, BYTES_A_MEMBER = 100_000_000, 12_000
"""What the database and both stores take on the disk, measured with a fifth to spare."""
Tell = Callable[[str, int, int], None]


@dataclass(frozen=True, slots=True)
class Machine:
    """A chain that runs on this machine."""

    folder: Path
    sample: Sample
    centre_url: str
    office: Office
    stores: dict[str, Settings]
    pictures: Path
    """Where the codes to scan lie, as pictures."""

    def figures(self, store: str) -> dict[str, int]:
        """What the centre has for a store."""
        figures: dict[str, int] = msgspec.json.decode(self.office.ask("GET", f"stores/{store}/figures"))
        return figures


@contextmanager
def build(members: int, tell: Tell) -> Iterator[Machine]:
    """Start it all, fill it with the sample, and enrol both stores. `tell` hears what is done, how much, of how much."""
    _check_space(members)
    scratch = tempfile.TemporaryDirectory(prefix="store-agent-demo-", ignore_cleanup_errors=True)
    # What goes away at the end need not survive a power cut, and is filled faster for it.
    with scratch as name, EmbeddedPostgres(durable=False) as postgres:
        folder = Path(name)
        tell(_("starting the centre"), 0, 1)
        token = secrets.token_urlsafe(24)
        url, leash = _start_centre(folder, postgres.url, token)
        try:
            tell(_("starting the centre"), 1, 1)
            sample = make_sample(members, now=SystemClock().now())
            fill(url, token, sample, tell)
            office = Office(url, token, tell)
            stores = {store: _enrol(office, url, folder, store) for store in STORES}
            pictures = folder / "codes"
            write_pictures(pictures, sample)
            yield Machine(folder, sample, url, office, stores, pictures)
        finally:
            leash.let_go()


def _check_space(members: int) -> None:
    """Said before it begins: a database whose disk is full says only that it cannot go on."""
    needed = LEAST_BYTES + members * BYTES_A_MEMBER
    try:
        folder = tempfile.gettempdir()
        free = shutil.disk_usage(folder).free
    except OSError as error:
        # No folder for temporary files at all: none is there, or none can be written.
        folder, free = str(error.strerror), 0
    if free < needed:
        raise Trouble(
            _("The disk of {folder} is too full for the demo.").format(folder=folder),
            _("Free {megabytes} MB there, or name another folder in TMPDIR.").format(megabytes=-(-needed // 1_000_000)),
        )


def _start_centre(folder: Path, database_url: str, token: str) -> tuple[str, Leash]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = _plain_environment() | {
        "STORE_AGENT_DATA_FOLDER": str(folder / "centre"),
        "STORE_AGENT_CENTRAL_DATABASE_URL": database_url,
        "STORE_AGENT_CENTRAL_ADMIN_TOKEN": token,
        "STORE_AGENT_CENTRAL_PORT": str(port),
    }
    said = folder / "centre.txt"
    with said.open("wb") as output:
        command = [sys.executable, "-m", "store_agent", "central"]
        # The folder goes with the centre, so that nothing of the sample stays behind even after SIGKILL.
        leash = leashed(command, env=environment, output=output, remove=folder, wait_s=STOP_S)
    url = f"http://127.0.0.1:{port}"
    try:
        _wait_for(url, leash, said)
    except BaseException:
        leash.let_go()
        raise
    return url, leash


def _wait_for(url: str, leash: Leash, said: Path) -> None:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    ends_at = time.monotonic() + READY_S
    while not leash.ended and time.monotonic() < ends_at:
        try:
            with opener.open(f"{url}/v1/health", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(LOOK_S)
    raise Trouble(_("The centre did not start."), said.read_text("utf-8", "replace").strip()[-400:])


def _enrol(office: Office, url: str, folder: Path, store: str) -> Settings:
    reply = office.ask("POST", "enrolment-codes", [msgspec.json.encode({"store": store, "hours": 1})])
    code = msgspec.json.decode(reply)["code"]
    data = folder / store
    settings = replace(Settings(), data_folder=str(data), key_file=str(data / "key"), centre_url=url, long_poll_s=20)
    enroll(settings, url, code)
    return settings


def _plain_environment() -> dict[str, str]:
    """This process's environment without settings of a store that may really be on this machine."""
    root = str(Path(__file__).resolve().parents[2])
    kept = {name: value for name, value in os.environ.items() if not name.startswith("STORE_AGENT_")}
    # The same code as here, wherever it was started from; and no configuration file of a real store.
    path = os.pathsep.join(filter(None, [root, kept.get("PYTHONPATH", "")]))
    return kept | {"PYTHONPATH": path, "STORE_AGENT_CONFIG": os.devnull}


def serve_beside(machine: Machine, store: str) -> Leash:
    """The other store, as a process without a screen."""
    settings = machine.stores[store]
    environment = _plain_environment() | {
        "STORE_AGENT_DATA_FOLDER": settings.data_folder,
        "STORE_AGENT_KEY_FILE": settings.key_file,
        "STORE_AGENT_CENTRE_URL": settings.centre_url,
    }
    return leashed([sys.executable, "-m", "store_agent", "serve"], env=environment, wait_s=STOP_S)
