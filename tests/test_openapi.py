"""The description of the API: valid, complete, and what the centre really does."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Iterator
from typing import Any

import httpx
import jsonschema_rs
import pytest
import schemathesis
from schemathesis.core.result import Ok
from starlette.applications import Starlette
from starlette.routing import Route

from sync.central.app import STORE_ENDPOINTS, make_app
from sync.central.office.admin import ADMIN_ENDPOINTS
from sync.central.office.tables import TABLES
from sync.central.openapi import describe
from tests.head_office import CAMPAIGN, STORES, HeadOffice, gtin, open_head_office
from tests.postgres_fixture import FreshDatabase
from tests.standing_clock import StandingClock

DESCRIPTION = describe([*STORE_ENDPOINTS, *ADMIN_ENDPOINTS])


@pytest.fixture
async def office(fresh_database: FreshDatabase, clock: StandingClock) -> AsyncIterator[HeadOffice]:
    async with open_head_office(fresh_database(), clock) as office:
        yield office


def routes(app: Starlette) -> set[tuple[str, str]]:
    asked = {"GET", "POST", "PUT", "DELETE", "PATCH"}
    each = [route for route in app.routes if isinstance(route, Route)]
    return {(route.path, method.lower()) for route in each for method in (route.methods or ()) if method in asked}


async def test_every_route_is_described_and_nothing_else_is(office: HeadOffice) -> None:
    answer = await office.http.get("/openapi.json", headers={"authorization": ""})
    assert answer.status_code == 200
    described = {(path, method) for path, methods in answer.json()["paths"].items() for method in methods}
    assert described == routes(office.app)


def test_it_is_openapi_that_a_strict_reader_takes() -> None:
    schema = schemathesis.openapi.from_dict(DESCRIPTION)
    results = list(schema.get_all_operations())
    assert all(isinstance(result, Ok) for result in results)
    assert len(results) == len(STORE_ENDPOINTS) + len(ADMIN_ENDPOINTS)
    names = [one["operationId"] for methods in DESCRIPTION["paths"].values() for one in methods.values()]
    assert len(names) == len(set(names))


def test_every_schema_is_a_json_schema_and_every_reference_leads_somewhere() -> None:
    for schema in DESCRIPTION["components"]["schemas"].values():
        jsonschema_rs.meta.validate({"$schema": "https://json-schema.org/draft/2020-12/schema", **schema})
    known = {f"#/components/schemas/{name}" for name in DESCRIPTION["components"]["schemas"]}
    assert set(references(DESCRIPTION)) <= known


def references(value: Any) -> Iterator[str]:
    """Every `$ref` in a description."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if isinstance(value, dict) and "$ref" in value:
        yield value["$ref"]
    for part in parts:
        yield from references(part)


def test_imports_say_their_columns() -> None:
    for name, table in TABLES.items():
        operation = DESCRIPTION["paths"][f"/v1/admin/import/{name}"]["post"]
        assert set(operation["requestBody"]["content"]) == {"application/json", "text/csv", "application/x-ndjson"}
        assert all(column in operation["description"] for column in table.columns.kinds)


def test_each_endpoint_says_how_one_proves_who_one_is() -> None:
    for path, methods in DESCRIPTION["paths"].items():
        for operation in methods.values():
            wanted = [{"admin": []}] if path.startswith("/v1/admin/") else operation["security"]
            assert operation["security"] == wanted
            assert operation["responses"]["422"]["content"]["application/json"]["schema"]["$ref"].endswith("/Problem")


async def test_what_is_answered_is_what_is_described(office: HeadOffice) -> None:
    await office.bring("products", f"gtin,name.zh-TW\n{gtin(1)},茶\n")
    order = {"order_no": "W1", "store": "s1", "lines": [{"gtin": gtin(1), "quantity": 1}], "member_id": "m1"}
    asked: list[tuple[str, str, Any]] = [
        ("POST", "/v1/admin/import/stores", STORES),
        ("POST", "/v1/admin/import/members", [{"id": "m1", "phone": "0912345678", "name": "A", "home_store": "s1"}]),
        ("POST", "/v1/admin/campaigns", {**CAMPAIGN, "total": 4}),
        ("POST", "/v1/admin/coupons", [{"campaign_id": "c85", "member_id": "m1"}]),
        ("POST", "/v1/admin/points", [{"id": "g1", "member_id": "m1", "points": 5}]),
        ("POST", "/v1/admin/orders", order),
        ("GET", "/v1/admin/orders/W1", None),
        ("POST", "/v1/admin/orders/W1/cancel", {}),
        ("PUT", "/v1/admin/members/m1/tags", {"tags": ["vip"]}),
        ("GET", "/v1/admin/members/m1", None),
        ("GET", "/v1/admin/stores", None),
        ("GET", "/v1/admin/cases", None),
        ("POST", "/v1/admin/enrolment-codes", {"store": "s1"}),
        ("GET", "/v1/health", None),
    ]
    for method, path, body in asked:
        answer = await office.http.request(method, path, json=body)
        assert answer.status_code == 200, answer.text
        check(method, path, answer)
    problem = await office.http.get("/v1/admin/orders/none")
    assert problem.status_code == 404
    check("GET", "/v1/admin/orders/none", problem)


def check(method: str, path: str, answer: httpx.Response) -> None:
    """The answer against the description of its endpoint."""
    found = next(one for one in DESCRIPTION["paths"] if re.fullmatch(re.sub(r"{\w+}", "[^/]+", one), path))
    said = DESCRIPTION["paths"][found][method.lower()]["responses"][str(answer.status_code)]
    schema = said["content"]["application/json"]["schema"]
    jsonschema_rs.validator_for({**schema, "components": DESCRIPTION["components"]}).validate(answer.json())


def test_making_an_application_needs_no_ledger() -> None:
    assert make_app("postgresql://nobody@nowhere/none").routes
