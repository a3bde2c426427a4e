"""Clients that mean no good, or know no better."""

from __future__ import annotations

import asyncio
import random
import socket
import struct
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from urllib.parse import urlsplit

from tests.chaos.stage import Stage, place_of

__all__ = ["deaf", "garbage", "hang_up"]

GARBAGE = (
    b"POST /orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Encoding: gzip\r\n"
    b"Content-Length: 4\r\n\r\n\x1f\x8b\x08\x00",
    b"POST /orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n",
    b"POST /orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 3\r\n\r\n{]}",
    b"GET /orders?limit=1&limit=2 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /%00%ff HTTP/1.1\r\nHost: x\r\nExpect: foo\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    b"GET / HTTP/1.1\r\nHost: x\r\nX: " + b"x" * 20_000 + b"\r\n\r\n",
    b"GET /ws HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 7\r\n\r\n",
    b"PUT /orders/1 HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\nContent-Type: application/json\r\n\r\n{",
)
_UPGRADE = (
    "Upgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
    "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
)


@asynccontextmanager
async def hang_up(stage: Stage, target: str, chance: random.Random) -> AsyncIterator[None]:
    """Reset connections right after a request; each costs the service whatever it had begun to do."""

    async def client() -> None:
        path = chance.choice(
            ("/ws?lastEventId=deadbeef-1", "/stream?lastEventId=deadbeef-1", "/orders", "/notifications")
        )
        with suppress(OSError):
            connection = await _connect(stage, target, f"GET {path} HTTP/1.1\r\nHost: x\r\n{_UPGRADE}\r\n".encode())
            await asyncio.sleep(chance.choice((0.0, 0.0, 0.01, 0.1)))
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            connection.close()

    await asyncio.gather(*(client() for _ in range(150)))
    yield


@asynccontextmanager
async def deaf(stage: Stage, target: str, _: random.Random) -> AsyncIterator[None]:
    """Ask for the whole feed again and again on connections that nobody reads."""
    connections: list[socket.socket] = []
    for _number in range(40):
        with suppress(OSError):
            request = b"GET /stream?lastEventId=earliest HTTP/1.1\r\nHost: x\r\n\r\n"
            connections.append(await _connect(stage, target, request))
    yield
    for connection in connections:
        connection.close()


@asynccontextmanager
async def garbage(stage: Stage, target: str, chance: random.Random) -> AsyncIterator[None]:
    connections: list[socket.socket] = []
    for _number in range(60):
        with suppress(OSError):
            connections.append(await _connect(stage, target, chance.choice(GARBAGE)))
    yield
    for connection in connections:
        connection.close()


async def _connect(stage: Stage, target: str, head: bytes) -> socket.socket:
    url = urlsplit(stage.system.stack.url(*place_of(target)))
    connection = socket.socket()
    connection.setblocking(False)
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    loop = asyncio.get_running_loop()
    try:
        async with asyncio.timeout(5):
            await loop.sock_connect(connection, (url.hostname, url.port))
            await loop.sock_sendall(connection, head)
    except BaseException:
        connection.close()
        raise
    return connection
