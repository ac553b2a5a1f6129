"""The sample into a centre, through the same admin API that a head office and a web shop use. Nothing here is special.

Whatever has been taken before is left alone by the centre, so that filling twice is filling once.
"""

from __future__ import annotations

import http.client
import urllib.error
import urllib.request
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice
from typing import Any, TypeVar

import msgspec

from store_agent.demo.sample.chain import Sample
from store_agent.demo.sample.offers import LEAFLET_CODES
from store_agent.demo.sample.orders import WebOrder
from store_agent.demo.sample.people import Holding
from store_agent.demo.sample.shops import STAFF_PIN
from store_agent.domain.coupons import Coupon
from store_agent.domain.members import Member
from store_agent.domain.products import Product
from store_agent.domain.stores import Staff
from store_agent.trouble import Trouble
from store_agent.words import _

Tell = Callable[[str, int, int], None]
"""What is being sent, how many of it are on their way, and of how many."""

LINES_AT_ONCE = 500
MEMBERS_IN_LOT = 2_000
LOTS_AT_ONCE = 2
ANSWER_WITHIN_S = 120
T = TypeVar("T")


class Problem(msgspec.Struct):
    """Why the centre did not take a request."""

    error: str = ""
    sentence: str = ""


class RowError(msgspec.Struct):
    """Why the centre did not take one record."""

    row: int
    column: str
    why: str


class Report(msgspec.Struct):
    """What the centre did with the records of one kind."""

    taken: int
    unchanged: int
    refused: int
    errors: list[RowError]


def fill(centre_url: str, admin_token: str, sample: Sample, tell: Tell = lambda what, done, total: None) -> None:
    """Send the whole sample. Raises Trouble where the centre cannot be reached or does not take all of it."""
    office = Office(centre_url, admin_token, tell)
    # A wrong token is said before anything is streamed: the centre would hang up in the middle of the stream.
    office.ask("GET", "stores")
    office.send("stores", _("stores"), sample.stores, len(sample.stores))
    office.send("staff", _("staff"), map(_staff, sample.staff), len(sample.staff))
    office.send("tag-words", _("words for tags"), sample.tag_words, len(sample.tag_words))
    office.send("products", _("products"), map(_product, sample.products), len(sample.products))
    office.send("stock", _("stock"), map(_stock, sample.stock()), len(sample.products) * len(sample.stores))
    office.send("campaigns", _("campaigns"), sample.campaigns, len(sample.campaigns))
    _fill_members(office, sample, tell)
    office.send("coupons", _("coupons"), map(_coupon, sample.bearer_coupons()), len(LEAFLET_CODES))
    tagged = list(sample.segments())
    for done, (member_id, words) in enumerate(tagged, 1):
        office.ask("PUT", f"members/{member_id}/tags", [msgspec.json.encode({"tags": words})])
        tell(_("tags of marketing"), done, len(tagged))
    products = {product.id: product for product in sample.products}
    for done, order in enumerate(sample.orders, 1):
        office.ask("POST", "orders", [msgspec.json.encode(_order(order, products))])
        if order.is_cancelled:
            office.ask("POST", f"orders/{order.order_no}/cancel", [b'{"asked_by": "customer"}'])
        tell(_("web orders"), done, len(sample.orders))


def _fill_members(office: Office, sample: Sample, tell: Tell) -> None:
    """Members with what is theirs, some thousand at a time: the centre reads one lot while its ledger writes another."""
    holdings = sample.holdings()
    done = 0
    tell(_("members"), done, sample.member_count)
    with ThreadPoolExecutor(LOTS_AT_ONCE) as pool:
        under_way: deque[Future[int]] = deque()
        while lot := list(islice(holdings, MEMBERS_IN_LOT)):
            under_way.append(pool.submit(_send_lot, office, lot))
            if len(under_way) > LOTS_AT_ONCE:
                done += under_way.popleft().result()
                tell(_("members"), done, sample.member_count)
        for sent in under_way:
            done += sent.result()
            tell(_("members"), done, sample.member_count)


def _send_lot(office: Office, lot: Sequence[Holding]) -> int:
    office.send("members", _("members"), map(_member, lot))
    # What a member opened with went along with them; only later points are told by themselves.
    later = [grant for holding in lot for grant in holding.points[1:]]
    if later:
        office.send("points", _("points"), later)
    office.send("coupons", _("coupons"), [_coupon(coupon) for holding in lot for coupon in holding.coupons])
    return len(lot)


class Office:
    """The head office's line to the centre."""

    def __init__(self, centre_url: str, admin_token: str, tell: Tell) -> None:
        self._url = centre_url.rstrip("/")
        self._headers = {"authorization": f"Bearer {admin_token}", "content-type": "application/x-ndjson"}
        self._tell = tell
        # The centre of a demo is on this machine; a proxy would look for it on its own.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))

    def send(self, table: str, what: str, records: Iterable[Any], total: int = 0) -> None:
        """Stream records of one kind, and see that all were taken. With a total, it is told how far this has come."""
        body = self._lines(what, records, total)
        report = msgspec.json.decode(self.ask("POST", f"import/{table}", body), type=Report)
        if report.refused:
            first = report.errors[0]
            raise Trouble(
                _("The centre did not take {count} of the {what}.").format(count=report.refused, what=what),
                _("Row {row}: {column} {why}").format(row=first.row, column=first.column, why=first.why),
            )

    def ask(self, method: str, path: str, body: Iterable[bytes] | None = None) -> bytes:
        """One request; a body of unknown length is sent piece by piece."""
        request = urllib.request.Request(f"{self._url}/v1/admin/{path}", body, self._headers, method=method)
        try:
            with self._opener.open(request, timeout=ANSWER_WITHIN_S) as reply:
                return bytes(reply.read())
        except urllib.error.HTTPError as error:
            raise _trouble_of(error) from error
        except (OSError, http.client.HTTPException) as error:
            reason = getattr(error, "reason", error)
            raise Trouble(
                _("The centre at {url} cannot be reached: {reason}.").format(url=self._url, reason=reason),
                _("See whether it runs, and whether the address is right."),
            ) from error

    def _lines(self, what: str, records: Iterable[Any], total: int) -> Iterator[bytes]:
        encoder = msgspec.json.Encoder()
        done = 0
        for part in _parts(records):
            yield b"\n".join([encoder.encode(record) for record in part]) + b"\n"
            done += len(part)
            if total:
                self._tell(what, done, total)


def _trouble_of(error: urllib.error.HTTPError) -> Trouble:
    try:
        problem = msgspec.json.decode(error.read(), type=Problem)
    except (msgspec.DecodeError, OSError):
        problem = Problem()
    what = problem.sentence or f"HTTP {error.code} {error.reason}"
    hint = _("Check the admin token.") if error.code in (401, 403) else ""
    return Trouble(_("The centre declined: {what}").format(what=what), hint)


def _parts(records: Iterable[T]) -> Iterator[Sequence[T]]:
    rest = iter(records)
    while part := list(islice(rest, LINES_AT_ONCE)):
        yield part


def _product(product: Product) -> dict[str, Any]:
    record: dict[str, Any] = msgspec.to_builtins(product)
    record["gtin"] = record.pop("id")
    return record


def _stock(stock: Any) -> dict[str, Any]:
    return {"store": stock.store, "gtin": stock.gtin, "on_hand": stock.on_hand, "safety": stock.safety}


def _staff(one: Staff) -> dict[str, Any]:
    return {**msgspec.to_builtins(one), "pin": STAFF_PIN}


def _member(holding: Holding) -> dict[str, Any]:
    member: Member = holding.member
    record: dict[str, Any] = {
        "id": member.id,
        "phone": member.phone,
        "name": member.name,
        "email": member.email,
        "tier": member.tier,
        "code": member.code,
        "card_no": member.card_no,
        "home_store": member.home_store,
        "joined_at": member.joined_at,
        "marketing": member.consent.marketing,
        "marketing_at": member.consent.at,
    }
    if holding.pin:
        record["pin"] = holding.pin
    for link in member.links:
        record |= {"line_provider": link.provider, "line_user": link.user_id}
    for opening in holding.points[:1]:
        record |= {"points": opening.points, "points_expire_at": opening.expires_at}
    return record


def _coupon(coupon: Coupon) -> dict[str, Any]:
    record = {
        "id": coupon.id,
        "campaign_id": coupon.campaign_id,
        "code": coupon.code,
        "valid_until": coupon.valid_until,
    }
    return record | ({"member_id": coupon.member_id} if coupon.member_id else {})


def _order(order: WebOrder, products: dict[str, Product]) -> dict[str, Any]:
    lines = [
        {
            "gtin": gtin,
            "quantity": quantity,
            "unit_minor": products[gtin].price_minor["TWD"],
            "name": products[gtin].name,
        }
        for gtin, quantity in order.lines
    ]
    record = {
        "order_no": order.order_no,
        "store": order.store,
        "member_id": order.member_id,
        "code": order.code,
        "lines": lines,
        "placed_at": order.placed_at,
        "promised_at": order.promised_at,
        "paid": order.paid,
        "proxy_name": order.proxy_name,
        "total_minor": sum(quantity * products[gtin].price_minor["TWD"] for gtin, quantity in order.lines),
    }
    return record if order.hold is None else record | {"hold": order.hold}
