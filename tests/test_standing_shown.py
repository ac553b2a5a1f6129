"""Where a store stands is said in one line: on the screen, by `status` and by `doctor`, in every language."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import pytest

from store_agent.config import Settings
from store_agent.doctor import Health
from store_agent.entry import check_standing
from store_agent.entry import status as status_of
from store_agent.replica import Replica
from store_agent.replica.cache import Absorbed, Arrival
from store_agent.replica.standing import Freeze
from store_agent.words import LANGUAGES, use_language
from tests.test_replica import KEY, begin
from tui.widgets.status_bar import Distance, distance_in_words

NOW = datetime(2026, 11, 21, 4, tzinfo=UTC)


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """A store in a folder of its own."""
    begin(tmp_path).close()
    (tmp_path / "store.key").write_text(KEY.hex())
    return Settings(data_folder=str(tmp_path), key_file=str(tmp_path / "store.key"))


def test_status_and_doctor_say_that_nothing_is_accepted_and_why(settings: Settings) -> None:
    assert check_standing(settings).health is Health.OK
    said = status_of(settings)
    assert (said["frozen"], said["frozen_because"], said["catching_up"], said["epoch"]) == ("", "", False, 1)
    with Replica(settings.data_path, KEY) as replica:
        replica.standing.freeze(Freeze.ROLLED_BACK)
    said = status_of(settings)
    assert (said["frozen"], said["in_step"]) == ("rolled-back", False)
    assert "older journal" in str(said["frozen_because"])
    check = check_standing(settings)
    assert (check.health, "older journal" in check.sentence) == (Health.FAIL, True)
    assert "It goes on by itself" in check.hint


def test_rows_that_need_a_newer_version_are_counted(settings: Settings) -> None:
    with Replica(settings.data_path, KEY) as replica:
        body = json.dumps({"id": "x"})
        replica.cache.absorb(Absorbed([Arrival("of_tomorrow", "x", 1, body)]))
    assert status_of(settings)["unread"] == 1
    check = check_standing(settings)
    assert (check.health, check.hint) == (Health.WARN, "Update Store Agent.")


def test_no_store_is_no_trouble_and_a_missing_key_is(settings: Settings, tmp_path: Path) -> None:
    assert check_standing(Settings(data_folder=str(tmp_path / "nothing"))).health is Health.OK
    settings.key_path.unlink()
    assert check_standing(settings).health is Health.FAIL


def test_the_last_line_of_the_screen_says_frozen_before_anything_else() -> None:
    frozen = Distance(NOW, 3, NOW, 9, is_frozen=True, is_catching_up=True)
    assert distance_in_words(frozen) == "Nothing is accepted: this store has to ask the centre first"
    anew = Distance(NOW, 3, None, 12_345, is_catching_up=True)
    assert distance_in_words(anew) == "The centre was restored: catching up, 12,345 to go"
    lines = set()
    try:
        for language in LANGUAGES:
            use_language(language)
            lines |= {distance_in_words(frozen), distance_in_words(anew)}
    finally:
        use_language("en")
    assert len(lines) >= 4
