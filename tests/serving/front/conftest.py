"""A front without scorers in the test's own process: real sockets, and a site that answers as it is told."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from typing import Any

import pytest

from mmgit.serving.front.connection import Connection
from mmgit.serving.front.connections import Connections
from mmgit.serving.front.exchange import Exchange, Refusal


class CountedConnections(Connections):
    """Connections that tell how many came."""

    opened = 0

    def open(self, connection: Connection) -> bool:
        self.opened += 1
        return super().open(connection)

    @property
    def are_busy(self) -> bool:
        return not any(connection.is_idle for connection in self._open)


class QuietSite:
    """A site whose requests wait until `answer_next`."""

    def __init__(self, held_bytes_max: int = 1_000_000) -> None:
        self.date = b"Mon, 01 Jan 2026 00:00:00 GMT"
        self.is_draining = False
        self.counted = CountedConnections(held_bytes_max)
        self.connections: Connections = self.counted
        self.waiting: list[Exchange] = []
        self.abandoned: list[Exchange] = []

    def refusal(self, exchange: Exchange) -> Refusal | None:
        exchange.body_limit = 1_000_000
        return None

    def handle(self, exchange: Exchange) -> None:
        self.waiting.append(exchange)

    def abandon(self, exchange: Exchange) -> None:
        self.abandoned.append(exchange)

    def record(self, exchange: Exchange) -> None:
        pass

    def answer(self, index: int, body: bytes = b"{}") -> None:
        self.waiting.pop(index).answer(200, body)


class Peer:
    """The client's end of a connection."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def answer(self) -> tuple[int, bytes]:
        head = await asyncio.wait_for(self.reader.readuntil(b"\r\n\r\n"), 30)
        size = int(head.lower().partition(b"content-length: ")[2].partition(b"\r\n")[0])
        return int(head.split()[1]), await self.reader.readexactly(size)

    async def is_closed(self) -> bool:
        try:
            return await asyncio.wait_for(self.reader.read(1), 30) == b""
        except ConnectionError:
            return True


class Stage:
    """A site on a port, and clients of it."""

    def __init__(self, site: QuietSite, port: int) -> None:
        self.site = site
        self._port = port
        self._peers: list[Peer] = []

    async def peer(self, receive_bytes: int = 0) -> Peer:
        """A client, which lets little be on its way where `receive_bytes` is small."""
        before = self.site.counted.opened
        sock = socket.socket()
        if receive_bytes:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_bytes)
        sock.connect(("127.0.0.1", self._port))
        sock.setblocking(False)  # noqa: FBT003 - by position is how it takes it
        peer = Peer(*await asyncio.open_connection(sock=sock))
        self._peers.append(peer)  # one that is forgotten hangs up
        await self.until(lambda: self.site.counted.opened > before)
        return peer

    async def until(self, is_done: Callable[[], Any]) -> None:
        for _ in range(3000):
            if is_done():
                return
            await asyncio.sleep(0.01)
        raise AssertionError("what was waited for did not happen")


@asynccontextmanager
async def _stage(site: QuietSite) -> AsyncIterator[Stage]:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Connection(site), "127.0.0.1", 0)
    yield Stage(site, server.sockets[0].getsockname()[1])
    server.close()
    site.connections.abort()


Play = Callable[[Callable[[Stage], Coroutine[Any, Any, None]]], None]


@pytest.fixture
def site() -> QuietSite:
    return QuietSite()


@pytest.fixture
def play(site: QuietSite) -> Play:
    """Runs a coroutine on a stage of its own."""

    def run(scene: Callable[[Stage], Coroutine[Any, Any, None]]) -> None:
        async def main() -> None:
            async with _stage(site) as stage:
                await scene(stage)

        asyncio.run(main())

    return run
