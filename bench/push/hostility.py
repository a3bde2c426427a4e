"""Clients that mean no good, in a process of their own: so many of each kind, none faster than its bound.

Reads a job as one line of JSON, works until its stdin ends, then prints how often each kind came and was sent away.
"""

from __future__ import annotations

import asyncio
import os
import random
import resource
import socket
import struct
import sys
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass

import orjson
import uvloop

__all__ = ["KINDS", "Hostility"]

# from one connection of a client to the next
PAUSE_S = (0.2, 0.4)
# of a flood: so many frames at once, so often
FRAMES, EVERY_S = 20, 0.1
LORIS_S = 0.5
SMALL_WINDOW_BYTES = 4096
MASK = b"\0\0\0\0"
TEXT, CONTINUATION, PING = 0x1, 0x0, 0x9
FIN, MASKED = 0x80, 0x80
SUBSCRIBE = b'{"type":"subscribe","orderId":[1,2,3]}'
HANDSHAKE = (
    b"GET /ws HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)


@dataclass(frozen=True, slots=True)
class Hostility:
    """How much of what.

    Attributes:
        kinds: names of :data:`KINDS`.
        each: clients of each kind.
        resume: an event id, long ago, from which those that never read ask for everything.
    """

    port: int
    kinds: Sequence[str]
    each: int
    resume: str


class Connection:
    """A socket that reads nothing unless it is told to."""

    def __init__(self, own: socket.socket) -> None:
        self.socket = own

    async def send(self, data: bytes) -> None:
        """Send all of it."""
        await asyncio.get_running_loop().sock_sendall(self.socket, data)

    async def receive(self) -> bytes:
        """Return some bytes; none when the server ended the connection."""
        return await asyncio.get_running_loop().sock_recv(self.socket, 65_536)

    async def upgrade(self) -> None:
        """Become a WebSocket."""
        await self.send(HANDSHAKE)
        if not (await self.receive()).startswith(b"HTTP/1.1 101"):
            raise ConnectionRefusedError

    async def end(self) -> None:
        """Read until the server has had enough."""
        while await self.receive():
            pass


async def deaf(connection: Connection, job: Hostility) -> None:
    """Ask for everything there is and never read it; look seldom whether one was cut."""
    await connection.send(f"GET /stream?lastEventId={job.resume} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n".encode())
    while not connection.socket.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):  # noqa: ASYNC110 - reading would tell
        await asyncio.sleep(LORIS_S)


async def loris(connection: Connection, _job: Hostility) -> None:
    """Send the headers byte after byte, slowly."""
    for byte in HANDSHAKE.replace(b"\r\n\r\n", b"\r\nX-Never: " + b"x" * 10_000):
        await connection.send(bytes([byte]))
        await asyncio.sleep(LORIS_S)


async def pings(connection: Connection, _job: Hostility) -> None:
    """Ping far more often than anyone needs to."""
    await _flood(connection, _frame(PING, b"are you there?"))


async def subscribes(connection: Connection, _job: Hostility) -> None:
    """Change one's mind all the time."""
    await _flood(connection, _frame(TEXT, SUBSCRIBE))


async def fragments(connection: Connection, _job: Hostility) -> None:
    """Begin a message that never ends."""
    await connection.upgrade()
    await connection.send(_frame(TEXT, b"x", fin=0))
    await _repeat(connection, _frame(CONTINUATION, b"x", fin=0) * FRAMES)


async def oversize(connection: Connection, _job: Hostility) -> None:
    """Announce a terabyte and begin to send it."""
    await connection.upgrade()
    await connection.send(struct.pack("!BBQ", FIN | TEXT, MASKED | 127, 1 << 40) + MASK)
    await _repeat(connection, b"x" * 8192)


async def garbage(connection: Connection, _job: Hostility) -> None:
    """Send noise where a request should be."""
    await connection.send(os.urandom(2048))
    await connection.end()


async def resets(connection: Connection, _job: Hostility) -> None:
    """Ask, and reset the connection at once."""
    connection.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    await connection.send(random.choice((HANDSHAKE, b"GET /stream HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n", b"GET /s")))


KINDS: dict[str, Callable[[Connection, Hostility], Awaitable[None]]] = {
    each.__name__: each for each in (deaf, loris, pings, subscribes, fragments, oversize, garbage, resets)
}


async def _flood(connection: Connection, frame: bytes) -> None:
    await connection.upgrade()
    await _repeat(connection, frame * FRAMES)


async def _repeat(connection: Connection, data: bytes) -> None:
    """Send *data* again and again until the server ends the connection; read what it says meanwhile."""
    reading = asyncio.create_task(connection.end())
    try:
        while not reading.done():
            await connection.send(data)
            await asyncio.sleep(EVERY_S)
    finally:
        reading.cancel()
        await asyncio.wait([reading])


def _frame(opcode: int, payload: bytes, fin: int = FIN) -> bytes:
    return struct.pack("!BB", fin | opcode, MASKED | len(payload)) + MASK + payload


async def _persist(kind: str, job: Hostility, came: Counter[str]) -> None:
    while True:
        await asyncio.sleep(random.uniform(*PAUSE_S))
        with socket.socket() as own:
            own.setblocking(False)
            if kind == "deaf":
                own.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_WINDOW_BYTES)
            try:
                await asyncio.get_running_loop().sock_connect(own, ("127.0.0.1", job.port))
                came[kind] += 1
                await KINDS[kind](Connection(own), job)
            except OSError:
                came[f"{kind} thrown out"] += 1


async def _work(job: Hostility) -> Counter[str]:
    came: Counter[str] = Counter()
    tasks = [asyncio.create_task(_persist(kind, job, came)) for kind in job.kinds for _ in range(job.each)]
    await asyncio.to_thread(sys.stdin.buffer.read)
    for task in tasks:
        if task.done():
            task.result()  # tells why
        task.cancel()
    await asyncio.wait(tasks)
    return came


def main() -> None:
    """Work, then tell."""
    _soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    job = Hostility(**orjson.loads(sys.stdin.buffer.readline()))
    sys.stdout.write(orjson.dumps(uvloop.run(_work(job))).decode() + "\n")


if __name__ == "__main__":
    main()
