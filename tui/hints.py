"""The one thing worth doing next for a member, with its reason. One at most: a second one is a hard sell."""

from __future__ import annotations

from datetime import datetime

from store_agent.safe_text import safe_text
from store_agent.words import _
from store_agent.words.formats import day
from tui.coupon_words import coupon_name, lacking
from tui.visits import CounterOverview

SOON_DAYS = 30
NEAR = 3
"""A coupon is worth a word if at most a third of the basket is missing for it."""


def next_step(overview: CounterOverview, now: datetime) -> str:
    """What waits for them goes first, then what is nearly theirs, then what is soon lost."""
    of_member = overview.of_member
    if of_member is None:
        if overview.visit.basket.lines:
            return _("Scan the member's card, or type the phone number: then coupons and points count.")
        return ""
    if overview.ready:
        order = overview.ready[0]
        where = safe_text(order.shelf) or "–"
        return _("Order {order_no} is ready at {shelf}: F5 hands it over.").format(
            order_no=safe_text(order.order_no), shelf=where
        )
    total_minor = overview.visit.basket.total_minor
    near = [
        verdict
        for verdict in of_member.quote.verdicts
        if verdict.missing and 0 < verdict.missing.add_minor * NEAR <= total_minor
    ]
    if near:
        nearest = min(near, key=lambda verdict: verdict.missing.add_minor if verdict.missing else 0)
        name = coupon_name(of_member.quote, nearest.coupon_id)
        return _("{name}: {lacking}").format(name=name, lacking=lacking(of_member.quote, nearest))
    batch = of_member.points.expiring
    if batch and batch.expires_at and (batch.expires_at - now).days < SOON_DAYS:
        words = _("{points} points are lost after {day}: F3 pays with points.")
        return words.format(points=f"{batch.left:,}", day=day(batch.expires_at.date()))
    return ""
