"""What `store-agent doctor` looks at beyond this machine: the store's journal, and whether its centre answers."""

from __future__ import annotations

import asyncio

from store_agent.config import Settings
from store_agent.doctor import Check, Health
from store_agent.entry.store import open_key_of
from store_agent.replica.journal import Journal
from store_agent.trouble import Trouble
from store_agent.words import _
from sync.client import Client

ANSWER_WITHIN_S = 3.0


def check_centre(settings: Settings) -> Check:
    """The centre of this store answers. That it does not is a note: the store works on without it."""
    try:
        url = settings.centre_url or _url_of_enrolment(settings)
    except Trouble as trouble:
        return Check("centre", Health.FAIL, trouble.what, trouble.hint or _("Ask the head office for help."))
    if not url:
        return Check("centre", Health.OK, _("This machine is not bound to a store yet."))
    try:
        healthy = asyncio.run(_ask(url))
    except Trouble as trouble:
        sentence = _("No centre answers at {url}: {what}").format(url=url, what=trouble.what)
        return Check(
            "centre", Health.WARN, sentence, _("The store works on without it. Check the line and the address.")
        )
    if not healthy:
        sentence = _("The centre at {url} is in trouble.").format(url=url)
        return Check("centre", Health.WARN, sentence, _("The store works on without it. Tell the head office."))
    return Check("centre", Health.OK, _("The centre at {url} answers.").format(url=url))


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


async def _ask(url: str) -> bool:
    async with Client(url, request_s=ANSWER_WITHIN_S) as client:
        return (await client.health()).ok
