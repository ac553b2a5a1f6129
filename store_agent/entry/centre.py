"""The centre as a process: uvicorn around its application."""

from __future__ import annotations

import asyncio

import uvicorn

from store_agent.config import Settings
from store_agent.logs import open_logs
from store_agent.trouble import Trouble
from store_agent.words import _
from sync.central.app import make_app
from sync.central.ground import open_pool

STOP_S = 3


def run_central(settings: Settings) -> None:
    """Serve until SIGTERM or Ctrl-C. The ledger is reached once first, so that a wrong URL is one clear sentence."""
    central = settings.central
    open_logs(settings.data_path, settings.log_format, settings.log_level)
    asyncio.run(_reach(central.database_url))
    config = uvicorn.Config(
        make_app(central.database_url, admin_token=central.admin_token),
        host=central.host,
        port=central.port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=STOP_S,
        server_header=False,
    )
    server = uvicorn.Server(config)
    try:
        server.run()
    except SystemExit as end:
        raise Trouble(
            _("The centre cannot listen on {host}:{port}.").format(host=central.host, port=central.port),
            _("Is another one running there? Choose another port."),
        ) from end


async def _reach(database_url: str) -> None:
    async with open_pool(database_url, size=1):
        pass
