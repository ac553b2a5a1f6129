"""Bugs of rights, allowances and epochs: what a store may spend alone, and which disk is the one that wrote last."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from typing import Any
from unittest.mock import patch

from store_agent.domain.allowances import UseAllowance
from store_agent.domain.coupons import Coupon, ReturnCoupon
from store_agent.domain.points_rights import ReturnPoints
from store_agent.replica.anchor import Anchor
from store_agent.replica.standing import Standing
from store_agent.replica.view import View
from sync.central import cover, lending, salvage
from tests.simulator.centre import AT_CENTRE
from tests.simulator.planting import Plant, instead, rewritten


@contextmanager
def _kept() -> Iterator[None]:
    with (
        patch.object(ReturnCoupon, "effect", _only_at_centre(ReturnCoupon.effect)),
        patch.object(ReturnPoints, "effect", _only_at_centre(ReturnPoints.effect)),
    ):
        yield


def _only_at_centre(effect: Callable[..., Any]) -> Callable[..., Any]:
    return lambda self, before: effect(self, before) if AT_CENTRE.get() else before


def _taken() -> Callable[[], AbstractContextManager[None]]:
    set_aside = lending._set_aside

    def take(row: Any, store: str, amount: int, now: Any) -> tuple[Any, int]:
        if isinstance(row, Coupon) and row.available < amount:
            row = replace(row, held=tuple(one for one in row.held if one.store == store))
        return set_aside(row, store, amount, now)

    return instead(lending, "_set_aside", take)


async def _by_number(conn: Any, op_ids: list[str]) -> Mapping[str, object]:
    query = "select max(seq) from operation where epoch = 1"
    row = await (await conn.execute(query)).fetchone()
    return {op_id: _Any() for op_id in op_ids if row and row[0]}


class _Any:
    """As good as what is held."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None  # type: ignore[assignment]


def _at_once() -> Callable[[], AbstractContextManager[None]]:
    begin = Standing.begin_epoch

    def thawed(self: Standing, device: str, epoch: int, incarnation: str, _heads: Any) -> None:
        begin(self, device, epoch, incarnation, {})

    return instead(Standing, "begin_epoch", thawed)


RIGHT_PLANTS: dict[str, Plant] = {
    "a right spent by two stores": Plant(
        "a right is given without looking how much of it others hold",
        rewritten(lending, "_set_aside", "row.available", "row.uses_left"),
    ),
    "allowance not judged": Plant(
        "a store risks as much as it likes, whatever it was granted",
        instead(UseAllowance, "judge", lambda _self, _before: None),
    ),
    "lent right given back and kept": Plant("who gives a right back goes on holding it in their own rows", _kept),
    "recall takes it from the store": Plant(
        "what another store wants is taken from the one that holds it, before that one has said anything", _taken()
    ),
    "bound not looked at at grant": Plant(
        "a device is granted what it may have, whatever all others have",
        rewritten(cover, "top_up", "max(0, min(wanted, room))", "wanted"),
    ),
    "no anchor": Plant(
        "nobody looks at the anchor when a journal is opened", instead(Anchor, "read", lambda _self, _device: None)
    ),
    "thawed with the epoch": Plant(
        "a store that got a new epoch accepts before it has read what the centre holds of it", _at_once()
    ),
    "floor of another journal": Plant(
        "the numbers in a cache are believed, though they were said of a journal that is gone",
        instead(View, "_floor", lambda _self, cache: cache.floor()[0]),
    ),
    "leftovers skipped by number": Plant(
        "what is left of a closed epoch is taken for held because its numbers are",
        instead(salvage, "_held", _by_number),
    ),
}
