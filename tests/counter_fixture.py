"""A small store on disk without any network, for the tests of the counter: real replica, held clock."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from store_agent.clock import Ids
from store_agent.codec import encode_row
from store_agent.desk.counter import Counter
from store_agent.domain.benefits import Benefit, BenefitKind, Step
from store_agent.domain.campaigns import Campaign, Stacking
from store_agent.domain.coupons import Coupon, Held
from store_agent.domain.members import Link, Member, Tier
from store_agent.domain.pickups import Line, Pickup, PickupState, PickupStep
from store_agent.domain.pickups import Step as PickupDone
from store_agent.domain.points import Account, Batch
from store_agent.domain.products import Product, ProductSet, check_digit
from store_agent.domain.proofs import SpendingProof
from store_agent.domain.purchases import Purchase, PurchaseLine
from store_agent.domain.stock import Availability, Stock, StoreStock, stock_id
from store_agent.domain.stores import Role, Staff, Store
from store_agent.domain.tags import MemberTags, Note, NoteKind, Tag, TagWord
from store_agent.replica import Replica
from store_agent.replica.cache import Absorbed, Arrival
from store_agent.scan import ScanKind, make_code

NOW = datetime(2026, 11, 21, 6, 30, tzinfo=UTC)
"""A Saturday, 14:30 in Taipei."""
KEY = b"\x07" * 32
STORE = "tpe-001"


class HeldClock:
    """Stands still unless a test moves it."""

    def __init__(self, at: datetime = NOW) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at

    def monotonic(self) -> float:
        return self.at.timestamp()

    async def sleep(self, pause_s: float) -> None:
        self.at += timedelta(seconds=pause_s)


def gtin(number: int) -> str:
    """A valid number of 14 digits."""
    body = f"0471{number:09d}"
    return body + check_digit(body)


COFFEE, BAG, COOKIES, TEA = gtin(1001), gtin(1002), gtin(1003), gtin(1004)
WANG, LI, CHEN, HOSTILE = "m-wang", "m-li", "m-chen", "m-hostile"
WANG_CODE = make_code(ScanKind.MEMBER_CODE, 11)
BEARER_CODE = make_code(ScanKind.COUPON, 21)
READY_CODE = make_code(ScanKind.PICKUP_CODE, 31)
PLACED_CODE = make_code(ScanKind.PICKUP_CODE, 32)
MEI_BADGE = make_code(ScanKind.STAFF_BADGE, 41)
HOSTILE_NAME = "[@click=app.quit]王小明[/] [/] \x1b[31mred\u202egnp"


def names(chinese: str, english: str) -> dict[str, str]:
    return {"zh-TW": chinese, "zh-HK": chinese, "en": english}


def product(id_: str, chinese: str, english: str, price_minor: int, category: str, shelf: str) -> Product:
    return Product(
        id=id_, name=names(chinese, english), price_minor={"TWD": price_minor}, categories=(category,), shelf=shelf
    )


def products() -> list[Product]:
    return [
        product(COFFEE, "耶加雪菲咖啡豆 250g", "Yirgacheffe coffee 250 g", 350, "coffee", "A-12"),
        product(BAG, "環保提袋", "Tote bag", 50, "goods", "C-01"),
        product(COOKIES, "抹茶餅乾", "Matcha cookies", 120, "snacks", "B-07"),
        product(TEA, "阿里山烏龍茶", "Alishan oolong tea", 462, "tea", "A-03"),
    ]


def campaigns() -> list[Campaign]:
    percent = Benefit(kind=BenefitKind.PERCENT, pay_percent=85)
    steps = (Step(at_least_minor=400, pay_percent=95), Step(at_least_minor=500, pay_percent=90))
    shipping = Benefit(kind=BenefitKind.FREE_SHIPPING)
    gift = Benefit(kind=BenefitKind.GIFT, free=ProductSet(gtins=(BAG,)))
    return [
        Campaign(id="c85", name=names("85 折券", "15% off"), benefit=percent, stacking=Stacking.BEST_ONE),
        Campaign(
            id="c-steps",
            name=names("滿額折", "Spend and save"),
            benefit=Benefit(kind=BenefitKind.THRESHOLD, steps=steps),
            stacking=Stacking.BEST_ONE,
            currency="TWD",
        ),
        Campaign(
            id="c-bogo",
            name=names("餅乾買一送一", "Cookies: buy one, get one"),
            benefit=Benefit(kind=BenefitKind.BOGO),
            included=ProductSet(categories=("snacks",)),
            stacking=Stacking.STACKS,
        ),
        Campaign(
            id="c-ship",
            name=names("官網免運券", "Free shipping online"),
            benefit=shipping,
            instead=names("可改用門市 85 折券", "Offer the 15% coupon of the store"),
        ),
        Campaign(id="c-gift", name=names("提袋兌換券", "Tote bag voucher"), benefit=gift, stacking=Stacking.STACKS),
        Campaign(
            id="c-20",
            name=names("NT$20 折抵券", "NT$20 off"),
            benefit=Benefit(kind=BenefitKind.AMOUNT, off_minor=20),
            stacking=Stacking.STACKS,
            currency="TWD",
        ),
        Campaign(
            id="c-welcome",
            name=names("新會員 NT$50 折抵券", "Welcome: NT$50 off"),
            benefit=Benefit(kind=BenefitKind.AMOUNT, off_minor=50),
            stacking=Stacking.STACKS,
            currency="TWD",
        ),
    ]


def people() -> list[Member]:
    return [
        Member(
            id=WANG,
            phone="+886912345678",
            name="王小明",
            email="wang@example.tw",
            tier=Tier.GOLD,
            code=WANG_CODE,
            card_no="8860001234",
            links=(Link("line-main", "U" + "1" * 32),),
            home_store=STORE,
        ),
        Member(id=LI, phone="+886922000678", name="Lily Wang", tier=Tier.SILVER, home_store=STORE),
        Member(id=CHEN, phone="+886933555111", name="陳美玲", home_store=STORE),
        Member(id=HOSTILE, phone="+886955666777", name=HOSTILE_NAME, home_store=STORE),
    ]


def belongings() -> list[Any]:
    """What Wang holds."""
    until = NOW + timedelta(days=40)
    held = ("c85", "c-steps", "c-bogo", "c-ship", "c-20")
    # This store is the member's home: what they have is its right, as the centre would have set it aside.
    right = (Held(STORE),)
    coupons = [Coupon(id=f"k-{id_}", campaign_id=id_, member_id=WANG, valid_until=until, held=right) for id_ in held]
    batches = (Batch("b1", 100, NOW + timedelta(days=20), STORE), Batch("b2", 220, NOW + timedelta(days=300), STORE))
    tags = (
        Tag(name="coffee", author="s-mei", at=NOW - timedelta(days=3), store=STORE),
        Tag(name="vip", source="segment", at=NOW - timedelta(days=9)),
    )
    note = Note(
        id="n1", kind=NoteKind.TALK, text="想找低酸的咖啡豆", author="s-mei", at=NOW - timedelta(days=3), store=STORE
    )
    lines = (PurchaseLine(COFFEE, "耶加雪菲咖啡豆 250g", 1, 350),)
    return [
        *coupons,
        Coupon(id="k-bearer", campaign_id="c-gift", code=BEARER_CODE, valid_until=until, held=right),
        Account(id=WANG, batches=batches),
        MemberTags(id=WANG, tags=tags, notes=(note,)),
        Purchase(
            id="p-old",
            member_id=WANG,
            at=NOW - timedelta(days=34),
            store=STORE,
            total_minor=350,
            paid_minor=350,
            lines=lines,
        ),
        Purchase(
            id="p-web",
            member_id=WANG,
            at=NOW - timedelta(days=60),
            store="",
            channel="online",
            total_minor=820,
            paid_minor=820,
        ),
    ]


def order(id_: str, order_no: str, state: PickupState, minutes: int, **more: Any) -> Pickup:
    line = Line(
        no=1, gtin=COFFEE, name=names("耶加雪菲咖啡豆 250g", "Yirgacheffe coffee 250 g"), quantity=2, unit_minor=350
    )
    tea = Line(no=2, gtin=TEA, name=names("阿里山烏龍茶", "Alishan oolong tea"), quantity=1, unit_minor=462)
    fields: dict[str, Any] = {"lines": (line, tea), "total_minor": 1162, "member_id": CHEN} | more
    placed_at = NOW - timedelta(hours=5)
    return Pickup(
        id=id_,
        order_no=order_no,
        store=STORE,
        state=state,
        placed_at=placed_at,
        promised_at=NOW + timedelta(minutes=minutes),
        **fields,
    )


def orders() -> list[Pickup]:
    ready = order("o-ready", "W1001", PickupState.READY, -60, code=READY_CODE, shelf="P-03", member_id=WANG)
    lines = tuple(replace(line, picked=line.quantity) for line in ready.lines)
    steps = (PickupDone(step=PickupStep.READY, at=NOW - timedelta(hours=2), staff="s-mei", store=STORE),)
    ready = replace(ready, lines=lines, ready_at=NOW - timedelta(hours=2), history=steps)
    return [
        ready,
        order("o-placed", "W1002", PickupState.PLACED, 20, code=PLACED_CODE),
        order("o-late", "W1003", PickupState.ACCEPTED, -15, member_id=LI),
        replace(ready, id="o-unpaid", order_no="W1004", code="", member_id=LI, paid=False, shelf="P-05"),
    ]


def shelves() -> list[Any]:
    figures = [(COFFEE, 12), (BAG, 40), (COOKIES, 3), (TEA, 0)]
    stocks = [
        Stock(
            id=stock_id(STORE, id_),
            store=STORE,
            gtin=id_,
            on_hand=on_hand,
            held=2 if id_ == COFFEE else 0,
            safety=1,
            sold_since=4,
            counted_at=NOW - timedelta(days=2),
            counted_by="s-mei",
            moved_at=NOW - timedelta(minutes=12),
        )
        for id_, on_hand in figures
    ]
    others = (
        StoreStock(store="tpe-002", sellable=7, as_of_at=NOW - timedelta(minutes=9)),
        StoreStock(store="hkg-001", sellable=0, as_of_at=NOW - timedelta(hours=3)),
    )
    return [*stocks, *[Availability(id=id_, stores=others) for id_, _on_hand in figures]]


def words() -> list[TagWord]:
    labels = [
        ("coffee", "咖啡", "Coffee"),
        ("japan", "日本零食", "Japanese snacks"),
        ("vip", "貴賓", "VIP"),
        ("tea", "茶", "Tea"),
    ]
    return [TagWord(id=id_, labels=names(chinese, english)) for id_, chinese, english in labels]


def rows() -> list[Any]:
    """Everything that the store holds."""
    closing = {str(day): "22:00" for day in range(1, 8)}
    return [
        Store(
            id=STORE,
            name=names("台北信義店", "Taipei Xinyi"),
            closing=closing,
            welcome_campaign="c-welcome",
            spending_proof=SpendingProof.ANY,
        ),
        Store(id="tpe-002", name=names("台北南港店", "Taipei Nangang")),
        Store(id="hkg-001", name=names("香港銅鑼灣店", "Causeway Bay"), region="HK", currency="HKD"),
        Staff(id="s-mei", name="林美", store=STORE, role=Role.LEAD, badge=MEI_BADGE),
        Staff(id="s-an", name="An", store=STORE),
        *products(),
        *campaigns(),
        *words(),
        *people(),
        *belongings(),
        *orders(),
        *shelves(),
    ]


def absorb(replica: Replica, arrived: Sequence[Any], revision: int = 1) -> None:
    """Rows come from the centre."""
    arrivals = [Arrival(row.table, row.id, revision, encode_row(row).decode()) for row in arrived]
    read = {"chain": (revision, revision), f"store/{STORE}": (revision, revision)}
    replica.cache.absorb(Absorbed(rows=arrivals, cursors=read))


def open_replica(folder: Path) -> Replica:
    """The store's two files, enrolled; the same folder opens the same store."""
    folder.mkdir(parents=True, exist_ok=True)
    replica = Replica(folder, KEY)
    if not replica.device:
        replica.journal.keep(device="device-1", store=STORE, epoch="1")
    return replica


def open_store(folder: Path) -> Replica:
    """The same with everything in it, in step with the centre."""
    replica = open_replica(folder)
    absorb(replica, rows())
    replica.cache.keep(heard_at=NOW.isoformat())
    return replica


def counter_at(replica: Replica, clock: HeldClock | None = None, staff: str = "s-an") -> Counter:
    """Somebody at the counter."""
    clock = clock or HeldClock()
    return Counter(replica, clock, Ids(clock), staff)
