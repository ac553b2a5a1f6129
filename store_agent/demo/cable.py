"""A cable that can be pulled: a small TCP proxy between a store and the centre. Real sockets, so real trouble."""

from __future__ import annotations

import asyncio
import contextlib
import socket

CHUNK_BYTES = 64 * 1024


class Cable:
    """Carries bytes between a local port and the centre while it is plugged in; pulled, everything under way breaks."""

    def __init__(self, host: str, port: int) -> None:
        self._target = (host, port)
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._server: asyncio.Server | None = None
        self._carrying: set[asyncio.Task[None]] = set()
        self.is_plugged = True
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        """What the store should know as the centre's address."""

    async def lay(self) -> None:
        """Begin to carry."""
        self._server = await asyncio.start_server(self._carry, sock=self._socket)

    def pull(self) -> None:
        """Out: what is under way is cut off, and nothing new gets through."""
        self.is_plugged = False
        for task in self._carrying:
            task.cancel()

    def plug(self) -> None:
        """In again."""
        self.is_plugged = True

    async def take_up(self) -> None:
        """Stop listening for good."""
        self.pull()
        if self._server:
            self._server.close()
            with contextlib.suppress(asyncio.CancelledError):
                await self._server.wait_closed()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._carrying.add(task)
        far: asyncio.StreamWriter | None = None
        try:
            if self.is_plugged:
                far_reader, far = await asyncio.open_connection(*self._target)
                async with asyncio.TaskGroup() as both:
                    both.create_task(_copy(reader, far))
                    both.create_task(_copy(far_reader, writer))
        except (asyncio.CancelledError, OSError, ExceptionGroup):
            pass
        finally:
            self._carrying.discard(task)
            for end in (writer, far):
                if end is not None:
                    end.transport.abort()


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(CHUNK_BYTES):
        writer.write(data)
        await writer.drain()
    if writer.can_write_eof():
        writer.write_eof()
