"""The command line: it teaches, it speaks the reader's language, and trouble is one sentence and exit code 2."""

from __future__ import annotations

import gettext
import json
import os
import subprocess
import sys
import types
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import click
import pytest
from PIL import Image

from store_agent import __version__, qr, words
from store_agent.cli import group, main
from store_agent.cli.speech import CLICK_SAYS
from store_agent.clock import Ids, SystemClock
from store_agent.config import Settings, fields, load
from store_agent.doctor import (
    Check,
    Health,
    check_charset,
    check_clock,
    check_folder,
    check_key,
    check_python,
    check_space,
    check_sqlite,
    check_terminal,
    check_textual,
    examine,
)
from store_agent.trouble import Trouble

COMMANDS = ("audit", "cases", "central", "config", "demo", "doctor", "enroll", "member", "scan", "serve", "status")


@pytest.fixture(autouse=True)
def _alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in [*os.environ]:
        if name.startswith("STORE_AGENT_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    monkeypatch.setenv("LANGUAGE", "en")
    domain = gettext.textdomain()
    yield
    gettext.textdomain(domain)
    words.use_language("en")


@pytest.fixture
def entry(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Put functions where the commands look for what they run."""

    def put(**functions: Any) -> None:
        stand_in = types.ModuleType("store_agent.entry")
        vars(stand_in).update(functions)
        monkeypatch.setitem(sys.modules, "store_agent.entry", stand_in)

    return put


Shown = pytest.CaptureFixture[str]


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("code", words.LANGUAGES)
def test_help_teaches_by_examples_in_every_language(command: str, code: str, capsys: Shown) -> None:
    assert main([command, "--lang", code, "--help"]) == 0
    shown = capsys.readouterr().out
    for word in ("Usage:", "Examples", "Show this message and exit."):
        words.use_language(code)
        assert words._(word) in shown
    assert f"store-agent {command}" in shown
    assert "--lang" in shown


def test_the_first_help_names_every_command_with_its_purpose(capsys: Shown) -> None:
    assert main(["--lang", "zh-TW", "--help"]) == 0
    shown = capsys.readouterr().out
    assert tuple(sorted(group.commands)) == COMMANDS
    for name, command in group.commands.items():
        assert name in shown
        assert words._(str(command.short_help)) in shown
    assert "收銀機旁的櫃台" in shown
    assert "用法：" in shown


def test_what_click_says_is_what_we_translate() -> None:
    folder = Path(click.__file__).parent
    source = "".join(file.read_text(encoding="utf-8") for file in folder.glob("*.py"))
    assert [said for said in CLICK_SAYS if said not in source] == []


def test_the_language_of_the_machine_and_of_the_environment_is_spoken(
    monkeypatch: pytest.MonkeyPatch, capsys: Shown
) -> None:
    monkeypatch.setenv("LANGUAGE", "zh_HK")
    assert main(["nothing"]) == 2
    assert "沒有 'nothing' 這個指令" in capsys.readouterr().err
    monkeypatch.setenv("STORE_AGENT_LANGUAGE", "en")
    assert main(["nothing"]) == 2
    assert "No such command 'nothing'." in capsys.readouterr().err
    assert main(["--lang", "auto", "nothing"]) == 2
    assert "沒有 'nothing' 這個指令" in capsys.readouterr().err
    assert os.environ["LANGUAGE"] == "zh_HK"


def test_the_language_of_the_file_is_spoken_unless_another_is_asked_for(tmp_path: Path, capsys: Shown) -> None:
    file = tmp_path / "store.toml"
    file.write_text('language = "zh-TW"', encoding="utf-8")
    assert main(["--config", str(file), "config"]) == 0
    assert "畫面與所有訊息的語言。" in capsys.readouterr().out
    assert main(["config", "--config", str(file), "--lang", "en"]) == 0
    assert "The language of the screen" in capsys.readouterr().out


def test_config_shows_each_setting_with_its_source(monkeypatch: pytest.MonkeyPatch, capsys: Shown) -> None:
    monkeypatch.setenv("STORE_AGENT_CENTRAL_ADMIN_TOKEN", "a-secret")
    assert main(["config"]) == 0
    shown = capsys.readouterr().out
    assert all(f"\n{name} = " in shown for name in fields())
    assert "a-secret" not in shown
    assert main(["config", "--json"]) == 0
    settings = json.loads(capsys.readouterr().out)["settings"]
    assert settings["central.admin_token"]["source"] == "STORE_AGENT_CENTRAL_ADMIN_TOKEN"
    assert "a-secret" not in str(settings)


def test_trouble_is_one_sentence_on_the_error_stream_and_exit_code_2(
    monkeypatch: pytest.MonkeyPatch, capsys: Shown
) -> None:
    monkeypatch.setenv("STORE_AGENT_LANGAGE", "en")
    assert main(["config"]) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.count("\n") == 1
    assert "Did you mean STORE_AGENT_LANGUAGE?" in err


def test_without_a_command_the_screen_opens_in_the_chosen_language(entry: Callable[..., None]) -> None:
    opened: list[tuple[str, str]] = []

    def open_screen(settings: Settings) -> int:
        opened.append((settings.language, words.language()))
        return 0

    entry(open_screen=open_screen)
    assert main(["--lang", "zh-HK"]) == 0
    assert opened == [("zh-HK", "zh-HK")]


def test_each_command_hands_its_settings_on(entry: Callable[..., None], capsys: Shown) -> None:
    seen: list[Any] = []

    def run_demo(options: dict[str, Any]) -> int:
        seen.append(options)
        return 3

    entry(
        serve=lambda settings: seen.append("serve"),
        run_central=lambda settings, tell: seen.append((settings.central.port, settings.central.database_url)),
        enroll=lambda settings, url, code: {"store": "s1", "url": url, "code": code},
        status=lambda settings: {"state": "in_step", "waiting": 0, "cursors": {"chain": 5}, "offline_since": None},
        member=lambda settings, text: {"name": "\x1b[2J王\u202e", "tags": ["a", "b"]},
        run_demo=run_demo,
    )
    assert main(["serve"]) == 0
    assert main(["central", "--port", "0", "--database-url", "postgresql://db/x"]) == 0
    assert main(["demo", "--tour", "--members", "50", "--lang", "en"]) == 3
    assert seen == ["serve", (0, "postgresql://db/x"), {"members": 50, "tour": True, "lang": "en"}]
    assert main(["enroll", "https://centre.example", " AB ", "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"store": "s1", "url": "https://centre.example", "code": "AB"}
    assert main(["status"]) == 0
    assert (
        capsys.readouterr().out == "state: in step\nwaiting for the line: 0\ncursors:\n  chain: 5\noffline since: –\n"
    )
    assert main(["member", "王"]) == 0
    assert capsys.readouterr().out == "name: [2J王\ntags: a, b\n"


@pytest.mark.parametrize(
    ("args", "word"),
    [
        (["enroll", "centre", "AB"], "full URL"),
        (["enroll", "postgresql://centre", "AB"], "http"),
        (["enroll", "https://centre.example", " "], "code is empty"),
        (["enroll", "https://centre.example"], "Missing argument"),
        (["central"], "no database"),
        (["central", "--port", "70000", "--database-url", "postgresql://db/x"], "between 0 and 65535"),
        (["demo", "--members", "0"], "range"),
        (["scan"], "Missing argument"),
        (["--config", "/no/such.toml", "config"], "no configuration file"),
        (["status", "--nothing"], "--nothing"),
    ],
)
def test_what_cannot_be_is_refused_with_what_to_do(args: list[str], word: str, capsys: Shown) -> None:
    assert main(args) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert word in err
    assert "Traceback" not in err


def test_trouble_from_within_and_an_interrupt_end_cleanly(entry: Callable[..., None], capsys: Shown) -> None:
    def fail(_settings: Settings) -> None:
        raise Trouble("The disk\n is full.", "Make \x1b[31mroom.")

    def interrupt(_settings: Settings) -> None:
        raise KeyboardInterrupt

    entry(status=fail, serve=interrupt)
    assert main(["status"]) == 2
    assert capsys.readouterr().err == "The disk is full. Make [31mroom.\n"
    assert main(["serve"]) == 130
    assert capsys.readouterr().err == "\n"


def test_what_a_store_answers_is_said_in_the_language_of_the_reader(entry: Callable[..., None], capsys: Shown) -> None:
    coupon = {"name": "咖啡\x1b[2J", "verdict": "not-here", "why": "", "id": "c1"}
    entry(
        member=lambda settings, text: {"tier": "gold", "in_step": False, "tags": [], "trouble": "", "coupons": [coupon]}
    )
    assert main(["member", "王", "--lang", "zh-TW"]) == 0
    out = capsys.readouterr().out
    assert out == "等級: 金卡\n已同步: 否\n標籤: –\n問題: –\n優惠券:\n  咖啡[2J · 此處不能使用 · c1\n"


def test_the_version_is_that_of_the_source(capsys: Shown) -> None:
    assert main(["--version"]) == 0
    assert capsys.readouterr().out == f"{__version__}\n"


def test_an_interrupt_while_it_is_still_being_loaded_ends_quietly() -> None:
    code = (
        "import builtins, runpy, sys; real = builtins.__import__\n"
        "def load(name, *rest, **named):\n"
        "    if name == 'store_agent.cli': raise KeyboardInterrupt\n"
        "    return real(name, *rest, **named)\n"
        "builtins.__import__ = load\n"
        "runpy.run_module('store_agent.__main__', run_name='__main__')\n"
    )
    done = _run([sys.executable, "-c", code])
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_scan_prints_an_object_for_each_picture_and_says_what_is_none(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Shown
) -> None:
    monkeypatch.chdir(tmp_path)
    qr.save("0912345678", tmp_path / "a.png")
    Image.new("L", (80, 80), 255).save(tmp_path / "b.png")
    (tmp_path / "c.txt").write_text("no picture")
    assert main(["scan", "a.png", "b.png", "c.txt"]) == 2
    out, err = capsys.readouterr()
    assert out == "a.png: phone (QRCode) 0912345678\nb.png: no code was found.\n"
    assert "c.txt" in err
    assert main(["scan", "a.png", "b.png", "c.txt", "--json"]) == 2
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [picture["file"] for picture in found] == ["a.png", "b.png", "c.txt"]
    assert found[0]["codes"][0]["value"] == "+886912345678"


def test_the_command_line_starts_without_what_is_heavy() -> None:
    heavy = "textual httpx PIL psycopg sqlcipher3 sqlite_utils uvicorn starlette zxingcpp phonenumbers babel"
    code = f"import sys, store_agent.cli; print([name for name in {heavy.split()!r} if name in sys.modules])"
    assert _run([sys.executable, "-c", code]).stdout == "[]\n"


def test_a_reader_that_leaves_is_no_crash() -> None:
    command = f"{sys.executable} -m store_agent config | head -n 1; exit ${{PIPESTATUS[0]}}"
    done = _run(["bash", "-c", command])
    assert "Traceback" not in done.stderr
    assert "Exception" not in done.stderr


def test_a_terminal_that_knows_no_chinese_is_no_crash() -> None:
    done = _run([sys.executable, "-m", "store_agent", "--lang", "zh-TW", "--help"], PYTHONIOENCODING="ascii")
    assert (done.returncode, done.stderr) == (0, "")


def _run(args: list[str], **environment: str) -> subprocess.CompletedProcess[str]:
    root = Path(__file__).parent.parent
    return subprocess.run(
        args, cwd=root, env={**os.environ, **environment}, capture_output=True, text=True, check=False, timeout=60
    )


# doctor


class FixedClock(SystemClock):
    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


def test_doctor_finds_this_machine_well_enough_and_makes_nothing(tmp_path: Path, capsys: Shown) -> None:
    assert main(["doctor", "--json"]) == 0
    checks = json.loads(capsys.readouterr().out)
    assert {check["name"] for check in checks} >= {"python", "sqlite", "textual", "zbar", "folder", "key", "clock"}
    assert not (tmp_path / "data").exists()
    assert main(["doctor"]) == 0
    assert "good python" in capsys.readouterr().out


def test_doctor_exits_with_1_where_a_check_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Shown
) -> None:
    (tmp_path / "journal.db").write_bytes(b"")
    monkeypatch.setenv("STORE_AGENT_DATA_FOLDER", str(tmp_path))
    assert main(["doctor"]) == 1
    assert "FAIL key" in capsys.readouterr().out


def test_each_check_says_what_to_do_unless_all_is_well(tmp_path: Path) -> None:
    settings = load(environment={"STORE_AGENT_DATA_FOLDER": str(tmp_path)}).settings
    plugged = Check("centre", Health.WARN, "No.", "Do.")
    checks = examine(settings, SystemClock(), [lambda: plugged])
    assert checks[-1] is plugged
    for check in checks:
        assert check.sentence
        assert bool(check.hint) == (check.health is not Health.OK)


def test_what_is_too_old_too_small_or_too_full_is_found(tmp_path: Path) -> None:
    assert check_python((3, 10, 9)).health is Health.FAIL
    assert check_sqlite("3.51.2").health is Health.FAIL
    assert check_sqlite("3.51.3").health is Health.OK
    assert check_textual("8.2.7").health is Health.WARN
    assert check_charset("cp950").health is Health.WARN
    assert check_charset("UTF-8").health is Health.OK
    assert check_terminal((79, 24)).health is Health.WARN
    assert check_terminal((80, 24)).health is Health.OK
    assert check_space(tmp_path, 1).health is Health.FAIL
    assert check_space(tmp_path, 500_000_000).health is Health.WARN
    (tmp_path / "file").write_text("")
    assert check_folder(tmp_path / "file").health is Health.FAIL
    assert check_folder(tmp_path / "new").health is Health.OK


def test_a_key_that_others_can_read_or_that_is_gone_is_found(tmp_path: Path) -> None:
    settings = load(environment={"STORE_AGENT_DATA_FOLDER": str(tmp_path)}).settings
    assert check_key(settings).health is Health.OK
    settings.key_path.write_bytes(b"k")
    settings.key_path.chmod(0o644)
    if os.name == "posix":
        assert check_key(settings).health is Health.FAIL
    settings.key_path.chmod(0o600)
    assert check_key(settings).health is Health.OK


def test_a_clock_that_was_set_back_is_found(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    assert check_clock(FixedClock(datetime(2020, 1, 1, tzinfo=UTC)), tmp_path).health is Health.FAIL
    (tmp_path / "journal.db").write_bytes(b"")
    assert check_clock(FixedClock(now), tmp_path).health is Health.OK
    assert check_clock(FixedClock(now - timedelta(days=1)), tmp_path).health is Health.FAIL


# ids


def test_ids_are_ordered_by_time_and_within_a_moment_also_when_the_clock_is_set_back() -> None:
    clock = FixedClock(datetime(2026, 11, 21, 12, tzinfo=UTC))
    ids = Ids(clock)
    made = [ids.new() for _ in range(1000)]
    clock.at -= timedelta(days=1)
    made += [ids.new() for _ in range(1000)]
    clock.at += timedelta(days=2)
    made += [ids.new()]
    assert made == sorted(set(made))


def test_an_id_is_a_uuid_of_version_7_that_holds_its_millisecond() -> None:
    import uuid

    at = datetime(2026, 11, 21, 12, 0, 0, 123_999, tzinfo=UTC)
    made = uuid.UUID(Ids(FixedClock(at), lambda bits: (1 << bits) - 1).new())
    assert (made.version, made.variant) == (7, uuid.RFC_4122)
    assert made.int >> 80 == int(at.timestamp() * 1000)


async def test_the_system_clock_is_aware_and_never_goes_back() -> None:
    clock = SystemClock()
    before = clock.monotonic()
    await clock.sleep(0)
    assert clock.monotonic() >= before
    assert clock.now().utcoffset() == timedelta(0)
