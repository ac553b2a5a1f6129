"""How the command line speaks: commands and options whose help is in the reader's language, click's own words as well.

Every command takes `--lang` and `--config`, before or after its name. What a command does is in the other files.
"""

from __future__ import annotations

import gettext
import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import click

from store_agent import words
from store_agent.config import Configuration, Plain, load
from store_agent.safe_text import safe_text
from store_agent.words import _, later

LANG = "store_agent.lang"
CONFIG = "store_agent.config"
LINE = 300
"""The most graphemes of one line of output; longer than a name, as it may be a path."""

CLICK_SAYS = (
    later("Usage:"),
    later("Options"),
    later("Commands"),
    later("Positional arguments"),
    later("Show this message and exit."),
    later("Show the version and exit."),
    later("Error: {message}"),
    later("Try '{command} {option}' for help."),
    later("Missing argument"),
    later("Missing option"),
    later("No such option {name!r}."),
    later("No such command {name!r}."),
    later("Invalid value: {message}"),
    later("Invalid value for {param_hint}: {message}"),
    later("{value!r} is not a valid {number_type}."),
    later("{value} is not in the range {range}."),
)
"""What click asks gettext for; `tests/test_cli.py` holds it to click's source."""


_machine = "en"


@contextmanager
def machine_language() -> Iterator[None]:
    """Note what language the machine is set to, and leave the environment as it was found."""
    global _machine
    _machine = words.choose_language()
    before = os.environ.get("LANGUAGE")
    try:
        yield
    finally:
        if before is None:
            os.environ.pop("LANGUAGE", None)
        else:
            os.environ["LANGUAGE"] = before


def speak(wanted: str) -> None:
    """Speak that language (or the machine's, for anything but one of `LANGUAGES`), and have click speak it too."""
    words.use_language(wanted if wanted in words.LANGUAGES else _machine)
    # click looks its words up in gettext's global domain, by the language of the environment.
    os.environ["LANGUAGE"] = words.language().replace("-", "_")
    gettext.bindtextdomain(words.DOMAIN, words.FOLDER)
    gettext.textdomain(words.DOMAIN)


def configuration(options: Mapping[str, Plain | None] | None = None) -> Configuration:
    """The settings for the command that runs now, with its own options on top; from here on all is said their way."""
    from store_agent.words.formats import use_store

    meta = click.get_current_context().meta
    loaded = load(meta.get(CONFIG, ""), options={"language": meta.get(LANG), **(options or {})})
    # The language of an earlier `--lang` is in it; that of the file comes in only now.
    speak(loaded.settings.language)
    use_store(loaded.settings.zone, loaded.settings.currency)
    return loaded


def print_json(value: object) -> None:
    """For a machine: one JSON value on standard output."""
    click.echo(json.dumps(value, ensure_ascii=False, indent=2, default=str))


def print_json_line(value: object) -> None:
    """For a machine that reads one value a line."""
    click.echo(json.dumps(value, ensure_ascii=False, default=str))


def print_line(text: str, *, err: bool = False) -> None:
    """For a person: one line, with nothing in it that would act on the terminal."""
    click.echo(safe_text(text, LINE), err=err)


def print_pairs(pairs: Mapping[str, Any], said: Mapping[str, str] | None = None, indent: str = "") -> None:
    """For a person: one line for each name and value; what is nested is set in. `said` are the words for both."""
    said = said or {}
    for name, value in pairs.items():
        label = indent + (_(said[name]) if name in said else safe_text(name.replace("_", " ")))
        if isinstance(value, Mapping):
            click.echo(f"{label}:")
            print_pairs(value, said, indent + "  ")
        elif isinstance(value, list | tuple) and any(isinstance(part, Mapping) for part in value):
            click.echo(f"{label}:")
            for part in value:
                click.echo(f"{indent}  {' · '.join(_shown(one, said) for one in part.values() if one != '')}")
        elif isinstance(value, list | tuple):
            click.echo(f"{label}: {', '.join(_shown(part, said) for part in value) or '–'}")
        else:
            click.echo(f"{label}: {_shown(value, said)}")


def _shown(value: object, said: Mapping[str, str]) -> str:
    if value is None or value == "":
        return "–"
    if isinstance(value, bool):
        return _("yes") if value else _("no")
    return _(said[value]) if isinstance(value, str) and value in said else safe_text(str(value), LINE)


class SpokenOption(click.Option):
    """An option whose help is looked up when it is shown: only then is the language known."""

    def get_help_record(self, ctx: click.Context) -> tuple[str, str] | None:
        record = super().get_help_record(ctx)
        if record is None or not self.help:
            return record
        return record[0], record[1].replace(self.help, _(self.help), 1)


def _lang(ctx: click.Context, _option: click.Parameter, value: str | None) -> None:
    if value:
        ctx.meta[LANG] = value
        speak(value)


def _config(ctx: click.Context, _option: click.Parameter, value: str | None) -> None:
    if value:
        ctx.meta[CONFIG] = value


def _everywhere() -> list[click.Parameter]:
    choices = click.Choice(("auto", *words.LANGUAGES), case_sensitive=False)
    lang_help = later("Speak this language; auto is that of the machine.")
    config_help = later("Read this configuration file.")
    return [
        SpokenOption(
            ["--lang"],
            type=choices,
            metavar=f"[{'|'.join(choices.choices)}]",
            callback=_lang,
            expose_value=False,
            is_eager=True,
            help=lang_help,
        ),
        SpokenOption(["--config"], metavar="FILE", callback=_config, expose_value=False, help=config_help),
    ]


class SpokenCommand(click.Command):
    """A command whose help is looked up when it is shown, with the options that every command has."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.params = [*self.params, *_everywhere()]

    def get_short_help_str(self, limit: int = 45) -> str:
        summary = self.short_help or ""
        return _(summary)

    def format_help_text(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        formatter.write_paragraph()
        with formatter.indentation():
            purpose = self.help or ""
            formatter.write_text(_(purpose))

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        if self.epilog:
            with formatter.section(_("Examples")):
                # Examples keep their lines: a wrapped command cannot be copied.
                for line in _(self.epilog).splitlines():
                    formatter.write(f"{'':{formatter.current_indent}}{line}\n")

    def get_help_option(self, ctx: click.Context) -> click.Option | None:
        option = super().get_help_option(ctx)
        if option is not None:
            # It was made in the language of the moment before `--lang` was read.
            option.help = _("Show this message and exit.")
        return option


class SpokenGroup(SpokenCommand, click.Group):
    """The command that holds the others."""

    command_class = SpokenCommand
