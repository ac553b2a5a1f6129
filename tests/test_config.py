"""Where each setting came from, and that a wrong one is a sentence and never a guess."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from store_agent.config import Configuration, fields, load, variable_of
from store_agent.trouble import Trouble
from store_agent.words import use_language

NOWHERE = {"STORE_AGENT_CONFIG": ""}


@pytest.fixture(autouse=True)
def _english(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    use_language("en")
    # The platform's own folder, away from that of whoever runs the tests.
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "platform"))
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "config.toml"


def source_of(loaded: Configuration, name: str) -> str:
    return next(one.source for one in loaded.listed if one.name == name)


def test_without_anything_set_all_are_defaults() -> None:
    loaded = load(environment={})
    assert loaded.settings.region == "TW"
    assert loaded.settings.zone == "Asia/Taipei"
    assert loaded.settings.currency == "TWD"
    assert loaded.settings.key_path == loaded.settings.data_path / "store.key"
    assert all(one.source.startswith("default") for one in loaded.listed)
    assert [one.name for one in loaded.listed] == list(fields())


def test_a_region_brings_its_zone_and_currency_unless_they_are_set() -> None:
    loaded = load(environment={"STORE_AGENT_REGION": "HK"})
    assert (loaded.settings.zone, loaded.settings.currency) == ("Asia/Hong_Kong", "HKD")
    assert source_of(loaded, "zone") == "default of HK"
    loaded = load(environment={"STORE_AGENT_REGION": "HK", "STORE_AGENT_ZONE": "Asia/Macau"})
    assert (loaded.settings.zone, source_of(loaded, "zone")) == ("Asia/Macau", "STORE_AGENT_ZONE")


def test_what_stands_later_wins_and_says_where_it_came_from(file: Path) -> None:
    file.write_text('# a store\nlanguage = "zh-HK"\nbatch_size = 7\n\n[central]\nport = 80\n', encoding="utf-8")
    environment = {"STORE_AGENT_CONFIG": str(file), "STORE_AGENT_BATCH_SIZE": "9", "STORE_AGENT_CENTRAL_HOST": "::1"}
    loaded = load(environment=environment, options={"central.host": "0.0.0.0", "central.port": None})
    assert loaded.settings.language == "zh-HK"
    assert loaded.settings.batch_size == 9
    assert (loaded.settings.central.port, loaded.settings.central.host) == (80, "0.0.0.0")
    assert source_of(loaded, "language") == f"{file}:2"
    assert source_of(loaded, "batch_size") == "STORE_AGENT_BATCH_SIZE"
    assert source_of(loaded, "central.port") == f"{file}:6"
    assert source_of(loaded, "central.host") == "command line"


def test_the_file_of_the_platform_is_read_and_may_be_missing(tmp_path: Path) -> None:
    assert load(environment={}).settings.language == "auto"
    folder = load(environment={}).file.parent
    folder.mkdir(parents=True)
    (folder / "config.toml").write_text('language = "en"', encoding="utf-8")
    assert load(environment={}).settings.language == "en"


def test_windows_byte_order_mark_is_no_part_of_the_first_key(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbfregion = 'HK'\r\n")
    assert load(str(file), {}).settings.region == "HK"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ('langage = "en"', ["langage", "config.toml:1", "Did you mean language?"]),
        ("[central]\nprot = 1", ["central.prot", "config.toml:2", "Did you mean central.port?"]),
        ("xyzzy = 1", ["xyzzy", "store-agent config"]),
        ("[language]\na = 1", ["language", "a text in double quotes"]),
        ("central = 5", ["central"]),
        ('language = "fr"', ["language", "'fr'", "config.toml:1", "auto, zh-TW, zh-HK, en"]),
        ('batch_size = "9"', ["batch_size", "'9'", "a whole number"]),
        ("batch_size = true", ["batch_size", "True", "a whole number"]),
        ("batch_size = 0", ["batch_size", "0", "between 1 and 1000"]),
        ("request_timeout_s = nan", ["request_timeout_s", "nan", "between 0.1 and 300"]),
        ('zone = "Asia/Tapei"', ["zone", "Asia/Tapei", "a time zone such as"]),
        ('zone = "../../etc/passwd"', ["zone", "a time zone such as"]),
        ('zone = "Asia"', ["zone", "a time zone such as"]),
        ('centre_url = "centre"', ["centre_url", "a full URL"]),
        ('centre_url = "https://centre:port"', ["centre_url", "a full URL"]),
        ('centre_url = "https://"', ["centre_url", "a full URL"]),
        ('data_folder = "a\\u0000b"', ["data_folder", "a path"]),
        ("[centrl]\nport = 1", ["centrl", "config.toml:1", "Did you mean [central]?"]),
        ("x = " + "[" * 50_000, ["TOML"]),
        ("language = en", ["TOML", "line 1"]),
        ("\x00", ["TOML"]),
    ],
)
def test_a_wrong_file_is_one_sentence_with_what_to_do(file: Path, text: str, words: list[str]) -> None:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(Trouble) as found:
        load(str(file), {})
    assert found.value.hint
    assert "\n" not in str(found.value)
    for word in words:
        assert word in str(found.value)


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({"STORE_AGENT_CENTER_URL": "x"}, ["STORE_AGENT_CENTER_URL", "Did you mean STORE_AGENT_CENTRE_URL?"]),
        ({"STORE_AGENT_BATCH_SIZE": "many"}, ["batch_size", "'many'", "STORE_AGENT_BATCH_SIZE"]),
        ({"STORE_AGENT_CONFIG": "/no/such/file"}, ["/no/such/file"]),
        ({"STORE_AGENT_CONFIG": "/"}, ["cannot be read"]),
    ],
)
def test_a_wrong_environment_is_one_sentence_with_what_to_do(environment: dict[str, str], words: list[str]) -> None:
    with pytest.raises(Trouble) as found:
        load(environment=environment)
    assert found.value.hint
    for word in words:
        assert word in str(found.value)


def test_a_file_in_another_charset_is_said(file: Path) -> None:
    file.write_bytes('language = "中"'.encode("big5"))
    with pytest.raises(Trouble, match="UTF-8"):
        load(str(file), {})


def test_the_home_folder_may_be_written_as_the_shell_has_it() -> None:
    settings = load(environment={"STORE_AGENT_DATA_FOLDER": "~/shop", "STORE_AGENT_KEY_FILE": "~/key"}).settings
    assert settings.data_path == Path.home() / "shop"
    assert settings.key_path == Path.home() / "key"


def test_an_empty_variable_is_not_set() -> None:
    assert load(environment={"STORE_AGENT_LANGUAGE": ""}).settings.language == "auto"


def test_secrets_are_hidden_where_they_are_shown_and_where_they_are_wrong(file: Path) -> None:
    environment = {
        "STORE_AGENT_KEY": "a-secret",
        "STORE_AGENT_CENTRAL_ADMIN_TOKEN": "a-secret",
        "STORE_AGENT_CENTRAL_DATABASE_URL": "postgresql://me:a-secret@db/centre",
    }
    loaded = load(environment=environment)
    assert loaded.settings.key == "a-secret"
    assert "a-secret" not in " ".join(str(one.shown) for one in loaded.listed)
    assert "me:" in " ".join(str(one.shown) for one in loaded.listed)
    file.write_text("[central]\nadmin_token = 12345678", encoding="utf-8")
    with pytest.raises(Trouble) as found:
        load(str(file), {})
    assert "12345678" not in str(found.value)


def test_every_setting_has_a_meaning_and_a_variable_of_its_own() -> None:
    assert all(field.metadata["doc"] for field in fields().values())
    assert len({variable_of(name) for name in fields()}) == len(fields())


@given(st.binary(max_size=80))
def test_whatever_bytes_a_file_has_there_is_an_answer_or_a_sentence(data: bytes) -> None:
    from store_agent.config import _from_file

    class Bytes(type(Path())):  # type: ignore[misc]
        def read_text(self, encoding: str | None = None, errors: str | None = None) -> str:
            return data.decode(encoding or "utf-8")

    try:
        list(_from_file(Bytes("config.toml"), True))
        hint = "none is needed"
    except Trouble as trouble:
        hint = trouble.hint
    assert hint


@pytest.mark.parametrize(
    ("url", "is_one"),
    [
        ("postgresql://u@h1,h2/db?target_session_attrs=read-write", True),
        ("postgresql://u:p@h1:5432,[::1]:5433/db", True),
        ("postgresql:///db?host=/run", True),
        ("postgresql://u@h1:5432,h2:x/db", False),
        ("postgresql://u@h1:0,h2/db", False),
    ],
)
def test_a_database_may_have_several_hosts_each_with_its_port(url: str, is_one: bool) -> None:
    if is_one:
        assert load(environment={}, options={"central.database_url": url}).settings.central.database_url == url
    else:
        with pytest.raises(Trouble, match="database_url"):
            load(environment={}, options={"central.database_url": url})
