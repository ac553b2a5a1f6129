"""All that a screen shows of a member or of the line to the centre: frozen, as of now, put together in one moment."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from store_agent.codes import SignedCode
from store_agent.desk import checkout, members, pickups, rights, tags
from store_agent.desk.counter import Counter
from store_agent.domain.baskets import Basket
from store_agent.domain.members import Member
from store_agent.domain.pickups import Pickup
from store_agent.domain.points import Account, Batch
from store_agent.domain.purchases import Purchase
from store_agent.domain.quotes import Quote
from store_agent.domain.tags import MemberTags, Note
from store_agent.replica.cache import Cache

PURCHASES_SHOWN = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Points:
    """What a member can spend now, and how much of it the centre has not confirmed yet."""

    balance: int = 0
    on_the_way: int = 0
    """The part of the balance that is still on its way to the centre; negative for points just redeemed."""
    worth_minor: int = 0
    expiring: Batch | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class MemberOverview:
    """One member, as this store knows them now."""

    member: Member
    points: Points
    quote: Quote
    """Every coupon of theirs against the basket of the moment."""
    pickups: tuple[Pickup, ...]
    tags: tuple[tags.ShownTag, ...]
    notes: tuple[Note, ...]
    """Newest first."""
    purchases: tuple[Purchase, ...]
    """Newest first, in any channel."""
    waiting: int
    """Operations about this member that the centre has not answered."""
    as_of_at: datetime | None
    """When this store last heard from the centre."""
    card: SignedCode | None = None
    """All that is known of them, where this store does not hold them: what a signed card says, as of its issue."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arriving:
    """How far the first data are."""

    is_here: bool
    """All bytes came; they are being put in order now, and what is counted are rows."""
    done: int
    whole: int
    """Bytes, or rows."""

    @property
    def percent(self) -> int:
        """How much of this is done."""
        return self.done * 100 // max(self.whole, 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class LineOverview:
    """How far this store is from the centre."""

    waiting: int
    """Operations that the line has still to carry, or the centre to answer."""
    parked: int
    """Operations that the centre holds and that wait there for a person."""
    heard_at: datetime | None
    offline_since: datetime | None
    behind: int
    """Rows that the centre has and this store does not yet."""
    cover: rights.Covered | None = None
    """What this device may still risk with the cable out."""
    trouble: str
    is_ready: bool
    """Whether the first rows have come."""
    arriving: Arriving | None = None
    """The first data are on their way, as one file."""
    frozen: str = ""
    """Why nothing is accepted just now: one of `Freeze` of the replica; empty where all is well."""
    is_catching_up: bool = False
    """The centre was restored, and what it says is being read anew."""
    unread: int = 0
    """Rows of the centre that this version cannot read."""
    clock_ahead_s: int = 0
    """By how much this machine's clock is ahead of the centre's; negative where it is behind."""


def member(
    counter: Counter, member_id: str, basket: Basket, language: str, card: SignedCode | None = None
) -> MemberOverview | None:
    """Everything about a member that the counter shows; None where this store holds no such member and saw no card."""
    view = counter.replica.view
    with view.moment():
        person: Member | None = view.get("member", view.canonical(member_id)) if member_id else None
        if person is not None or card is None or card.member_id != member_id:
            card = None
        else:
            person = members.of_card(card)
        if person is None:
            return None
        row: MemberTags | None = view.get("tags", person.id)
        return MemberOverview(
            member=person,
            points=_points_of_card(counter, card) if card else _points(counter, person),
            quote=checkout.quote_for(counter, person, basket),
            pickups=tuple(pickups.of_member(counter, person.id)),
            tags=tuple(tags.shown(counter, row, language)),
            notes=tuple(reversed(row.notes)) if row else (),
            purchases=tuple(view.newest_of_member("purchase", person.id, PURCHASES_SHOWN)),
            waiting=view.waiting_of_member(person.id),
            as_of_at=_moment(counter.replica.cache.setting("heard_at")),
            card=card,
        )


def _points(counter: Counter, person: Member) -> Points:
    now = counter.now()
    account: Account | None = counter.replica.view.get("account", person.id)
    if account is None:
        return Points()
    confirmed: Account | None = counter.replica.cache.get("account", person.id)
    balance = account.balance(now)
    return Points(
        balance=balance,
        on_the_way=balance - (confirmed.balance(now) if confirmed else 0),
        worth_minor=counter.store.points.worth(max(0, balance)),
        expiring=account.expiring(now),
    )


def _points_of_card(counter: Counter, card: SignedCode) -> Points:
    """What there was when the card was made, and what was earned here since: to be shown, not to be spent."""
    account: Account | None = counter.replica.view.get("account", card.member_id)
    here = account.balance(counter.now()) if account else 0
    return Points(balance=card.points + here, on_the_way=here)


def line(counter: Counter) -> LineOverview:
    """How far this store is from the centre."""
    cache = counter.replica.cache
    cursors = cache.cursors()
    with counter.replica.view.moment():
        parked = len(cache.parked())
        waiting = counter.replica.view.waiting_count() - parked
    return LineOverview(
        waiting=waiting,
        parked=parked,
        heard_at=_moment(cache.setting("heard_at")),
        offline_since=_moment(cache.setting("offline_since")),
        behind=sum(head - position for position, head in cursors.values()),
        trouble=cache.setting("trouble"),
        is_ready=bool(cursors) and all(head == position for position, head in cursors.values()),
        cover=rights.covered(counter),
        arriving=arriving(cache),
        frozen=counter.replica.standing.frozen,
        is_catching_up=bool(cache.setting("catching_up")),
        unread=cache.unread_count(),
        clock_ahead_s=int(cache.setting("clock_ahead_s") or 0),
    )


def arriving(cache: Cache) -> Arriving | None:
    """How far the first data are, as the process that takes them says it to the others."""
    what, done, whole = (cache.setting("arriving") or "- 0 0").split()
    return None if what == "-" else Arriving(is_here=what == "built", done=int(done), whole=int(whole))


def _moment(text: str) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
