"""The centre watched from outside: after each of its commits, what it published must follow from what was pushed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from store_agent.codec import decode_entry
from store_agent.domain.members import RegisterMember
from store_agent.domain.merging import readdress
from store_agent.domain.operation import Operation
from store_agent.domain.overshoots import case_of
from store_agent.domain.quotas import UseQuota
from store_agent.domain.stock import HoldStock, MoveStock, ReleaseHold, StockOperation
from tests.simulator.cover import granted_too_much, held_too_much, uncovered
from tests.simulator.model import ANSWER, Held, Key, Published, decoded, same

CONFLICT = "order_conflict"
SET_ASIDE = ("account", "coupon", "allowance")
"""Tables in whose rows the centre sets rights aside, along with what changed them."""


def without_promises(operation: Operation) -> Operation:
    """The shelf's part of a step of an order that had ended."""
    if isinstance(operation, MoveStock):
        return replace(operation, held_delta=0)
    return replace(operation, quantity=0) if isinstance(operation, (HoldStock, ReleaseHold)) else operation


class Truth:
    """Every stream as it was published, and every row as it stands. `fail` is told what does not hold."""

    def __init__(self, fail: Callable[[str], None]) -> None:
        self._fail = fail
        self.streams: dict[str, list[Published]] = {}
        self.rows: dict[Key, tuple[int, Any]] = {}
        self.aliases: dict[str, str] = {}
        self.outcomes: dict[str, str] = {}
        self.cases: dict[str, str] = {}
        """By op_id: the kind of case that must be there."""
        self._conflicts: set[str] = set()
        self.commits = 0

    def heads(self) -> dict[str, int]:
        return {stream: len(rows) for stream, rows in self.streams.items()}

    def committed(self, came: dict[str, list[Published]], held: Sequence[Held], streams: dict[str, str]) -> None:
        """One transaction of the centre. `streams`: by device, its store's stream."""
        self.commits += 1
        self._check_feed(came)
        rows = {one.key: one for part in came.values() for one in part if one.table != ANSWER}
        for key, one in rows.items():
            if key[0] == "member" and (stays := decoded("member", one.body).alias_of):
                self.aliases[key[1]] = stays
        self._check_answers(came, held, streams)
        pushed = [one for one in held if one.device in streams]
        if pushed:
            self._check_effects(rows, pushed)
        for key, one in rows.items():
            self._put(key, one)
        if any(table == "allowance" for table, _id in rows) and (wrong := granted_too_much(self.rows)):
            self._fail(wrong)

    def _check_feed(self, came: dict[str, list[Published]]) -> None:
        for stream, part in came.items():
            known = self.streams.setdefault(stream, [])
            positions = [one.position for one in part]
            if positions != list(range(len(known) + 1, len(known) + 1 + len(part))):
                self._fail(f"FEED: positions {positions} of {stream} behind {len(known)}")
            if any(one.group_end != positions[-1] for one in part):
                self._fail(f"FEED: the groups of one commit of {stream} end at {[one.group_end for one in part]}")
            known += part

    def _check_answers(self, came: dict[str, list[Published]], held: Sequence[Held], streams: dict[str, str]) -> None:
        given = [(stream, one.id) for stream, part in came.items() for one in part if one.table == ANSWER]
        due = [(streams[one.device], one.op_id) for one in held if one.device in streams]
        if sorted(given) != sorted(due):
            self._fail(f"ONCE: answers {given} for operations {due} of one commit")
        for one in held:
            if one.op_id in self.outcomes and self.outcomes[one.op_id] != "parked":
                self._fail(f"ONCE: {one.op_id} was applied twice")
            self.outcomes[one.op_id] = one.outcome

    def _check_effects(self, rows: dict[Key, Published], pushed: Sequence[Held]) -> None:
        after: dict[Key, Any] = {}
        loose: set[Key] = set()
        for one in pushed:
            if not one.data or one.reason == "unreadable" or one.outcome == "parked":
                continue
            operation = readdress(decode_entry(bytes(one.data)).operation, self.aliases)
            key = operation.table, operation.subject
            before = after[key] if key in after else self.rows.get(key, (0, None))[1]
            if isinstance(operation, UseQuota) and before is None:
                # The first use takes its limit from the campaign, which is the centre's business.
                before = self._quota_before(rows, key, operation)
            after[key] = self._apply(operation, before, one, rows, key, loose)
        for key, row in after.items():
            self._check_row(rows, key, row, key in loose)
        for key, published in rows.items():
            known = self.rows.get(key)
            if key in after or key[0] in ("store_right", "cases") or not known or published.revision <= known[0]:
                continue
            if not same(uncovered(decoded(key[0], published.body)), uncovered(known[1])):
                self._fail(f"ONCE: {key} changed and no operation of this commit is about it")

    def _apply(
        self, operation: Operation, before: Any, one: Held, rows: dict[Key, Published], key: Key, loose: set[Key]
    ) -> Any:
        if isinstance(operation, StockOperation) and operation.group in self._conflicts:
            # What an order promised is not promised again where the order had ended: only the shelf counts.
            return without_promises(operation).effect(before)
        refusal = operation.judge(before)
        after = operation.effect(before)
        if isinstance(operation, RegisterMember) and before is None and key in rows:
            stays = decoded("member", rows[key].body).alias_of
            if stays:
                self.cases[one.op_id] = "duplicate_member"
                loose.add(key)
                return decoded(key[0], rows[key].body)
        if kind := case_of(operation, refusal, before, after):
            self.cases[one.op_id] = str(kind)
            if kind == CONFLICT and operation.group:
                self._conflicts.add(operation.group)
        return after

    def _quota_before(self, rows: dict[Key, Published], key: Key, operation: UseQuota) -> Any:
        """The row before its first use, with the limit that the centre gave it."""
        if key not in rows:
            return None
        row = decoded("quota", rows[key].body)
        return type(row)(
            id=row.id, campaign_id=row.campaign_id, member_id=row.member_id, store=row.store, limit=row.limit
        )

    def _check_row(self, rows: dict[Key, Published], key: Key, row: Any, is_loose: bool) -> None:
        revision, before = self.rows.get(key, (0, None))
        published = rows.get(key)
        if published is None:
            if row is not None and not same(row, before):
                self._fail(f"FOLD: {key} changed by what was pushed, and that was not published")
            return
        if not is_loose and not same(uncovered(decoded(key[0], published.body)), uncovered(row)):
            self._fail(f"FOLD: {key} is published as {published.body}, and must be {row}")
        wanted = revision if same(row, before) else revision + 1
        if key[0] in SET_ASIDE and published.revision == revision + 1:
            return
        if published.revision != wanted and before is not None and not is_loose:
            self._fail(f"MONO: {key} has revision {published.revision} after {revision}")

    def _put(self, key: Key, one: Published) -> None:
        revision, _row = self.rows.get(key, (0, None))
        if one.revision < revision:
            self._fail(f"MONO: {key} was published as of revision {one.revision} after {revision}")
        row = decoded(one.table, one.body)
        self.rows[key] = one.revision, row
        if wrong := held_too_much(row, self.cases, self.aliases):
            self._fail(wrong)
