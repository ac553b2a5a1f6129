"""`store-agent central`: run the centre, and what head office decides there from the command line."""

from __future__ import annotations

import click

from store_agent.cli.speech import SpokenCommand, SpokenGroup, SpokenOption, configuration, print_json, print_line
from store_agent.config import Settings
from store_agent.domain.cases import CaseKind, CaseState, Remedy
from store_agent.trouble import Trouble
from store_agent.words import _, later

OPTIONS = "store_agent.central"
AS_JSON = later("Print JSON, for a machine.")


@click.group(
    cls=SpokenGroup,
    invoke_without_command=True,
    short_help=later("Run the centre on a PostgreSQL database."),
    help=later("Run the centre on a PostgreSQL database. Any number of them may run on one database."),
    epilog=later(
        "store-agent central --database-url postgresql://centre@db/centre\n"
        "STORE_AGENT_CENTRAL_DATABASE_URL=postgresql://… store-agent central --port 80\n"
        "store-agent central cases --state open"
    ),
)
@click.option("--database-url", cls=SpokenOption, metavar="URL", help=later("The database, as a postgresql:// URL."))
@click.option("--host", cls=SpokenOption, help=later("The address to listen on."))
@click.option("--port", cls=SpokenOption, type=int, help=later("The port to listen on; 0 takes a free one."))
@click.pass_context
def central(ctx: click.Context, database_url: str | None, host: str | None, port: int | None) -> None:
    """Run the centre until it is told to stop, unless something else is asked."""
    ctx.meta[OPTIONS] = {"central.database_url": database_url, "central.host": host, "central.port": port}
    if ctx.invoked_subcommand is None:
        settings = settings_of(ctx)
        from store_agent.entry import run_central

        run_central(settings, print_line)


def settings_of(ctx: click.Context) -> Settings:
    """The settings of a command of the centre, which has a database; with the options that stand before its name."""
    settings = configuration(ctx.meta[OPTIONS]).settings
    if not settings.central.database_url:
        raise Trouble(
            _("The centre has no database."),
            _("Give --database-url or set {name}.").format(name="central.database_url"),
        )
    return settings


@central.command(
    cls=SpokenCommand,
    short_help=later("List cases, and what they amount to."),
    help=later("List cases of all stores, open ones first, and what they amount to."),
    epilog=later("store-agent central cases\nstore-agent central cases --store xinyi --state open --json"),
)
@click.option("--store", cls=SpokenOption, default="", help=later("Only of this store."))
@click.option("--kind", cls=SpokenOption, type=click.Choice(list(CaseKind)), help=later("Only of this kind."))
@click.option(
    "--state", cls=SpokenOption, type=click.Choice(list(CaseState)), help=later("Only open or resolved ones.")
)
@click.option("--page", cls=SpokenOption, type=click.IntRange(1, 99_999), default=1, help=later("Which page, from 1."))
@click.option("--json", "as_json", cls=SpokenOption, is_flag=True, help=AS_JSON)
@click.pass_context
def cases(ctx: click.Context, store: str, kind: str | None, state: str | None, page: int, as_json: bool) -> None:
    """What waits for somebody, and what was decided."""
    from store_agent.entry import central_cases

    found = central_cases(settings_of(ctx), store=store, kind=kind or "", state=state or "", page=page)
    if as_json:
        print_json(found)
    else:
        _print_cases(found)


@central.command(
    cls=SpokenCommand,
    short_help=later("Decide about a case."),
    help=later("Decide about a CASE: all that is open of it, or the amount that is given, in minor units."),
    epilog=later(
        "store-agent central resolve points_overdrawn.019aa2b0-… recover --amount 30 --note cash\n"
        "store-agent central resolve parked_operation.019aa2b0-… write_off"
    ),
)
@click.argument("case")
@click.argument("remedy", type=click.Choice(list(Remedy)))
@click.option("--amount", cls=SpokenOption, type=click.IntRange(0, 2**53), help=later("So much of it, in minor units."))
@click.option("--note", cls=SpokenOption, default="", help=later("Why."))
@click.option("--to-store", cls=SpokenOption, default="", help=later("The store that is to decide."))
@click.option("--to-person", cls=SpokenOption, default="", help=later("The person who is to decide."))
@click.option("--json", "as_json", cls=SpokenOption, is_flag=True, help=AS_JSON)
@click.pass_context
def resolve(
    ctx: click.Context,
    case: str,
    remedy: str,
    amount: int | None,
    note: str,
    to_store: str,
    to_person: str,
    as_json: bool,
) -> None:
    """Decide as head office."""
    from store_agent.entry import resolve_case

    decided = {"remedy": remedy, "amount_minor": amount, "note": note, "to_store": to_store, "to_person": to_person}
    after = resolve_case(settings_of(ctx), case, decided)
    if as_json:
        print_json(after)
    else:
        _print_case(after)


@central.command(
    cls=SpokenCommand,
    short_help=later("Try an operation again that waits."),
    help=later("Try the operation OP_ID again, which waits for a person, and all that waits behind it."),
    epilog=later("store-agent central retry 019aa2b0-5f3e-7c31-9a4e-2f6a1c0d9b77"),
)
@click.argument("op_id")
@click.option("--note", cls=SpokenOption, default="", help=later("Why."))
@click.option("--json", "as_json", cls=SpokenOption, is_flag=True, help=AS_JSON)
@click.pass_context
def retry(ctx: click.Context, op_id: str, note: str, as_json: bool) -> None:
    """Apply what could not be applied."""
    from store_agent.entry import retry_operation

    done = retry_operation(settings_of(ctx), op_id, note)
    if as_json:
        print_json(done)
        return
    for one in done:
        print_line(f"{one['op_id']}  {one['outcome']}  {one['case']}")


def _print_cases(found: dict[str, list[dict[str, object]]]) -> None:
    from store_agent.words.cases import short_kind_of
    from store_agent.words.formats import money

    for case in found["cases"]:
        _print_case(case)
    if not found["cases"]:
        print_line(_("No case is found by this."))
    for total in found["totals"]:
        currency = str(total["currency"])
        figures = {
            name: money(int(str(total[f"{name}_minor"])), currency)
            for name in ("open", "recovered", "reversed", "written_off")
        }
        words = _(
            "{kind}: {count} cases, {open} open, {recovered} put right, {reversed} taken back, {written_off} lost"
        )
        print_line(words.format(kind=short_kind_of(str(total["kind"])), count=total["cases"], **figures))


def _print_case(case: dict[str, object]) -> None:
    from store_agent.cli.cases import line_of

    print_line(line_of(case))
