"""Digits that come all at once: a PIN pad on USB types as fast as a scanner, and what it typed is never shown or looked up."""

from __future__ import annotations

from textual.widgets import Input

from store_agent.desk import scans
from store_agent.scan import ScanKind
from tui.dialogs.dialog import Dialog
from tui.scanning import Scanned


def fill(dialog: Dialog, message: Scanned, digits: tuple[int, int]) -> bool:
    """Whether these are the digits that the dialog's field waits for, which then holds them. A product's code is not."""
    text = message.text.strip()
    if not (text.isascii() and text.isdigit() and digits[0] <= len(text) <= digits[1]):
        return False
    if scans.read(dialog.counter, text).kind is ScanKind.PRODUCT:
        return False
    dialog.query_one(Input).value = text
    return True
