"""`store-agent central`: run the centre."""

from __future__ import annotations

import click

from store_agent.cli.speech import SpokenCommand, SpokenOption, configuration, print_line
from store_agent.trouble import Trouble
from store_agent.words import _, later


@click.command(
    cls=SpokenCommand,
    short_help=later("Run the centre on a PostgreSQL database."),
    help=later("Run the centre on a PostgreSQL database. Any number of them may run on one database."),
    epilog=later(
        "store-agent central --database-url postgresql://centre@db/centre\n"
        "STORE_AGENT_CENTRAL_DATABASE_URL=postgresql://… store-agent central --port 80"
    ),
)
@click.option("--database-url", cls=SpokenOption, metavar="URL", help=later("The database, as a postgresql:// URL."))
@click.option("--host", cls=SpokenOption, help=later("The address to listen on."))
@click.option("--port", cls=SpokenOption, type=int, help=later("The port to listen on; 0 takes a free one."))
def central(database_url: str | None, host: str | None, port: int | None) -> None:
    """Run the centre until it is told to stop."""
    options = {"central.database_url": database_url, "central.host": host, "central.port": port}
    settings = configuration(options).settings
    if not settings.central.database_url:
        raise Trouble(
            _("The centre has no database."),
            _("Give --database-url or set {name}.").format(name="central.database_url"),
        )
    from store_agent.entry import run_central

    run_central(settings, print_line)
