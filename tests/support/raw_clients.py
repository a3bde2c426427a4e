"""Push clients down at the bytes: they read when they like, say what no library would, and leave in any way."""

from __future__ import annotations

import asyncio
import re
import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from tests.support.waiting import PATIENCE_S

__all__ = ["BINARY", "CLOSE", "CONTINUATION", "PING", "PONG", "TEXT", "Frame", "RawClient", "frame"]

CONTINUATION, TEXT, BINARY, CLOSE, PING, PONG = 0x0, 0x1, 0x2, 0x8, 0x9, 0xA
HANDSHAKE = (
    "GET /ws{query} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
STREAM = "GET /stream{query} HTTP/1.1\r\nHost: localhost\r\n\r\n"
EVENT_ID = re.compile(rb'{"id":"[0-9a-z]+-([0-9]+)","type"')
MASK = b"\x11\x22\x33\x44"


def frame(
    payload: bytes = b"", opcode: int = TEXT, *, final: bool = True, masked: bool = True, reserved: int = 0
) -> bytes:
    """Make a WebSocket frame of a client, right or wrong."""
    size = len(payload)
    head = bytes([final << 7 | reserved << 4 | opcode])
    bit = masked << 7
    if size < 126:
        head += bytes([bit | size])
    elif size < 1 << 16:
        head += bytes([bit | 126]) + size.to_bytes(2, "big")
    else:
        head += bytes([bit | 127]) + size.to_bytes(8, "big")
    if not masked:
        return head + payload
    return head + MASK + bytes(byte ^ MASK[place % 4] for place, byte in enumerate(payload))


@dataclass(frozen=True, slots=True)
class Frame:
    """A WebSocket frame of the server."""

    opcode: int
    payload: bytes

    @property
    def code(self) -> int:
        """The code of a close frame."""
        return int.from_bytes(self.payload[:2], "big")


class RawClient:
    """A socket with, on request, a small window, that reads only when told to.

    Attributes:
        received: all bytes so far.
    """

    def __init__(self, host: str | None, port: int | None, *, window_bytes: int | None = None) -> None:
        self.socket = socket.socket()
        if window_bytes is not None:
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, window_bytes)
        self.socket.setblocking(False)
        self._address = (host, port)
        self.received = bytearray()

    async def __aenter__(self) -> Self:
        await asyncio.get_running_loop().sock_connect(self.socket, self._address)
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.socket.close()

    async def send(self, data: bytes) -> None:
        """Send all of *data*."""
        await asyncio.get_running_loop().sock_sendall(self.socket, data)

    async def open(self, protocol: str, query: str = "") -> None:
        """Ask for a push over ``sse`` or ``ws`` and read to the first position."""
        await self.ask(protocol, query)
        await self.until(lambda: b"retry: " in self.received or b'"welcome"' in self.received)

    async def ask(self, protocol: str, query: str = "") -> None:
        """Ask for a push and read nothing."""
        await self.send((HANDSHAKE if protocol == "ws" else STREAM).format(query=query).encode())

    async def read(self, max_bytes: int = 65_536) -> bytes:
        """Read what is there, or wait for it; nothing when the server has ended the connection."""
        try:
            data = await asyncio.get_running_loop().sock_recv(self.socket, max_bytes)
        except (ConnectionResetError, BrokenPipeError):
            data = b""
        self.received += data
        return data

    async def until(self, there: Callable[[], bool]) -> None:
        """Read until something is there."""
        async with asyncio.timeout(PATIENCE_S):
            while not there():
                assert await self.read(), f"it ended before: {bytes(self.received[-300:])!r}"

    async def to_the_end(self) -> None:
        """Read until the server ends the connection."""
        async with asyncio.timeout(PATIENCE_S):
            while await self.read():
                pass

    @property
    def seqs(self) -> list[int]:
        """The places of the notifications so far."""
        return [int(seq) for seq in EVENT_ID.findall(self.received)]

    @property
    def frames(self) -> Iterator[Frame]:
        """The WebSocket frames so far."""
        _, _, rest = bytes(self.received).partition(b"\r\n\r\n")
        while len(rest) >= 2:
            size, start = rest[1], 2
            if size >= 126:
                start = 4 if size == 126 else 10
                size = int.from_bytes(rest[2:start], "big")
            if len(rest) < start + size:
                return
            yield Frame(rest[0] & 0x0F, rest[start : start + size])
            rest = rest[start + size :]

    def reset(self) -> None:
        """Leave with an RST instead of a FIN."""
        self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.socket.close()
