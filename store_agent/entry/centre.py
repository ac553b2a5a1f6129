"""The centre as a process: uvicorn around its application."""

from __future__ import annotations

import asyncio
import signal
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import uvicorn

from store_agent.config import Settings
from store_agent.logs import open_logs
from store_agent.trouble import Trouble
from store_agent.words import _
from sync.central.app import make_app
from sync.central.ground import open_pool

STOP_S = 1
"""For what is under way when the centre is told to stop: a store that is cut off asks again."""


def run_central(settings: Settings, tell: Callable[[str], None]) -> None:
    """Serve until SIGTERM or Ctrl-C, and `tell` where. The ledger is reached first: a wrong URL is one clear sentence."""
    central = settings.central
    open_logs(settings.data_path, settings.log_format, settings.log_level)
    with _listen(central.host, central.port) as listener:
        asyncio.run(_reach(central.database_url))
        config = uvicorn.Config(
            make_app(central.database_url, admin_token=central.admin_token, offline_days=central.offline_days),
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=STOP_S,
            server_header=False,
        )
        host, port = listener.getsockname()[:2]
        url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
        tell(_("The centre listens on {url}. Ctrl-C ends it.").format(url=url))
        _Server(config).run(sockets=[listener])


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
