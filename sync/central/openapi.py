"""The description of the API (OpenAPI 3.1), made from the types of the endpoints: nothing is written twice."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from store_agent import __version__
from sync import wire
from sync.central.endpoints import Endpoint
from sync.central.office.admin import IMPORT_PATH
from sync.central.office.tables import TABLES

PROBLEM = {"$ref": "#/components/schemas/Problem"}
ERRORS = {
    "400": "The request makes no sense to the centre.",
    "401": "Who asks is not known.",
    "403": "Who asks may not do this.",
    "404": "There is no such thing.",
    "409": "It does not go together with what is there.",
    "410": "It was there and is not kept any more.",
    "413": "It is too much at once.",
    "422": "The request cannot be read.",
    "503": "The ledger cannot be reached; try again after `Retry-After` seconds.",
}
BYTES: dict[str, Any] = {"content": {"application/octet-stream": {"schema": {}}}}
FILE: dict[str, Any] = {
    "200": {"description": "The whole file.", **BYTES},
    "206": {"description": "The range that was asked for.", **BYTES},
    "416": {"description": "The file ends before this range begins."},
}
SECURITY: dict[str, list[dict[str, list[str]]]] = {
    "device": [{"device": [], "signature": []}],
    "admin": [{"admin": []}],
    "": [],
}
SCHEMES = {
    "admin": {"type": "http", "scheme": "bearer", "description": "The token of the centre's settings."},
    "device": {"type": "apiKey", "in": "header", "name": wire.DEVICE_HEADER, "description": "The id of an enrolment."},
    "signature": {
        "type": "apiKey",
        "in": "header",
        "name": wire.SIGNATURE_HEADER,
        "description": "Ed25519 in hex over method, target, device and SHA-256 of the body, a line each.",
    },
}


def describe(endpoints: Sequence[Endpoint]) -> dict[str, Any]:
    """The whole description."""
    types = [wire.Problem]
    types += [kind for endpoint in endpoints for kind in (endpoint.body, endpoint.reply) if kind is not None]
    schemas, components = msgspec.json.schema_components(types, ref_template="#/components/schemas/{name}")
    said = iter(schemas[1:])
    paths: dict[str, Any] = {}
    for endpoint in endpoints:
        body = next(said) if endpoint.body is not None else None
        paths.setdefault(endpoint.path, {})[endpoint.method.lower()] = _operation(endpoint, body, next(said))
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Store Agent, the centre",
            "version": __version__,
            "description": "What stores, head office and web shop say to the centre. Amounts are in minor units.",
        },
        "paths": paths,
        "components": {"schemas": components, "securitySchemes": SCHEMES},
    }


def _operation(endpoint: Endpoint, body: dict[str, Any] | None, reply: dict[str, Any]) -> dict[str, Any]:
    operation: dict[str, Any] = {
        "summary": endpoint.summary,
        "operationId": _name_of(endpoint),
        "security": SECURITY[endpoint.security],
        "parameters": list(_parameters(endpoint)),
        "responses": {
            **(FILE if endpoint.reply is bytes else _done(reply)),
            **{
                status: {"description": why, "content": {"application/json": {"schema": PROBLEM}}}
                for status, why in ERRORS.items()
            },
        },
    }
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {"application/json": {"schema": body}}}
        if endpoint.path.startswith(IMPORT_PATH):
            columns = TABLES[endpoint.path.removeprefix(IMPORT_PATH)].columns
            text = {"schema": {"type": "string"}}
            operation["requestBody"]["content"] |= {"text/csv": text, "application/x-ndjson": text}
            operation["description"] = (
                "Of any length. CSV is UTF-8 with a header row; an empty cell leaves a value as it is; several values "
                "of a cell stand between “|”. "
                f"Columns: {', '.join(columns.kinds)}. Needed: {', '.join(columns.needed)}."
            )
    return operation


def _done(reply: dict[str, Any]) -> dict[str, Any]:
    return {"200": {"description": "Done.", "content": {"application/json": {"schema": reply}}}}


def _parameters(endpoint: Endpoint) -> Iterator[dict[str, Any]]:
    text = {"type": "string", "minLength": 1}
    for name in re.findall(r"{(\w+)}", endpoint.path):
        yield {"name": name, "in": "path", "required": True, "schema": text}
    for name in endpoint.query:
        yield {"name": name, "in": "query", "required": False, "schema": text}


def _name_of(endpoint: Endpoint) -> str:
    words = re.findall(r"\w+", endpoint.path.removeprefix("/v1/"))
    return "_".join([endpoint.method.lower(), *words])


def openapi_endpoint(endpoints: Sequence[Endpoint]) -> Endpoint:
    """The endpoint at which the description of all these, and of itself, can be read."""
    encoded = b""

    async def answer(_request: Request, _body: Any) -> Response:
        nonlocal encoded
        encoded = encoded or wire.encode(describe([*endpoints, own]))
        return Response(encoded, media_type="application/json")

    own = Endpoint("GET", "/openapi.json", "This description", answer, dict[str, Any], security="")
    return own
