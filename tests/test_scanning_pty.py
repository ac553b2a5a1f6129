"""Scans through a real pty: the driver, the parser and the timers of a real terminal, no stand-ins.

Run as a program, this file is the small app that the tests look at.
"""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import ClassVar

import pytest
import zxingcpp
from PIL import Image, ImageColor
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Button, Input, Static

if __name__ == "__main__":
    sys.path.insert(0, str(Path(__file__).parent.parent))

from tests.terminal import ENTER, GS, TAB, Terminal
from tui.scanning import Scanned, ScanningApp
from tui.widgets.code_box import CodeBox, FormField
from tui.widgets.qr_code import QrCode
from tui.widgets.status_bar import Distance, StatusBar

CODES = [f"471{number:09d}{number % 10}" for number in range(30)]


class Demo(ScanningApp[None]):
    """Shows every scan, submission and binding as a line that a test can wait for."""

    CSS_PATH = Path(__file__).parent.parent / "tui" / "store.tcss"
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("q", "quit", "Quit"),
        Binding("1", "seen('ONE')", "One"),
        Binding("ctrl+e", "seen('CTRL-E')", "Control", priority=True),
        Binding("f12", "seen('F12')", "F12", priority=True),
        Binding("ctrl+r", "start('box')", "Start again in the box", priority=True),
        Binding("ctrl+t", "start('button')", "Start again on the button", priority=True),
        Binding("ctrl+y", "start('name')", "Start again in a form", priority=True),
    ]

    def compose(self) -> ComposeResult:
        yield CodeBox(id="box")
        yield FormField(id="name")
        yield Button("Press", id="button")
        yield Static("scans 0", id="count")
        yield Static("", id="last")
        yield Static("", id="order")
        yield Static("", id="seen")
        yield Static("", id="round")
        yield QrCode(sys.argv[1] if len(sys.argv) > 1 else "")
        yield StatusBar()

    def on_mount(self) -> None:
        self.round = 0
        self.action_start("box")
        bar = self.query_one(StatusBar)
        bar.distance = Distance(datetime(2026, 3, 1, 1, tzinfo=UTC), 3, datetime(2026, 3, 1, 0, 5, tzinfo=UTC))
        bar.place = "[@click=app.quit]台北[/] \x1b[31mred"

    def on_scanned(self, message: Scanned) -> None:
        self.scans.append(message.text)
        self.query_one("#count", Static).update(f"scans {len(self.scans)}")
        shown = "".join(character if character.isprintable() else "~" for character in message.text)
        self.query_one("#last", Static).update(Content(f"<{shown}> by {message.ending}"))
        in_order = self.scans == CODES
        self.query_one("#order", Static).update("thirty in order" if in_order else "")

    def on_button_pressed(self) -> None:
        self.action_seen("PRESSED")

    def on_input_submitted(self, message: Input.Submitted) -> None:
        self.action_seen(f"submitted {message.value}")

    def action_start(self, focus: str) -> None:
        self.round += 1
        self.scans: list[str] = []
        self.things: list[str] = []
        for field in self.query(Input):
            field.value = ""
        for line in ("last", "order", "seen"):
            self.query_one(f"#{line}", Static).update("")
        self.query_one("#count", Static).update("scans 0")
        self.query_one("#round", Static).update(f"round {self.round} on {focus}.")
        self.set_focus(self.query_one(f"#{focus}"))

    def action_seen(self, thing: str) -> None:
        self.things.append(thing)
        self.query_one("#seen", Static).update(Content(f"seen: {', '.join(self.things)}"))


def open_demo(*words: str, lines: int = 24) -> Terminal:
    root = Path(__file__).parent.parent
    command = [sys.executable, str(Path(__file__)), *words]
    return Terminal(command, lines=lines, cwd=root, env={"PYTHONPATH": str(root)})


@pytest.fixture(scope="module")
def running() -> Iterator[Terminal]:
    """One app for the tests of this file, as starting it takes longer than most of them."""
    with open_demo() as terminal:
        terminal.wait_for("Offline since 08:05, 3 waiting")
        yield terminal


def start(terminal: Terminal, focus: str) -> Terminal:
    """Begin again, with nothing seen and the focus there.

    Asked until it is seen: in the wake of a scan that came too slowly, a control key belongs to it and fires nothing.
    """
    before = int(terminal.wait_for("round ").split("round ")[1].split()[0])

    def has_begun(shown: str) -> bool:
        number, _word, where = shown.split("round ")[1].split()[:3]
        return int(number) > before and where == f"{focus}."

    for _time in range(10):
        terminal.send({"box": "\x12", "button": "\x14", "name": "\x19"}[focus])
        with contextlib.suppress(AssertionError):
            terminal.wait_until(has_begun, f"a new round on {focus}", deadline_s=2.0)
            return terminal
    raise AssertionError(f"no new round on {focus} begins")


@pytest.fixture
def box(running: Terminal) -> Terminal:
    """The app, with the focus in the box."""
    return start(running, "box")


@pytest.fixture
def button(running: Terminal) -> Terminal:
    """The app, with the focus on a button, where keys are bindings."""
    return start(running, "button")


@pytest.fixture
def name(running: Terminal) -> Terminal:
    """The app, with the focus in a field of a form."""
    return start(running, "name")


SUFFIXES = ("\r", "\n", "\r\n", "\t", "")


def scan_each_suffix(terminal: Terminal, gap_s: float) -> bool:
    """Scan a code with each suffix, and see each taken; False if this machine could not keep a scanner's time."""
    for number, suffix in enumerate(SUFFIXES, start=1):
        code = f"11{number:02d}A9"
        if gap_s == 0.0:
            terminal.send(code + suffix)
        elif terminal.scan(code + suffix, gap_s) > gap_s + 0.015:
            return False
        terminal.wait_for(f"<{code}> by {'suffix' if suffix else 'silence'}")
        assert "seen" not in terminal.wait_for(f"scans {number}\n")
    return True


def is_taken(terminal: Terminal, gap_s: float, *, last_try: bool) -> bool:
    """Whether each scan was taken. Beside other tests the app, too, may be late for a key: a real fault comes thrice."""
    try:
        return scan_each_suffix(terminal, gap_s)
    except AssertionError:
        if last_try:
            raise
        return False


@pytest.mark.parametrize("gap_s", [0.0, 0.002, 0.012])
@pytest.mark.parametrize("focus", ["box", "button", "name"])
def test_a_scan_is_taken_whatever_the_gap_the_suffix_and_the_focus(running: Terminal, focus: str, gap_s: float) -> None:
    start(running, focus)
    tries = 0
    while not is_taken(running, gap_s, last_try=tries == 2):
        start(running, focus)
        tries += 1
    # The focus has not moved: what is typed now still goes where it was. (An Enter at once would be a late suffix.)
    running.send("z")
    running.wait_until(lambda shown: focus == "button" or "  z" in shown, "the typed letter")
    running.send(ENTER)
    shown = running.wait_for("seen: PRESSED" if focus == "button" else "seen: submitted z")
    assert "scans 5\n" in shown


def test_thirty_codes_in_one_write_are_taken_in_order(box: Terminal) -> None:
    box.send("".join(f"{code}\r\n" for code in CODES))
    shown = box.wait_for("thirty in order")
    assert "scans 30" in shown
    assert "seen" not in shown


def test_thirty_codes_with_tab_reach_no_button(button: Terminal) -> None:
    button.send("".join(code + TAB for code in CODES))
    shown = button.wait_for("thirty in order")
    assert "seen" not in shown


def test_the_separator_of_gs1_stays_in_the_code(box: Terminal) -> None:
    box.send(f"0104719512002889{GS}10ABC{GS}21XYZ\r")
    box.wait_for("<0104719512002889~10ABC~21XYZ> by suffix")


def test_the_separator_is_kept_where_the_terminal_names_keys(box: Terminal) -> None:
    box.send("0104\x1b[93;5u10AB\x1b[57441u\x1b[67;2;67u\x1b[13u")
    box.wait_for("<0104~10ABC> by suffix")


def test_a_burst_of_bound_keys_fires_none_and_one_typed_key_does(button: Terminal) -> None:
    button.send("qqqq1111\x05\x1b[24~q\r\n")
    shown = button.wait_for("<qqqq1111~q> by suffix")
    assert "seen" not in shown
    button.send("1")
    button.wait_for("seen: ONE")
    button.send("\x05")
    button.wait_for("seen: ONE, CTRL-E")


def test_one_q_alone_quits_and_a_burst_of_them_does_not() -> None:
    with open_demo() as terminal:
        terminal.wait_for("3 waiting")
        terminal.send("\x14")
        terminal.wait_for("on button.")
        terminal.send("qqqqq")
        terminal.wait_for("qqqqq")
        terminal.send("q")
        assert terminal.wait_for_end() == 0


def test_chinese_in_a_paste_is_one_scan(button: Terminal) -> None:
    button.paste("會員：王小明 q1")
    shown = button.wait_for("<會員：王小明 q1> by paste")
    assert "scans 1" in shown
    assert "seen" not in shown


def test_a_paste_of_several_lines_is_several_scans(box: Terminal) -> None:
    box.paste("\n".join(CODES) + "\n")
    shown = box.wait_for("thirty in order")
    assert "seen" not in shown


def test_a_file_pasted_by_mistake_is_refused_in_one_sentence(box: Terminal) -> None:
    box.paste("line\n" * 5000)
    assert "scans 0" in box.wait_for("Too many lines to be codes")


def test_a_paste_goes_into_a_forms_field(name: Terminal) -> None:
    name.paste("王\u202e小明")
    name.wait_for("王小明")
    name.send(ENTER)
    assert "scans 0" in name.wait_for("submitted 王小明")


def test_what_an_input_method_commits_goes_into_the_field(box: Terminal) -> None:
    box.send("王小明")
    box.wait_for("王小明")
    box.send(ENTER)
    assert "scans 0" in box.wait_for("submitted 王小明")


def test_fast_chinese_is_never_a_key_where_no_field_has_the_focus(button: Terminal) -> None:
    button.send("王q1小明\t")
    shown = button.wait_for("submitted 王q1小明")
    assert "scans 0" in shown
    assert "ONE" not in shown
    assert "PRESSED" not in shown


def test_typing_fast_is_typing(box: Terminal) -> None:
    box.scan("0912345678", 0.06)
    box.wait_for("0912345678")
    box.send(ENTER)
    assert "scans 0" in box.wait_for("submitted 0912345678")


def test_two_keys_rolled_into_one_another_come_in_order(box: Terminal) -> None:
    box.send("ab")
    box.wait_for("ab")
    box.send("c\r")
    assert "scans 0" in box.wait_for("submitted abc")


def test_a_scan_while_the_app_starts_breaks_nothing() -> None:
    with open_demo() as terminal:
        terminal.wait_until(lambda shown: b"\x1b[?1049h" in terminal.raw, "the other screen")
        terminal.send(f"{CODES[1]}\r")
        terminal.wait_for("3 waiting")
        terminal.send(f"{CODES[2]}\r")
        terminal.wait_for(f"<{CODES[2]}>")


def test_hostile_names_show_as_they_are(box: Terminal) -> None:
    assert "[@click=app.quit]台北[/] [31mred" in box.screenshot()


def photograph(terminal: Terminal, columns: int, lines: int, module_px: int = 4) -> Image.Image:
    """The terminal's cells as a camera sees them, two modules a cell, in the colours that were sent."""
    picture = Image.new("RGB", (columns * module_px, lines * module_px * 2))
    for line in range(lines):
        for column in range(columns):
            cell = terminal.cell(column, line)
            for half, drawn in enumerate((cell.data in "▀█", cell.data in "▄█")):
                colour = cell.fg if drawn else cell.bg
                ground = "121212" if colour == "default" else colour
                x, y = column * module_px, (line * 2 + half) * module_px
                picture.paste(ImageColor.getrgb(f"#{ground}"), (x, y, x + module_px, y + module_px))
    return picture


def test_a_qr_code_on_a_dark_screen_is_black_on_white_and_reads() -> None:
    with open_demo("MEMBER:0912345678", lines=40) as terminal:
        rows = terminal.wait_for("█▀▀▀▀▀█").split("\n")
        top = next(y for y, row in enumerate(rows) if "█▀▀▀▀▀█" in row)
        left = rows[top].index("█")
        for column, line in ((left - 4, top), (left - 1, top), (left, top - 2), (left, top - 1), (left, top)):
            assert terminal.cell(column, line).bg == "ffffff"
        assert terminal.cell(left, top).fg == "000000"
        codes = zxingcpp.read_barcodes(photograph(terminal, 80, 40), try_invert=False)
        assert [code.text for code in codes] == ["MEMBER:0912345678"]


def test_a_qr_code_that_does_not_fit_says_so_instead_of_showing_half() -> None:
    with open_demo("x" * 300) as terminal:
        shown = terminal.wait_for("Make the window larger to see the code.")
        assert "█▀▀▀▀▀█" not in shown


if __name__ == "__main__":
    Demo().run()
