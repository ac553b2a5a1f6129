"""`store-agent audit`: whether a journal is what was written, and copying what is whole of one that is not."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import click

from store_agent.cli.speech import SpokenCommand, SpokenGroup, SpokenOption, configuration, print_json, print_line
from store_agent.words import _, later

AS_JSON = later("Print JSON, for a machine.")
DAMAGED = 1
FOUND = {
    "unreadable": later("The file cannot be read from entry {entry} on."),
    "changed": later("Entry {entry} was changed."),
    "unchained": later("Entry {entry} does not go on with the one before it."),
    "missing": later("Entries before {entry} are missing."),
    "end-missing": later("The last entries are missing: there was an entry {entry}."),
    "page": later("Page {page} of the file was changed."),
}


@click.group(
    cls=SpokenGroup,
    short_help=later("See whether the journal is what was written."),
    help=later("See whether the journal is what was written, entry by entry, also of a copied file."),
    epilog=later("store-agent audit verify\nstore-agent audit salvage whole.db"),
)
def audit() -> None:
    """The commands of an auditor."""


@audit.command(
    cls=SpokenCommand,
    short_help=later("Verify the chain of hashes of a journal."),
    help=later(
        "Verify the chain of hashes of this store's journal, or of FILE, a copy. Exits with 1 if it is damaged."
    ),
    epilog=later(
        "store-agent audit verify\nstore-agent audit verify /mnt/copy/journal.db --key-file /mnt/copy/store.key --json"
    ),
)
@click.argument("file", required=False, default="")
@click.option("--key-file", cls=SpokenOption, default="", metavar="FILE", help=later("The key of a copy."))
@click.option("--anchor-file", cls=SpokenOption, default="", metavar="FILE", help=later("The anchor of a copy."))
@click.option("--json", "as_json", cls=SpokenOption, is_flag=True, help=AS_JSON)
@click.pass_context
def verify(ctx: click.Context, file: str, key_file: str, anchor_file: str, as_json: bool) -> None:
    """Say which entry is not what was written; exit code 1 if there is one."""
    settings = configuration().settings
    from store_agent.entry import verify_journal

    with telling() as tell:
        report = verify_journal(settings, file, key_file, anchor_file, tell)
    if as_json:
        print_json(report)
    else:
        print_findings(report)
        if report["intact"]:
            sentence = _("{count} entries, the last {entry}: every one is as it was written.")
            print_line(sentence.format(count=f"{report['entries']:,}", entry=report["last"]))
        else:
            print_line(_("Up to entry {entry} all is as it was written.").format(entry=report["whole_to"]))
            print_line(_("Stop the store, copy its folder, then: store-agent audit salvage OUT"))
    if not report["intact"]:
        ctx.exit(DAMAGED)


@audit.command(
    cls=SpokenCommand,
    short_help=later("Copy what is whole of a journal."),
    help=later("Copy what is whole of this store's journal, or of FILE, to OUT, a new file. Nothing is ever deleted."),
    epilog=later("store-agent audit salvage whole.db\nstore-agent audit salvage whole.db /mnt/copy/journal.db"),
)
@click.argument("out")
@click.argument("file", required=False, default="")
@click.option("--key-file", cls=SpokenOption, default="", metavar="FILE", help=later("The key of a copy."))
@click.option("--json", "as_json", cls=SpokenOption, is_flag=True, help=AS_JSON)
def salvage(out: str, file: str, key_file: str, as_json: bool) -> None:
    """Write the part up to the first damage."""
    settings = configuration().settings
    from store_agent.entry import salvage_journal

    with telling() as tell:
        report = salvage_journal(settings, out, file, key_file, tell)
    if as_json:
        print_json(report)
        return
    print_findings(report)
    print_line(_("{file} holds all up to entry {entry}.").format(file=out, entry=report["whole_to"]))


def print_findings(report: dict[str, object]) -> None:
    """A sentence for each thing that is wrong."""
    findings = report["findings"]
    assert isinstance(findings, list)
    for one in findings:
        found = FOUND[one["damage"]]
        sentence = _(found).format(**{"page": 0, **one})
        print_line(f"{one['device']}: {sentence}" if "device" in one else sentence)


@contextmanager
def telling() -> Iterator[Callable[[int], None]]:
    """How far a long job is, on a terminal only."""
    is_shown = sys.stderr.isatty()

    def tell(count: int) -> None:
        if is_shown:
            click.echo("\r" + _("{count} entries read…").format(count=f"{count:,}"), nl=False, err=True)

    try:
        yield tell
    finally:
        if is_shown:
            click.echo("", err=True)
