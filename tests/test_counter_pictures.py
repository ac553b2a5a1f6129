"""How the counter looks, as text, in both sizes and both scripts: a change of looks is seen and meant.

`STORE_AGENT_DRAW=1 pytest tests/test_counter_pictures.py` draws them anew; look at them before they are kept.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from textual.pilot import Pilot

from store_agent.words import use_language
from tests import counter_fixture as sample
from tests.counter_fixture import COFFEE, COOKIES, counter_at, open_store
from tests.screen_text import scan, screen_text
from tui.app import StoreApp

FOLDER = Path(__file__).parent / "snapshots"
CARD = (sample.WANG_CODE, COFFEE, COOKIES, COOKIES)
SCENES = {
    "empty": ((), ()),
    "board": ((), ("f8",)),
    "register": ((), (*"0988777666", "f4")),
    "stock": ((), (*COFFEE[1:], "f7")),
    "hand-over": ((sample.READY_CODE,), ()),
    "tag": ((sample.WANG_CODE,), ("f6",)),
    "edit": ((sample.WANG_CODE,), ("f4",)),
    "code": ((sample.WANG_CODE,), ("ctrl+r",)),
    "points": ((sample.WANG_CODE, COFFEE), ("f3",)),
    "member": (CARD, ()),
    "redeem": (CARD, ("f2",)),
    "done": (CARD, ("f2", "enter")),
}
"""What is scanned and pressed for each. One follows the other in one application, so the only one that buys is last."""
WIDE = ("board", "member", "redeem", "code")
"""The scenes that a wide screen draws differently."""
PLACES = {(80, 24): tuple(SCENES), (120, 40): WIDE}


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    yield
    use_language("en")


@pytest.mark.parametrize("language", ["zh-TW", "en"])
@pytest.mark.parametrize("size", PLACES, ids=["80x24", "120x40"])
async def test_the_counter_looks_as_it_was_drawn(tmp_path: Path, size: tuple[int, int], language: str) -> None:
    use_language(language)
    with open_store(tmp_path) as replica:
        async with StoreApp(counter_at(replica)).run_test(size=size) as pilot:
            await pilot.pause()
            wrong = [seen for name in PLACES[size] if (seen := await _differs(pilot, name, language))]
    assert not wrong, "\n".join(wrong)


async def _differs(pilot: Pilot[None], name: str, language: str) -> str:
    """What the screen shows where it is not as it was kept; then back to an empty counter."""
    codes, keys = SCENES[name]
    await scan(pilot, *codes)
    await pilot.press(*keys)
    for _turn in range(3):
        await pilot.pause()
    drawn = screen_text(pilot.app) + "\n"
    await pilot.press("escape", "f9")
    await pilot.pause()
    width, height = pilot.app.size
    kept = FOLDER / f"{name}.{language}.{width}x{height}.txt"
    if os.environ.get("STORE_AGENT_DRAW"):
        FOLDER.mkdir(exist_ok=True)
        kept.write_text(drawn, encoding="utf-8")
    is_same = kept.exists() and kept.read_text(encoding="utf-8") == drawn
    return "" if is_same else f"{kept.name}:\n{drawn}"
