"""`store-agent cases`: what waits for somebody at this store; and one case in one line, also for the centre's list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from store_agent.cli.speech import SpokenCommand, SpokenOption, configuration, print_json, print_line
from store_agent.words import _, later


@click.command(
    cls=SpokenCommand,
    short_help=later("List the open cases of this store."),
    help=later("List what broke a limit at this store and waits for somebody to decide."),
    epilog=later("store-agent cases\nstore-agent cases --json | jq length"),
)
@click.option("--json", "as_json", cls=SpokenOption, is_flag=True, help=later("Print JSON, for a machine."))
def cases(as_json: bool) -> None:
    """The open cases of this store, the oldest first."""
    settings = configuration().settings
    from store_agent.entry import cases as ask

    found = ask(settings)
    if as_json:
        print_json(found)
        return
    for case in found:
        print_line(line_of(case))
    if found:
        print_line(_("A lead or a manager decides at the counter: Ctrl+O."))
    else:
        print_line(_("No case is open. One comes by itself when the centre finds a broken limit."))


def line_of(case: Mapping[str, Any]) -> str:
    """One case: since when, how much is open, what, who, both values, and its id."""
    from store_agent.words.cases import both_values, short_kind_of
    from store_agent.words.formats import age, money

    amount = money(case["open_minor"], case["currency"]) if case["amount_minor"] else "–"
    state = "" if case["state"] == "open" else _("resolved")
    parts = (
        age(case["age_s"]),
        amount,
        short_kind_of(case["kind"]),
        case["store"],
        case["staff"] or "–",
        state,
        case["id"],
        both_values(case["assumed"], case["found"]),
    )
    return "  ".join(part for part in parts if part)
