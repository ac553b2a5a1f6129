"""Who stands at the counter: name, points, tags, what waits for them, what was said and bought."""

from __future__ import annotations

from collections.abc import Iterator

from rich.cells import cell_len
from textual.content import Content

from store_agent.codes import SignedCode
from store_agent.desk.overviews import MemberOverview
from store_agent.domain.members import Member
from store_agent.domain.purchases import Purchase
from store_agent.domain.tags import NoteKind
from store_agent.safe_text import safe_text
from store_agent.words import _, later, ngettext
from store_agent.words.formats import day, moment, money
from store_agent.words.names import name_of
from tui.columns import fit, pair
from tui.naming import person, phone
from tui.visits import CounterOverview
from tui.widgets.pane import Pane
from tui.widgets.pickup_words import state_of

NOTE_KINDS = {
    NoteKind.TRIAL: later("Tried"),
    NoteKind.TALK: later("Talked"),
    NoteKind.COMPLAINT: later("Complaint"),
    NoteKind.NOTE: later("Note"),
}
NOTES_SHOWN = 3


class MemberCard(Pane):
    """One column, the most needed first: what does not fit is a scroll away."""

    DEFAULT_CSS = """
    MemberCard { width: 34; }
    """

    def on_mount(self) -> None:
        """The frame's title is in the language of the moment."""
        self.border_title = _("Member")

    def lines(self, overview: CounterOverview, width: int) -> list[Content]:
        of_member = overview.of_member
        if of_member is None:
            return [
                Content.styled(_("No member yet."), "$foreground 55%"),
                Content(""),
                Content.styled(
                    _("Scan a card, or type a phone number or a name. F4 registers a new one."), "$foreground 55%"
                ),
            ]
        return [
            *_identity(of_member, width),
            *_tags(of_member, width),
            Content(""),
            *_points(of_member, width),
            *_pickups(of_member, width),
            *_notes(of_member, width),
            *_purchases(of_member, width),
        ]


def _identity(of_member: MemberOverview, width: int) -> Iterator[Content]:
    member = of_member.member
    if of_member.card:
        yield from _of_card(of_member.card, member, width)
        return
    yield pair((person(member), "bold $text-primary"), (name_of(str(member.tier)), "$text-accent"), width)
    yield Content(phone(member.phone))
    bound = [
        (_("Card"), bool(member.card_no or member.code)),
        ("LINE", any(link.provider.casefold().startswith("line") for link in member.links)),
    ]
    yield Content.assemble(
        *[(f"{name} {'✓' if has else '–'}  ", "$text-success" if has else "$foreground 55%") for name, has in bound]
    )
    if of_member.waiting:
        count = of_member.waiting
        words = _("{count} on the way to the centre")
        yield Content.styled(fit(f"⇡ {words.format(count=count)}", width), "$text-warning")


def _of_card(card: SignedCode, member: Member, width: int) -> Iterator[Content]:
    """Whom this store does not hold."""
    yield pair((_("By their card"), "bold $text-primary"), (name_of(str(member.tier)), "$text-accent"), width)
    yield Content(fit(safe_text(member.id), width))
    if card.issued_at:
        words = _("tier and points as of {moment}").format(moment=moment(card.issued_at))
        yield Content.styled(fit(words, width), "$text-warning")


def _tags(of_member: MemberOverview, width: int) -> Iterator[Content]:
    """As many on a line as fit. Those of the head office have an open dot: they are read here, not changed."""
    line: list[tuple[str, str]] = []
    used = 0
    for tag in of_member.tags:
        text = f"{'○' if tag.read_only else '●'} {safe_text(tag.label)}"
        cells = cell_len(text) + 2
        if used and used + cells > width:
            yield Content.assemble(*line)
            line, used = [], 0
        line.append(
            (fit(text, min(cell_len(text), width)) + "  ", "$foreground 55%" if tag.read_only else "$text-secondary")
        )
        used += cells
    if line:
        yield Content.assemble(*line)


def _points(of_member: MemberOverview, width: int) -> Iterator[Content]:
    points = of_member.points
    count = ngettext("{points} point", "{points} points", points.balance).format(points=f"{points.balance:,}")
    yield pair((count, "bold"), (f"= {money(points.worth_minor)}", "$foreground 55%"), width)
    if points.on_the_way:
        yield Content.styled(
            _("of these {points} on the way").format(points=f"{points.on_the_way:+,}"), "$text-warning"
        )
    if points.expiring and points.expiring.expires_at:
        until = day(points.expiring.expires_at.date())
        left = points.expiring.left
        words = ngettext("{points} point until {day}", "{points} points until {day}", left)
        yield Content.styled(words.format(points=f"{left:,}", day=until), "$foreground 55%")


def _pickups(of_member: MemberOverview, width: int) -> Iterator[Content]:
    if not of_member.pickups:
        return
    yield _heading(_("Orders to collect"), width)
    for order in of_member.pickups:
        state, style = state_of(order)
        where = f" {safe_text(order.shelf)}" if order.shelf else ""
        yield pair((safe_text(order.order_no), "bold"), (f"{state}{where}", style), width)


def _notes(of_member: MemberOverview, width: int) -> Iterator[Content]:
    if not of_member.notes:
        return
    yield _heading(_("Notes"), width)
    for note in of_member.notes[:NOTES_SHOWN]:
        yield Content.assemble((f"{_(NOTE_KINDS[note.kind])} ", "$text-secondary"), safe_text(note.text))


def _purchases(of_member: MemberOverview, width: int) -> Iterator[Content]:
    if not of_member.purchases:
        return
    yield _heading(_("Last purchases"), width)
    for purchase in of_member.purchases:
        when = moment(purchase.at).rpartition(" ")[0]
        yield pair(
            (when if purchase.channel == "store" else f"{when} {name_of(purchase.channel)}", "$foreground 55%"),
            (money(purchase.paid_minor, purchase.currency), ""),
            width,
        )
        if goods := _goods(purchase):
            yield Content.styled(fit(f"  {goods}", width), "$foreground 55%")


def _goods(purchase: Purchase) -> str:
    return _(", ").join(safe_text(line.name) for line in purchase.lines if line.name)


def _heading(text: str, width: int) -> Content:
    """A quiet line between the parts."""
    return Content.assemble(
        (f"{text} ", "$text-primary"), ("─" * max(0, width - cell_len(text) - 1), "$foreground 22%")
    )
