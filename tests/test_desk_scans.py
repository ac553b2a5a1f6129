"""Scans at a counter: a signed code names a row of this store, and one that is wrong says why."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from store_agent.codes import write_code
from store_agent.desk import members, scans
from store_agent.desk.counter import Counter
from store_agent.domain.keys import CodeReason
from store_agent.scan import ScanKind
from store_agent.words import use_language
from tests.counter_fixture import LI, WANG, WANG_CODE, absorb, counter_at, open_store
from tests.screen_text import scan, screen_text
from tests.signed_examples import CARD, DAY, KEY, NEXT_SECRET, NOW, SECRET
from tui.app import StoreApp

WANGS_CARD = write_code(replace(CARD, subject=WANG), SECRET)


@pytest.fixture
def counter(tmp_path: Path) -> Counter:
    """A store that has the chain's key, with nothing but its own disk."""
    replica = open_store(tmp_path)
    absorb(replica, [replace(KEY, valid_from=NOW - DAY, valid_until=None)])
    return counter_at(replica)


def test_a_signed_card_and_a_plain_one_name_the_same_member(counter: Counter) -> None:
    for text in (WANGS_CARD, WANG_CODE):
        read = scans.read(counter, text)
        assert read.kind is ScanKind.MEMBER_CODE
        assert scans.refusal_of(read) is None
        member = members.by_code(counter, read)
        assert member is not None
        assert member.id == WANG


def test_a_card_by_a_key_that_is_not_the_chains_is_nobodys(counter: Counter) -> None:
    read = scans.read(counter, write_code(replace(CARD, subject=LI), NEXT_SECRET))
    refusal = scans.refusal_of(read)
    assert refusal is not None
    assert refusal.reason is CodeReason.UNKNOWN_KEY


async def test_at_the_counter_a_signed_card_opens_its_member_and_an_altered_one_says_so(counter: Counter) -> None:
    use_language("en")
    app = StoreApp(counter)
    altered = WANGS_CARD[:-1] + ("0" if WANGS_CARD[-1] != "0" else "1")
    async with app.run_test(size=(80, 24)) as pilot:
        await scan(pilot, altered)
        assert "王小明" not in screen_text(app)
        assert "✗" in screen_text(app)
        await scan(pilot, WANGS_CARD)
        assert "王小明" in screen_text(app)
