"""What was scanned at this counter: signed codes read with the chain's keys, and the row that a code names."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any
from zoneinfo import ZoneInfo

from store_agent.codes import SignedCode, SignedScan, read_code, signed_reader
from store_agent.desk.counter import Counter
from store_agent.domain.code_uses import CodeUse, refuse_used
from store_agent.domain.keys import CodeKind, Key
from store_agent.domain.operation import Refusal
from store_agent.scan import Scan, read_scan

TAIWAN = ZoneInfo("Asia/Taipei")
"""Where the days of an e-invoice are counted, whichever store it is shown in."""


def read(counter: Counter, text: str, wanted: Collection[CodeKind] = tuple(CodeKind)) -> Scan:
    """What a scanned or typed text is, here and now. `wanted`: the kinds of signed codes that are of use here."""
    store, now = counter.store, counter.now()

    def is_used(use_id: str) -> Refusal | None:
        return refuse_used(counter.replica.view.get(CodeUse.table, use_id))

    def read_signed(signed: str) -> SignedCode | Refusal:
        keys: list[Key] = counter.replica.view.all(Key.table)
        return read_code(signed, keys, now, keys[0].chain if keys else "", store.id, wanted=wanted, refuse_used=is_used)

    today = now.astimezone(TAIWAN).date()
    return read_scan(text, region=store.region, today=today, read_signed=signed_reader(read_signed))


def refusal_of(scan: Scan) -> Refusal | None:
    """Why a signed code is not taken, if it is one."""
    return scan.refusal if isinstance(scan, SignedScan) else None


def signed_in(scan: Scan) -> SignedCode | None:
    """What a signed code says, if it is one and is taken."""
    return scan.signed if isinstance(scan, SignedScan) else None


def row_of(counter: Counter, table: str, scan: Scan, column: str = "code") -> Any:
    """The row that a code names, or None: a signed code says its id, a plain one what stands in a column of it."""
    view = counter.replica.view
    if isinstance(scan, SignedScan):
        return view.get(table, scan.value)
    found = view.find(table, column, scan.value)
    return found[0] if found else None
