"""How the counter looks, as text, in both sizes and both scripts: a change of looks is seen and meant.

`STORE_AGENT_DRAW=1 pytest tests/test_counter_pictures.py` draws them anew; look at them before they are kept.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from store_agent.words import use_language
from tests import counter_fixture as sample
from tests.counter_fixture import COFFEE, COOKIES, counter_at, open_store
from tests.screen_text import scan, screen_text
from tui.app import StoreApp

FOLDER = Path(__file__).parent / "snapshots"
SCENES = {
    "empty": ((), ()),
    "member": ((sample.WANG_CODE, COFFEE, COOKIES, COOKIES), ()),
    "redeem": ((sample.WANG_CODE, COFFEE, COOKIES, COOKIES), ("f2",)),
    "done": ((sample.WANG_CODE, COFFEE), ("f2", "enter")),
    "points": ((sample.WANG_CODE, COFFEE), ("f3",)),
    "hand-over": ((sample.READY_CODE,), ()),
    "board": ((), ("f8",)),
    "register": ((), (*"0988777666", "f4")),
    "tag": ((sample.WANG_CODE,), ("f6",)),
}


@pytest.fixture(autouse=True)
def _english() -> Iterator[None]:
    yield
    use_language("en")


@pytest.mark.parametrize("language", ["zh-TW", "en"])
@pytest.mark.parametrize("size", [(80, 24), (120, 40)], ids=["80x24", "120x40"])
async def test_the_counter_looks_as_it_was_drawn(tmp_path: Path, size: tuple[int, int], language: str) -> None:
    wrong = []
    for name, (codes, keys) in SCENES.items():
        use_language(language)
        with open_store(tmp_path / name) as replica:
            app = StoreApp(counter_at(replica))
            async with app.run_test(size=size) as pilot:
                await pilot.pause()
                await scan(pilot, *codes)
                await pilot.press(*keys)
                for _turn in range(3):
                    await pilot.pause()
                drawn = screen_text(app) + "\n"
        kept = FOLDER / f"{name}.{language}.{size[0]}x{size[1]}.txt"
        if os.environ.get("STORE_AGENT_DRAW"):
            FOLDER.mkdir(exist_ok=True)
            kept.write_text(drawn, encoding="utf-8")
        if not kept.exists() or kept.read_text(encoding="utf-8") != drawn:
            wrong.append(f"{kept.name}:\n{drawn}")
    assert not wrong, "\n".join(wrong)
