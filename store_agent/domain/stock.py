"""How much of a product a store has, and every way in which that changes: by differences with a reason, never by "set".

So the quantity is the opening plus the sum of what happened, in whatever order it is heard of (STOCK). A count is a
difference too. Real goods are never refused because a number is wrong: stock may fall below zero, and that is a case.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Any, ClassVar

from store_agent.domain.operation import Operation, Refusal


class MoveReason(StrEnum):
    """Why goods came or went."""

    RECEIVE = "receive"
    SELL = "sell"
    RETURN = "return"
    PICK = "pick"
    BACK_TO_SHELF = "back_to_shelf"
    TRANSFER_IN = "transfer_in"
    TRANSFER_OUT = "transfer_out"
    ADJUST_DAMAGED = "adjust_damaged"
    ADJUST_LOST = "adjust_lost"
    ADJUST_FOUND = "adjust_found"
    ADJUST_SAMPLE = "adjust_sample"


INWARD = frozenset(
    {
        MoveReason.RECEIVE,
        MoveReason.RETURN,
        MoveReason.BACK_TO_SHELF,
        MoveReason.TRANSFER_IN,
        MoveReason.ADJUST_FOUND,
    }
)
"""Reasons by which goods come; by all others they go."""


class StockReason(StrEnum):
    """Why a movement makes no sense, in order of precedence."""

    UNKNOWN_REASON = "stock-unknown-reason"
    NOTHING_MOVED = "stock-nothing-moved"
    WRONG_DIRECTION = "stock-wrong-direction"
    BAD_COUNT = "stock-bad-count"
    COUNTED_MEANWHILE = "stock-counted-meanwhile"
    ALREADY_EMPTY = "stock-already-empty"


def stock_id(store: str, gtin: str) -> str:
    """The id of the row that says how much of a product a store has."""
    return f"{store}/{gtin}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stock:
    """How much of one product one store has, in pieces, and how old each of these figures is."""

    table: ClassVar[str] = "stock"

    id: str
    store: str
    gtin: str
    on_hand: int = 0
    held: int = 0
    """Promised to orders and not picked yet."""
    safety: int = 0
    """Kept back from promises because numbers are never quite right."""
    sold_since: int = 0
    """Pieces sold since the last count."""
    counted_at: datetime | None = None
    counted_by: str = ""
    moved_at: datetime | None = None
    refilled_at: datetime | None = None
    shelf_empty_at: datetime | None = None
    """Somebody looked and found nothing, whatever the numbers say; None as soon as goods come."""
    shelf_empty_by: str = ""

    @property
    def sellable(self) -> int:
        """What may be promised: never what merely is on hand."""
        return 0 if self.shelf_empty_at else max(0, self.on_hand - self.held - self.safety)

    @property
    def is_negative(self) -> bool:
        """Whether more has left than there was: a case for a person."""
        return self.on_hand < 0


@dataclass(frozen=True, slots=True, kw_only=True)
class StoreStock:
    """What one store may promise of a product, as of when."""

    store: str
    sellable: int
    as_of_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Availability:
    """What all stores may promise of one product. The id is its GTIN."""

    table: ClassVar[str] = "availability"

    id: str
    stores: tuple[StoreStock, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class StockOperation(Operation):
    """What all changes share: the product, and what it is for."""

    table: ClassVar[str] = "stock"

    gtin: str
    reference: str = ""
    """The order, slip or delivery that this belongs to."""

    @property
    def subject(self) -> str:
        return stock_id(self.store, self.gtin)

    def row(self, before: Any) -> Stock:
        """The row as it stands; a product that the store never had starts at nothing."""
        if before is not None:
            found: Stock = before
            return found
        return Stock(id=self.subject, store=self.store, gtin=self.gtin)


@dataclass(frozen=True, slots=True, kw_only=True)
class MoveStock(StockOperation):
    """Pieces came (`delta` above 0) or went (below 0); `held_delta` changes what is promised along with it."""

    kind: ClassVar[str] = "move-stock"

    delta: int
    held_delta: int = 0
    reason: MoveReason

    def judge(self, before: Any) -> Refusal | None:
        if self.reason not in tuple(MoveReason):
            return Refusal(StockReason.UNKNOWN_REASON, {"reason": self.reason})
        if self.delta == 0:
            return Refusal(StockReason.NOTHING_MOVED)
        if (self.delta > 0) is not (self.reason in INWARD):
            return Refusal(StockReason.WRONG_DIRECTION, {"reason": self.reason, "quantity": self.delta})
        return None

    def effect(self, before: Any) -> Stock:
        row = self.row(before)
        is_new_sale = self.reason == MoveReason.SELL and (row.counted_at is None or self.at > row.counted_at)
        after = replace(
            row,
            on_hand=row.on_hand + self.delta,
            held=row.held + self.held_delta,
            sold_since=row.sold_since - self.delta if is_new_sale else row.sold_since,
            moved_at=_later(row.moved_at, self.at),
        )
        return _refill(after, self.at) if self.delta > 0 else after


@dataclass(frozen=True, slots=True, kw_only=True)
class HoldStock(StockOperation):
    """Pieces are promised to an order: they are still there, and may not be promised again."""

    kind: ClassVar[str] = "hold-stock"

    quantity: int

    def judge(self, before: Any) -> Refusal | None:
        return None if self.quantity > 0 else Refusal(StockReason.NOTHING_MOVED)

    def effect(self, before: Any) -> Stock:
        row = self.row(before)
        return replace(row, held=row.held + max(0, self.quantity), moved_at=_later(row.moved_at, self.at))


@dataclass(frozen=True, slots=True, kw_only=True)
class ReleaseHold(StockOperation):
    """Pieces are promised no longer."""

    kind: ClassVar[str] = "release-hold"

    quantity: int

    def judge(self, before: Any) -> Refusal | None:
        return None if self.quantity > 0 else Refusal(StockReason.NOTHING_MOVED)

    def effect(self, before: Any) -> Stock:
        row = self.row(before)
        return replace(row, held=row.held - max(0, self.quantity), moved_at=_later(row.moved_at, self.at))


@dataclass(frozen=True, slots=True, kw_only=True)
class CountStock(StockOperation):
    """Somebody counted. What was sold or received meanwhile stays: only the difference to what was seen moves."""

    kind: ClassVar[str] = "count-stock"

    counted: int
    seen_on_hand: int
    """What the row said when the counting began."""
    began_at: datetime | None = None
    """When the counting began. A count of others since then has already moved this difference."""

    def judge(self, before: Any) -> Refusal | None:
        row = self.row(before)
        if self.counted < 0:
            return Refusal(StockReason.BAD_COUNT, {"quantity": self.counted})
        if self.began_at and row.counted_at and row.counted_at > self.began_at:
            return Refusal(StockReason.COUNTED_MEANWHILE, {"staff": row.counted_by or "—", "since_at": row.counted_at})
        return None

    def effect(self, before: Any) -> Stock:
        row = self.row(before)
        after = replace(row, on_hand=row.on_hand + self.counted - self.seen_on_hand)
        if row.counted_at is None or self.at > row.counted_at:
            after = replace(after, counted_at=self.at, counted_by=self.staff, sold_since=0)
        return _refill(after, self.at) if self.counted > 0 else after


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkShelfEmpty(StockOperation):
    """The shelf is empty, whatever the number says: nothing of it is promised until goods come or are counted.

    The number itself is left alone, because nobody has counted.
    """

    kind: ClassVar[str] = "mark-shelf-empty"

    def judge(self, before: Any) -> Refusal | None:
        row = self.row(before)
        if row.shelf_empty_at is None:
            return None
        return Refusal(StockReason.ALREADY_EMPTY, {"staff": row.shelf_empty_by or "—", "since_at": row.shelf_empty_at})

    def effect(self, before: Any) -> Stock:
        row = self.row(before)
        if row.refilled_at is not None and row.refilled_at >= self.at:
            return row
        if row.shelf_empty_at is not None and row.shelf_empty_at >= self.at:
            return row
        return replace(row, shelf_empty_at=self.at, shelf_empty_by=self.staff)


def _refill(row: Stock, at: datetime) -> Stock:
    """Goods are on the shelf since `at`. A look at the shelf that is later than the goods still counts."""
    row = replace(row, refilled_at=_later(row.refilled_at, at))
    if row.shelf_empty_at is None or row.shelf_empty_at > at:
        return row
    return replace(row, shelf_empty_at=None, shelf_empty_by="")


def _later(known_at: datetime | None, at: datetime) -> datetime:
    return at if known_at is None else max(known_at, at)
