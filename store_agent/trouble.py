"""What went wrong outside of us, said so that a person can act on it. Bugs are never of this kind."""

from __future__ import annotations


class Trouble(Exception):
    """Something outside failed: the cable, a disk, a file, a key. Foreign errors become this where they enter.

    `what` says in one sentence what happened, `hint` what to do; both are already in the reader's language.
    """

    def __init__(self, what: str, hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.what} {self.hint}".strip()
