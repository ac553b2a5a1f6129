"""The centre's web application: which endpoints there are and what they share. What they do is in the modules they call."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from store_agent import __version__
from sync import wire
from sync.central import compaction, devices, downloads, epochs, exchange, ground, lending, salvage
from sync.central.availability import EVERY_S, keep_publishing
from sync.central.devices import Device
from sync.central.endpoints import Declined, Endpoint, as_route, json_response, read_body
from sync.central.ground import Pool, open_pool
from sync.central.office.admin import ADMIN_ENDPOINTS
from sync.central.office.sealing import Sealing, reseal
from sync.central.openapi import openapi_endpoint
from sync.central.standby import Standby
from sync.central.waiting import Waiting

LONGEST_WAIT_S = 55.0


def system_now() -> datetime:
    """The machine's time."""
    return datetime.now(UTC)


@dataclass(slots=True)
class Centre:
    """What the endpoints work with."""

    pool: Pool
    waiting: Waiting
    standby: Standby
    now: Callable[[], datetime]
    admin_token: str
    making: downloads.Making
    sealing: Sealing = field(default_factory=Sealing)


def centre_of(request: Request) -> Centre:
    """The centre that serves this request."""
    centre: Centre = request.app.state.centre
    return centre


async def _device(request: Request) -> Device:
    """Who signed the request. The target is taken as it came, so that what was signed is what is done."""
    target = request.url.path + (f"?{request.url.query}" if request.url.query else "")
    device_id = request.headers.get(wire.DEVICE_HEADER, "")
    text = wire.signed_text(request.method, target, device_id, await read_body(request))
    async with centre_of(request).pool.connection() as conn:
        return await devices.identify(conn, device_id, request.headers.get(wire.SIGNATURE_HEADER, ""), text)


async def _push(request: Request, body: wire.PushRequest) -> wire.PushReply:
    centre = centre_of(request)
    reply = await exchange.push(centre.pool, await _device(request), body, centre.now())
    centre.waiting.nudge()
    return reply


async def _pull(request: Request, _body: Any) -> wire.PullReply:
    centre = centre_of(request)
    device = await _device(request)
    own = wire.stream_of(device.store)
    for name in request.query_params:
        if name not in (wire.CHAIN, own, "rows", "wait", "incarnation", "received"):
            raise Declined(403, "other-stream", f"{name} is not a stream of this store.")
    cursors = {stream: int(_number(request, stream)) for stream in (wire.CHAIN, own)}
    page_rows, wait_s = int(_number(request, "rows", 500)), min(_number(request, "wait"), LONGEST_WAIT_S)
    known = exchange.Known(request.query_params.get("incarnation", ""), _received(request))

    async def ask() -> wire.PullReply:
        return await exchange.pull(
            centre.pool, cursors, page_rows, centre.standby, device=device, known=known, now=centre.now()
        )

    reply = await ask()
    if wait_s and reply.streams and not any(page.rows for page in reply.streams.values()):
        await centre.waiting.until_beyond(cursors, wait_s)
        reply = await ask()
    return reply


def _received(request: Request) -> tuple[int, int]:
    epoch, _dot, seq = request.query_params.get("received", "0.0").partition(".")
    if not (epoch + seq).isdecimal() or not epoch or not seq or len(epoch + seq) > 32:
        raise Declined(422, "malformed", "received is no EPOCH.NUMBER.")
    return int(epoch), int(seq)


async def _epoch(request: Request, body: wire.EpochRequest) -> wire.EpochReply:
    centre = centre_of(request)
    return await epochs.begin(centre.pool, await _device(request), body, centre.now())


async def _salvage(request: Request, body: wire.SalvageRequest) -> wire.SalvageReply:
    centre = centre_of(request)
    reply = await salvage.take(centre.pool, await _device(request), body, centre.now())
    centre.waiting.nudge()
    return reply


def _number(request: Request, name: str, default: float = 0) -> float:
    text = request.query_params.get(name, str(default))
    try:
        value = float(text)
    except ValueError:
        value = -1
    if not 0 <= value < 2**53:
        raise Declined(422, "malformed", f"{name} is not a number from 0 on.")
    return value


async def _offer_snapshot(request: Request, body: wire.SnapshotRequest) -> wire.SnapshotReply:
    centre = centre_of(request)
    return await downloads.offer(centre.pool, centre.making, await _device(request), body, centre.now())


async def _serve_snapshot(request: Request, _body: Any) -> Response:
    device = await _device(request)
    return await downloads.serve(centre_of(request).pool, device, request.path_params["id"], request)


async def _sight(request: Request, body: wire.SightRequest) -> wire.SightReply:
    centre = centre_of(request)
    reply = await exchange.sight(centre.pool, await _device(request), body, centre.now())
    centre.waiting.nudge()
    return reply


async def _acquire(request: Request, body: wire.AcquireRequest) -> wire.AcquireReply:
    centre = centre_of(request)
    reply = await lending.acquire(centre.pool, await _device(request), body, centre.now())
    centre.waiting.nudge()
    return reply


async def _enrol(request: Request, body: wire.EnrolRequest) -> wire.EnrolReply:
    centre = centre_of(request)
    return await exchange.enrol(centre.pool, body, centre.now())


async def _health(request: Request, _body: Any) -> wire.Health:
    async with centre_of(request).pool.connection() as conn:
        return wire.Health(True, __version__, await ground.incarnation(conn), centre_of(request).now())


STORE_ENDPOINTS = (
    Endpoint("POST", "/v1/push", "Take a store's operations", _push, wire.PushReply, wire.PushRequest),
    Endpoint(
        "GET",
        "/v1/pull",
        "Rows of the store's streams behind its cursors",
        _pull,
        wire.PullReply,
        query=("chain", "store/{store}", "rows", "wait", "incarnation", "received"),
    ),
    Endpoint("POST", "/v1/epoch", "Give a device a new chain", _epoch, wire.EpochReply, wire.EpochRequest),
    Endpoint(
        "POST",
        "/v1/salvage",
        "Take what was left of a closed epoch",
        _salvage,
        wire.SalvageReply,
        wire.SalvageRequest,
    ),
    Endpoint(
        "POST",
        "/v1/snapshot",
        "What a store that has little or nothing begins with",
        _offer_snapshot,
        wire.SnapshotReply,
        wire.SnapshotRequest,
    ),
    Endpoint("GET", "/v1/snapshot/{id}", "A snapshot's file, or a range of it", _serve_snapshot, bytes),
    Endpoint("POST", "/v1/sight", "Begin to hold a member", _sight, wire.SightReply, wire.SightRequest),
    Endpoint(
        "POST",
        "/v1/rights/acquire",
        "Set aside for this store what it is about to spend",
        _acquire,
        wire.AcquireReply,
        wire.AcquireRequest,
    ),
    Endpoint("POST", "/v1/enrol", "Bind a device to a store", _enrol, wire.EnrolReply, wire.EnrolRequest, security=""),
    Endpoint("GET", "/v1/health", "Whether the centre can work", _health, wire.Health, security=""),
)


def make_app(
    database_url: str,
    *,
    admin_token: str = "",
    sealing: Sealing = Sealing(),  # noqa: B008
    now: Callable[[], datetime] = system_now,
    pool_size: int = 8,
    availability_every_s: float = EVERY_S,
    offline_days: int = 30,
    compact_every_s: float = compaction.EVERY_S,
) -> Starlette:
    """The application. Without an admin token the admin API declines everything."""
    endpoints = (*STORE_ENDPOINTS, *ADMIN_ENDPOINTS)
    endpoints += (openapi_endpoint(endpoints),)

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with open_pool(database_url, size=pool_size) as pool:
            waiting = Waiting(pool)
            making = downloads.Making(pool, now)
            app.state.centre = Centre(pool, waiting, Standby(pool), now, admin_token, making, sealing)
            await reseal(pool, sealing)
            loops = [
                asyncio.create_task(waiting.watch()),
                asyncio.create_task(keep_publishing(pool, now, availability_every_s, waiting.look)),
                asyncio.create_task(compaction.keep_short(pool, now, timedelta(days=offline_days), compact_every_s)),
            ]
            try:
                yield
            finally:
                await making.close()
                for loop in loops:
                    loop.cancel()
                    with contextlib.suppress(asyncio.CancelledError):
                        await loop

    return Starlette(
        routes=[as_route(endpoint) for endpoint in endpoints],
        lifespan=lifespan,
        exception_handlers={HTTPException: _no_such_endpoint},
    )


async def _no_such_endpoint(_request: Request, error: Exception) -> Response:
    """An address or a method that there is not, said like every other problem."""
    assert isinstance(error, HTTPException)
    problem = wire.Problem("no-such-endpoint", "There is no such endpoint: see /openapi.json.")
    return json_response(problem, error.status_code)
