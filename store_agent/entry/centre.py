"""The centre as a process: uvicorn around its application."""

from __future__ import annotations

import asyncio
import os
import secrets
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import uvicorn

from store_agent.config import Settings
from store_agent.logs import open_logs
from store_agent.trouble import Trouble
from store_agent.words import _
from sync.central.app import make_app
from sync.central.ground import open_pool
from sync.central.office.sealing import Sealing, read_keys

STOP_S = 1
"""For what is under way when the centre is told to stop: a store that is cut off asks again."""


def run_central(settings: Settings, tell: Callable[[str], None]) -> None:
    """Serve until SIGTERM or Ctrl-C, and `tell` where. The ledger is reached first: a wrong URL is one clear sentence."""
    central = settings.central
    open_logs(settings.data_path, settings.log_format, settings.log_level)
    sealing = read_sealing(settings)
    with _listen(central.host, central.port) as listener:
        asyncio.run(_reach(central.database_url))
        config = uvicorn.Config(
            make_app(
                central.database_url,
                admin_token=central.admin_token,
                sealing=sealing,
                offline_days=central.offline_days,
            ),
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=STOP_S,
            server_header=False,
        )
        host, port = listener.getsockname()[:2]
        url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        tell(_("The centre listens on {url}. Ctrl-C ends it.").format(url=url))
        _Server(config).run(sockets=[listener])


def read_sealing(settings: Settings) -> Sealing:
    """The keys that secrets are sealed with; a file with a new one is made where there is neither setting nor file."""
    central = settings.central
    if central.key:
        try:
            return read_keys(central.key.split(","))
        except ValueError as error:
            raise Trouble(_("The setting `central.key` is no key."), _("It is 64 hexadecimal digits.")) from error
    path = Path(central.key_file) if central.key_file else settings.data_path / "centre.key"
    try:
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(secrets.token_hex(32) + "\n")
        return read_keys(path.read_text("ascii").splitlines())
    except (OSError, ValueError) as error:
        raise Trouble(_("The key file {path} cannot be read.").format(path=path), str(error)) from error


class _Server(uvicorn.Server):
    """One that was told to stop and did so has ended well: no signal is raised once more behind it."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        before = {number: signal.signal(number, self.handle_exit) for number in (signal.SIGINT, signal.SIGTERM)}
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise Trouble(
            _("The centre cannot listen on {host}:{port}: {reason}.").format(
                host=host, port=port, reason=error.strerror or error
            ),
            _("Is another one running there? Choose another port."),
        ) from error


async def _reach(database_url: str) -> None:
    async with open_pool(database_url, size=1):
        pass
