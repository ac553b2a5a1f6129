"""The last line of every screen: how far this store is from the centre."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from textual.content import Content
from textual.reactive import reactive
from textual.widget import Widget

from store_agent.desk.overviews import Arriving
from store_agent.desk.rights import Covered
from store_agent.safe_text import safe_text
from store_agent.words import _, formats

FEW = 200
"""Fewer rows than these are the day's news and no catching up."""


@dataclass(frozen=True, slots=True)
class Distance:
    """How far this store is from the centre, as of a moment."""

    as_of: datetime
    """When this was so, aware; tells whether `offline_since` was today."""
    waiting: int = 0
    """Operations that the centre has not answered."""
    offline_since: datetime | None = None
    """Aware; None while the centre answers."""
    behind: int = 0
    """Rows that the centre has and this store does not yet."""
    is_heard: bool = True
    """Whether the centre was ever heard."""
    cover: Covered | None = None
    """What may still be risked with the cable out; said only while it is."""
    arriving: Arriving | None = None
    """The first data are on their way."""
    is_frozen: bool = False
    """Nothing is accepted, because this store's journal is not the one that wrote last."""
    is_catching_up: bool = False
    """The centre was restored and is read anew, from the first row on."""


class StatusBar(Widget):
    """Shows place and distance. Bind both from the app: `StatusBar().data_bind(place=…, distance=…)`."""

    DEFAULT_CSS = """
    StatusBar { dock: bottom; height: 1; padding: 0 1; }
    """

    distance: reactive[Distance | None] = reactive(None)
    place: reactive[str] = reactive("")
    """Store and staff: data, so shown as safe text."""

    def watch_distance(self, distance: Distance | None) -> None:
        """Offline is also a colour (the class `-offline`); the words stand without it."""
        is_alone = distance is not None and (distance.is_frozen or distance.offline_since is not None)
        self.set_class(is_alone, "-offline")
        self.set_class(distance is not None and distance.offline_since is None and distance.waiting > 0, "-waiting")

    def render(self) -> Content:
        """One line; the distance first, as a narrow window cuts the end."""
        parts = [distance_in_words(self.distance), cover_in_words(self.distance), safe_text(self.place)]
        return Content("  ·  ".join(part for part in parts if part))


def distance_in_words(distance: Distance | None) -> str:
    """The distance as a sentence; empty before it is known."""
    if distance is None:
        return ""
    if distance.is_frozen:
        return _("Nothing is accepted: this store has to ask the centre first")
    if distance.arriving:
        return arriving_in_words(distance.arriving)
    if distance.offline_since is None:
        if distance.is_catching_up:
            return _("The centre was restored: catching up, {count} to go").format(count=f"{distance.behind:,}")
        if not distance.is_heard:
            return _("No word from the centre yet")
        if distance.behind > FEW:
            return _("Catching up with the centre, {count} to go").format(count=f"{distance.behind:,}")
        if distance.waiting == 0:
            return _("In step with the centre")
        return _("{count} waiting for the centre").format(count=distance.waiting)
    since = formats.moment(distance.offline_since, distance.as_of)
    if distance.waiting == 0:
        return _("Offline since {moment}").format(moment=since)
    return _("Offline since {moment}, {count} waiting").format(moment=since, count=distance.waiting)


def cover_in_words(distance: Distance | None) -> str:
    """For how much this device may still stand; empty while the centre answers, as then it is asked."""
    if distance is None or distance.is_frozen or distance.offline_since is None or distance.cover is None:
        return ""
    cover = distance.cover
    left, most = (formats.money(minor, cover.currency) for minor in (cover.left_minor, cover.most_minor))
    return _("covered: {left} of {most} left").format(left=left, most=most)


def arriving_in_words(arriving: Arriving) -> str:
    """How far the first data are: bytes that came, then rows that are put in order."""
    percent = arriving.percent
    if arriving.is_here:
        return _("First data: being put in order, {percent} %").format(percent=percent)
    # In the unit of the whole, so that the two numbers can be compared; a megabyte is what disks and lines count.
    unit, size = ("MB", 1_000_000) if arriving.whole >= 1_000_000 else ("kB", 1_000)
    done, whole = f"{arriving.done // size} {unit}", f"{-(-arriving.whole // size)} {unit}"
    return _("First data: {percent} %, {done} of {whole}").format(percent=percent, done=done, whole=whole)
