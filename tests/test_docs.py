"""The docs are held to the code: commands, settings, endpoints, examples, files and links. What is written is so."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
import msgspec
import pytest

import run
from store_agent import __version__, config
from store_agent.cli import group
from store_agent.codec import decode_entry, decode_row
from store_agent.domain.campaigns import Campaign
from sync import wire
from sync.central.app import STORE_ENDPOINTS
from sync.central.cases import CaseKind
from sync.central.endpoints import Endpoint
from sync.central.office import admin, exposure, head_office, imports, orders, records

ROOT = Path(run.__file__).parent
DOCS = sorted((ROOT / "docs").glob("*.md"))
PAGES = [*sorted(ROOT.glob("*.md")), *DOCS]
READMES = (ROOT / "README.md", ROOT / "README.zh-TW.md")
FENCE = re.compile(r"^([ ]*)```(\w*)\n(.*?)^\1```$", re.MULTILINE | re.DOTALL)
TYPED = re.compile(r"<!-- type: (\w+) -->\n```json\n(.*?)\n```", re.DOTALL)
ENDPOINT = re.compile(r"\b(GET|POST|PUT|DELETE) (/(?:v1/|openapi)[A-Za-z0-9_/.{}-]*)")
NAMES = {path.name: path for path in PAGES}


def text_of(name: str) -> str:
    return NAMES[name].read_text("utf-8")


def endpoints() -> list[Endpoint]:
    return [*STORE_ENDPOINTS, *admin.ADMIN_ENDPOINTS]


def said(endpoint: Endpoint) -> tuple[str, str]:
    return endpoint.method, endpoint.path


def settings_told() -> dict[str, tuple[str, str]]:
    """The table of settings: by name, the default and what it is."""
    rows = re.findall(r"^\| `([a-z_.]+)` \|([^|]*)\|([^|]*)\|$", text_of("operating.md"), re.MULTILINE)
    return {name: (default.strip(), meaning.strip()) for name, default, meaning in rows if name in config.fields()}


def test_every_command_and_option_is_told() -> None:
    told = text_of("operating.md")
    for name, command in group.commands.items():
        line = re.search(rf"^\| `store-agent {name}\b.*$", told, re.MULTILINE)
        assert line, f"store-agent {name}"
        options = [option for one in command.params if isinstance(one, click.Option) for option in one.opts]
        missing = [option for option in options if option not in line[0] and option not in ("--lang", "--config")]
        assert missing == [], f"of store-agent {name}"
        arguments = [one for one in command.params if isinstance(one, click.Argument)]
        for argument in arguments:
            assert (argument.metavar or (argument.name or "").upper()) in line[0]


def test_no_command_is_told_that_there_is_not() -> None:
    told = {name for path in PAGES for name in re.findall(r"store-agent ([a-z]+)\b", commands_in(path))}
    assert sorted(told - set(group.commands)) == []


def commands_in(path: Path) -> str:
    """What stands as a command in a page: blocks, and words in backticks."""
    text = path.read_text("utf-8")
    return "\n".join([*(block for _indent, _kind, block in FENCE.findall(text)), *re.findall(r"`([^`\n]+)`", text)])


def test_every_setting_is_told_with_its_default() -> None:
    told = settings_told()
    assert list(told) == list(config.fields()), "in the order in which they are declared"
    for name, field in config.fields().items():
        default, meaning = told[name]
        assert default == (f"`{field.default}`" if field.default != "" else ""), name
        assert [choice for choice in field.metadata.get("one_of", ()) if choice not in meaning] == [], name


def test_every_endpoint_is_told_and_no_other() -> None:
    told = set(ENDPOINT.findall(text_of("protocol.md"))) - {("POST", "/v1/admin/import/TABLE")}
    there = {*map(said, endpoints()), ("GET", "/openapi.json")}
    assert sorted(there - told) == []
    assert sorted(told - there) == []


@pytest.mark.parametrize("page", DOCS, ids=lambda page: str(page.name))
def test_every_request_in_an_example_has_an_endpoint(page: Path) -> None:
    paths = [re.sub(r"{\w+}", "[^/]+", path) for _method, path in map(said, endpoints())]
    for path in re.findall(r"\$CENTRE(/v1/[^\s?\"']+)", page.read_text("utf-8")):
        assert any(re.fullmatch(known, path) for known in paths), path


def test_every_case_and_every_word_for_an_error_is_told() -> None:
    told = text_of("protocol.md")
    source = "".join(path.read_text("utf-8") for path in (ROOT / "sync/central").glob("*.py"))
    words = set(re.findall(r'(?:Declined|Fork|_problem)\(\s*(?:\d+,\s*)?"([a-z0-9-]+)"', source))
    assert sorted(word for word in words if f"`{word}`" not in told) == []
    opened = [kind for kind in CaseKind if re.search(rf"CaseKind\.{kind.name}\b", source)]
    assert sorted(kind for kind in opened if f"`{kind}`" not in told) == []


TYPES: dict[str, Any] = {
    **vars(wire),
    "Report": imports.Report,
    "OrderStanding": orders.OrderStanding,
}


def test_every_example_of_a_message_is_one() -> None:
    examples = TYPED.findall(text_of("protocol.md"))
    assert len(examples) >= 10
    for name, text in examples:
        kind = TYPES[name]
        value = msgspec.json.decode(text, type=kind)
        keys = set(msgspec.json.decode(text))
        assert keys == {field.encode_name for field in msgspec.structs.fields(kind)}, name
        for raw in value.operations if isinstance(value, wire.PushRequest) else ():
            decode_entry(bytes(raw))
        for page in value.streams.values() if isinstance(value, wire.PullReply) else ():
            assert [row.position for row in page.rows] == list(
                range(page.position - len(page.rows) + 1, page.position + 1)
            )
            for row in page.rows:
                if row.table == wire.ANSWER:
                    msgspec.json.decode(row.body, type=wire.AnswerBody)
                else:
                    decode_row(row.table, bytes(row.body))


def test_every_body_that_is_sent_in_an_example_is_understood() -> None:
    kinds: dict[str, Any] = {
        "/v1/admin/campaigns": Campaign,
        "/v1/admin/coupons": list[records.CouponRecord],
        "/v1/admin/points": list[records.PointsRecord],
        "/v1/admin/orders": orders.OrderRequest,
        "/v1/admin/enrolment-codes": head_office.CodeRequest,
        "/v1/admin/cover": exposure.CoverRequest,
    }
    sent = re.findall(r"\$CENTRE(/\S+) -d\s+'(.*?)'", text_of("protocol.md"), re.DOTALL)
    assert set(kinds) <= {path for path, _body in sent}
    for path, body in sent:
        kind = kinds.get(path) or (orders.CancelRequest if path.endswith("/cancel") else head_office.TagsRequest)
        msgspec.json.decode(body, type=kind)


def test_every_folder_of_the_map_is_there() -> None:
    for readme in READMES:
        folders = re.findall(r"^((?:  )?[a-z_]+/)(?=\s)", readme.read_text("utf-8"), re.MULTILINE)
        assert len(folders) >= 6, readme.name
        above = ""
        for written in folders:
            folder = above + written.strip() if written.startswith(" ") else written
            above = above if written.startswith(" ") else written
            assert (ROOT / folder).is_dir(), f"{readme.name}: {folder}"


def paths_in(text: str) -> Iterator[str]:
    """Files and folders that a page names in backticks, from the root of the project."""
    tops = {path.name for path in ROOT.iterdir()}
    for word in re.findall(r"`([\w./-]+)`", text):
        if "/" in word.strip("/") and word.split("/")[0] in tops:
            yield word


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_every_file_that_is_named_is_there(page: Path) -> None:
    missing = [name for name in paths_in(page.read_text("utf-8")) if not (ROOT / name).exists()]
    assert missing == []


def test_the_architecture_names_enough_files_to_be_held_to() -> None:
    assert len(set(paths_in(text_of("architecture.md")))) >= 25


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_every_link_leads_somewhere(page: Path) -> None:
    text = FENCE.sub("", page.read_text("utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"https?://", target):
            continue
        name, _hash, anchor = target.partition("#")
        there = (page.parent / name).resolve() if name else page
        assert there.exists(), f"{page.name}: {target}"
        assert not anchor or anchor in anchors_of(there), f"{page.name}: {target}"


def anchors_of(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    headings = re.findall(r"^#+ (.+)$", FENCE.sub("", page.read_text("utf-8")), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_both_readmes_say_the_same_commands_and_show_the_same_pictures() -> None:
    english, chinese = (readme.read_text("utf-8") for readme in READMES)
    commands = [[line.strip() for line in commands_of(text)] for text in (english, chinese)]
    assert commands[0] == commands[1]
    assert {"python3 run.py demo", "python3 run.py test"} <= set(commands[0])
    pictures = [re.findall(r"!\[[^\]]*\]\(([^)]+)\)", text) for text in (english, chinese)]
    assert pictures[0] == pictures[1] != []
    assert english.count("\n## ") == chinese.count("\n## ")


def commands_of(text: str) -> Iterator[str]:
    for _indent, _kind, block in FENCE.findall(text):
        for line in block.splitlines():
            if re.match(r"\s*(python3|store-agent|\.venv/)", line):
                yield line.split("#")[0]


def test_the_pages_name_no_command_of_the_runner_that_there_is_not() -> None:
    for page in PAGES:
        for command in re.findall(r"run\.py ([a-z]+)", page.read_text("utf-8")):
            assert f"run.py {command}" in run.USAGE, f"{page.name}: {command}"


def test_the_changelog_begins_with_this_version() -> None:
    newest = re.search(r"^## (\S+)", (ROOT / "CHANGELOG.md").read_text("utf-8"), re.MULTILINE)
    assert newest
    assert newest[1] == __version__


def test_the_licence_is_the_whole_apache_licence() -> None:
    licence = (ROOT / "LICENSE").read_text("utf-8")
    assert "Version 2.0, January 2004" in licence
    assert "9. Accepting Warranty or Additional Liability." in licence
    assert 'license = "Apache-2.0"' in (ROOT / "pyproject.toml").read_text("utf-8")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.name))
def test_no_page_shouts(page: Path) -> None:
    prose = re.sub(r"`[^`\n]*`|!\[", "", FENCE.sub("", page.read_text("utf-8")).replace("<!--", ""))
    assert "!" not in prose
    assert "！" not in prose
