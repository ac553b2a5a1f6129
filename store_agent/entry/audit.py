"""Checking chains of hashes: a store's journal, or the ledger of a centre; and what is done after the ledger was restored."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

from store_agent.config import Settings
from store_agent.entry.store import open_key_of
from store_agent.replica import audit
from store_agent.replica.anchor import Anchor, Mark
from store_agent.replica.replica import open_key
from store_agent.trouble import Trouble
from store_agent.words import _
from sync.central import audit as ledger_audit
from sync.central.ground import open_pool, renew_incarnation

Tell = Callable[[int], None]


def verify(settings: Settings, file: str, key_file: str, anchor_file: str, tell: Tell) -> dict[str, object]:
    """What is wrong with a journal: this store's own, or a copy (a file, or a folder that holds one)."""
    path = _journal(settings, file)
    anchor = _anchor(settings, path, bool(file), anchor_file)
    report = audit.verify(path, _key(settings, path, key_file), anchor, tell)
    return _said(report) | {"file": str(path)}


def salvage(settings: Settings, out: str, file: str, key_file: str, tell: Tell) -> dict[str, object]:
    """Copy what is whole of a journal to a new file."""
    path = _journal(settings, file)
    return _said(audit.salvage(path, _key(settings, path, key_file), Path(out), tell)) | {"file": out}


def _said(report: audit.Report) -> dict[str, object]:
    return {
        "intact": not report.findings,
        "entries": report.entries,
        "device": report.device,
        "last": f"{report.last.epoch}.{report.last.seq}",
        "whole_to": f"{report.whole_to.epoch}.{report.whole_to.seq}",
        "findings": [
            {"damage": str(one.damage), "entry": f"{one.place.epoch}.{one.place.seq}", "page": one.number}
            for one in report.findings
        ],
    }


def _journal(settings: Settings, file: str) -> Path:
    path = Path(file) if file else settings.data_path
    return path / "journal.db" if path.is_dir() else path


def _key(settings: Settings, path: Path, key_file: str) -> bytes:
    if key_file:
        return open_key(Path(key_file), make=False)
    beside = path.with_name("store.key")
    if not settings.key and path.parent != settings.data_path and beside.exists():
        return open_key(beside, make=False)
    return open_key_of(settings)


def _anchor(settings: Settings, path: Path, is_copy: bool, anchor_file: str) -> Callable[[str], Mark | None]:
    """A copy is older than this store's own anchor, so only what lies beside it tells where it ended."""
    if anchor_file and not Path(anchor_file).exists():
        raise Trouble(_("{path} cannot be opened.").format(path=anchor_file))
    if anchor_file:
        return Anchor(Path(anchor_file)).read
    return Anchor(path.with_name("anchor") if is_copy else settings.anchor_path).read


def verify_ledger(settings: Settings, tell: Tell) -> dict[str, object]:
    """What is wrong with the chains in a ledger."""
    report = asyncio.run(_verify_ledger(settings.central.database_url, tell))
    return {
        "intact": not report.findings,
        "operations": report.operations,
        "devices": report.devices,
        "findings": [
            {"damage": one.damage, "device": one.device, "entry": f"{one.epoch}.{one.seq}"} for one in report.findings
        ],
    }


async def _verify_ledger(url: str, tell: Tell) -> ledger_audit.Report:
    async with open_pool(url, size=1) as pool, pool.connection() as conn:
        return await ledger_audit.verify(conn, tell)


def renew(settings: Settings) -> str:
    """Give the ledger a new name, after it was restored from a backup."""
    return asyncio.run(_renew(settings.central.database_url))


async def _renew(url: str) -> str:
    async with open_pool(url, size=1) as pool, pool.connection() as conn:
        return await renew_incarnation(conn)
