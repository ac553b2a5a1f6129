"""A store without its first data, and a line on which things happen to them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable

import httpx

from store_agent.domain.coupons import Coupon
from store_agent.domain.members import Member
from store_agent.domain.points import EarnPoints
from store_agent.domain.products import Product
from store_agent.domain.tags import AddNote
from tests.chain import Chain, StoreAtEnd

PEOPLE = 40
PHONE, MAIL, NAME = "+8869120", "ming", "王小明"


async def a_store(
    chain: Chain, store_id: str = "s1", people: int = PEOPLE, snapshot_rows: int | None = 1
) -> StoreAtEnd:
    """A store with members of whom it has heard nothing yet."""
    store = await chain.store(store_id, snapshot_rows=snapshot_rows)
    members = [
        Member(
            id=f"{store_id}-{n:03d}",
            phone=f"{PHONE}{store_id[1]}{n:04d}",
            name=NAME,
            email=f"{MAIL}{n}@a.tw",
            home_store=store_id,
        )
        for n in range(people)
    ]
    coupons = [Coupon(id=f"k-{member.id}", campaign_id="c", member_id=member.id) for member in members]
    await chain.write(Product(id="04712026000013", name={"en": "Tea"}), *members, *coupons)
    return store


def earn(store: StoreAtEnd, member_id: str = "s1-001", points: int = 5) -> None:
    counter = store.counter
    assert counter.accept(EarnPoints(**counter.named(), member_id=member_id, points=points)) is None


def note(store: StoreAtEnd, text: str) -> None:
    counter = store.counter
    assert counter.accept(AddNote(**counter.named(), member_id="s1-001", text=text)) is None


class Line(httpx.AsyncBaseTransport):
    """The way to the centre, on which something happens to the bytes of a snapshot."""

    def __init__(self, store: StoreAtEnd, fate: Callable[[httpx.Request, bytes], bytes]) -> None:
        self._inner, self._fate = store.cable.inner, fate
        self.ranges: list[str] = []
        store.cable.inner = self

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        if request.method == "GET" and request.url.path.startswith("/v1/snapshot/"):
            self.ranges.append(request.headers.get("range", ""))
            content = await response.aread()
            whole = content if response.is_error else self._fate(request, content)
            stream = Cut(whole, is_cut=len(whole) < len(content))
            return httpx.Response(response.status_code, headers=response.headers, stream=stream)
        return response


class Cut(httpx.AsyncByteStream):
    def __init__(self, content: bytes, *, is_cut: bool) -> None:
        self._content, self._is_cut = content, is_cut

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._content
        if self._is_cut:
            raise httpx.ReadError("the cable was pulled")
