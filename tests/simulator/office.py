"""What head office and web shop do meanwhile, over the admin API and over a bad line: orders, cancellations, imports."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import msgspec

from tests.chain import ADMIN_TOKEN, URL
from tests.simulator.cover import RULE
from tests.simulator.jobs import GTINS, PHONES, WORDS
from tests.simulator.line import Line
from tests.simulator.world import World

PAUSE_S = 1.0
OFFERS = ("c10", "c5", "open", "online", "c5")
TAKEN = (200, 404, 409, 503)
"""What the centre may say to a request that makes sense."""


class Office:
    """Who holds the token."""

    def __init__(self, world: World, stores: list[str]) -> None:
        self.world = world
        self.stores = stores
        self.random = world.random("office")
        self.line = Line("office", world.random("line office"), world.servers, world.say)
        headers = {"authorization": f"Bearer {ADMIN_TOKEN}"}
        self._http = httpx.AsyncClient(base_url=URL, transport=self.line, headers=headers, timeout=10)
        self._orders = 0

    async def ask(self, path: str, body: Any, method: str = "POST") -> int:
        """One request; whoever hears nothing asks the same again, twice at most."""
        for _attempt in range(3):
            try:
                reply = await self._http.request(method, f"/v1/admin/{path}", content=msgspec.json.encode(body))
            except httpx.HTTPError:
                continue
            if reply.status_code not in TAKEN:
                self.world.fail(f"OFFICE: {path} {body}: {reply.status_code} {reply.text}")
            self.world.count(f"office {path.partition('/')[0]} {reply.status_code}")
            return reply.status_code
        return 0

    async def open_chain(self) -> None:
        """What there is before the first customer comes."""
        stores = [{"id": id_, "name": {"en": id_}, "welcome_campaign": "c10"} for id_ in self.stores]
        await self.ask("import/stores", stores)
        products = [{"gtin": gtin, "name": {"en": gtin}, "price_minor": {"TWD": 50}} for gtin in GTINS]
        await self.ask("import/products", products)
        words = [{"id": word, "labels": {"en": word}} for word in WORDS]
        await self.ask("import/tag-words", words)
        await self.ask("cover", RULE, "PUT")
        await self.campaign()
        await self._campaign("c5", {"kind": "amount", "off_minor": 5})
        await self._campaign("open", {"kind": "amount", "off_minor": 3}, policy="open")
        await self._campaign("online", {"kind": "percent", "pay_percent": 90}, policy="online_only")
        people = [
            {"id": f"m{n}", "phone": PHONES[n], "name": f"M{n}", "home_store": self.stores[n % len(self.stores)]}
            for n in range(6)
        ]
        await self.ask("import/members", people)
        for _n in range(12):
            await self.coupons()
        for _n in range(4):
            await self.order()

    async def campaign(self) -> None:
        """Head office changes an offer."""
        percent = self.random.randint(50, 95)
        await self._campaign(
            "c10", {"kind": "percent", "pay_percent": percent}, per_member_day=self.random.choice((0, 2))
        )

    async def _campaign(self, id_: str, benefit: dict[str, Any], **limits: Any) -> None:
        said = {"id": id_, "name": {"en": id_}, "benefit": benefit, "currency": "TWD", "stacking": "stacks", **limits}
        await self.ask("campaigns", said)

    async def coupons(self) -> None:
        """In somebody's hands, who may go to any store with it."""
        number = self.random.randrange(40)
        record = {
            "id": f"k{number}",
            "campaign_id": OFFERS[number % len(OFFERS)],
            "member_id": f"m{number % 6}",
            "uses_limit": number % 3 + 1,
        }
        await self.ask("coupons", [record])

    async def points(self) -> None:
        """A gift."""
        number = self.random.randrange(1000)
        record = {"id": f"gift-{number}", "member_id": f"m{self.random.randrange(6)}", "points": number % 50 + 1}
        await self.ask("points", [record])

    async def order(self) -> None:
        """Somebody orders in the web shop."""
        self._orders += 1
        lines = [
            {"gtin": gtin, "quantity": self.random.randint(1, 2), "unit_minor": 50}
            for gtin in self.random.sample(GTINS, self.random.randint(1, 2))
        ]
        body = {
            "order_no": f"W{self._orders}",
            "store": self.random.choice(self.stores),
            "member_id": f"m{self.random.randrange(6)}",
            "lines": lines,
            "paid": self.random.random() < 0.8,
            "code": f"PU{self._orders:08d}",
        }
        await self.ask("orders", body)

    async def cancel(self) -> None:
        """A customer does not want it any more, perhaps while it is handed over."""
        if self._orders:
            at_our_risk = self.random.random() < 0.5
            await self.ask(
                f"orders/W{self.random.randint(1, self._orders)}/cancel",
                {"asked_by": "customer", "at_our_risk": at_our_risk},
            )

    async def tags(self) -> None:
        """Segments."""
        names = self.random.sample(WORDS, self.random.randint(0, 2))
        await self.ask(f"members/m{self.random.randrange(6)}/tags", {"tags": names}, "PUT")

    async def prices(self) -> None:
        """A change for every store."""
        price = self.random.randint(10, 99)
        await self.ask("import/products", [{"gtin": self.random.choice(GTINS), "price_minor": {"TWD": price}}])

    async def work(self) -> None:
        """Until the story is over."""
        jobs: list[tuple[int, Callable[[], Awaitable[None]]]] = [
            (6, self.order),
            (3, self.cancel),
            (2, self.coupons),
            (1, self.points),
            (1, self.campaign),
            (1, self.tags),
            (1, self.prices),
        ]
        while not self.world.is_over:
            await asyncio.sleep(self.random.expovariate(1 / PAUSE_S))
            [(_weight, job)] = self.random.choices(jobs, [weight for weight, _job in jobs])
            await job()
