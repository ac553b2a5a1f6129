"""Who may speak to the centre, and as whom: codes, keys, signatures, and what one device may say for another."""

from __future__ import annotations

from datetime import timedelta

import httpx
import pytest

from store_agent.codec import encode_entry, hash_of
from store_agent.domain.stores import Store
from store_agent.domain.tags import AddNote
from sync import wire
from sync.central import devices
from sync.client import Client, Unwelcome
from tests.chain import URL, Chain, StoreAtEnd

HASH = devices.FIRST_HASH


async def make_code(chain: Chain, store: str = "s1") -> str:
    await chain.write(Store(id=store, name={}))
    async with chain.ledger() as conn:
        return await devices.make_code(conn, store, chain.clock.now(), timedelta(hours=1))


def client_of(chain: Chain, device: str = "", secret: str = "") -> Client:
    return Client(URL, device=device, secret=secret, transport=httpx.ASGITransport(chain.app))


async def enrol(chain: Chain, code: str, public: str, name: str = "") -> wire.EnrolReply:
    async with client_of(chain) as client:
        return await client.enrol(wire.EnrolRequest(code, public, name))


async def ask(chain: Chain, device: str, signature: str, query: str = "chain=0") -> httpx.Response:
    async with httpx.AsyncClient(base_url=URL, transport=httpx.ASGITransport(chain.app)) as line:
        pairs = ((wire.DEVICE_HEADER, device), (wire.SIGNATURE_HEADER, signature))
        headers = [(name.encode(), value.encode("latin-1")) for name, value in pairs]
        return await line.get(f"/v1/pull?{query}", headers=headers)


async def push(chain: Chain, store: StoreAtEnd, *data: bytes) -> tuple[int, str]:
    """What the centre answers to these bytes from a store's device: the status, and the word for what was wrong."""
    body = b'{"operations":[' + b",".join(data) + b"]}"
    text = wire.signed_text("POST", "/v1/push", store.replica.device, body)
    headers = {wire.DEVICE_HEADER: store.replica.device, wire.SIGNATURE_HEADER: wire.sign(store.secret, text)}
    async with httpx.AsyncClient(base_url=URL, transport=httpx.ASGITransport(chain.app)) as line:
        response = await line.post("/v1/push", content=body, headers=headers)
    return response.status_code, response.json().get("error", "")


def written(store: StoreAtEnd, seq: int, prev_hash: str, **changes: object) -> bytes:
    """An operation as this store's device would write it, but for `changes`."""
    named = {**store.counter.named(), **changes}
    device = str(named.pop("device", store.replica.device))
    epoch = int(str(named.pop("epoch", 1)))
    return encode_entry(AddNote(member_id="m1", text="hello", **named), device, epoch, seq, prev_hash).data


async def test_a_code_makes_one_device_and_the_lost_reply_is_asked_for_again(chain: Chain) -> None:
    code = await make_code(chain)
    _secret, public = wire.make_key()
    first = await enrol(chain, code, public)
    assert (first.store, first.epoch) == ("s1", 1)
    chain.clock.move(days=2)
    assert await enrol(chain, f" {code.lower()} ", public) == first, "the same key with the same code, whenever"
    with pytest.raises(Unwelcome, match="used already"):
        await enrol(chain, code, wire.make_key()[1])
    assert await chain.ask("select count(*) from device") == [(1,)]


async def test_a_code_that_is_none_or_has_expired_is_declined(chain: Chain) -> None:
    code = await make_code(chain)
    with pytest.raises(Unwelcome, match="not known"):
        await enrol(chain, "NOSUCHCODE", wire.make_key()[1])
    chain.clock.move(hours=1)
    with pytest.raises(Unwelcome, match="expired"):
        await enrol(chain, code, wire.make_key()[1])
    code = await make_code(chain)
    # A name that PostgreSQL cannot keep is the request's fault, and said so.
    body = wire.encode(wire.EnrolRequest(code, wire.make_key()[1], "a\0b"))
    async with chain.http() as line:
        response = await line.post("/v1/enrol", content=body)
    assert (response.status_code, response.json()["error"]) == (422, "malformed")


async def test_a_request_that_the_device_did_not_sign_is_declined(chain: Chain) -> None:
    store = await chain.store("s1")
    for signature in ("", "zz", "00", "00" * 64, "\xe9"):
        for device in (store.replica.device, "", "nobody"):
            response = await ask(chain, device, signature)
            assert (response.status_code, response.json()["error"]) == (401, "device-unknown")
    # And a signature is for one request only.
    text = wire.signed_text("GET", "/v1/pull?chain=1", store.replica.device, b"")
    assert (await ask(chain, store.replica.device, wire.sign(store.secret, text))).status_code == 401


async def test_a_revoked_device_is_declined_and_what_it_wrote_stays_here(chain: Chain) -> None:
    store = await chain.store("s1")
    store.counter.accept(AddNote(**store.counter.named(), member_id="m1", text="hello"))
    await chain.ask("update device set revoked_at = now() returning id")
    with pytest.raises(Unwelcome, match="revoked"):
        await store.push()
    with pytest.raises(Unwelcome, match="revoked"):
        await store.pull()
    assert len(store.replica.outbox(9)) == 1


async def test_a_store_reads_no_stream_but_its_own(chain: Chain) -> None:
    store = await chain.store("s1")
    await chain.store("s2")
    with pytest.raises(Unwelcome, match="not a stream of this store"):
        await store.client.pull({"chain": 0, "store/s2": 0}, 10)


async def test_a_store_may_have_any_name(chain: Chain) -> None:
    for store_id in ("台北 1&b", "s%2F1", "a+b=c?d#e"):
        store = await chain.store(store_id)
        await store.settle()
        assert store.row("store", store.id) is not None


async def test_nobody_speaks_for_another_device_or_another_store(chain: Chain) -> None:
    one, two = await chain.store("s1"), await chain.store("s2")
    assert await push(chain, one, written(two, 1, HASH)) == (403, "other-device")
    one.replica.journal.keep(store="s2")
    assert await push(chain, one, written(one, 1, HASH)) == (403, "other-store")
    assert await chain.ask("select count(*) from operation") == [(0,)]


async def test_numbers_come_in_order_and_chained(chain: Chain) -> None:
    store = await chain.store("s1")
    wrong = [
        written(store, 2, HASH),
        written(store, 1, "1" * 64),
        written(store, 2**62, HASH),
    ]
    for data in wrong:
        assert await push(chain, store, data) == (409, "out-of-order")
    assert await push(chain, store, written(store, 1, HASH, epoch=2)) == (409, "epoch-unknown")
    assert await push(chain, store, written(store, 1, HASH), written(store, 3, HASH)) == (409, "out-of-order")
    assert await chain.ask("select count(*) from operation") == [(0,)], "all of a request or nothing"


async def test_another_operation_under_a_held_number_is_a_fork_and_one_case(chain: Chain) -> None:
    store = await chain.store("s1")
    first = written(store, 1, HASH)
    assert await push(chain, store, first) == (200, "")
    assert await push(chain, store, first) == (200, ""), "the same again is none"
    places = [(1, 1), (0, 1), (1, 0), (1, -5), (-1, 2**40)]
    for epoch, seq in places:
        other = written(store, seq, HASH, epoch=epoch)
        for _again in range(2):
            assert await push(chain, store, other) == (409, "fork")
    assert await chain.cases() == [("device_fork", "s1", 0)] * len(places)
    assert await chain.ask("select count(*) from operation") == [(1,)]


async def test_an_id_that_another_operation_has_is_declined_once_and_for_all(chain: Chain) -> None:
    one, two = await chain.store("s1"), await chain.store("s2")
    op_id = one.counter.ids.new()
    assert await push(chain, one, written(one, 1, HASH, op_id=op_id)) == (200, "")
    assert await push(chain, two, written(two, 1, HASH, op_id=op_id)) == (409, "id-taken")
    same_id = two.counter.ids.new()
    first = written(two, 1, HASH, op_id=same_id)
    assert await push(chain, two, first, written(two, 2, hash_of(first), op_id=same_id)) == (409, "id-taken")
    assert {kind for kind, _store, _amount in await chain.cases()} == {"device_fork"}


async def test_a_request_that_makes_no_sense_is_a_bad_one(chain: Chain) -> None:
    store = await chain.store("s1")
    for body in (b"", b"{", b"[]", b'{"operations":1}', b'{"operations":[1]}', b"\xff", b"[" * 9000):
        text = wire.signed_text("POST", "/v1/push", store.replica.device, body)
        headers = {wire.DEVICE_HEADER: store.replica.device, wire.SIGNATURE_HEADER: wire.sign(store.secret, text)}
        async with chain.http() as line:
            response = await line.post("/v1/push", content=body, headers=headers)
        assert response.status_code in (400, 422)
    for query in ("chain=-1", "chain=x", "chain=nan", "wait=1e400", "rows=99999999999999999999"):
        text = wire.signed_text("GET", f"/v1/pull?{query}", store.replica.device, b"")
        signature = wire.sign(store.secret, text)
        assert (await ask(chain, store.replica.device, signature, query)).status_code == 422
