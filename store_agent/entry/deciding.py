"""What head office decides at the centre from the command line: the same as over the admin API, straight on the ledger."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import msgspec

from store_agent.clock import SystemClock
from store_agent.config import Settings
from store_agent.domain.cases import Case
from store_agent.entry.report import case_as_plain
from store_agent.trouble import Trouble
from sync.central import own
from sync.central.endpoints import Declined
from sync.central.ground import Connection, open_pool, translated
from sync.central.office import deciding
from sync.central.office.strict import Malformed, decode_strictly

T = TypeVar("T")


def central_cases(settings: Settings, *, store: str, kind: str, state: str, page: int) -> dict[str, Any]:
    """A page of cases with their sums."""
    found = _ask(settings, lambda conn: deciding.list_cases(conn, store=store, kind=kind, state=state, page=page))
    now = SystemClock().now()
    return {
        "cases": [case_as_plain(case, now) for case in found.cases],
        "totals": msgspec.to_builtins(found.totals),
        "page": found.page,
        "more": found.more,
    }


def resolve_case(settings: Settings, case_id: str, decided: dict[str, Any]) -> dict[str, Any]:
    """Decide about a case; how it stands then."""
    now = SystemClock().now()
    try:
        request = decode_strictly(msgspec.json.encode(decided), deciding.ResolveRequest)
    except Malformed as error:
        raise Trouble(str(error)) from error
    after: Case = _ask(settings, lambda conn: deciding.resolve(conn, case_id, request, now))
    return case_as_plain(after, now)


def retry_operation(settings: Settings, op_id: str, note: str) -> list[dict[str, Any]]:
    """Try an operation again that waits; what came of it and of those behind it."""
    request = deciding.RetryRequest(note=note)
    now = SystemClock().now()
    done: list[dict[str, Any]] = msgspec.to_builtins(
        _ask(settings, lambda conn: deciding.retry(conn, op_id, request, now))
    )
    return done


def _ask(settings: Settings, work: Callable[[Connection], Awaitable[T]]) -> T:
    async def in_pool() -> T:
        async with open_pool(settings.central.database_url, size=1) as pool:
            return await own.in_transaction(pool, work)

    try:
        with translated():
            return asyncio.run(in_pool())
    except Declined as declined:
        raise Trouble(declined.sentence) from declined
