"""`store-agent demo`: all of it on one machine."""

from __future__ import annotations

import click

from store_agent.cli.speech import LANG, SpokenCommand, SpokenOption
from store_agent.words import later


@click.command(
    cls=SpokenCommand,
    short_help=later("Try everything with a sample chain."),
    help=later("Try everything on this machine: a database, the centre, two stores, and a cable to pull."),
    epilog=later("store-agent demo\nstore-agent demo --tour\nstore-agent demo --members 200000"),
)
@click.option(
    "--members",
    cls=SpokenOption,
    type=click.IntRange(1, 5_000_000),
    default=20_000,
    show_default=True,
    help=later("How many members the sample has."),
)
@click.option("--tour", cls=SpokenOption, is_flag=True, help=later("Walk through the main job without a screen."))
@click.pass_context
def demo(ctx: click.Context, members: int, tour: bool) -> int:
    """Run the demo; its exit code is not 0 if the figures differ."""
    from store_agent.entry import run_demo

    # The demo has settings of its own: it must not touch the store of this machine.
    return int(run_demo({"members": members, "tour": tour, "lang": ctx.meta.get(LANG)}) or 0)
