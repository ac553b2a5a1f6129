"""The counter's screen, put together with the store behind it."""

from __future__ import annotations

from store_agent.config import Settings
from store_agent.entry.store import Keeper, open_counter, open_replica
from store_agent.logs import open_logs


def open_screen(settings: Settings) -> int:
    """The counter, until the person at it quits; its exit code."""
    with open_replica(settings) as replica:
        open_logs(settings.data_path, settings.log_format, settings.log_level)
        counter = open_counter(replica)
        from tui.app import StoreApp

        keeper = Keeper(counter, settings)
        app = StoreApp(counter, keep_in_step=keeper.run, sight=keeper.sight)
        app.run()
        return app.return_code or 0
