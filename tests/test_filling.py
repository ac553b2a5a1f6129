"""The sample through the real admin API of a real centre on a real port."""

from __future__ import annotations

import http.client
import json
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

import psycopg
import pytest
import uvicorn

from store_agent.demo.filling import fill
from store_agent.demo.machine import build
from store_agent.demo.sample import STORES, WANG, Course, make_sample, order_no
from store_agent.trouble import Trouble
from sync.central.app import make_app
from tests.postgres_fixture import FreshDatabase

TOKEN = "of the head office"
NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
MEMBERS = 300


class RealCentre:
    """A centre that listens, and the ledger behind it."""

    def __init__(self, database_url: str) -> None:
        self.database_url = database_url
        app = make_app(database_url, admin_token=TOKEN)
        self._server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_config=None))
        self._thread = threading.Thread(target=self._server.run)

    def __enter__(self) -> RealCentre:
        self._thread.start()
        while not self._server.started and self._thread.is_alive():
            time.sleep(0.01)
        port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        return self

    def __exit__(self, *_error: object) -> None:
        self._server.should_exit = True
        self._thread.join()

    def see(self, path: str) -> Any:
        """What the admin API shows."""
        line = http.client.HTTPConnection(urlsplit(self.url).netloc, timeout=30)
        line.request("GET", f"/v1/admin/{path}", headers={"authorization": f"Bearer {TOKEN}"})
        reply = line.getresponse()
        assert reply.status == 200
        return json.loads(reply.read())

    def ask(self, query: str) -> list[tuple[Any, ...]]:
        """What the ledger says."""
        with psycopg.connect(self.database_url) as conn:
            return conn.execute(query.encode()).fetchall()


@pytest.fixture
def centre(fresh_database: FreshDatabase) -> Iterator[RealCentre]:
    with RealCentre(fresh_database()) as centre:
        yield centre


COUNTS = (
    "select (select count(*) from store), (select count(*) from staff), (select count(*) from tag_word),"
    " (select count(*) from product), (select count(*) from stock), (select count(*) from campaign),"
    " (select count(*) from member), (select count(*) from coupon), (select count(*) from pickup)"
)


def test_a_centre_takes_all_of_the_sample_and_twice_is_once(centre: RealCentre) -> None:
    sample = make_sample(MEMBERS, now=NOW)
    told: list[tuple[str, int, int]] = []
    fill(centre.url, TOKEN, sample, lambda what, done, total: told.append((what, done, total)))
    coupons = len(list(sample.coupons()))
    assert centre.ask(COUNTS) == [
        (2, len(sample.staff), 10, 3_000, 6_000, len(sample.campaigns), MEMBERS, coupons, len(sample.orders))
    ]
    assert told[-1] == ("web orders", len(sample.orders), len(sample.orders))
    assert all(0 <= done <= total for _what, done, total in told)

    wang = centre.see(f"members/{WANG.id}")
    assert wang["points"] == 320
    assert len({batch["id"] for batch in wang["account"]["batches"]}) == 2
    assert {coupon["campaign_id"] for coupon in wang["coupons"]} == set(WANG.campaigns)
    assert [tag["name"] for tag in wang["tags"]["tags"]] == list(WANG.segments)
    assert wang["stores"] == [WANG.home_store]
    for store in STORES:
        assert centre.see(f"orders/{order_no(store, Course.CANCELLED)}")["state"] == "cancelled"
    assert centre.see("cases")["cases"] == []

    revisions = "select sum(revision) from {}"
    tables = (
        "store",
        "staff",
        "product",
        "stock",
        "campaign",
        "quota",
        "member",
        "account",
        "coupon",
        "tags",
        "pickup",
    )
    before = [centre.ask(revisions.format(table)) for table in tables] + centre.ask("select count(*) from operation")
    fill(centre.url, TOKEN, sample)
    assert before == [centre.ask(revisions.format(table)) for table in tables] + centre.ask(
        "select count(*) from operation"
    )


def test_a_wrong_token_is_trouble_that_says_what_to_look_at(centre: RealCentre) -> None:
    with pytest.raises(Trouble, match="token"):
        fill(centre.url, "another", make_sample(6, now=NOW))


def test_a_centre_that_is_not_there_is_trouble(centre: RealCentre) -> None:
    with pytest.raises(Trouble, match="cannot be reached"):
        fill("http://127.0.0.1:9", TOKEN, make_sample(6, now=NOW))


def test_what_the_centre_does_not_take_is_told_with_its_row(centre: RealCentre) -> None:
    sample = make_sample(6, now=NOW)
    fill(centre.url, TOKEN, sample)
    with pytest.raises(Trouble, match=r"did not take [0-9]+ of the"):
        fill(centre.url, TOKEN, make_sample(6, now=NOW.replace(day=22)))


def test_a_disk_that_is_too_full_for_the_sample_is_said_before_anything_is_made() -> None:
    with (
        pytest.raises(Trouble, match="too full for the demo") as found,
        build(10**12, lambda _what, _done, _total: None),
    ):
        pass
    assert "TMPDIR" in found.value.hint
