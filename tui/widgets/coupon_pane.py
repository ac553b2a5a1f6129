"""The member's coupons: what can be used here and now first, then what nearly can, then what cannot and why."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from store_agent.domain.quotes import Quote, Verdict, VerdictKind
from store_agent.words import _
from store_agent.words.formats import day, money
from store_agent.words.refusals import say, say_instead
from tui.columns import fit, pair
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
        if quote is None:
            return [Content.styled(_("The member's coupons show here."), "$text-muted")]
        usable = sum(verdict.kind is VerdictKind.USABLE for verdict in quote.verdicts)
        self.border_subtitle = _("{count} usable now").format(count=usable) if quote.verdicts else ""
        if not quote.verdicts:
            return [Content.styled(_("No coupons."), "$text-muted")]
        return [line for verdict in quote.verdicts for line in _lines(quote, verdict, overview.chosen, width)]


def _lines(quote: Quote, verdict: Verdict, chosen: tuple[str, ...], width: int) -> Iterator[Content]:
    name = coupon_name(quote, verdict.coupon_id)
    if verdict.kind is VerdictKind.NOT_HERE:
        yield Content.styled(fit(f"× {name}", width), "$text-muted")
        if verdict.refusal:
            yield Content.styled(f"  {say(verdict.refusal)}", "$text-muted")
            instead = spoken(verdict.instead) or say_instead(verdict.refusal)
            yield Content.styled(f"  → {instead}", "$text-muted italic")
        return
    sign, style = SIGNS[verdict.kind]
    if verdict.coupon_id in chosen:
        sign = "✔"
    until = quote.offers[verdict.coupon_id].coupon.valid_until
    if verdict.kind is VerdictKind.USABLE:
        yield pair((f"{sign} {name}", style), (saving_words(quote, verdict), "bold $text-success"), width)
    else:
        yield pair((f"{sign} {name}", style), ("", ""), width)
        yield Content.styled(f"  {lacking(quote, verdict)}", "$text-warning")
    if verdict.kind is VerdictKind.USABLE and verdict.next_step:
        step = verdict.next_step
        words = _("Add {more} to save {saved}.").format(
            more=money(step.add_minor, quote.basket.currency), saved=money(step.saves_minor, quote.basket.currency)
        )
        yield Content.styled(f"  {words}", "$text-warning")
    if until and (until - quote.situation.at).days < 7:
        yield Content.styled("  " + _("until {day}").format(day=day(until.date())), "$text-muted")
