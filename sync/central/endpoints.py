"""One shape for every HTTP endpoint: its types decide what is read, what is answered, and what OpenAPI says of it."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import msgspec
import psycopg
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from store_agent.trouble import Trouble
from sync import wire
from sync.central.ground import LedgerDown, translated

log = logging.getLogger(__name__)

BODY_BYTES_MOST = 4 * 1024 * 1024
DRAINED_MOST = 16 * BODY_BYTES_MOST
"""So much of a body that is too large is read and thrown away: whoever is cut off while sending never hears of the 413."""
RETRY_AFTER_S = 2


class Declined(Exception):
    """The request is understood and not taken: an HTTP status, a fixed word, a sentence."""

    def __init__(self, status: int, error: str, sentence: str) -> None:
        super().__init__(sentence)
        self.status = status
        self.error = error
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What can be asked. `body` and `reply` are the types; without `body`, none is read. `handle(request, body)` answers."""

    method: str
    path: str
    summary: str
    handle: Callable[[Request, Any], Awaitable[Any]]
    reply: Any
    body: Any = None
    query: tuple[str, ...] = ()
    """Names of query parameters, for the description."""
    security: str = "device"
    """`device`: signed. `admin`: bearer token. Empty: anyone."""
    streams: bool = False
    """The handler reads the body itself, piece by piece."""


def as_route(endpoint: Endpoint) -> Route:
    """The endpoint as Starlette serves it."""

    async def serve(request: Request) -> Response:
        try:
            with translated():
                body = None
                if endpoint.body is not None and not endpoint.streams:
                    body = _decode(await read_body(request), endpoint.body)
                return json_response(await endpoint.handle(request, body))
        except Declined as declined:
            return _problem(declined.status, declined.error, declined.sentence)
        except psycopg.DataError as error:
            # A NUL in a text, a number that no column holds: it was in the request, or it would not be here.
            log.warning("%s %s holds what cannot be kept: %s", endpoint.method, endpoint.path, error)
            return _problem(422, "malformed", "The request holds a value that cannot be kept.")
        except LedgerDown as down:
            log.warning("%s", down)
            response = _problem(503, down.error, str(down))
            response.headers["retry-after"] = str(RETRY_AFTER_S)
            return response
        except Trouble as trouble:
            return _problem(400, "trouble", str(trouble))
        except ClientDisconnect:
            return Response(status_code=499)

    return Route(endpoint.path, serve, methods=[endpoint.method])


async def read_body(request: Request) -> bytes:
    """The whole body, up to the limit; kept, so that a signature can be checked over it as well."""
    if not hasattr(request.state, "body"):
        parts, size = [], 0
        async for part in request.stream():
            size += len(part)
            if size > DRAINED_MOST:
                break
            if size <= BODY_BYTES_MOST:
                parts.append(part)
        if size > BODY_BYTES_MOST:
            raise Declined(413, "too-large", "The request is larger than 4 MiB. Send less at once.")
        request.state.body = b"".join(parts)
    return bytes(request.state.body)


def _decode(data: bytes, kind: Any) -> Any:
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise Declined(422, "malformed", f"The request cannot be read: {error}") from error


def json_response(value: Any, status: int = 200) -> Response:
    """A value as JSON."""
    if isinstance(value, Response):
        return value
    return Response(wire.encode(value), status_code=status, media_type="application/json")


def _problem(status: int, error: str, sentence: str) -> Response:
    return json_response(wire.Problem(error, sentence), status)
