"""A centre as head office and web shop see it in tests: real HTTP requests, a real ledger, a clock that stands."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
import msgspec
from starlette.applications import Starlette

from store_agent.domain.products import check_digit
from sync.central import rows
from sync.central.app import Centre, make_app
from sync.central.availability import publish_availability
from sync.central.office.sealing import Sealing
from tests.standing_clock import StandingClock

TOKEN = "of the head office"
STORES = [
    {"id": "s1", "name": {"zh-TW": "信義店", "en": "Xinyi"}},
    {"id": "s2", "name": {"zh-HK": "旺角店"}, "region": "HK", "zone": "Asia/Hong_Kong", "currency": "HKD"},
]
CAMPAIGN = {"id": "c85", "name": {"zh-TW": "85折"}, "benefit": {"kind": "percent", "pay_percent": 85}}


def gtin(number: int) -> str:
    """A valid EAN-13."""
    body = f"471{number:09d}"
    return body + check_digit(body)


SEALING = Sealing((b"\x05" * 32,))


@dataclass
class HeadOffice:
    """Who holds the token."""

    app: Starlette
    http: httpx.AsyncClient
    clock: StandingClock

    async def ask(self, method: str, path: str, body: Any = None, *, status: int = 200) -> Any:
        """A request under /v1/admin; what is answered."""
        content = None if body is None else msgspec.json.encode(body)
        answer = await self.http.request(method, "/v1/admin/" + path, content=content)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def bring(self, table: str, body: Any, *, status: int = 200, kind: str = "") -> Any:
        """An import: bytes or text as they are, pieces as they come, else as JSON."""
        content = body.encode() if isinstance(body, str) else body
        if isinstance(body, list):
            content = msgspec.json.encode(body)
        headers = {"content-type": kind} if kind else {}
        answer = await self.http.post("/v1/admin/import/" + table, content=content, headers=headers)
        assert answer.status_code == status, answer.text
        return answer.json()

    async def rows(self, table: str, *ids: str) -> list[Any]:
        """Rows of the ledger, None where there is none."""
        async with self.centre.pool.connection() as conn:
            known = await rows.load(conn, [(table, id_) for id_ in ids], lock=False)
        return [known[table, id_].row if (table, id_) in known else None for id_ in ids]

    async def count(self, query: str) -> int:
        """A number out of the ledger."""
        async with self.centre.pool.connection() as conn:
            row = await (await conn.execute(query.encode())).fetchone()
        assert row is not None
        return int(row[0])

    async def say_availability(self) -> int:
        """What the centre does every half minute."""
        async with self.centre.pool.connection() as conn:
            return await publish_availability(conn, self.clock.now())

    @property
    def centre(self) -> Centre:
        """What the endpoints work with."""
        centre: Centre = self.app.state.centre
        return centre


@asynccontextmanager
async def open_head_office(url: str, clock: StandingClock, token: str = TOKEN) -> AsyncIterator[HeadOffice]:
    """A centre with two stores."""
    app = make_app(url, admin_token=token, sealing=SEALING, now=clock.now, pool_size=4, availability_every_s=3600)
    async with app.router.lifespan_context(app):
        transport = httpx.ASGITransport(app)
        headers = {"authorization": f"Bearer {TOKEN}"}
        async with httpx.AsyncClient(transport=transport, base_url="http://centre", headers=headers) as http:
            office = HeadOffice(app, http, clock)
            if token:
                assert (await office.bring("stores", STORES))["taken"] == 2
            yield office


async def in_pieces(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    """A body that arrives in these pieces."""
    for piece in pieces:
        yield piece
