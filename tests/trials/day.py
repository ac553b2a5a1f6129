"""A day at a store, from a seed: what two terminals accept and what the line brings, while the disk is written down."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

from store_agent.clock import Ids
from store_agent.desk.counter import Counter
from store_agent.domain.coupons import Coupon, RedeemCoupon
from store_agent.domain.members import Member
from store_agent.domain.operation import Operation
from store_agent.domain.points import EarnPoints, RedeemPoints
from store_agent.domain.products import Product
from store_agent.domain.stock import MoveReason, MoveStock
from store_agent.domain.tags import AddNote
from store_agent.replica import Replica
from sync.session import Session
from sync.wire import CHAIN, PushRequest, stream_of
from tests.standing_clock import StandingClock
from tests.trials.disk import Act, written_down
from tests.trials.small_centre import SmallCentre

KEY = bytes(range(32))
STORE = "s1"
MEMBERS = ("m1", "m2")
GTINS = ("04710000000011", "04710000000028")
PAGES_MOST = 25
"""After so many pages SQLite moves its log into the file: small, so that it happens many times a day."""


@dataclass(slots=True)
class Day:
    """What happened: what the disk was asked to do, and what was promised to whom after how many of its acts."""

    acts: list[Act]
    confirmed: list[tuple[int, str]] = field(default_factory=list)
    """(acts until then, op_id): the screen said yes."""
    centres: list[tuple[int, SmallCentre]] = field(default_factory=list)
    """(acts until then, the centre from then on)."""
    enrolled_after: int = 0
    """The acts before the store was anyone's: nothing was promised."""

    def confirmed_after(self, acts: int) -> set[str]:
        """What had been confirmed by then."""
        return {op_id for until, op_id in self.confirmed if until <= acts}

    def centre_after(self, acts: int) -> SmallCentre:
        """The centre as it stood then."""
        return [centre for until, centre in self.centres if until <= acts][-1].copy()


def tune(replica: Replica, pages_most: int = PAGES_MOST) -> None:
    """Let the logs be moved into the files often."""
    for part in (replica.journal, replica.cache):
        part.db.conn.execute(f"pragma wal_autocheckpoint = {pages_most}")


class Terminal:
    """One terminal of the store, with what a person may do at it."""

    def __init__(
        self, folder: Path, random: Random, clock: StandingClock, staff: str, yes: Callable[[str], None]
    ) -> None:
        self._random = random
        self._yes = yes
        self.replica = Replica(folder, KEY)
        tune(self.replica)
        self.session = Session(self.replica, batch_most=4, page_rows=random.choice((1, 3, 20)))
        self.counter = Counter(self.replica, clock, Ids(clock, random.getrandbits), staff)

    def accept(self) -> None:
        """One to three things that happen together."""
        counter, group = self.counter, self._random.choice(("", "g"))
        operations = [self._draft(counter.named(group)) for _n in range(self._random.randint(1, 3) if group else 1)]
        if counter.accept(*operations) is None:
            for operation in operations:
                self._yes(operation.op_id)

    def _draft(self, named: dict[str, object]) -> Operation:
        random = self._random
        member = random.choice(MEMBERS)
        match random.randrange(5):
            case 0:
                return EarnPoints(**named, member_id=member, points=random.randint(1, 9))  # type: ignore[arg-type]
            case 1:
                points = random.randint(1, 9)
                return RedeemPoints(**named, member_id=member, points=points, value_minor=points, currency="TWD")  # type: ignore[arg-type]
            case 2:
                return RedeemCoupon(**named, coupon_id=f"k-{member}", campaign_id="c", member_id=member)  # type: ignore[arg-type]
            case 3:
                gtin = random.choice(GTINS)
                return MoveStock(**named, gtin=gtin, delta=-1, reason=MoveReason.SELL)  # type: ignore[arg-type]
            case _:
                text = "註" * random.choice((1, 20, 200))
                return AddNote(**named, member_id=member, text=text)  # type: ignore[arg-type]


def play_day(folder: Path, seed: int, steps: int) -> Day:
    """One day in an empty folder."""
    random, clock = Random(seed), StandingClock()
    centre = SmallCentre(STORE)
    with written_down(folder) as recorder:
        day = Day(recorder.acts)

        def yes(op_id: str) -> None:
            day.confirmed.append((len(day.acts), op_id))

        def open_terminal(staff: str) -> Terminal:
            return Terminal(folder, random, clock, staff, yes)

        def remember() -> None:
            day.centres.append((len(day.acts), centre.copy()))

        def push(terminal: Terminal) -> None:
            request = terminal.session.draft()
            if isinstance(request, PushRequest):
                reply = centre.push(request)
                remember()
                if random.random() < 0.8:  # The others are lost on their way.
                    terminal.session.received(reply)

        def pull(terminal: Terminal) -> None:
            terminal.session.absorb(centre.pull(terminal.session.cursors(), terminal.session.page_rows))

        remember()
        terminals = [open_terminal("amy")]
        terminals[0].replica.journal.keep(device="d1", store=STORE, epoch="1")
        day.enrolled_after = len(day.acts)
        for member in MEMBERS:
            coupon = Coupon(id=f"k-{member}", campaign_id="c", member_id=member, uses_limit=3)
            phone = f"+88691234567{member[1]}"
            centre.write(stream_of(STORE), Member(id=member, phone=phone, name="王小明", home_store=STORE), coupon)
        remember()
        for _step in range(steps):
            at = random.choice(terminals)
            what = random.random()
            if what < 0.5:
                at.accept()
                clock.move(seconds=1)
            elif what < 0.65:
                push(terminals[0])
            elif what < 0.82:
                pull(terminals[0])
            elif what < 0.9:
                gtin = random.choice(GTINS)
                centre.write(CHAIN, Product(id=gtin, name={"zh": "茶" * random.randint(1, 300)}))
                remember()
            elif what < 0.94:
                at.replica.rest()
            elif what < 0.97 and len(terminals) == 1:
                terminals.append(open_terminal("bob"))
            else:
                index = terminals.index(at)
                at.replica.close()
                terminals[index] = open_terminal(at.counter.staff)
        for terminal in terminals:
            terminal.replica.close()
    return day
