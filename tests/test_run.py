"""`run.py`: the way from a fresh clone to something that runs, in folders of its own and without any network."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LOCK = ROOT / "requirements.lock"
BIN = "Scripts" if os.name == "nt" else "bin"


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A fresh clone that needs no library, whose benchmarks say which Python runs them."""
    folder = tmp_path / "複本 with spaces"
    (folder / "tests" / "benchmarks").mkdir(parents=True)
    (folder / "tests" / "benchmarks" / "__main__.py").write_text("import sys; print(sys.prefix, sys.argv[1:])")
    (folder / "requirements.lock").write_text("# nothing\n")
    shutil.copy(ROOT / "run.py", folder)
    return folder


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    tools = os.pathsep.join([str(ROOT / ".uv" / "bin"), str(ROOT / ".uv" / "Scripts"), os.environ.get("PATH", "")])
    return subprocess.run(
        [sys.executable, folder / "run.py", *arguments],
        capture_output=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONUTF8": "1", "PATH": tools, **environment},
        check=False,
        timeout=120,
    )


def test_without_a_word_it_teaches_and_makes_nothing(clone: Path) -> None:
    said = run(clone)
    assert said.returncode == 0
    for word in ("demo", "--tour", "--members", "test", "bench", "trial"):
        assert word in said.stdout
    assert not (clone / ".venv").exists()


def test_an_unknown_word_gets_the_known_ones() -> None:
    said = run(ROOT, "tset")
    assert said.returncode == 2
    assert said.stderr == "There is no 'tset' to run: it is one of demo, test, bench, trial.\n"


def test_an_older_python_gets_one_sentence() -> None:
    code = f"import sys, runpy; sys.version_info = (3, 9, 2); runpy.run_path({str(ROOT / 'run.py')!r})"
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert said.returncode == 1
    assert re.fullmatch(r"Store Agent needs Python 3\.11 or newer.*\n", said.stderr)


def test_the_first_run_makes_ready_and_the_second_needs_no_tool(clone: Path) -> None:
    first = run(clone, "bench", "accept", "--json")
    assert first.returncode == 0, first.stderr
    assert f"{clone / '.venv'} ['accept', '--json']" in first.stdout
    assert "Getting ready" in first.stderr
    again = run(clone, "bench", PATH="")
    assert again.returncode == 0
    assert again.stderr == ""


def test_the_libraries_start_quickly_where_python_writes_no_bytecode(clone: Path) -> None:
    demo = clone / "store_agent" / "demo"
    demo.mkdir(parents=True)
    (demo / "running.py").touch()
    assert run(clone, "bench", PYTHONDONTWRITEBYTECODE="1").returncode == 0
    assert list((demo / "__pycache__").glob("running.*.pyc"))


def test_what_an_interrupted_run_left_is_made_anew(clone: Path) -> None:
    (clone / ".uv").mkdir()
    (clone / ".uv" / "unfinished").touch()
    (clone / ".venv" / BIN).mkdir(parents=True)
    (clone / ".venv" / BIN / "python").write_text("half a file")
    assert run(clone, "bench").returncode == 0
    assert not (clone / ".uv" / "unfinished").exists()


def test_two_runs_at_once_both_end_well(clone: Path) -> None:
    command = [sys.executable, str(clone / "run.py"), "bench"]
    environment = {**os.environ, "PATH": f"{ROOT / '.uv' / 'bin'}{os.pathsep}{os.environ.get('PATH', '')}"}
    both = [subprocess.Popen(command, stdout=-1, stderr=-1, env=environment) for _ in range(2)]
    said = [each.communicate(timeout=120) for each in both]
    assert [each.returncode for each in both] == [0, 0], said
    assert sum(b"Ready after" in error for _, error in said) == 1


def test_a_folder_that_cannot_be_written_is_said_in_one_sentence(clone: Path) -> None:
    (clone / ".uv").write_text("a file where a folder should be")
    said = run(clone, "bench")
    assert said.returncode == 2
    assert said.stderr.startswith("This folder cannot be made ready: ")
    assert said.stderr.count("\n") == 1


def test_the_lock_holds_versions_and_hashes_and_no_address() -> None:
    lock = LOCK.read_text()
    assert "://" not in lock
    assert not re.search(r"^\s*-(?!-hash=sha256:)", lock, re.MULTILINE)
    assert "@" not in lock
    for requirement in lock.replace("\\\n", " ").splitlines():
        assert re.match(r"[a-z0-9-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", requirement), requirement


def test_the_lock_holds_all_that_the_project_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    asked = [*project["dependencies"], *(each for extra in project["optional-dependencies"].values() for each in extra)]
    locked = set(re.findall(r"^([a-z0-9-]+)==", LOCK.read_text(), re.MULTILINE))
    assert {re.split(r"[\[<>=; ]", each)[0] for each in asked} <= locked


def test_the_project_names_no_person() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    assert "authors" not in project
    assert "maintainers" not in project
