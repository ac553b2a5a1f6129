"""Bugs of the ledger and of what comes before it."""

from __future__ import annotations

from typing import Any

from sync.central import exchange, judging, ledger
from tests.plants import PLANTS as OLDER
from tests.simulator.planting import Plant, instead, rewritten


async def _none_before(_conn: Any, _first: Any) -> set[str]:
    return set()


AT_CENTRE_PLANTS: dict[str, Plant] = {
    "no deduplication at the centre": Plant(
        "the centre applies whatever comes, as if it had never seen it", OLDER["no deduplication at the centre"]
    ),
    "device as it was": Plant(
        "where a device's chain ends is taken from before its row was locked",
        rewritten(exchange, "_push", "device = await devices.lock(conn, device)", "await devices.lock(conn, device)"),
    ),
    "not judged": Plant(
        "the centre takes what a store accepted for right and asks no rule",
        rewritten(ledger, "judge", "refusal = operation.judge(before)", "refusal = None"),
    ),
    "refused is undone": Plant(
        "what the centre would have refused has no effect there",
        rewritten(
            ledger,
            "judge",
            "after = operation.effect(before)",
            "after = before if refusal else operation.effect(before)",
        ),
    ),
    "rows not locked": Plant(
        "rows are read without a lock and written back later",
        rewritten(ledger, "begin", "[*keys, *around], lock=True", "[*keys, *around], lock=False"),
    ),
    "a repeat is a case": Plant(
        "what was done already and changes nothing opens a case",
        rewritten(
            judging,
            "case_of",
            "None if after == before else BROKEN.get(operation.table)",
            "BROKEN.get(operation.table)",
        ),
    ),
    "crash stops the push": Plant(
        "a rule that crashes ends the whole push, again and again",
        rewritten(ledger, "judge", "except Exception as error", "except ArithmeticError as error"),
    ),
    "merged at the centre only": Plant(
        "what is said of a member's second id is written on rows of that id",
        rewritten(
            ledger, "judge", "operation = readdress(entry.operation, batch.stays)", "operation = entry.operation"
        ),
    ),
    "batch backwards": Plant(
        "operations of one push are applied in another order than they happened",
        rewritten(ledger, "apply", "for entry in entries:", "for entry in reversed(entries):"),
    ),
    "conflicts forgotten": Plant(
        "a step that came too late is forgotten by the next push, which does the rest of it",
        instead(ledger, "conflicts_before", _none_before),
    ),
}
