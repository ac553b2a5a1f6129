"""Bugs of the ledger and of what comes before it."""

from __future__ import annotations

from sync.central import cases, exchange, ledger
from tests.plants import PLANTS as OLDER
from tests.simulator.planting import Plant, instead, rewritten

AT_CENTRE_PLANTS: dict[str, Plant] = {
    "no deduplication at the centre": Plant(
        "the centre applies whatever comes, as if it had never seen it", OLDER["no deduplication at the centre"]
    ),
    "device as it was": Plant(
        "where a device's chain ends is taken from before its row was locked",
        rewritten(exchange, "_push", "device = await devices.lock(conn, device)", "await devices.lock(conn, device)"),
    ),
    "never tried again": Plant(
        "two transactions that meet are not tried again",
        instead(ledger, "is_worth_another_try", lambda error, attempt: False),
    ),
    "not judged": Plant(
        "the centre takes what a store accepted for right and asks no rule",
        rewritten(ledger, "_judge", "refusal = operation.judge(before)", "refusal = None"),
    ),
    "refused is undone": Plant(
        "what the centre would have refused has no effect there",
        rewritten(
            ledger,
            "_judge",
            "after = operation.effect(before)",
            "after = before if refusal else operation.effect(before)",
        ),
    ),
    "rows not locked": Plant(
        "rows are read without a lock and written back later",
        rewritten(ledger, "apply", "rows.load(conn, keys, lock=True)", "rows.load(conn, keys, lock=False)"),
    ),
    "a repeat is a case": Plant(
        "what was done already and changes nothing opens a case",
        rewritten(
            cases, "case_of", "None if after == before else BROKEN.get(operation.table)", "BROKEN.get(operation.table)"
        ),
    ),
    "crash stops the push": Plant(
        "a rule that crashes ends the whole push, again and again",
        rewritten(ledger, "_judge", "except Exception as error", "except ArithmeticError as error"),
    ),
    "merged at the centre only": Plant(
        "what is said of a member's second id is written on rows of that id",
        rewritten(
            ledger, "_judge", "operation = readdress(entry.operation, batch.stays)", "operation = entry.operation"
        ),
    ),
    "batch backwards": Plant(
        "operations of one push are applied in another order than they happened",
        rewritten(ledger, "apply", "for entry in entries:", "for entry in reversed(entries):"),
    ),
    "conflicts forgotten": Plant(
        "a step that came too late is forgotten by the next push, which does the rest of it",
        rewritten(ledger, "_conflict_before", 'return groups - {""}', "return set()"),
    ),
}
