"""`store-agent central restored` and `audit`: looking after the ledger itself."""

from __future__ import annotations

import click

from store_agent.cli.audit import AS_JSON, DAMAGED, print_findings, telling
from store_agent.cli.centre import central, settings_of
from store_agent.cli.speech import SpokenCommand, SpokenOption, print_json, print_line
from store_agent.words import _, later


@central.command(
    cls=SpokenCommand,
    short_help=later("Say that the ledger was restored from a backup."),
    help=later(
        "Say that the ledger was restored from a backup: stores then read it anew and send again what it lacks. Run it"
        " once after each restore, before the stores come back."
    ),
    epilog=later("store-agent central restored"),
)
@click.pass_context
def restored(ctx: click.Context) -> None:
    """Give the ledger a new incarnation."""
    settings = settings_of(ctx)
    from store_agent.entry import renew_ledger

    name = renew_ledger(settings)
    print_line(_("The ledger's name is {name} from now on: every store reads it anew.").format(name=name))


@central.command(
    cls=SpokenCommand,
    short_help=later("Verify the chains of hashes in the ledger."),
    help=later("Verify the chains of hashes of every device in the ledger. Exits with 1 if one is damaged."),
    epilog=later("store-agent central audit\nstore-agent central audit --json"),
)
@click.option("--json", "as_json", cls=SpokenOption, is_flag=True, help=AS_JSON)
@click.pass_context
def audit(ctx: click.Context, as_json: bool) -> None:
    """Say which operation is not what its device wrote; exit code 1 if there is one."""
    settings = settings_of(ctx)
    from store_agent.entry import verify_ledger

    with telling() as tell:
        report = verify_ledger(settings, tell)
    if as_json:
        print_json(report)
    else:
        print_findings(report)
        if report["intact"]:
            sentence = _("{count} operations of {devices} devices: every one is as it was written.")
            print_line(sentence.format(count=f"{report['operations']:,}", devices=report["devices"]))
    if not report["intact"]:
        ctx.exit(DAMAGED)
