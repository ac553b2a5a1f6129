"""What `store-agent doctor` looks at beyond this machine: the journal, the centre, and whether the first rows came."""

from __future__ import annotations

import asyncio
from datetime import datetime

from store_agent.clock import SystemClock
from store_agent.config import Settings
from store_agent.desk import overviews
from store_agent.doctor import Check, Health
from store_agent.entry.report import first_data_percent
from store_agent.entry.store import open_key_of, open_replica
from store_agent.replica import standing
from store_agent.replica.journal import Journal
from store_agent.trouble import Trouble
from store_agent.words import _
from sync import wire
from sync.client import Client

ANSWER_WITHIN_S = 3.0
AHEAD_MOST_S = 120


def check_centre(settings: Settings) -> Check:
    """The centre of this store answers. That it does not is a note: the store works on without it."""
    try:
        url = settings.centre_url or _url_of_enrolment(settings)
    except Trouble as trouble:
        return Check("centre", Health.FAIL, trouble.what, trouble.hint or _("Ask the head office for help."))
    if not url:
        return Check("centre", Health.OK, _("This machine is not bound to a store yet."))
    try:
        health = asyncio.run(_ask(url))
    except Trouble as trouble:
        sentence = _("No centre answers at {url}: {what}").format(url=url, what=trouble.what)
        return Check(
            "centre", Health.WARN, sentence, _("The store works on without it. Check the line and the address.")
        )
    if not health.ok:
        sentence = _("The centre at {url} is in trouble.").format(url=url)
        return Check("centre", Health.WARN, sentence, _("The store works on without it. Tell the head office."))
    ahead_s = _ahead_s(health, SystemClock().now())
    if abs(ahead_s) > AHEAD_MOST_S:
        sentence = _("This clock is {count} seconds ahead of the centre's.")
        if ahead_s < 0:
            sentence = _("This clock is {count} seconds behind the centre's.")
        hint = _("Set the date and the time, best from the network.")
        return Check("centre", Health.WARN, sentence.format(count=f"{abs(ahead_s):,}"), hint)
    return Check("centre", Health.OK, _("The centre at {url} answers.").format(url=url))


def check_first_data(settings: Settings) -> Check:
    """Whether the centre's rows have come. While they have not, the store works with what happens in it."""
    try:
        if not (settings.data_path / "journal.db").exists():
            return Check("first-data", Health.OK, _("This machine is not bound to a store yet."))
        percent, is_ready = _first_data(settings)
    except OSError as error:
        return Check("first-data", Health.FAIL, str(error), _("Let this user write to it, or set data_folder."))
    except Trouble as trouble:
        return Check("first-data", Health.FAIL, trouble.what, trouble.hint or _("Ask the head office for help."))
    if is_ready:
        return Check("first-data", Health.OK, _("The first data are here."))
    sentence = _("The first data have not come yet.")
    if percent is not None:
        sentence = _("The first data are on their way: {percent} %.").format(percent=percent)
    hint = _("They come as soon as `store-agent` or `store-agent serve` runs and the centre answers.")
    return Check("first-data", Health.WARN, sentence, hint)


def _first_data(settings: Settings) -> tuple[int | None, bool]:
    with open_replica(settings) as replica:
        percent = first_data_percent(overviews.arriving(replica.cache))
        return percent, percent is None and any(position for position, _head in replica.cache.cursors().values())


def check_standing(settings: Settings) -> Check:
    """Whether this store accepts, and reads all that the centre says."""
    name = "standing"
    try:
        if not (settings.data_path / "journal.db").exists():
            return Check(name, Health.OK, _("This machine is not bound to a store yet."))
        with open_replica(settings) as replica:
            frozen, unread = replica.standing.frozen, replica.cache.unread_count()
    except Trouble as trouble:
        return Check(name, Health.FAIL, trouble.what, trouble.hint or _("Ask the head office for help."))
    except OSError as error:
        return Check(name, Health.FAIL, str(error.strerror), _("Let this user read it."))
    if frozen:
        return Check(name, Health.FAIL, standing.sentence(frozen), standing.hint())
    if unread:
        sentence = _("{count} rows of the centre need a newer version.").format(count=f"{unread:,}")
        return Check(name, Health.WARN, sentence, _("Update Store Agent."))
    return Check(name, Health.OK, _("This store accepts, and reads all that the centre says."))


def _ahead_s(health: wire.Health, now: datetime) -> int:
    """By how much the machine's clock is ahead of the centre's."""
    return round((now - health.at).total_seconds()) if health.at else 0


def _url_of_enrolment(settings: Settings) -> str:
    path = settings.data_path / "journal.db"
    try:
        if not path.exists():
            return ""
    except OSError:
        # The check of the folder has said so.
        return ""
    journal = Journal(path, open_key_of(settings))
    try:
        return journal.setting("centre_url")
    finally:
        journal.close()


async def _ask(url: str) -> wire.Health:
    async with Client(url, request_s=ANSWER_WITHIN_S) as client:
        return await client.health()
