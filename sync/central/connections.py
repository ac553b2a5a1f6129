"""One connection to the ledger: only to a primary, and only a COMMIT that the synchronous standby has counts as done.

PostgreSQL answers a COMMIT whose wait for the standby was cancelled with COMMIT and a warning. Such a transaction is
visible, and gone when the standby takes over: whoever asked for it must not hear that it is done.
"""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from psycopg import AsyncConnection, AsyncTransaction
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.errors import Diagnostic

from store_agent.trouble import Trouble
from store_agent.words import _

log = logging.getLogger(__name__)

PRIMARY = ("read-write", "primary")
NOTICED = {
    "connect_timeout": 3,
    "keepalives_idle": 5,
    "keepalives_interval": 2,
    "keepalives_count": 3,
    "tcp_user_timeout": 10_000,
}
"""So that a primary which vanishes without a word is noticed within seconds. In seconds, the last in milliseconds."""
WAIT = "SyncRepWaitForLSN"
"""PostgreSQL's own name for the wait that was cancelled: the same in every language of its messages."""


class LedgerDown(Trouble):
    """PostgreSQL cannot be reached or does not take more work just now."""

    error = "ledger-down"
    """The fixed word for programs."""


class LedgerBusy(LedgerDown):
    """More requests wait for the ledger than can be served in time."""

    error = "busy"


class OutcomeUnknown(LedgerDown):
    """It was written on the primary, and whether it outlives it is not known. Asked again, it is done once all the same."""

    error = "outcome-unknown"


class LedgerConnection(AsyncConnection[tuple[Any, ...]]):
    """A connection that tells a COMMIT which is safe from one that only looks so."""

    def __init__(self, *given: Any, **named: Any) -> None:
        super().__init__(*given, **named)
        self._committing = False
        self._doubt = ""
        self.add_notice_handler(self._noticed)

    @asynccontextmanager
    async def transaction(
        self, savepoint_name: str | None = None, force_rollback: bool = False
    ) -> AsyncIterator[AsyncTransaction]:
        """As psycopg has it; raises OutcomeUnknown where the standby does not have what was committed."""
        try:
            async with super().transaction(savepoint_name, force_rollback) as transaction:
                yield transaction
                self._committing = True
        finally:
            self._committing = False
        self._check()

    async def commit(self) -> None:
        """As psycopg has it; raises OutcomeUnknown where the standby does not have what was committed."""
        self._committing = True
        try:
            await super().commit()
        finally:
            self._committing = False
        self._check()

    async def cancel_safe(self, *, timeout: float = 30.0) -> None:  # noqa: ASYNC109 (psycopg names it so)
        """Cancel what runs, unless it is a COMMIT: a cancelled one is visible at once, wherever else it is missing."""
        if self._committing:
            # The server goes on waiting for its standby by itself; that we no longer listen changes nothing.
            await self.close()
            return
        await super().cancel_safe(timeout=timeout)

    def _noticed(self, said: Diagnostic) -> None:
        if said.source_function == WAIT or (self._committing and said.severity_nonlocalized == "WARNING"):
            self._doubt = said.message_primary or WAIT

    def _check(self) -> None:
        if not self._doubt:
            return
        doubt, self._doubt = self._doubt, ""
        log.error("a transaction is on the primary alone, and nobody was told that it is done: %s", doubt)
        raise OutcomeUnknown(
            _("The ledger's standby did not confirm what was written."), _("Ask again; nothing is done twice.")
        )


def to_primary(url: str) -> str:
    """The same address, whichever of its hosts is the primary; a standby is never connected to."""
    given = conninfo_to_dict(url)
    wanted = {name: value for name, value in NOTICED.items() if name not in given}
    attrs = given.get("target_session_attrs")
    return make_conninfo(url, target_session_attrs=attrs if attrs in PRIMARY else PRIMARY[0], **wanted)
