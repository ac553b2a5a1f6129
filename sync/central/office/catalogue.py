"""What head office says of stores, staff, products, prices, stock and the words of tags: records to rows."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from phonenumbers import SUPPORTED_REGIONS

from store_agent.domain.holds import check_hours
from store_agent.domain.pins import STAFF_DIGITS, StaffPin, refuse_pin
from store_agent.domain.points import PointsRule
from store_agent.domain.products import Product, to_gtin
from store_agent.domain.stock import MoveReason, MoveStock, Stock, stock_id
from store_agent.domain.stores import Staff, Store
from store_agent.domain.tags import TagWord
from store_agent.pins import hash_pin, is_pin
from store_agent.safe_text import safe_text
from store_agent.words.refusals import say
from sync.central import own
from sync.central.ground import Connection
from sync.central.office import records
from sync.central.office.imports import Sieve
from sync.central.office.records import merge, need, safe_names
from sync.central.office.strict import Malformed
from sync.central.own import Own
from sync.central.rows import Key


def read_gtin(text: str) -> str:
    """The 14 digits of a product's number; raises Malformed."""
    gtin = to_gtin(text)
    if gtin is None:
        raise Malformed("gtin", f"“{text}” is no product number: its length or its check digit is wrong.")
    return gtin


async def known_stores(conn: Connection) -> dict[str, str]:
    """The region of every store, by id, in the order of ids."""
    found = await conn.execute("select id, body ->> 'region' from store order by id")
    return {str(row[0]): str(row[1]) for row in await found.fetchall()}


def check_store(store: str, stores: Iterable[str], column: str = "store") -> None:
    """Raises Malformed where there is no such store."""
    if store not in stores:
        raise Malformed(column, f"There is no store “{store}”.")


class Stores(Sieve):
    """Shops."""

    def keys(self, record: records.StoreRecord) -> list[Key]:
        return [(Store.table, record.id)]

    def take(self, work: Own, record: records.StoreRecord) -> None:
        values = safe_names(record, "name")
        rule = records.said(values.pop("points")) if "points" in values else {}
        before = work.row(Store.table, record.id)
        if before is None:
            need(values, "name")
            currency = values.get("currency", "TWD")
            before = Store(id=record.id, name={}, currency=currency, points=PointsRule(currency=currency))
        store = merge(before, values)
        store = replace(store, points=replace(store.points, **rule))
        if store.region not in SUPPORTED_REGIONS:
            raise Malformed("region", f"“{store.region}” is no region that telephone numbers know.")
        try:
            check_hours(store.zone, store.closing)
        except ValueError as error:
            raise Malformed("zone" if "zone" in str(error) else "closing", f"{error}.") from error
        work.put(store)


def hash_of_pin(pin: str, digits: tuple[int, int], before: str) -> str:
    """What is kept of a PIN: the same as before where it is the same PIN. Raises Malformed for one that is too easy."""
    if refusal := refuse_pin(pin, digits):
        raise Malformed("pin", say(refusal))
    return before if before and is_pin(pin, before) else hash_pin(pin)


class StaffList(Sieve):
    """People who work in a store."""

    def __init__(self) -> None:
        self._stores: dict[str, str] = {}

    def keys(self, record: records.StaffRecord) -> list[Key]:
        return [(Staff.table, record.id), (StaffPin.table, record.id)]

    async def prepare(self, conn: Connection, records: list[Any]) -> None:
        self._stores = await known_stores(conn)

    def take(self, work: Own, record: records.StaffRecord) -> None:
        values = safe_names(record, "name")
        before = work.row(Staff.table, record.id)
        if before is None:
            need(values, "name", "store")
            before = Staff(id=record.id, name="", store="")
        staff = merge(before, values)
        need({"name": staff.name}, "name")
        check_store(staff.store, self._stores)
        held: StaffPin | None = work.row(StaffPin.table, staff.id)
        before_hash, set_at = (held.pin_hash, held.set_at) if held else ("", None)
        pin_hash = hash_of_pin(record.pin, STAFF_DIGITS, before_hash) if record.pin else before_hash
        work.put(staff)
        if pin_hash:
            set_at = set_at if pin_hash == before_hash else work.now
            work.put(StaffPin(id=staff.id, store=staff.store, pin_hash=pin_hash, set_at=set_at))


class Products(Sieve):
    """Articles."""

    def keys(self, record: records.ProductRecord) -> list[Key]:
        return [(Product.table, read_gtin(record.gtin))]

    def take(self, work: Own, record: records.ProductRecord) -> None:
        gtin = read_gtin(record.gtin)
        values = safe_names(record, "name", "categories", "shelf")
        before = work.row(Product.table, gtin)
        if before is None:
            need(values, "name")
        work.put(merge(before or Product(id=gtin), values))


class Prices(Sieve):
    """Prices of articles that are known."""

    def keys(self, record: records.PriceRecord) -> list[Key]:
        return [(Product.table, read_gtin(record.gtin))]

    def take(self, work: Own, record: records.PriceRecord) -> None:
        before = work.row(Product.table, read_gtin(record.gtin))
        if before is None:
            raise Malformed("gtin", "There is no such product. Import the products first.")
        work.put(merge(before, {"price_minor": {record.currency: record.price_minor}}))


class TagWords(Sieve):
    """Words of the vocabulary."""

    def keys(self, record: records.TagWordRecord) -> list[Key]:
        if safe_text(record.id) != record.id:
            raise Malformed("id", "It holds characters that cannot be shown.")
        return [(TagWord.table, record.id)]

    def take(self, work: Own, record: records.TagWordRecord) -> None:
        values = safe_names(record, "labels")
        if "roles" in values:
            values["roles"] = tuple(str(role) for role in values["roles"])
        work.put(merge(work.row(TagWord.table, record.id) or TagWord(id=record.id), values))


class StockFigures(Sieve):
    """Another system's figures. A new row opens with them; after that only the difference moves, with a reason."""

    def __init__(self) -> None:
        self._stores: dict[str, str] = {}
        self._products: set[str] = set()

    def keys(self, record: records.StockRecord) -> list[Key]:
        return [(Stock.table, stock_id(record.store, read_gtin(record.gtin)))]

    async def prepare(self, conn: Connection, records: list[Any]) -> None:
        self._stores = await known_stores(conn)
        gtins = [to_gtin(record.gtin) or "" for record in records]
        found = await conn.execute("select id from product where id = any(%s)", [gtins])
        self._products = {row[0] for row in await found.fetchall()}

    def take(self, work: Own, record: records.StockRecord) -> None:
        check_store(record.store, self._stores)
        gtin = read_gtin(record.gtin)
        if gtin not in self._products:
            raise Malformed("gtin", "There is no such product. Import the products first.")
        values = records.said(record)
        id_ = stock_id(record.store, gtin)
        row: Stock | None = work.row(Stock.table, id_)
        if row is None:
            opening = Stock(id=id_, store=record.store, gtin=gtin, moved_at=work.now, refilled_at=work.now)
            work.put(merge(opening, {name: values[name] for name in ("on_hand", "safety") if name in values}))
            return
        delta = values.get("on_hand", row.on_hand) - row.on_hand
        if delta:
            moved = MoveStock(
                op_id=own.new_id(),
                at=work.now,
                store=record.store,
                staff=own.DEVICE,
                gtin=gtin,
                reference="import",
                delta=delta,
                reason=MoveReason.ADJUST_FOUND if delta > 0 else MoveReason.ADJUST_LOST,
            )
            if refusal := work.do(moved):
                raise Malformed("on_hand", say(refusal))
        work.put(replace(work.row(Stock.table, id_), safety=values.get("safety", row.safety)))
