"""The member's coupons: what can be used here and now first, then what nearly can, then what cannot and why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from textual.content import Content

from store_agent.domain.coupons import CouponReason
from store_agent.domain.quotes import Quote, Verdict, VerdictKind
from store_agent.words import _
from store_agent.words.formats import day, moment, money
from store_agent.words.refusals import say, say_instead
from tui.columns import fit, pair, wrapped
from tui.coupon_words import coupon_name, lacking, saving_words
from tui.naming import spoken
from tui.visits import CounterOverview
from tui.widgets.pane import Pane

SIGNS = {VerdictKind.USABLE: ("●", "$text-success"), VerdictKind.USABLE_IF: ("◐", "$text-warning")}


class CouponPane(Pane):
    """One line for each coupon that helps, two more for each that does not: the reason, and what to offer instead."""

    DEFAULT_CSS = """
    CouponPane { height: 1fr; }
    """

    def on_mount(self) -> None:
        """The frame's title is in the language of the moment."""
        self.border_title = _("Coupons")

    def lines(self, overview: CounterOverview, width: int) -> list[Content]:
        quote = overview.quote
        self.border_subtitle = ""
        if quote is None:
            return [Content.styled(_("The member's coupons show here."), "$foreground 55%")]
        usable = sum(verdict.kind is VerdictKind.USABLE for verdict in quote.verdicts)
        if not quote.verdicts:
            return [Content.styled(_("No coupons."), "$foreground 55%")]
        self.border_subtitle = _("{count} usable now").format(count=usable)
        return [line for verdict in quote.verdicts for line in _lines(quote, verdict, overview.chosen, width)]


def _lines(quote: Quote, verdict: Verdict, chosen: tuple[str, ...], width: int) -> Iterator[Content]:
    name = coupon_name(quote, verdict.coupon_id)
    if verdict.kind is VerdictKind.NOT_HERE:
        yield from _not_here(verdict, name, quote.situation.at, width)
        return
    sign, style = SIGNS[verdict.kind]
    if verdict.coupon_id in chosen:
        sign = "✔"
    until = quote.offers[verdict.coupon_id].coupon.valid_until
    if verdict.kind is VerdictKind.USABLE:
        yield pair((f"{sign} {name}", style), (saving_words(quote, verdict), "bold $text-success"), width)
    else:
        yield pair((f"{sign} {name}", style), ("", ""), width)
        yield from wrapped(lacking(quote, verdict), "$text-warning", width)
    if verdict.kind is VerdictKind.USABLE and verdict.next_step:
        step = verdict.next_step
        words = _("Add {more} to save {saved}.").format(
            more=money(step.add_minor, quote.basket.currency), saved=money(step.saves_minor, quote.basket.currency)
        )
        yield from wrapped(words, "$text-warning", width)
    if until and (until - quote.situation.at).days < 7:
        yield Content.styled("  " + _("until {day}").format(day=day(until.date())), "$foreground 55%")


def _not_here(verdict: Verdict, name: str, now: datetime, width: int) -> Iterator[Content]:
    """The reason and what to offer instead; of one that was used, only that it was."""
    refusal = verdict.refusal
    if refusal is None:
        return
    if refusal.reason is CouponReason.USED_UP:
        used_at = refusal.facts.get("used_at")
        when = moment(used_at, now) if isinstance(used_at, datetime) else ""
        yield pair((f"× {name}", "$foreground 40%"), (_("used {when}").format(when=when), "$foreground 40%"), width)
        return
    yield Content.styled(fit(f"× {name}", width), "$foreground 55%")
    yield from wrapped(say(refusal), "$foreground 55%", width)
    instead = spoken(verdict.instead) or say_instead(refusal)
    first, *rest = wrapped(instead, "$foreground 70%", width, "    ")
    yield Content("  → ") + first[4:]
    yield from rest
