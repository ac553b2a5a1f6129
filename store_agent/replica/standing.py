"""Whether this device may write: not while its journal is not the one that wrote last, until a new epoch began well.

A frozen store shows and looks up as always and accepts nothing. It thaws once the centre has given a new epoch and the
store has read its streams to where they ended at that moment: then all that the centre holds of this device is in the
rows.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum

from store_agent.replica.anchor import Anchor, Mark
from store_agent.replica.journal import FIRST_HASH, Journal, Place
from store_agent.trouble import Trouble
from store_agent.words import _


class Freeze(StrEnum):
    """Why a store accepts nothing."""

    ROLLED_BACK = "rolled-back"
    """The anchor or the centre knows of operations that this journal does not hold: an older one was put in its place."""
    FORKED = "forked"
    """The centre holds another operation under a number of this journal: two journals wrote as one device."""
    OTHER_EPOCH = "other-epoch"
    """The centre gave this device an epoch that this journal knows nothing of."""


class Frozen(Trouble):
    """Nothing is accepted just now."""

    def __init__(self, why: str) -> None:
        super().__init__(sentence(why), hint())


def sentence(why: str) -> str:
    """What happened, for a person."""
    if why == Freeze.FORKED:
        return _("Two copies of this store's journal were written to.")
    if why == Freeze.OTHER_EPOCH:
        return _("This journal is older than what the centre knows of this machine.")
    return _("An older journal was put in the place of this store's own.")


def hint() -> str:
    """What to do about it."""
    return _(
        "Nothing is lost and nothing is accepted until the centre was asked: connect the line and wait. It goes on by"
        " itself."
    )


class Standing:
    """What the journal, the anchor and the centre together say of who this device is."""

    def __init__(self, journal: Journal, anchor: Anchor) -> None:
        self._journal = journal
        self._anchor = anchor

    def check(self, device: str) -> None:
        """On opening: freeze where the anchor knows more than the journal."""
        # The anchor first: meanwhile another process may write to both, the journal always before the anchor.
        mark = self._anchor.read(device) if device else None
        if mark is None:
            return
        epoch = self.epoch()
        if mark.place.epoch > epoch:
            self.freeze(Freeze.ROLLED_BACK)
        elif mark.place.epoch == epoch and mark.place.seq:
            found = self._journal.hash_at(mark.place)
            if found != mark.hash:
                self.freeze(Freeze.FORKED if found else Freeze.ROLLED_BACK)

    def epoch(self) -> int:
        """The chain that is being written."""
        return int(self._journal.setting("epoch") or "1")

    def open_epoch(self) -> int:
        """The same, for whoever writes now; raises `Frozen`."""
        epoch, why = self._journal.settings("epoch", "frozen")
        if why:
            raise Frozen(why)
        return int(epoch or "1")

    @property
    def frozen(self) -> str:
        """Why nothing is accepted, one of `Freeze`; empty where all is well."""
        return self._journal.setting("frozen")

    def freeze(self, why: Freeze) -> None:
        """Accept nothing from now on, in any process of this store. What froze it first is what is told."""
        # What was read to catch up with an epoch that is no more the newest counts for nothing.
        self._journal.keep(frozen=self.frozen or why, catch_up="")

    def begin_epoch(self, device: str, epoch: int, incarnation: str, heads: Mapping[str, int]) -> None:
        """The centre gave this device a new chain. Entries of the old ones stay as they are."""
        frozen = self.frozen
        catch_up = json.dumps({"incarnation": incarnation, "heads": heads}) if frozen else ""
        self._journal.keep(epoch=str(epoch), catch_up=catch_up)
        self._anchor.write(device, Mark(Place(epoch, 0), FIRST_HASH), sync=True)

    def needs_epoch(self, incarnation: str) -> bool:
        """Whether the centre has still to be asked for a new epoch; again where it was restored since."""
        frozen, catch_up = self._journal.settings("frozen", "catch_up")
        return bool(frozen) and (not catch_up or json.loads(catch_up)["incarnation"] != incarnation)

    def thaw(self, incarnation: str, cursors: Mapping[str, int]) -> bool:
        """Accept again, if the streams were read to where they ended when the epoch was given."""
        frozen, text = self._journal.settings("frozen", "catch_up")
        if not frozen or not text:
            return False
        wanted = json.loads(text)
        read = all(cursors.get(stream, 0) >= head for stream, head in wanted["heads"].items())
        if wanted["incarnation"] != incarnation or not read:
            return False
        self._journal.keep(frozen="", catch_up="")
        return True
