"""What the customer is about to pay for, with the best coupons taken off already."""

from __future__ import annotations

from collections.abc import Iterator

from textual.content import Content

from store_agent.words import _, ngettext
from store_agent.words.formats import money
from tui.columns import pair, row
from tui.coupon_words import coupon_name
from tui.visits import CounterOverview
from tui.widgets.pane import Pane

WIDE = 56
"""Columns from which the price of a single piece has one of its own."""


class BasketPane(Pane):
    """Lines above, the sum below. As high as it needs, up to half of the screen."""

    DEFAULT_CSS = """
    BasketPane { height: auto; max-height: 60%; min-height: 3; }
    """

    def on_mount(self) -> None:
        """The frame's title is in the language of the moment."""
        self.border_title = _("Basket")

    def watch_overview(self, overview: CounterOverview | None) -> None:
        """What was scanned last, and the sum, are what is looked at: a long basket shows its end."""
        super().watch_overview(overview)
        self.call_after_refresh(self.scroll_end, animate=False)

    def lines(self, overview: CounterOverview, width: int) -> list[Content]:
        basket = overview.visit.basket
        count = sum(line.quantity for line in basket.lines if line.gtin)
        pieces = ngettext("{count} piece", "{count} pieces", count).format(count=count)
        self.border_subtitle = pieces if count else ""
        if not basket.lines:
            hint = _("Scan products, or type =350 for a total of {money}.")
            return [
                Content.styled(
                    hint.format(money=money(350 if basket.currency == "TWD" else 35000, basket.currency)),
                    "$foreground 55%",
                )
            ]
        return [*_goods(overview, width), *_sum(overview, width)]


def _goods(overview: CounterOverview, width: int) -> Iterator[Content]:
    basket, bill = overview.visit.basket, overview.bill
    for place, line in enumerate(basket.lines):
        if not line.gtin:
            continue
        left_minor = bill.lines_minor[place] if bill else line.total_minor
        saved_minor = line.total_minor - left_minor
        saved = f"-{money(saved_minor, basket.currency)}" if saved_minor else ""
        name = overview.names.get(line.gtin, line.gtin)
        unit = (f"{line.quantity} × {money(line.unit_minor, basket.currency)}", "$foreground 55%", -12)
        parts = [
            (f"{line.quantity}× {name}" if line.quantity > 1 and width < WIDE else name, "", 0),
            (saved, "$text-success", -9),
            (money(left_minor, basket.currency), "bold", -8),
        ]
        yield row(parts if width < WIDE else [parts[0], unit, *parts[1:]], 0, width)


def _sum(overview: CounterOverview, width: int) -> Iterator[Content]:
    basket, bill, quote = overview.visit.basket, overview.bill, overview.quote
    if basket.is_scanned:
        yield Content.styled("─" * width, "$foreground 22%")
    if bill and bill.taken and quote:
        yield pair(
            (_("Total"), "$foreground 55%"), (money(basket.total_minor, basket.currency), "$foreground 55%"), width
        )
        for taken in bill.taken:
            off = f"-{money(taken.saves_minor, basket.currency)}" if taken.saves_minor else _("free")
            yield pair((f"✔ {coupon_name(quote, taken.coupon_id)}", "$text-success"), (off, "$text-success"), width)
    earns = ngettext("earns {points} point", "earns {points} points", overview.earns).format(points=overview.earns)
    to_pay = money(overview.to_pay_minor, basket.currency)
    label = _("To pay") + (f"  ·  {earns}" if overview.earns else "")
    yield pair((label, "bold"), (to_pay, "bold $text-accent"), width)
