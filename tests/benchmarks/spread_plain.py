"""The two plain programs and the server of `spread`: `server DATABASE_URL`, or `a|b FILE SERVER`. As simple as can be."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import sqlite3
import sys
from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import psycopg
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from tests.benchmarks.spread_store import lines, say

WAIT_S = 20


class Server:
    """Keeps what is posted, numbered, and answers whoever waits for it."""

    def __init__(self, database_url: str) -> None:
        self._url = database_url
        self._changed = asyncio.Event()

    @contextlib.asynccontextmanager
    async def lifespan(self, _app: Starlette) -> AsyncIterator[None]:
        self._db = await psycopg.AsyncConnection.connect(self._url, autocommit=True)
        async with self._db:
            await self._db.execute("create table plain (number bigserial primary key, body bytea)")
            yield

    async def post(self, request: Request) -> Response:
        await self._db.execute("insert into plain (body) values (%s)", [await request.body()])
        self._changed.set()
        self._changed = asyncio.Event()
        return Response(b"{}")

    async def get(self, request: Request) -> Response:
        after = int(request.query_params["after"])
        while True:
            changed = self._changed
            found = await self._db.execute("select number, body from plain where number > %s order by number", [after])
            rows = [(number, msgspec.Raw(body)) for number, body in await found.fetchall()]
            if rows:
                return Response(msgspec.json.encode(rows))
            async with asyncio.timeout(WAIT_S):
                await changed.wait()


async def end(name: str, file: str, url: str) -> None:
    """One store."""
    db = sqlite3.connect(file, isolation_level=None)
    db.execute("pragma journal_mode = wal")
    db.execute("pragma synchronous = full")
    db.execute("create table points (id text primary key, points integer)")
    async with httpx.AsyncClient(base_url=url, timeout=WAIT_S) as http:
        waiting = asyncio.create_task(follow(db, http)) if name == "b" else None
        async for asked in lines():
            if asked["does"] == "begin":
                say({})
                continue
            db.execute("insert into points values (?, 1)", [asked["id"]])
            await http.post("/points", content=msgspec.json.encode({"id": asked["id"], "points": 1}))
        if waiting:
            waiting.cancel()


async def follow(db: sqlite3.Connection, http: httpx.AsyncClient) -> None:
    """Whatever comes is kept and read back."""
    after = 0
    while True:
        reply = await http.get("/points", params={"after": after})
        rows: list[tuple[int, dict[str, Any]]] = msgspec.json.decode(reply.content)
        for number, body in rows:
            db.execute("insert or replace into points values (?, ?)", [body["id"], body["points"]])
            after = number
            (points,) = db.execute("select points from points where id = ?", [body["id"]]).fetchone()
            say({"balance": points})


def serve(database_url: str) -> None:
    server = Server(database_url)
    routes = [
        Route("/points", server.post, methods=["POST"]),
        Route("/points", server.get, methods=["GET"]),
    ]
    with socket.create_server(("127.0.0.1", 0)) as listener:
        print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
        app = Starlette(routes=routes, lifespan=server.lifespan)
        uvicorn.Server(uvicorn.Config(app, log_config=None, access_log=False)).run(sockets=[listener])


if __name__ == "__main__":
    if sys.argv[1] == "server":
        serve(sys.argv[2])
    else:
        asyncio.run(end(*sys.argv[1:4]))
