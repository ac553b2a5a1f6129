"""The log is a file, for its owner only, and holds nobody's data."""

from __future__ import annotations

import json
import logging
import os
import stat
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store_agent import logs
from store_agent.logs import close_logs, mask, open_logs
from store_agent.trouble import Trouble


@pytest.fixture(autouse=True)
def _as_it_was() -> Iterator[None]:
    root = logging.getLogger()
    before = ([*root.handlers], root.level, logging.raiseExceptions, logging.lastResort)
    # Those of the test runner itself are put aside and not closed.
    root.handlers.clear()
    yield
    close_logs()
    root.handlers[:], level, logging.raiseExceptions, logging.lastResort = before
    root.setLevel(level)
    logging.captureWarnings(False)


@pytest.mark.parametrize(
    "text",
    [
        "0912345678",
        "0912-345-678",
        "0912 345 678",
        "(02) 2345-6789",
        "+886912345678",
        "+886 912 345 678",
        "+852 9123 4567",
        "9123 4567",
        "９１２３４５６７",
        "a.b+c@example.com.tw",
        "王@例子.台灣",
        "SA1:6BFOXN*TS0BI$ZD4N9:9S6RCVN5+O30K3",
        "/ABC1234",
        "postgresql://me:sesame@db/x",
        "Authorization: Bearer abcdefghijkl",
    ],
)
def test_what_belongs_to_a_person_is_masked_wherever_it_stands(text: str) -> None:
    for line in (text, f"push failed for {text}, again", f"?q={text}&x=1"):
        masked = mask(line)
        assert text not in masked
        assert "[" in masked
        assert "sesame" not in masked
        assert "3456" not in masked


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-21T12:35:07.123Z",
        "2026-11-21 12:35:07+08:00",
        str(uuid.UUID(int=0x0193_2C5E_1234_7123_8123_4567_8901_2345)),
        "04712345678904",
        "4712345678904",
        "pulled 1200 rows in 3512 ms",
        "127.0.0.1:8750",
        "store/s1 position 1234567",
        "GET /v1/pull 200",
    ],
)
def test_what_a_person_mends_by_stays_readable(text: str) -> None:
    assert mask(text) == text


@given(st.from_regex(r"09\d{8}", fullmatch=True), st.sampled_from(["", " ", "x", "=", "會員", ":", "\n"]))
def test_no_mobile_number_survives_whatever_stands_around_it(number: str, around: str) -> None:
    assert number not in mask(around + number + around)


@given(st.text())
def test_masking_never_fails_and_twice_is_once(text: str) -> None:
    assert mask(mask(text)) == mask(text)


def test_only_its_owner_reads_the_file_also_after_it_was_turned_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logs, "MOST_BYTES", 300)
    path = open_logs(tmp_path / "data")
    for number in range(20):
        logging.getLogger("x").info("line %d", number)
    files = sorted(path.parent.iterdir())
    assert 2 <= len(files) <= logs.KEPT_FILES + 1
    if os.name == "posix":
        assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_two_processes_turn_one_file_over_and_follow_each_other(tmp_path: Path) -> None:
    path = tmp_path / "x.log"
    one, other = (logs.PrivateFile(path, maxBytes=100_000, backupCount=2) for _ in range(2))
    record = logging.makeLogRecord({"msg": "hello"})
    other.emit(record)
    one.doRollover()
    other.emit(logging.makeLogRecord({"msg": "after"}))
    assert path.read_text() == "after\n"
    one.close()
    other.close()


def test_a_line_says_when_who_and_what(tmp_path: Path) -> None:
    path = open_logs(tmp_path)
    logging.getLogger("sync.client").info("pulled %d rows", 12, extra={"store": "s1", "phone": "0912345678"})
    line = path.read_text(encoding="utf-8")
    assert line.endswith("INFO sync.client: pulled 12 rows store=s1 phone=[hidden]\n")
    assert line.index("Z INFO") == len("2026-11-21T12:35:07.123")


def test_on_request_each_line_is_json(tmp_path: Path) -> None:
    path = open_logs(tmp_path, "json")
    logging.getLogger("x").warning("王小明說\n\x1b[2J", extra={"rows": 3, "who": {"name": "王小明", "store": "s1"}})
    (line,) = path.read_text(encoding="utf-8").splitlines()
    entry = json.loads(line)
    assert (entry["level"], entry["logger"], entry["rows"]) == ("warning", "x", 3)
    assert entry["who"] == {"name": "[hidden]", "store": "s1"}
    assert entry["message"] == "王小明說\\n\\x1b[2J"


def test_names_given_by_a_known_key_are_hidden_in_the_message_too(tmp_path: Path) -> None:
    path = open_logs(tmp_path)
    logging.getLogger("x").info("registered %(member_name)s at %(store)s", {"member_name": "王小明", "store": "s1"})
    assert path.read_text(encoding="utf-8").endswith("registered [hidden] at s1\n")


def test_a_crash_is_logged_without_what_it_was_about(tmp_path: Path) -> None:
    path = open_logs(tmp_path, "json")
    try:
        raise ValueError("no such member 0912345678")
    except ValueError:
        logging.getLogger("x").exception("crashed")
    entry = json.loads(path.read_text(encoding="utf-8"))
    assert "ValueError" in entry["trace"]
    assert "0912345678" not in entry["trace"]


def test_nothing_ever_reaches_the_screen(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    logging.getLogger().addHandler(logging.StreamHandler(sys.stderr))
    path = open_logs(tmp_path)
    logging.getLogger("x").error("a line with too few %s %s", "arguments")
    logging.getLogger("x").error("a line")
    close_logs()
    logging.getLogger("x").error("a line after the file was closed")
    assert capfd.readouterr() == ("", "")
    assert "a line\n" in path.read_text(encoding="utf-8")


def test_the_chatter_of_http_is_left_out(tmp_path: Path) -> None:
    path = open_logs(tmp_path)
    logging.getLogger("httpx").info("HTTP Request: GET https://centre/members?phone=0912345678")
    logging.getLogger("x").debug("too fine")
    assert path.read_text(encoding="utf-8") == ""


def test_a_folder_that_cannot_be_written_is_trouble_with_a_hint(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(Trouble) as found:
        open_logs(tmp_path / "file" / "data")
    assert found.value.hint


def test_nothing_in_a_log_acts_on_who_reads_it(tmp_path: Path) -> None:
    path = open_logs(tmp_path)
    logging.getLogger("x").info("one\x1b[2J\ntwo\u202e", extra={"color_message": "\x1b[1mx", "table": "\x9b31m\r"})
    logs.close_logs()
    text = path.read_text("utf-8")
    assert text.count("\n") == 1
    assert "color_message" not in text
    assert not set("\x1b\x9b\r\u202e") & set(text)
