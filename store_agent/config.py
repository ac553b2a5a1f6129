"""What can be set, and where each value came from: the defaults, one TOML file, `STORE_AGENT_*`, the command line.

A setting is one field here with its meaning; everything else (file, environment, `store-agent config`) follows from it.
"""

from __future__ import annotations

import dataclasses
import difflib
import os
import re
import tomllib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, cast
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from platformdirs import user_config_path, user_data_path

from store_agent.trouble import Trouble
from store_agent.words import _, later

PREFIX = "STORE_AGENT_"
FILE_VARIABLE = "STORE_AGENT_CONFIG"
FOLDER_NAME = "store-agent"
REGIONS = {"TW": ("Asia/Taipei", "TWD"), "HK": ("Asia/Hong_Kong", "HKD")}
"""The zone and the currency of a region, where they are not set."""

Plain = str | int | float


def _setting(default: Plain, doc: str, **rules: Any) -> Any:
    """A field: its default, its meaning, and the rules `one_of`, `least`, `most`, `url`, `path`, `zone`, `secret`."""
    return field(default=default, metadata={"doc": doc, **rules})


@dataclass(frozen=True, slots=True, kw_only=True)
class CentralSettings:
    """What only `store-agent central` reads: the table `[central]` of the file, `STORE_AGENT_CENTRAL_*`."""

    database_url: str = _setting("", later("The PostgreSQL database of the centre, as a postgresql:// URL."), url=True)
    host: str = _setting("127.0.0.1", later("The address on which the centre listens."))
    port: int = _setting(8750, later("The port on which the centre listens."), least=0, most=65535)
    admin_token: str = _setting("", later("The token that the admin API asks for; empty switches it off."), secret=True)
    key_file: str = _setting(
        "",
        later("The file of the keys that the centre seals its secrets with: the first one seals, all open."),
        path=True,
    )
    key: str = _setting("", later("Those keys themselves, instead of a file; with commas between them."), secret=True)
    offline_days: int = _setting(
        30, later("How many days a store may be offline; streams are kept for twice as long."), least=1, most=3650
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Every setting with its effective value. Empty text means not set."""

    centre_url: str = _setting(
        "", later("Where the centre is, as an https:// URL, if not where enroll found it."), url=True
    )
    data_folder: str = _setting("", later("The folder of the journal, the cache and the log."), path=True)
    language: str = _setting(
        "auto", later("The language of the screen and of every message."), one_of=("auto", "zh-TW", "zh-HK", "en")
    )
    region: str = _setting("TW", later("Where the store is: how phone numbers are read."), one_of=tuple(REGIONS))
    zone: str = _setting("", later("The store's time zone, as an IANA name."), zone=True)
    currency: str = _setting("", later("The store's currency."), one_of=("TWD", "HKD"))
    charset: str = _setting(
        "shift_jis",
        later("How bytes of a QR code are read that are not UTF-8; none shows them as they are."),
        one_of=("shift_jis", "big5", "gb18030", "none"),
    )
    """Japanese codes that declare nothing need it; of Chinese words in Big5 it silently misreads two in five, where
    `none` shows bytes. Our own codes are ASCII and e-invoices say what they are, so neither depends on it."""
    key_file: str = _setting("", later("The file of the key that the store's files are encrypted with."), path=True)
    key: str = _setting("", later("That key itself, instead of a file; best set in the environment."), secret=True)
    anchor_file: str = _setting(
        "", later("The file that notes where the journal ended; best on another disk than the data folder."), path=True
    )
    log_format: str = _setting("text", later("Plain lines, or one JSON object a line."), one_of=("text", "json"))
    log_level: str = _setting(
        "info", later("The least that is worth a line in the log."), one_of=("debug", "info", "warning", "error")
    )
    long_poll_s: int = _setting(25, later("How many seconds a pull waits at the centre for news."), least=0, most=300)
    request_timeout_s: float = _setting(10.0, later("How many seconds an answer may take."), least=0.1, most=300)
    batch_size: int = _setting(200, later("The most operations in one push."), least=1, most=1000)
    snapshot_rows: int = _setting(
        5000, later("With as many rows to come, a store without data takes them as one file."), least=0, most=2**31
    )
    central: CentralSettings = field(default_factory=CentralSettings)

    @property
    def data_path(self) -> Path:
        """The data folder as a path."""
        return Path(self.data_folder)

    @property
    def anchor_path(self) -> Path:
        """The anchor's file as a path."""
        return Path(self.anchor_file) if self.anchor_file else self.data_path / "anchor"

    @property
    def key_path(self) -> Path:
        """The key file as a path."""
        return Path(self.key_file)


@dataclass(frozen=True, slots=True, kw_only=True)
class Setting:
    """One effective value, as `store-agent config` shows it."""

    MASK: ClassVar[str] = "••••••"

    name: str
    """As in the file: `language`, `central.port`."""
    value: Plain
    source: str
    """`default`, the file and its line, the variable, or the option."""
    doc: str
    secret: bool = False

    @property
    def variable(self) -> str:
        """The environment variable that sets it."""
        return variable_of(self.name)

    @property
    def shown(self) -> Plain:
        """The value, with what nobody should read over a shoulder hidden."""
        if self.secret:
            return self.MASK if self.value else ""
        if isinstance(self.value, str):
            return re.sub(r"(?<=://)([^/@:]*):[^/@]*@", rf"\1:{self.MASK}@", self.value)
        return self.value


@dataclass(frozen=True, slots=True)
class Configuration:
    """The settings, and each with its source, in the order in which they are declared."""

    settings: Settings
    listed: tuple[Setting, ...]
    file: Path
    """The file that was read, or would have been were it there."""


def fields() -> dict[str, dataclasses.Field[Any]]:
    """Every setting by its name in the file."""
    own = {f.name: f for f in dataclasses.fields(Settings) if f.name != "central"}
    return own | {f"central.{f.name}": f for f in dataclasses.fields(CentralSettings)}


def variable_of(name: str) -> str:
    """`central.port` → `STORE_AGENT_CENTRAL_PORT`."""
    return PREFIX + name.replace(".", "_").upper()


def file_path(named: str = "", environment: Mapping[str, str] | None = None) -> Path:
    """The configuration file: the named one, that of `STORE_AGENT_CONFIG`, or that of the platform's folder."""
    environment = os.environ if environment is None else environment
    named = named or environment.get(FILE_VARIABLE, "")
    return Path(named) if named else user_config_path(FOLDER_NAME, appauthor=False) / "config.toml"


def load(
    named: str = "", environment: Mapping[str, str] | None = None, options: Mapping[str, Plain | None] | None = None
) -> Configuration:
    """All settings; what stands later wins: defaults, file, environment, `options` (by name, None = not given).

    Raises Trouble for a file that cannot be read, an unknown key and a value that cannot be.
    """
    environment = os.environ if environment is None else environment
    file = file_path(named, environment)
    must_exist = bool(named or environment.get(FILE_VARIABLE))
    found: dict[str, tuple[Plain, str]] = {}
    found.update(_from_file(file, must_exist))
    found.update(_from_environment(environment))
    for name, value in (options or {}).items():
        if value is not None:
            source = _("command line")
            found[name] = (_checked(name, value, source), source)
    _fill_in(found)
    listed = tuple(
        Setting(name=name, value=value, source=source, doc=f.metadata["doc"], secret="secret" in f.metadata)
        for name, f in fields().items()
        for value, source in (found[name],)
    )
    values: dict[str, Any] = {one.name: one.value for one in listed}
    central = {name.partition(".")[2]: values.pop(name) for name in list(values) if "." in name}
    return Configuration(Settings(**values, central=CentralSettings(**central)), listed, file)


def _fill_in(found: dict[str, tuple[Plain, str]]) -> None:
    """Give every setting that nobody set its default; some follow from others."""
    source = _("default")
    for name, f in fields().items():
        found.setdefault(name, (cast(Plain, f.default), source))
    region = str(found["region"][0])
    zone, currency = REGIONS[region]
    folder = str(found["data_folder"][0]) or str(user_data_path(FOLDER_NAME, appauthor=False))
    # The key lies beside what it opens unless it is set: a store that sets one folder has moved everything.
    of_region = _("default of {name}").format(name=region)
    derived = {
        "zone": (zone, of_region),
        "currency": (currency, of_region),
        "data_folder": (folder, source),
        "key_file": (str(Path(folder) / "store.key"), source),
        "central.key_file": (str(Path(folder) / "centre.key"), source),
        "anchor_file": (str(Path(folder) / "anchor"), source),
    }
    found.update((name, value) for name, value in derived.items() if not found[name][0])


def _from_file(file: Path, must_exist: bool) -> Iterable[tuple[str, tuple[Plain, str]]]:
    try:
        # Windows' own editor writes a byte order mark.
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        if not must_exist:
            return
        raise Trouble(
            _("There is no configuration file {file}.").format(file=file), _("Check its name, or leave it out.")
        ) from None
    except OSError as error:
        raise Trouble(
            _("The configuration file {file} cannot be read: {reason}.").format(file=file, reason=error.strerror),
            _("Let this user read it."),
        ) from error
    except UnicodeDecodeError as error:
        raise Trouble(
            _("The configuration file {file} is not UTF-8 text.").format(file=file), _("Save it as UTF-8.")
        ) from error
    try:
        tables = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError) as error:
        raise Trouble(
            _("The configuration file {file} is not TOML: {reason}.").format(file=file, reason=error),
            _("Correct that line; a text stands in double quotes."),
        ) from error
    for name, value in _flat(tables):
        source = f"{file}:{_line_of(name, text)}"
        if name not in fields():
            raise _unknown(name, source, ["[central]"] if isinstance(value, dict | list) else list(fields()))
        yield name, (_checked(name, value, source), source)


def _flat(tables: Mapping[str, Any]) -> Iterable[tuple[str, Any]]:
    for key, value in tables.items():
        if isinstance(value, dict) and key == "central":
            yield from ((f"{key}.{inner}", rest) for inner, rest in value.items())
        else:
            yield key, value


def _line_of(name: str, text: str) -> int:
    """The line on which a key stands, or that of its table; 1 where neither is found (a quoted or inline key)."""
    table, _dot, key = name.rpartition(".")
    inside, line_of_table = "", 1
    for number, line in enumerate(text.splitlines(), start=1):
        if header := re.match(r"\s*\[+\s*([^\]]+?)\s*\]", line):
            inside = header[1]
            line_of_table = number if inside in (table, name) else line_of_table
        elif (inside == table and re.match(rf"\s*[\"']?{re.escape(key)}[\"']?\s*=", line)) or (
            not inside and re.match(rf"\s*{re.escape(name)}\s*=", line)
        ):
            return number
    return line_of_table


def _from_environment(environment: Mapping[str, str]) -> Iterable[tuple[str, tuple[Plain, str]]]:
    names = {variable_of(name): name for name in fields()}
    for variable in sorted(environment):
        if not variable.startswith(PREFIX) or variable == FILE_VARIABLE:
            continue
        if variable not in names:
            raise _unknown(variable, _("environment"), [*names, FILE_VARIABLE])
        # An empty variable is how a shell script says "not set".
        if value := environment[variable]:
            yield names[variable], (_checked(names[variable], value, variable, from_text=True), variable)


def _unknown(name: str, source: str, known: list[str]) -> Trouble:
    near = difflib.get_close_matches(name, known, n=1, cutoff=0.5)
    hint = _("Did you mean {name}?").format(name=near[0]) if near else _("store-agent config lists all settings.")
    return Trouble(_("There is no setting {name} ({source}).").format(name=name, source=source), hint)


def _checked(name: str, value: Any, source: str, *, from_text: bool = False) -> Plain:
    """The value as its field wants it; Trouble says what it wants instead."""
    f = fields()[name]
    rules = f.metadata
    wanted = type(cast(Plain, f.default))
    checked: Any = _read_number(value, wanted) if from_text and wanted is not str else value
    if wanted is float and type(checked) is int:
        checked = float(checked)
    # `True` is an int to Python, and never a number to a person.
    if type(checked) is not wanted:
        raise _wrong(name, value, source, _EXPECTED[wanted](), "secret" in rules)
    expected = _broken_rule(checked, rules)
    if expected:
        raise _wrong(name, value, source, expected, "secret" in rules)
    # A file and a service's environment know no shell that would do this.
    return os.path.expanduser(str(checked)) if "path" in rules else checked


_EXPECTED: dict[type, Callable[[], str]] = {
    str: lambda: _("a text in double quotes"),
    int: lambda: _("a whole number"),
    float: lambda: _("a number"),
}


def _read_number(text: str, wanted: type) -> Any:
    try:
        return wanted(text)
    except ValueError:
        return text


def _broken_rule(value: Plain, rules: Mapping[str, Any]) -> str:
    """What the value should have been; empty where it is as it should be."""
    if value == "":
        return ""
    if "one_of" in rules and value not in rules["one_of"]:
        return _("one of {choices}").format(choices=", ".join(rules["one_of"]))
    # Written so that "not a number" is outside of every range.
    if "least" in rules and not rules["least"] <= float(value) <= rules["most"]:
        return _("between {least} and {most}").format(least=rules["least"], most=rules["most"])
    if "url" in rules and not _is_url(str(value)):
        return _("a full URL such as https://centre.example")
    if "path" in rules and "\0" in str(value):
        return _("a path without a NUL in it")
    if "zone" in rules and not _is_zone(str(value)):
        return _("a time zone such as Asia/Taipei")
    return ""


def _is_url(text: str) -> bool:
    try:
        parts = urlsplit(text)
        if parts.scheme in ("postgresql", "postgres"):
            # Without a host it is this machine, by its socket; several stand between commas, each with its own port.
            user, at, hosts = parts.netloc.rpartition("@")
            return all(_has_good_port(f"//{user}{at}{host}") for host in hosts.split(","))
        return parts.scheme in ("http", "https") and bool(parts.hostname) and _has_good_port(text)
    except ValueError:
        return False


def _has_good_port(text: str) -> bool:
    """Whether the port is one, or there is none; raises ValueError where it is no number at all."""
    port = urlsplit(text).port
    return port is None or port > 0


def _is_zone(name: str) -> bool:
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        # No such file, a path that leaves the folder, or a folder.
        return False
    return True


def _wrong(name: str, value: Any, source: str, expected: str, secret: bool) -> Trouble:
    shown = Setting.MASK if secret else repr(value)
    return Trouble(
        _("{name} cannot be {value} ({source}).").format(name=name, value=shown, source=source),
        _("It is {expected}.").format(expected=expected),
    )
