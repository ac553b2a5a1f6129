"""The invariants of `docs/trust.md` as functions that a test calls after every commit, or once everything is quiet."""

from __future__ import annotations

from store_agent.codec import NOUN_OF, decode_row
from tests.chain import Chain, StoreAtEnd


def check_view(store: StoreAtEnd) -> None:
    """VIEW: each own operation is visible exactly once: in the cache's rows or over them, never both, never neither."""
    replica = store.replica
    waiting = {entry.operation.op_id for entry in replica.view.waiting()}
    replica.cache.db.conn.execute("begin")
    try:
        for entry in replica.journal.after(type(replica.journal.last())(0, 0)):
            operation = entry.operation
            if operation.table == "stock":
                continue  # A stock row keeps no list of what moved it; its figure is checked exactly instead.
            owner = replica.view.canonical(operation.subject) if operation.table == "account" else operation.subject
            row = replica.cache.get(operation.table, owner)
            in_row = row is not None and operation.op_id in _operations_in(row)
            over_it = operation.op_id in waiting
            assert in_row != over_it, (
                f"VIEW: {operation.kind} {operation.op_id} of {store.id} is shown {'twice' if in_row else 'not at all'}"
            )
    finally:
        replica.cache.db.conn.execute("commit")


def _operations_in(row: object) -> set[str]:
    """Ids of the operations that a row tells of."""
    match getattr(row, "table", ""):
        case "account":
            return {movement.op_id for movement in row.movements}  # type: ignore[attr-defined]
        case "coupon":
            return {use.op_id for use in row.used}  # type: ignore[attr-defined]
        case "tags":
            return {note.id for note in row.notes}  # type: ignore[attr-defined]
    return set()


async def check_converged(chain: Chain) -> None:
    """CONVERGE: nothing waits anywhere, and every row that a store holds is the centre's."""
    for store in chain.stores.values():
        assert store.replica.view.waiting_count() == 0, f"CONVERGE: operations of {store.id} still wait"
        for table in NOUN_OF:
            held = {row.id: row for row in store.replica.cache.all(table)}
            truth = {
                row_id: decode_row(table, body)
                for row_id, body in await chain.ask(
                    f"select id, body::text from {table} where id = any(%s)", list(held)
                )
            }
            assert held == truth, f"CONVERGE: {table} of {store.id} is not the centre's"


async def check_ledger(chain: Chain) -> None:
    """ONCE, ORDER, FEED, CASE and DURABLE, read off the ledger and the journals."""
    for store in chain.stores.values():
        journal = [
            (entry.operation.op_id, entry.seq, entry.hash)
            for entry in store.replica.journal.after(type(store.replica.journal.last())(0, 0))
        ]
        ledger = await chain.ask(
            "select op_id, seq, hash from operation where device = %s order by seq", store.replica.device
        )
        assert ledger == journal, f"DURABLE, ONCE, ORDER: the ledger does not hold what {store.id} wrote down"
    for stream, positions in await chain.ask(
        "select stream, array_agg(position order by position) from feed group by stream"
    ):
        assert positions == list(range(1, len(positions) + 1)), f"FEED: {stream} has gaps"
    await check_cases(chain)


async def check_cases(chain: Chain) -> None:
    """CASE: what broke a limit has exactly one case, and open + recovered + reversed + written off is what went over."""
    broken = await chain.ask("select op_id, kind from operation where outcome = 'applied_with_case'")
    found = [
        (case_id, decode_row("cases", body)) for case_id, body in await chain.ask("select id, body::text from cases")
    ]
    late = {case.device for _id, case in found if case.kind == "late_operation"}
    for op_id, kind in broken:
        its = [case for _id, case in found if op_id in case.op_ids and case.kind != "parked_operation"]
        assert len(its) == 1 or (not its and late), f"CASE: {kind} {op_id} has {len(its)} cases"
    for _id, case in found:
        sums = (case.open_minor, case.recovered_minor, case.reversed_minor, case.written_off_minor)
        assert sum(sums) == case.amount_minor, f"CASE: {case.id} does not add up"
        assert min(sums) >= 0, f"CASE: {case.id} does not add up"
        assert (case.state == "resolved") is (case.resolved_at is not None), f"CASE: {case.id} is half resolved"
    waiting = {
        row[0]
        for row in await chain.ask(
            "select op_id from operation where outcome = 'parked' and reason <> 'behind another'"
        )
    }
    about = {case.op_ids[0] for _id, case in found if case.kind == "parked_operation" and case.state == "open"}
    assert waiting == about, "CASE: an operation that waits for a person has no case, or one that waits no more has one"
