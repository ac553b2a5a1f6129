"""What must never break, whoever changes what: where things may stand, how they are called, and what may not be here.

What ruff, mypy and import-linter check is not checked again here; `run.py test` runs them.
"""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from collections.abc import Iterator
from dataclasses import fields, is_dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pytest

import run
import store_agent.domain
from store_agent.codec import NOUNS, OPERATION_OF
from store_agent.domain.operation import Operation

ROOT = Path(run.__file__).parent
PACKAGES = ("store_agent", "sync", "tui")
MADE = {"__pycache__", "build", "dist", "node_modules"}
"""Folders that nobody wrote. Those that begin with a dot are not ours either, but for `.ci`."""

STATEMENT = re.compile(
    r"(?:select\s|insert\s+(?:or\s+\w+\s+)?into\s|update\s+\S+\s+set\s|delete\s+from\s|pragma\s"
    r"|with\s+\w+\s+as\s*\(|(?:create|drop|alter)\s+(?:unique\s+|virtual\s+)?(?:table|index|trigger|view|sequence)\s)",
    re.IGNORECASE,
)
"""The beginning of a statement. Written small or in capitals: a sentence for a person begins otherwise."""
SQL_STANDS_IN = ("store_agent/replica/", "store_agent/schema.py", "sync/central/")

READS_THE_CLOCK = {
    "store_agent/clock.py": "the one place",
    "sync/central/app.py": "the centre's own clock, which a test replaces",
    "store_agent/scan/invoices.py": "today in Taiwan where the caller names no day",
}
PRINTS = {
    "store_agent/words/compile.py": "a command for whoever changed a sentence",
}
SAYS_IN_THE_TERMINAL = ("store_agent/cli/", "store_agent/demo/")
LONG = {
    "store_agent/words/refusals.py": "a table: two sentences for each reason, and its halves would have no names",
    "tests/test_counter.py": "every job at the counter by its keys, one list",
    "tests/test_pickups.py": "a table of every state and every step of an order",
    "tests/test_scan.py": "the vectors of every kind of code",
}
LINES_MOST = 400
SLEEPS = {
    "tests/terminal.py": "the gaps between the keys of a scanner are what is tested",
    "tests/test_embedded.py": "waits for the end of a process that nobody can await",
    "tests/test_entry.py": "waits for what centres and stores in other processes do",
    "tests/trials/servers.py": "waits for what a server in another process does",
    "tests/test_filling.py": "waits until a centre in another process listens",
}
CATCHES_ALL = {
    "sync/central/judging.py": "a rule that crashes parks its own operation, and no other one",
}
OPENS_FILES = {
    "store_agent/replica/building.py": "syncs the new cache once it is closed and before anybody knows of it",
    "store_agent/replica/download.py": "the sealed file of a download, which is no database",
    "store_agent/replica/anchor.py": "the anchor, which is a file of its own and no database",
    "store_agent/replica/ballast.py": "the ballast, which is no database",
    "store_agent/replica/replica.py": "the key file, which is no database",
}
"""Of the replica's folder, where every other file is a live database: to close one drops all locks of the process on it."""
OPENING = re.compile(
    r"(?:.*\.)?(?:open|read_bytes|read_text|write_bytes|write_text)|shutil\.(?:copy\w*|move)|gzip\.open|mmap\.mmap"
)
SKIPS = {
    "tests/test_embedded.py": "Windows knows only one way to end a process",
}


def of(*tops: str) -> list[Path]:
    """The Python files below these folders."""
    return sorted(path for top in tops for path in (ROOT / top).rglob("*.py") if "__pycache__" not in path.parts)


def everything() -> Iterator[Path]:
    """Every file that somebody wrote."""
    for path in sorted(ROOT.rglob("*")):
        parts = path.relative_to(ROOT).parts
        if path.is_file() and not any(part in MADE or (part.startswith(".") and part != ".ci") for part in parts[:-1]):
            yield path


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"), str(path))


def texts_of(tree: ast.Module) -> Iterator[tuple[int, str]]:
    """Line and text of every string that is no docstring; what an f-string fills in stands as one letter."""
    passed = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            passed |= {id(part) for part in node.values}
            yield (
                node.lineno,
                "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values),
            )
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in passed:
            yield node.lineno, node.value


def is_sql(text: str) -> bool:
    first = text.split(maxsplit=1)[:1]
    return bool(first) and (first[0].islower() or first[0].isupper()) and bool(STATEMENT.match(text.lstrip()))


@cache
def names_in(path: Path) -> frozenset[str]:
    """Dotted names of everything that a file uses: `time.sleep`, `pytest.mark.skip`, `print`."""
    return frozenset(dotted(node) for node in ast.walk(tree_of(path)) if isinstance(node, (ast.Attribute, ast.Name)))


def dotted(node: ast.expr) -> str:
    if isinstance(node, ast.Attribute):
        return f"{dotted(node.value)}.{node.attr}"
    return node.id if isinstance(node, ast.Name) else "?"


def found_in(paths: list[Path], wanted: re.Pattern[str]) -> set[str]:
    """Files that use a name which fits as a whole."""
    return {name_of(path) for path in paths if any(map(wanted.fullmatch, names_in(path)))}


def test_the_test_command_runs_every_check_and_the_checks_are_strict() -> None:
    assert [name for name, _command in run.CHECKS] == ["ruff check", "ruff format", "mypy", "import-linter"]
    settings = (ROOT / "pyproject.toml").read_text("utf-8")
    assert "\nstrict = true\n" in settings
    assert settings.count("[[tool.importlinter.contracts]]") >= 8
    assert "python3 run.py test" in (ROOT / ".ci" / "run").read_text("utf-8")


def test_sql_stands_only_in_the_replica_the_schema_and_the_centre() -> None:
    found = [
        f"{name_of(path)}:{line} {text[:60]!r}"
        for path in of(*PACKAGES)
        if not name_of(path).startswith(SQL_STANDS_IN)
        for line, text in texts_of(tree_of(path))
        if is_sql(text)
    ]
    assert found == []


def test_the_search_for_sql_finds_it() -> None:
    """Else the test above would prove nothing."""
    for name in ("store_agent/replica/journal.py", "store_agent/schema.py", "sync/central/feed.py"):
        assert any(is_sql(text) for _line, text in texts_of(tree_of(ROOT / name))), name
    written = ast.parse("def f(table): return f'update {table} set a = 1'")
    assert [is_sql(text) for _line, text in texts_of(written)] == [True]
    assert not is_sql("Update Store Agent."), "a sentence is no statement"
    assert not is_sql("Select the best coupons.")


def test_only_the_clock_reads_the_clock() -> None:
    reads = re.compile(
        r"(?:\w+\.)*(?:datetime\.(?:now|utcnow|today)|date\.today)|time\.(?:time|time_ns|localtime|gmtime)"
    )
    assert sorted(found_in(of(*PACKAGES), reads)) == sorted(READS_THE_CLOCK)


def test_nothing_prints_but_what_speaks_in_the_terminal() -> None:
    printing = {
        name for name in found_in(of(*PACKAGES), re.compile("print")) if not name.startswith(SAYS_IN_THE_TERMINAL)
    }
    assert sorted(printing) == sorted(PRINTS)


def test_no_test_sleeps_but_where_time_itself_is_tested() -> None:
    assert sorted(found_in(of("tests"), re.compile(r"time\.sleep")) - set(SLEEPS)) == []


def test_no_test_is_skipped_or_expected_to_fail() -> None:
    skips = re.compile(r"(?:pytest\.)?(?:mark\.)?(?:skip|skipif|xfail|importorskip)|unittest\.skip\w*")
    assert sorted(found_in(of("tests"), skips) - set(SKIPS)) == []


def test_no_error_is_swallowed_whole() -> None:
    """Trouble is caught by its name; `except Exception` is right only where what was caught is raised again."""
    found = set()
    for path in of(*PACKAGES):
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ExceptHandler) and _catches_all(node):
                raises = any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
                found |= set() if raises else {name_of(path)}
    assert sorted(found) == sorted(CATCHES_ALL)


def _catches_all(handler: ast.ExceptHandler) -> bool:
    caught = handler.type.elts if isinstance(handler.type, ast.Tuple) else [handler.type]
    return any(kind is None or ast.unparse(kind) in ("Exception", "BaseException") for kind in caught)


def functions_of(tree: ast.Module) -> Iterator[ast.AST]:
    """Every function, and what of a file stands in none."""
    functions = [node for node in ast.walk(tree) if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))]
    yield from functions
    yield ast.Module([node for node in tree.body if not isinstance(node, (ast.FunctionDef, ast.ClassDef))], [])


def opens_a_database(part: ast.AST) -> bool:
    """Whether a function that names a database file opens a file by itself."""
    nodes = list(ast.walk(part))
    texts = [node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)]
    names = [dotted(node) for node in nodes if isinstance(node, (ast.Attribute, ast.Name))]
    return any(re.search(r"\.db(?:-wal|-shm)?$", text) for text in texts) and any(map(OPENING.fullmatch, names))


def test_nobody_but_the_driver_opens_a_live_database_file() -> None:
    in_replica = found_in([path for path in of(*PACKAGES) if path.parent.name == "replica"], OPENING)
    assert sorted(in_replica) == sorted(OPENS_FILES)
    found = {name_of(path) for path in of(*PACKAGES) if any(map(opens_a_database, functions_of(tree_of(path))))}
    assert sorted(found) == []


def test_the_search_for_opened_databases_finds_them() -> None:
    """Else the test above would prove nothing."""
    for text in (
        "def f(folder):\n    return (folder / 'journal.db').read_bytes()",
        "def f(folder):\n    shutil.copy(folder / 'cache.db-wal', folder)",
        "def f(name):\n    with open(f'{name}.db') as file:\n        pass",
    ):
        assert any(map(opens_a_database, functions_of(ast.parse(text)))), text
    assert not any(map(opens_a_database, functions_of(ast.parse("def f():\n    sqlcipher.connect('journal.db')"))))


def test_every_module_says_what_lives_in_it() -> None:
    silent = [name_of(path) for path in of(*PACKAGES, "tests") if path.read_text("utf-8") and not _says(path)]
    assert silent == []


def _says(path: Path) -> bool:
    return bool(ast.get_docstring(tree_of(path)))


def test_no_file_grows_long_without_a_reason() -> None:
    long = {name_of(path) for path in of(*PACKAGES, "tests") if len(path.read_text("utf-8").splitlines()) > LINES_MOST}
    assert sorted(long - set(LONG)) == [], f"over {LINES_MOST} lines: what would its second room be called?"


def test_no_module_has_a_name_that_says_nothing() -> None:
    nothing = {"util", "utils", "helper", "helpers", "common", "base", "misc", "manager", "service", "stuff"}
    named = [name_of(path) for path in of(*PACKAGES, "tests") if nothing & set(re.split(r"[/_.]", name_of(path)))]
    assert named == []


@pytest.mark.parametrize("rules", [LONG, PRINTS, READS_THE_CLOCK, SLEEPS, SKIPS, CATCHES_ALL, OPENS_FILES])
def test_every_exception_is_of_a_file_that_is_there(rules: dict[str, str]) -> None:
    assert [name for name in rules if not (ROOT / name).is_file()] == []


def test_no_file_names_a_machine_or_the_address_of_a_package_index() -> None:
    # Put together here, so that this file does not name them either.
    machine = [f"/{name}/" for name in ("work", "root", "home", "Users")] + [f"/tmp/{'bash'}_jobs"]
    index = ["pypi" + ".org", "python" + "hosted.org", "--index" + "-url", "--extra" + "-index", "--find" + "-links"]
    ours = re.compile(r"(?<![\w.:/-])(?:" + "|".join(map(re.escape, machine)) + ")")
    found = []
    for path in everything():
        text = path.read_bytes().decode("utf-8", "ignore")
        found += [f"{name_of(path)}: {word}" for word in ours.findall(text)]
        found += [f"{name_of(path)}: {word}" for word in index if word in text]
    assert found == []


def domain_operations() -> set[type[Operation]]:
    """Every operation that the rules know: whatever has a kind."""
    found = set()
    for module in pkgutil.iter_modules(store_agent.domain.__path__):
        for value in vars(importlib.import_module(f"store_agent.domain.{module.name}")).values():
            if isinstance(value, type) and issubclass(value, Operation) and "kind" in vars(value):
                found.add(value)
    return found


def test_every_operation_is_registered_once_under_its_own_name() -> None:
    registered = [operation for noun in NOUNS for operation in noun.operations]
    assert {operation.__name__ for operation in domain_operations()} == {operation.__name__ for operation in registered}
    assert len(registered) == len(OPERATION_OF), "two operations have one kind"
    for kind, operation in OPERATION_OF.items():
        assert kind == re.sub(r"(?<!^)(?=[A-Z])", "-", operation.__name__).lower()


def test_every_operation_changes_a_row_of_its_own_noun() -> None:
    tables = [noun.row.table for noun in NOUNS]
    assert len(tables) == len(set(tables)), "two nouns have one table"
    wrong = [operation for noun in NOUNS for operation in noun.operations if operation.table != noun.row.table]
    assert wrong == []


def test_rows_and_operations_are_values() -> None:
    """Frozen, or an overlay could change what was written down; named fields, or one that is added would move others."""
    values: list[Any] = [*OPERATION_OF.values(), *(noun.row for noun in NOUNS)]
    for value in values:
        assert is_dataclass(value)
        assert getattr(value, "__dataclass_params__").frozen, value  # noqa: B009
        assert "__slots__" in vars(value), value
        assert all(field.kw_only for field in fields(value)), value


def test_every_noun_has_a_table_at_the_store_and_at_the_centre() -> None:
    at_store = set(re.findall(r'make_noun\(db, "(\w+)"', (ROOT / "store_agent/schema.py").read_text("utf-8")))
    steps = "".join(path.read_text("utf-8") for path in (ROOT / "sync/central/migrations").glob("*.sql"))
    at_centre = set(re.findall(r"create table (\w+) \(id text primary key, revision bigint", steps))
    assert {noun.row.table for noun in NOUNS} == at_store == at_centre
