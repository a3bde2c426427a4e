"""The close frame after a protocol violation; the suite in ``tests/autobahn`` accepts its loss."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable
from typing import TypeAlias

from aiohttp.test_utils import TestServer

from tests.support.waiting import PATIENCE_S

Replica: TypeAlias = Callable[..., Awaitable[TestServer]]

HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
UNDEFINED_FRAME = b"\x83\x80\x00\x00\x00\x00"
PING = b"\x89\x80\x00\x00\x00\x00"
# more than one read
FOLLOWING = PING * 500_000


async def test_close_frame_arrives_while_the_client_goes_on_sending(replica: Replica) -> None:
    server = await replica()
    loop = asyncio.get_running_loop()
    with socket.create_connection((server.host, server.port)) as client:
        client.setblocking(False)
        async with asyncio.timeout(PATIENCE_S):
            await loop.sock_sendall(client, HANDSHAKE + UNDEFINED_FRAME + FOLLOWING)
            received = b""
            while data := await loop.sock_recv(client, 65_536):
                received += data
    assert b"welcome" in received
    assert b"\x03\xea" in received  # close code 1002
