"""A file on its way: kept through a kill at any byte, never in clear, and served from any byte by a real server."""

from __future__ import annotations

import asyncio
import contextlib
import subprocess
import sys
from collections.abc import AsyncIterator
from hashlib import sha256
from pathlib import Path

import httpx
import pytest
import uvicorn

from store_agent.replica import Replica
from store_agent.replica.download import Download
from store_agent.trouble import Trouble
from sync import wire
from sync.client import Client
from tests.chain import Chain, StoreAtEnd
from tests.first_data import a_store
from tests.test_replica import KEY, begin, note

LABEL = b"what it is"
PIECES = [b"one", b"two and", b"three"]


def written(path: Path) -> Download:
    download = Download(path, KEY)
    download.begin(LABEL)
    for piece in PIECES:
        download.add(piece)
        download.flush()
    download.close()
    return download


def test_what_was_written_is_read_back_and_gone_on_with(tmp_path: Path) -> None:
    download = written(tmp_path / "d")
    assert download.resume() == LABEL
    assert download.size == len(b"".join(PIECES))
    download.add(b", four")
    assert b"".join(download.read()) == b"".join(PIECES) + b", four"
    download.discard()
    assert download.resume() == b""
    assert list(tmp_path.iterdir()) == []


def test_a_file_that_was_torn_at_any_byte_keeps_its_whole_pieces_and_goes_on(tmp_path: Path) -> None:
    path = tmp_path / "d"
    written(path)
    content = path.read_bytes()
    seen = set()
    for end in range(len(content) + 1):
        path.write_bytes(content[:end])
        download = Download(path, KEY)
        label = download.resume()
        assert label in (b"", LABEL)
        if label:
            kept = b"".join(download.read())
            assert kept in [b"".join(PIECES[:n]) for n in range(len(PIECES) + 1)]
            assert download.size == len(kept)
            seen.add(kept)
            download.add(b"!")
            download.close()
            assert download.resume() == LABEL
            assert b"".join(download.read()) == kept + b"!", "what is torn was cut off before it went on"
        download.discard()
    assert len(seen) == len(PIECES) + 1


def test_a_byte_that_is_altered_ends_what_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "d"
    written(path)
    content = path.read_bytes()
    for place in range(len(content)):
        path.write_bytes(content[:place] + bytes([content[place] ^ 1]) + content[place + 1 :])
        download = Download(path, KEY)
        if download.resume():
            assert b"".join(PIECES).startswith(b"".join(download.read()))
            assert download.size < len(b"".join(PIECES))
        download.close()


def test_pieces_cannot_change_places_nor_be_read_with_another_key(tmp_path: Path) -> None:
    path = tmp_path / "d"
    download = Download(path, KEY)
    download.begin(LABEL)
    places = [path.stat().st_size]
    for piece in (b"aaaa", b"bbbb"):
        download.add(piece)
        download.flush()
        places.append(path.stat().st_size)
    download.close()
    content = path.read_bytes()
    path.write_bytes(content[: places[0]] + content[places[1] :] + content[places[0] : places[1]])
    assert download.resume() == LABEL
    assert b"".join(download.read()) == b""
    download.close()
    path.write_bytes(content)
    assert Download(path, bytes(32)).resume() == b""


def test_a_disk_that_cannot_be_written_is_trouble_with_a_hint(tmp_path: Path) -> None:
    with pytest.raises(Trouble, match="cannot be kept"):
        Download(tmp_path / "no folder" / "d", KEY).begin(LABEL)


@contextlib.asynccontextmanager
async def listening(chain: Chain) -> AsyncIterator[str]:
    """The chain's centre on a real port."""
    server = uvicorn.Server(uvicorn.Config(chain.app, host="127.0.0.1", port=0, lifespan="off", log_config=None))
    server.capture_signals = contextlib.nullcontext  # type: ignore[assignment,method-assign]
    serving = asyncio.create_task(server.serve())
    while not server.started:
        await asyncio.sleep(0)
    try:
        yield f"http://127.0.0.1:{server.servers[0].sockets[0].getsockname()[1]}"
    finally:
        server.should_exit = True
        await serving


async def ask(url: str, store: StoreAtEnd, snapshot_id: str, **headers: str) -> httpx.Response:
    target, device = f"/v1/snapshot/{snapshot_id}", store.replica.device
    signature = wire.sign(store.secret, wire.signed_text("GET", target, device, b""))
    signed = {wire.DEVICE_HEADER: device, wire.SIGNATURE_HEADER: signature}
    async with httpx.AsyncClient(base_url=url) as line:
        return await line.get(target, headers=signed | {name.replace("_", "-"): v for name, v in headers.items()})


async def test_any_range_of_a_snapshot_is_served_as_the_standard_says(chain: Chain) -> None:
    store = await a_store(chain)
    async with listening(chain) as url:
        async with Client(url, device=store.replica.device, secret=store.secret) as line:
            reply = await line.snapshot(wire.SnapshotRequest({"chain": 0, "store/s1": 0}))
            assert reply.state == "ready"
            whole = b"".join([piece async for piece in line.download(reply, 0)])
            assert (len(whole), sha256(whole).hexdigest()) == (reply.size, reply.sha256)
            for first in (1, 2, 99, reply.size // 2, reply.size - 1):
                assert b"".join([piece async for piece in line.download(reply, first)]) == whole[first:]
        tag, size = f'"{reply.sha256}"', reply.size
        plain = await ask(url, store, reply.id)
        assert (plain.status_code, plain.headers["etag"], plain.headers["accept-ranges"]) == (200, tag, "bytes")
        part = await ask(url, store, reply.id, range="bytes=5-9", if_range=tag)
        assert (part.status_code, part.content) == (206, whole[5:10])
        assert part.headers["content-range"] == f"bytes 5-9/{size}"
        beyond = await ask(url, store, reply.id, range="bytes=5-999999999")
        assert (beyond.status_code, beyond.content) == (206, whole[5:])
        other = await ask(url, store, reply.id, range="bytes=5-9", if_range='"another"')
        assert (other.status_code, other.content) == (200, whole)
        for odd in ("bytes=-5", "lines=1-2", "bytes=1-2,4-5", "bytes=x-"):
            assert (await ask(url, store, reply.id, range=odd)).content == whole
        behind = await ask(url, store, reply.id, range=f"bytes={size}-")
        assert (behind.status_code, behind.headers["content-range"]) == (416, f"bytes */{size}")
        assert (await ask(url, store, reply.id, range="bytes=9-5")).status_code == 416
        assert (await ask(url, store, "none")).status_code == 404


TAKE = """
import asyncio, json, sys
from pathlib import Path
import httpx
from store_agent.clock import SystemClock
from store_agent.replica import Replica, download
from sync import wire
from sync.client import Client
from sync.session import Session
from sync.snapshot import Bootstrap

folder, manifest, file = sys.argv[1:]
content = Path(file).read_bytes()
download.PIECE_BYTES = 64

class Slowly(httpx.AsyncByteStream):
    def __init__(self, first): self.first = first
    async def __aiter__(self):
        for at in range(self.first, len(content), 50):
            print(at, flush=True)
            sys.stdin.readline()
            yield content[at:at + 50]

def answer(request):
    if request.url.path == "/v1/snapshot":
        return httpx.Response(200, content=Path(manifest).read_bytes())
    if request.url.path == "/v1/pull":
        raise httpx.ConnectError("the cable is out")
    asked = request.headers.get("range")
    first = int(asked[6:-1]) if asked else 0
    headers = {"content-range": f"bytes {first}-{len(content) - 1}/{len(content)}"}
    return httpx.Response(206 if asked else 200, headers=headers, stream=Slowly(first))

async def take():
    with Replica(Path(folder), bytes(range(32))) as replica:
        async with Client("http://centre", transport=httpx.MockTransport(answer)) as client:
            print(await Bootstrap(Session(replica), client, SystemClock()).step())

asyncio.run(take())
"""


def taken_by_many(command: list[str], pieces: int) -> list[int]:
    """Processes that are killed after so many pieces each, until one has all; where each began."""
    begun: list[int] = []
    while True:
        with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as taking:
            assert taking.stdin
            assert taking.stdout
            begun.append(int(taking.stdout.readline()))
            for _piece in range(pieces):
                taking.stdin.write("\n")
                taking.stdin.flush()
                if taking.stdout.readline().strip() == "True":
                    return begun
            taking.kill()


async def test_a_process_that_is_killed_again_and_again_brings_the_file_home(chain: Chain, tmp_path: Path) -> None:
    centre = await a_store(chain)
    reply = await centre.client.snapshot(wire.SnapshotRequest({"chain": 0, "store/s1": 0}))
    content = b"".join([piece async for piece in centre.client.download(reply, 0)])
    folder, manifest, file = tmp_path / "store", tmp_path / "manifest", tmp_path / "file"
    folder.mkdir()
    replica = begin(folder)
    replica.journal.keep(store="s1")
    note(replica, "while nothing is here")
    replica.close()
    manifest.write_bytes(wire.encode(reply))
    file.write_bytes(content)
    command = [sys.executable, "-c", TAKE, *map(str, (folder, manifest, file))]
    begun = taken_by_many(command, pieces=len(content) // 50 // 3)
    assert len(begun) >= 3, "it was killed on the way"
    assert begun == sorted(set(begun)), "each went on behind where the one before was killed"
    assert begun[1] > 0
    with Replica(folder, KEY) as replica:
        assert replica.cache.count("member") == 40
        assert replica.view.waiting_count() == replica.journal.count() > 0
