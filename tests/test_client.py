"""The line to the centre: every answer that is none becomes one kind of trouble, and never a crash."""

from __future__ import annotations

from collections.abc import Callable
from unittest.mock import patch

import httpx
import pytest

from store_agent.trouble import Trouble
from sync import client, wire
from sync.client import Client, Gone, Offline, TooMuch, Unwelcome
from sync.session import Rubbish

Answer = Callable[[httpx.Request], httpx.Response]
GOOD = wire.encode(wire.PushReply(1, 1, "i"))
PROBLEM = b'{"error":"e","sentence":"Because."}'


async def push(answer: Answer) -> wire.PushReply:
    secret, _public = wire.make_key()
    async with Client("http://centre", device="d1", secret=secret, transport=httpx.MockTransport(answer)) as line:
        return await line.push(wire.PushRequest([]))


def says(status: int, content: bytes = b"", **headers: str) -> Answer:
    return lambda request: httpx.Response(status, content=content, headers=headers)


def breaks(error: type[Exception]) -> Answer:
    def answer(request: httpx.Request) -> httpx.Response:
        raise error("the cable")

    return answer


async def test_what_the_centre_says_is_what_comes_back() -> None:
    assert await push(says(200, GOOD)) == wire.PushReply(1, 1, "i")


@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (breaks(httpx.ConnectError), Offline),
        (breaks(httpx.ConnectTimeout), Offline),
        (breaks(httpx.PoolTimeout), Offline),
        (breaks(httpx.RemoteProtocolError), Offline),
        (breaks(httpx.ReadError), Offline),
        (breaks(httpx.ReadTimeout), TooMuch),
        (breaks(httpx.WriteTimeout), TooMuch),
        (says(408), TooMuch),
        (says(413, b"<html>nginx</html>"), TooMuch),
        (says(401, PROBLEM), Unwelcome),
        (says(403, b"<html>"), Unwelcome),
        (says(429), Offline),
        (says(500, b"Internal Server Error"), Offline),
        (says(502, b"\xff\xfe"), Offline),
        (says(503, PROBLEM), Offline),
        (says(599), Offline),
        (says(204), Rubbish),
        (says(302, location="http://elsewhere"), Rubbish),
        (says(404, b"[" * 5000), Rubbish),
        (says(409, PROBLEM), Rubbish),
        (says(410, PROBLEM), Gone),
        (says(422, PROBLEM), Rubbish),
        (says(200), Rubbish),
        (says(200, b"<!doctype html><title>Log in to the airport's Wi-Fi</title>"), Rubbish),
        (says(200, GOOD[:-4]), Rubbish),
        (says(200, b"null"), Rubbish),
        (says(200, b'{"epoch":"1","seq":1,"incarnation":"i"}'), Rubbish),
        (says(200, b"\xff" * 10), Rubbish),
        (says(200, b"[" * 5000), Rubbish),
        (
            lambda request: httpx.Response(200, headers={"content-encoding": "gzip"}, stream=httpx.ByteStream(b"zip?")),
            Offline,
        ),
    ],
)
async def test_anything_else_is_trouble_of_one_kind(answer: Answer, kind: type[Trouble]) -> None:
    with pytest.raises(Trouble) as caught:
        await push(answer)
    assert type(caught.value) is kind
    assert caught.value.what


async def test_the_centres_own_sentence_is_what_a_person_reads() -> None:
    for status in (401, 403, 409):
        with pytest.raises(Trouble, match="Because"):
            await push(says(status, PROBLEM))


@pytest.mark.parametrize(
    ("text", "pause_s"),
    [("7", 7), ("0.5", 0.5), ("-3", 0), ("nan", 0), ("inf", 3600), ("1e9", 3600), ("Sat, 21 Nov 2026", 0), ("", 0)],
)
async def test_a_centre_that_asks_for_time_gets_it_within_reason(text: str, pause_s: float) -> None:
    for status in (429, 503):
        with pytest.raises(Offline) as caught:
            await push(says(status, b"", **{"retry-after": text}))
        assert caught.value.pause_s == pause_s


async def test_an_answer_without_end_is_cut_off() -> None:
    with patch.object(client, "REPLY_BYTES_MOST", 1000), pytest.raises(Rubbish, match="larger"):
        await push(says(200, b" " * 1001))


@pytest.mark.parametrize("url", ["", "centre", "ftp://centre", "http://[", "http://a b:port"])
async def test_an_address_that_is_none_is_trouble(url: str) -> None:
    with pytest.raises(Trouble):
        async with Client(url) as line:
            await line.health()


async def test_every_request_is_signed_over_what_it_does() -> None:
    secret, public = wire.make_key()
    seen: list[httpx.Request] = []

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(200, content=wire.encode(wire.PullReply("i", {})))

    async with Client("http://centre", device="d1", secret=secret, transport=httpx.MockTransport(answer)) as line:
        await line.pull({"chain": 3, "store/台北": 4}, 500, 2.5)
    (request,) = seen
    text = wire.signed_text("GET", request.url.raw_path.decode(), "d1", b"")
    assert wire.is_signed(public, request.headers[wire.SIGNATURE_HEADER], text)
    assert request.url.params["store/台北"] == "4"
