"""Where things are built and put together; the only place that knows every part. One file for each way of starting.

Imports are made where they are needed, so that `--help` does not wait for a screen or a database driver.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from store_agent.config import Settings

if TYPE_CHECKING:
    from store_agent.doctor import Check


def open_screen(settings: Settings) -> int:
    """The counter, until the person at it quits; its exit code."""
    from store_agent.entry.screen import open_screen

    return open_screen(settings)


def serve(settings: Settings) -> None:
    """The store without a screen, until it is told to stop."""
    from store_agent.entry.store import serve

    serve(settings)


def run_central(settings: Settings, tell: Callable[[str], None]) -> None:
    """The centre, until it is told to stop; `tell` hears where it listens."""
    from store_agent.entry.centre import run_central

    run_central(settings, tell)


def enroll(settings: Settings, url: str, code: str) -> dict[str, object]:
    """Bind this machine to a store; says which."""
    from store_agent.entry.store import enroll

    return enroll(settings, url, code)


def status(settings: Settings) -> dict[str, object]:
    """How far this store is from the centre."""
    from store_agent.entry.report import status

    return status(settings)


def member(settings: Settings, text: str) -> dict[str, object]:
    """What this store knows of a member."""
    from store_agent.entry.report import member

    return member(settings, text)


def cases(settings: Settings) -> list[dict[str, Any]]:
    """What waits for somebody to decide at this store."""
    from store_agent.entry.report import cases

    return cases(settings)


def central_cases(settings: Settings, *, store: str, kind: str, state: str, page: int) -> dict[str, Any]:
    """Cases of all stores, with their sums."""
    from store_agent.entry.deciding import central_cases

    return central_cases(settings, store=store, kind=kind, state=state, page=page)


def resolve_case(settings: Settings, case_id: str, decided: dict[str, Any]) -> dict[str, Any]:
    """Decide about a case at the centre; how it stands then."""
    from store_agent.entry.deciding import resolve_case

    return resolve_case(settings, case_id, decided)


def retry_operation(settings: Settings, op_id: str, note: str) -> list[dict[str, Any]]:
    """Try an operation again that waits at the centre."""
    from store_agent.entry.deciding import retry_operation

    return retry_operation(settings, op_id, note)


def verify_journal(
    settings: Settings, file: str, key_file: str, anchor_file: str, tell: Callable[[int], None]
) -> dict[str, object]:
    """What is wrong with a journal."""
    from store_agent.entry.audit import verify

    return verify(settings, file, key_file, anchor_file, tell)


def salvage_journal(
    settings: Settings, out: str, file: str, key_file: str, tell: Callable[[int], None]
) -> dict[str, object]:
    """Copy what is whole of a journal."""
    from store_agent.entry.audit import salvage

    return salvage(settings, out, file, key_file, tell)


def verify_ledger(settings: Settings, tell: Callable[[int], None]) -> dict[str, object]:
    """What is wrong with the chains in a ledger."""
    from store_agent.entry.audit import verify_ledger

    return verify_ledger(settings, tell)


def renew_ledger(settings: Settings) -> str:
    """Give the ledger a new name, after it was restored."""
    from store_agent.entry.audit import renew

    return renew(settings)


def check_centre(settings: Settings) -> Check:
    """Whether the centre of this store answers."""
    from store_agent.entry.checks import check_centre

    return check_centre(settings)


def check_first_data(settings: Settings) -> Check:
    """Whether the centre's rows have come to this store."""
    from store_agent.entry.checks import check_first_data

    return check_first_data(settings)


def check_standing(settings: Settings) -> Check:
    """Whether the store of this machine accepts."""
    from store_agent.entry.checks import check_standing

    return check_standing(settings)


def run_demo(options: dict[str, Any]) -> int:
    """All of it on one machine with a sample chain."""
    from store_agent.demo.running import run_demo

    return run_demo(**options)
