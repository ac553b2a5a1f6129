"""`python -m tests.pictures`: draws the screens that the READMEs show, from the real application, into docs/pictures."""

from __future__ import annotations

import asyncio
import html
import re
import tempfile
from pathlib import Path

from rich.cells import cell_len

from store_agent.words import use_language
from tests import counter_fixture as sample
from tests.counter_fixture import COFFEE, COOKIES, counter_at, open_store
from tests.screen_text import scan
from tui.app import StoreApp

FOLDER = Path(__file__).parents[1] / "docs" / "pictures"
SIZE = (110, 34)
SCENES = {
    "counter": ((sample.WANG_CODE, COFFEE, COOKIES, COOKIES), ()),
    "redeem": ((sample.WANG_CODE, COFFEE, COOKIES, COOKIES), ("f2",)),
    "pickups": ((), ("f8",)),
}
FONTS = re.compile(r"@font-face\s*\{.*?\}", re.DOTALL)
"""A picture asks no outside host for letters: the reader's own monospaced font will do."""

PIECE = re.compile(r'textLength="([0-9.]+)"([^>]*)>([^<]*)</text>')
CELL_PX = 12.2
"""The width of one cell in the exporter's pictures."""


async def draw(name: str, language: str, folder: Path) -> str:
    """One screen as SVG."""
    use_language(language)
    codes, keys = SCENES[name]
    with open_store(folder) as replica:
        app = StoreApp(counter_at(replica))
        async with app.run_test(size=SIZE) as pilot:
            await pilot.pause()
            await scan(pilot, *codes)
            await pilot.press(*keys)
            for _turn in range(3):
                await pilot.pause()
            return PIECE.sub(_widen, FONTS.sub("", app.export_screenshot(title="Store Agent")))


def _widen(piece: re.Match[str]) -> str:
    """The exporter counts characters where it should count cells, which squeezes Chinese to half its width."""
    return f'textLength="{cell_len(html.unescape(piece[3])) * CELL_PX:g}"{piece[2]}>{piece[3]}</text>'


def main() -> None:
    """All of them, in both of the READMEs' languages."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for language, ending in (("en", ""), ("zh-TW", ".zh-TW")):
        for name in SCENES:
            with tempfile.TemporaryDirectory() as folder:
                picture = asyncio.run(draw(name, language, Path(folder)))
            (FOLDER / f"{name}{ending}.svg").write_text(picture, encoding="utf-8")
            print(FOLDER.name, f"{name}{ending}.svg")


if __name__ == "__main__":
    main()
