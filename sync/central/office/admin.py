"""The admin API: what head office and web shop may ask over HTTP, with a bearer token. What it does is elsewhere."""

from __future__ import annotations

import hmac
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Annotated, Any

from msgspec import Meta
from starlette.requests import Request

from store_agent.domain.campaigns import Campaign
from store_agent.domain.cases import Case
from store_agent.domain.keys import Key
from store_agent.domain.pickups import Pickup
from store_agent.domain.rights import CoverRule
from store_agent.domain.tags import MemberTags
from sync.central import figures, own
from sync.central.endpoints import Declined, Endpoint, read_body
from sync.central.ground import Connection
from sync.central.office import deciding, exposure, head_office, minting, orders, records, signing
from sync.central.office.imports import Report, Table, Tally, take_chunk, take_records
from sync.central.office.sheets import Record, read_records
from sync.central.office.strict import Malformed, decode_strictly
from sync.central.office.tables import TABLES

IMPORT_PATH = "/v1/admin/import/"
PAGES_MOST = 100_000
NAME_MOST = 200
"""Characters of an id in a path or a query."""
Handler = Callable[[Request, Any], Awaitable[Any]]


def check_token(request: Request) -> None:
    """Declined unless the request bears the token. Without one in the settings nobody does."""
    scheme, _space, token = request.headers.get("authorization", "").partition(" ")
    wanted = request.app.state.centre.admin_token
    is_it = hmac.compare_digest(token.strip().encode(), wanted.encode())
    if not wanted or scheme.lower() != "bearer" or not is_it:
        raise Declined(401, "token", "The admin API wants the bearer token of the centre's settings.")


def _guarded(handle: Handler, body: Any = None) -> Handler:
    """The token before anything is read of the body, and then the body as strictly as an import."""

    async def serve(request: Request, _body: Any) -> Any:
        check_token(request)
        _check_names(request)
        try:
            done = await handle(request, None if body is None else decode_strictly(await read_body(request), body))
        except Malformed as error:
            raise Declined(422, "malformed", f"The request cannot be read: {error}") from error
        if request.method != "GET":
            # "Done already" and "nothing changed" are promises too, and commit nothing that would wait by itself.
            await request.app.state.centre.standby.reached_if_any()
        return done

    return serve


def _check_names(request: Request) -> None:
    """PostgreSQL keeps no NUL in a text, and a surrogate is no character."""
    for text in [*request.path_params.values(), *request.query_params.values()]:
        if len(text) > NAME_MOST or "\0" in text or any("\ud800" <= ch <= "\udfff" for ch in text):
            raise Declined(422, "malformed", "A name in the address is too long or holds characters that none can.")


def _import(table: Table) -> Handler:
    async def take(request: Request, _body: Any) -> Report:
        centre = request.app.state.centre
        kind = request.headers.get("content-type", "").lower()
        parts = request.stream()
        report = await take_records(centre.pool, table, read_records(parts, table.columns, kind), centre.now)
        await centre.waiting.look()
        return report

    return take


def _list_of(table: Table) -> Handler:
    """Records that came in one body."""

    async def take(request: Request, body: Any) -> Report:
        centre = request.app.state.centre
        report = await take_records(centre.pool, table, _numbered(body), centre.now)
        await centre.waiting.look()
        return report

    return take


async def _numbered(values: Sequence[Any]) -> AsyncIterator[Record]:
    for row, value in enumerate(values, 1):
        if isinstance(value, dict):
            yield Record(row, {name: part for name, part in value.items() if part is not None})
        else:
            yield Record(row, None, "", "This is no JSON object.")


async def _put_campaign(request: Request, body: Campaign) -> Report:
    centre = request.app.state.centre
    tally = Tally()
    await take_chunk(centre.pool, TABLES["campaigns"], [(1, body)], tally, centre.now())
    report = tally.report()
    if report.errors:
        raise Malformed(report.errors[0].column, report.errors[0].why)
    await centre.waiting.look()
    return report


async def _place(request: Request, body: orders.OrderRequest) -> orders.OrderPlaced:
    centre = request.app.state.centre
    placed = await orders.place(centre.pool, body, centre.now())
    await centre.waiting.look()
    return placed


async def _cancel(request: Request, body: orders.CancelRequest) -> orders.OrderStanding:
    centre = request.app.state.centre
    standing = await orders.cancel(centre.pool, request.path_params["order_no"], body, centre.now())
    await centre.waiting.look()
    return standing


async def _order(request: Request, _body: Any) -> Pickup:
    async with request.app.state.centre.pool.connection() as conn:
        return await orders.find(conn, request.path_params["order_no"])


async def _member(request: Request, _body: Any) -> head_office.MemberView:
    centre = request.app.state.centre
    id_, phone = request.path_params.get("id", ""), request.query_params.get("phone", "")
    if not id_ and not phone:
        raise Declined(422, "malformed", "Name the member: /v1/admin/members/ID or ?phone=+886…")
    async with centre.pool.connection() as conn:
        return await head_office.see_member(conn, centre.now(), id_=id_, phone="" if id_ else phone)


async def _tags(request: Request, body: head_office.TagsRequest) -> MemberTags:
    centre = request.app.state.centre

    async def work(conn: Connection) -> MemberTags:
        return await head_office.put_tags(conn, request.path_params["id"], body, centre.now())

    tags = await own.in_transaction(centre.pool, work)
    await centre.waiting.look()
    return tags


async def _code(request: Request, body: head_office.CodeRequest) -> head_office.CodeReply:
    centre = request.app.state.centre
    async with centre.pool.connection() as conn, conn.transaction():
        return await head_office.make_enrolment_code(conn, body, centre.now())


async def _revoke(request: Request, _body: Any) -> head_office.DeviceView:
    centre = request.app.state.centre
    async with centre.pool.connection() as conn, conn.transaction():
        return await head_office.revoke_device(conn, request.path_params["id"], centre.now())


async def _stores(request: Request, _body: Any) -> list[head_office.StoreView]:
    async with request.app.state.centre.pool.connection() as conn:
        return await head_office.list_stores(conn)


async def _figures(request: Request, _body: Any) -> dict[str, int]:
    async with request.app.state.centre.pool.connection() as conn:
        return await figures.of_store(conn, request.path_params["store"])


async def _cases(request: Request, _body: Any) -> deciding.CasePage:
    asked = request.query_params
    page = asked.get("page", "1")
    if not (page.isascii() and page.isdigit() and 0 < int(page) < PAGES_MOST):
        raise Declined(422, "malformed", "A page is a number from 1.")
    store, kind, state = (asked.get(name, "") for name in ("store", "kind", "state"))
    async with request.app.state.centre.pool.connection() as conn:
        return await deciding.list_cases(conn, store=store, kind=kind, state=state, page=int(page))


async def _resolve(request: Request, body: deciding.ResolveRequest) -> Case:
    centre = request.app.state.centre

    async def work(conn: Connection) -> Case:
        return await deciding.resolve(conn, request.path_params["id"], body, centre.now())

    case = await own.in_transaction(centre.pool, work)
    await centre.waiting.look()
    return case


async def _retry(request: Request, body: deciding.RetryRequest) -> list[deciding.Retried]:
    centre = request.app.state.centre

    async def work(conn: Connection) -> list[deciding.Retried]:
        return await deciding.retry(conn, request.path_params["op_id"], body, centre.now())

    retried = await own.in_transaction(centre.pool, work)
    await centre.waiting.look()
    return retried


async def _cover(request: Request, _body: Any) -> list[CoverRule]:
    async with request.app.state.centre.pool.connection() as conn:
        return await exposure.rules(conn)


async def _change_cover(request: Request, body: exposure.CoverRequest) -> CoverRule:
    centre = request.app.state.centre
    rule = await own.in_transaction(centre.pool, lambda conn: exposure.change_rule(conn, body, centre.now()))
    await centre.waiting.look()
    return rule


async def _exposure(request: Request, _body: Any) -> exposure.ExposureReport:
    centre = request.app.state.centre
    async with centre.pool.connection() as conn:
        return await exposure.report(conn, centre.now())


async def _bound(request: Request, _body: Any) -> exposure.Bound:
    async with request.app.state.centre.pool.connection() as conn:
        return await exposure.bound(conn, request.path_params["id"])


async def _write_off(request: Request, _body: Any) -> exposure.DeviceRisk:
    centre = request.app.state.centre
    id_ = request.path_params["id"]
    risk = await own.in_transaction(centre.pool, lambda conn: exposure.write_off(conn, id_, centre.now()))
    await centre.waiting.look()
    return risk


async def _keys(request: Request, _body: Any) -> list[Key]:
    async with request.app.state.centre.pool.connection() as conn:
        return await signing.list_keys(conn)


async def _make_key(request: Request, body: signing.KeyRequest) -> Key:
    centre = request.app.state.centre
    key = await signing.make_key(centre.pool, body, centre.now(), centre.sealing)
    await centre.waiting.look()
    return key


async def _revoke_key(request: Request, _body: Any) -> Key:
    centre = request.app.state.centre
    key = await signing.revoke_key(centre.pool, request.path_params["id"], centre.now())
    await centre.waiting.look()
    return key


async def _mint(request: Request, body: minting.MintRequest) -> minting.Minted:
    centre = request.app.state.centre
    async with centre.pool.connection() as conn, conn.transaction():
        return await minting.mint(conn, body, centre.now(), centre.sealing)


def _endpoint(
    method: str, path: str, summary: str, handle: Handler, reply: Any, body: Any = None, *query: str, reads: Any = None
) -> Endpoint:
    """An endpoint behind the token. `reads` is what the body is decoded as where its items are judged one by one."""
    guarded = _guarded(handle, reads if reads is not None else body)
    return Endpoint(method, path, summary, guarded, reply, body, query, security="admin", streams=True)


def _import_endpoint(table: Table) -> Endpoint:
    summary = f"Import {table.name} as CSV, JSON lines or a JSON array"
    body = list[table.record]  # type: ignore[name-defined]
    handle = _guarded(_import(table))
    return Endpoint("POST", IMPORT_PATH + table.name, summary, handle, Report, body, security="admin", streams=True)


Coupons = Annotated[list[records.CouponRecord], Meta(max_length=20_000)]
Grants = Annotated[list[records.PointsRecord], Meta(max_length=20_000)]
Items = Annotated[list[Any], Meta(max_length=20_000)]

ADMIN_ENDPOINTS = (
    *(_import_endpoint(table) for table in TABLES.values()),
    _endpoint("POST", "/v1/admin/campaigns", "Make or change a campaign", _put_campaign, Report, Campaign),
    _endpoint(
        "POST", "/v1/admin/coupons", "Put coupons into hands", _list_of(TABLES["coupons"]), Report, Coupons, reads=Items
    ),
    _endpoint(
        "POST", "/v1/admin/points", "Give points to members", _list_of(TABLES["points"]), Report, Grants, reads=Items
    ),
    _endpoint("POST", "/v1/admin/orders", "Place a web order", _place, orders.OrderPlaced, orders.OrderRequest),
    _endpoint("GET", "/v1/admin/orders/{order_no}", "Look at an order", _order, Pickup),
    _endpoint(
        "POST",
        "/v1/admin/orders/{order_no}/cancel",
        "Cancel an order, or ask its store to",
        _cancel,
        orders.OrderStanding,
        orders.CancelRequest,
    ),
    _endpoint("GET", "/v1/admin/members", "A member by phone", _member, head_office.MemberView, None, "phone"),
    _endpoint("GET", "/v1/admin/members/{id}", "A member by id", _member, head_office.MemberView),
    _endpoint("PUT", "/v1/admin/members/{id}/tags", "Set segment tags", _tags, MemberTags, head_office.TagsRequest),
    _endpoint(
        "POST",
        "/v1/admin/enrolment-codes",
        "Make a one-time code for a store's device",
        _code,
        head_office.CodeReply,
        head_office.CodeRequest,
    ),
    _endpoint("POST", "/v1/admin/devices/{id}/revoke", "Revoke a device", _revoke, head_office.DeviceView),
    _endpoint(
        "POST",
        "/v1/admin/devices/{id}/write-off",
        "Give a lost device's allowance up",
        _write_off,
        exposure.DeviceRisk,
    ),
    _endpoint("GET", "/v1/admin/cover", "How much the chain dares with the cable out", _cover, list[CoverRule]),
    _endpoint("PUT", "/v1/admin/cover", "Change it", _change_cover, CoverRule, exposure.CoverRequest),
    _endpoint(
        "GET", "/v1/admin/exposure", "What may be lost at most, and what was", _exposure, exposure.ExposureReport
    ),
    _endpoint(
        "GET", "/v1/admin/campaigns/{id}/bound", "What a campaign can cost more than it should", _bound, exposure.Bound
    ),
    _endpoint("GET", "/v1/admin/keys", "Keys that sign codes, by issuer", _keys, list[Key]),
    _endpoint("POST", "/v1/admin/keys", "Make or take a key that signs codes", _make_key, Key, signing.KeyRequest),
    _endpoint("POST", "/v1/admin/keys/{id}/revoke", "Revoke a key that signs codes", _revoke_key, Key),
    _endpoint("POST", "/v1/admin/codes", "Make a signed code", _mint, minting.Minted, minting.MintRequest),
    _endpoint(
        "GET",
        "/v1/admin/cases",
        "Cases, open ones first, and what they amount to",
        _cases,
        deciding.CasePage,
        None,
        *("store", "kind", "state", "page"),
    ),
    _endpoint("POST", "/v1/admin/cases/{id}/resolve", "Decide about a case", _resolve, Case, deciding.ResolveRequest),
    _endpoint(
        "POST",
        "/v1/admin/operations/{op_id}/retry",
        "Try an operation again that waits for a person",
        _retry,
        list[deciding.Retried],
        deciding.RetryRequest,
    ),
    _endpoint("GET", "/v1/admin/stores", "How every store stands", _stores, list[head_office.StoreView]),
    _endpoint(
        "GET",
        "/v1/admin/stores/{store}/figures",
        "Counts and sums over what a store holds",
        _figures,
        dict[str, int],
    ),
)
