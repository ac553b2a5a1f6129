"""The command line: `store-agent`. Here are its name, its help and its end; each command is in a file beside this one.

Nothing heavy is imported before a command runs: `--help` and `status` must answer at once.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from io import TextIOWrapper

import click

from store_agent import __version__
from store_agent.cli import ledger  # noqa: F401  (its commands join those of the centre)
from store_agent.cli.audit import audit
from store_agent.cli.cases import cases
from store_agent.cli.centre import central
from store_agent.cli.check import config, doctor, scan
from store_agent.cli.demo import demo
from store_agent.cli.speech import SpokenGroup, SpokenOption, configuration, machine_language, print_line, speak
from store_agent.cli.store import enroll, member, serve, status
from store_agent.config import variable_of
from store_agent.trouble import Trouble
from store_agent.words import later

TROUBLE = 2
INTERRUPTED = 130
"""128 + SIGINT, as a shell says it."""


def _show_version(ctx: click.Context, _option: click.Parameter, value: bool) -> None:
    if value:
        click.echo(__version__)
        ctx.exit()


@click.group(
    cls=SpokenGroup,
    invoke_without_command=True,
    help=later("The counter beside the till: members, points, coupons, pickups and stock, also with the cable out."),
    epilog=later(
        "store-agent                            open the counter\n"
        "store-agent demo                       try everything with a sample chain\n"
        "store-agent enroll https://… CODE      bind this machine to a store\n"
        "store-agent member 0912345678          look a member up\n"
        "store-agent scan photo.png --json      read the codes in a picture\n"
        "store-agent doctor                     see whether all is well"
    ),
)
@click.option(
    "--version",
    cls=SpokenOption,
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_show_version,
    help=later("Show the version and exit."),
)
@click.pass_context
def group(ctx: click.Context) -> None:
    """The command without a command opens the counter."""
    if ctx.invoked_subcommand is None:
        settings = configuration().settings
        from store_agent.entry import open_screen

        ctx.exit(open_screen(settings))


for command in (serve, audit, central, enroll, status, member, cases, scan, config, doctor, demo):
    group.add_command(command)


def main(args: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 0, 1 where a check failed, 2 with one sentence on trouble."""
    _accept_any_text()
    with machine_language():
        speak(os.environ.get(variable_of("language"), "auto"))
        return _run(args)


def _run(args: Sequence[str] | None) -> int:
    try:
        result = group.main(args=args, prog_name="store-agent", standalone_mode=False)
    except Trouble as trouble:
        print_line(str(trouble), err=True)
        return TROUBLE
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except click.Abort:
        # Ctrl-C; click has already ended the line behind the ^C.
        return INTERRUPTED
    except BrokenPipeError:
        # `store-agent config | head`: the reader has left. Python would complain once more while it closes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return result if isinstance(result, int) else 0


def _accept_any_text() -> None:
    """A name that the terminal's charset cannot write is shown as its numbers, and is no crash."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
