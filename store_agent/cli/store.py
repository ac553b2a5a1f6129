"""`serve`, `enroll`, `status`, `member`: the store from the command line."""

from __future__ import annotations

import click

from store_agent.cli.speech import SpokenCommand, SpokenOption, configuration, print_json, print_pairs
from store_agent.trouble import Trouble
from store_agent.words import _, later

AS_JSON = later("Print JSON, for a machine.")

SAID = {
    "store": later("store"),
    "device": later("device"),
    "centre_url": later("centre"),
    "in_step": later("in step"),
    "waiting": later("waiting for the line"),
    "parked": later("waiting for a person at the centre"),
    "behind": later("rows still to come"),
    "first_data_percent": later("first data, percent"),
    "heard_at": later("centre last heard"),
    "offline_since": later("offline since"),
    "trouble": later("trouble"),
    "frozen": later("nothing is accepted"),
    "frozen_because": later("because"),
    "catching_up": later("catching up with a restored centre"),
    "epoch": later("epoch"),
    "clock_ahead_s": later("seconds that this clock is ahead of the centre's"),
    "unread": later("rows that need a newer version"),
    "members": later("members"),
    "products": later("products"),
    "operations": later("operations written here"),
    "name": later("name"),
    "phone": later("phone"),
    "tier": later("tier"),
    "points": later("points"),
    "points_on_the_way": later("points on their way to the centre"),
    "coupons": later("coupons"),
    "pickups": later("web orders"),
    "tags": later("tags"),
    "purchases": later("purchases"),
    "as_of": later("as of"),
    "usable": later("usable"),
    "usable-if": later("usable with more in the basket"),
    "not-here": later("not usable here"),
    "placed": later("new"),
    "accepted": later("accepted"),
    "picking": later("picking"),
    "ready": later("ready"),
    "handed_over": later("handed over"),
    "rejected": later("rejected"),
    "cancelled": later("cancelled"),
    "expired": later("not collected"),
    "returned": later("back on the shelf"),
    "basic": later("basic"),
    "silver": later("silver"),
    "gold": later("gold"),
    "platinum": later("platinum"),
}
"""What people read for the names and codes that machines get as JSON."""


@click.command(
    cls=SpokenCommand,
    short_help=later("Run this store without a screen."),
    help=later("Run this store without a screen: keep in step with the centre and answer the till."),
    epilog=later("store-agent serve"),
)
def serve() -> None:
    """Keep the store in step until it is told to stop."""
    settings = configuration().settings
    from store_agent.entry import serve as run

    run(settings)


@click.command(
    cls=SpokenCommand,
    short_help=later("Bind this machine to a store."),
    help=later("Bind this machine to a store, with the address and the one-time CODE that the head office gave."),
    epilog=later("store-agent enroll https://centre.example AB12-CD34"),
)
@click.argument("url")
@click.argument("code")
@click.option("--json", "as_json", cls=SpokenOption, is_flag=True, help=AS_JSON)
def enroll(url: str, code: str, as_json: bool) -> None:
    """Ask the centre for a place as one store's device."""
    # Through the settings, so that an address is checked in one place only.
    settings = configuration({"centre_url": url}).settings
    if not url.startswith(("https://", "http://")):
        raise Trouble(
            _("{url} is not the address of a centre.").format(url=url), _("It starts with https:// or http://.")
        )
    if not code.strip():
        raise Trouble(_("The code is empty."), _("Ask the head office for a new one-time code."))
    from store_agent.entry import enroll as ask

    _print(ask(settings, settings.centre_url, code.strip()), as_json)


@click.command(
    cls=SpokenCommand,
    short_help=later("Say how far this store is from the centre."),
    help=later("Say how far this store is from the centre, and what still waits to be sent."),
    epilog=later("store-agent status\nstore-agent status --json | jq .waiting"),
)
@click.option("--json", "as_json", cls=SpokenOption, is_flag=True, help=AS_JSON)
def status(as_json: bool) -> None:
    """How far this store is from the centre."""
    settings = configuration().settings
    from store_agent.entry import status as ask

    _print(ask(settings), as_json)


@click.command(
    cls=SpokenCommand,
    short_help=later("Look a member up."),
    help=later("Look a member up by TEXT: a phone number, a member code, a card, or part of a name."),
    epilog=later("store-agent member 0912345678\nstore-agent member 王小明 --json"),
)
@click.argument("text")
@click.option("--json", "as_json", cls=SpokenOption, is_flag=True, help=AS_JSON)
def member(text: str, as_json: bool) -> None:
    """What this store knows of a member."""
    settings = configuration().settings
    from store_agent.entry import member as ask

    _print(ask(settings, text), as_json)


def _print(answer: dict[str, object], as_json: bool) -> None:
    if as_json:
        print_json(answer)
    else:
        print_pairs(answer, SAID)
