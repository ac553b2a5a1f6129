"""`scan`, `config`, `doctor`: what this machine reads, what it is set to, and whether it is well."""

from __future__ import annotations

from functools import partial
from typing import Any

import click

from store_agent.cli.speech import SpokenCommand, SpokenOption, configuration, print_json, print_json_line, print_line
from store_agent.cli.store import AS_JSON
from store_agent.words import _, later


@click.command(
    cls=SpokenCommand,
    short_help=later("Read the codes in pictures."),
    help=later("Read the codes in one or more pictures, and say what each is: a member, a coupon, a product…"),
    epilog=later("store-agent scan photo.png\nstore-agent scan *.jpg --json"),
)
@click.argument("pictures", nargs=-1, required=True, metavar="PICTURE...")
@click.option("--json", "as_json", cls=SpokenOption, is_flag=True, help=AS_JSON)
@click.pass_context
def scan(ctx: click.Context, pictures: tuple[str, ...], as_json: bool) -> None:
    """Read pictures; one that is none is said, after the others were read."""
    settings = configuration().settings
    from store_agent.scan.pictures import scan_pictures

    fallback = None if settings.charset == "none" else settings.charset
    troubles = []
    for path in pictures:
        # One by one, so that a machine at the other end of a pipe has the first before the last is read.
        (picture,) = scan_pictures([path], settings.region, fallback=fallback)
        if as_json:
            print_json_line(picture)
        elif "trouble" not in picture:
            _print_picture(picture)
        if "trouble" in picture:
            troubles.append(f"{picture['trouble']} {picture.get('hint', '')}".strip())
    for sentence in troubles:
        print_line(sentence, err=True)
    if troubles:
        ctx.exit(2)


def _print_picture(picture: dict[str, Any]) -> None:
    codes = picture["codes"]
    if not codes:
        print_line(_("{file}: no code was found.").format(file=picture["file"]))
    for code in codes:
        text = code.get("text", code.get("hex", ""))
        print_line(f"{picture['file']}: {code.get('kind', '')} ({code.get('format', '')}) {text}")


@click.command(
    cls=SpokenCommand,
    short_help=later("Show every setting and where it came from."),
    help=later("Show every setting: its value, where that came from, and what it means. Secrets stay hidden."),
    epilog=later("store-agent config\nSTORE_AGENT_LANGUAGE=en store-agent config --json"),
)
@click.option("--json", "as_json", cls=SpokenOption, is_flag=True, help=AS_JSON)
def config(as_json: bool) -> None:
    """Show the effective settings."""
    loaded = configuration()
    if as_json:
        shown = {
            one.name: {"value": one.shown, "source": one.source, "variable": one.variable, "doc": _(one.doc)}
            for one in loaded.listed
        }
        print_json({"file": str(loaded.file), "settings": shown})
        return
    there = loaded.file.exists()
    print_line(str(loaded.file) if there else _("{file} (not there)").format(file=loaded.file))
    for one in loaded.listed:
        value = f'"{one.shown}"' if isinstance(one.shown, str) else str(one.shown)
        click.echo()
        print_line(f"{one.name} = {value}")
        click.echo("    ", nl=False)
        print_line(f"{one.source} · {_(one.doc)}")


@click.command(
    cls=SpokenCommand,
    short_help=later("See whether all is well on this machine."),
    help=later("See whether all is well on this machine, and what to do where it is not. Exits with 1 if so."),
    epilog=later("store-agent doctor\nstore-agent doctor --json"),
)
@click.option("--json", "as_json", cls=SpokenOption, is_flag=True, help=AS_JSON)
@click.pass_context
def doctor(ctx: click.Context, as_json: bool) -> None:
    """Run every check; exit code 1 if one failed."""
    settings = configuration().settings
    from store_agent.clock import SystemClock
    from store_agent.doctor import LABELS, Health, examine
    from store_agent.entry import check_centre, check_first_data, check_standing

    asked = (check_standing, check_centre, check_first_data)
    checks = examine(settings, SystemClock(), [partial(check, settings) for check in asked])
    if as_json:
        print_json([check.as_json() for check in checks])
    else:
        for check in checks:
            print_line(f"{_(LABELS[check.health])} {check.name}: {check.sentence}")
            if check.hint:
                click.echo("     → ", nl=False)
                print_line(check.hint)
    if any(check.health is Health.FAIL for check in checks):
        ctx.exit(1)
