"""The process gets SIGTERM while thousands of clients are connected."""

from __future__ import annotations

import asyncio
import os
import re
import resource
import signal
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import cast

import orjson
import pytest

from notification_service.feed import SqlFeed
from order_contracts import EventType, OrderEvent
from tests.support.waiting import eventually

CLIENTS = 2_000
# so many of them stop reading
STALLED = 100
CONNECTING_AT_ONCE = 100
GRACE_S = 10.0
APPEND_EVERY_S = 0.1
LIMIT_S = 60.0

STREAM_REQUEST = b"GET /stream HTTP/1.1\r\nHost: localhost\r\nLast-Event-ID: %s\r\n\r\n"
SOCKET_REQUEST = (
    b"GET /ws?lastEventId=%s HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
    b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
)
EVENT_ID = re.compile(rb'{"id":"([0-9a-z]+-([0-9]+))","type"')
CLOSE_1012, CLOSE_ANSWER = b"\x03\xf4", b"\x88\x82\0\0\0\0\x03\xf4"


class Follower(asyncio.Protocol):
    """One client on raw bytes, on one connection after the other.

    Attributes:
        seqs: the positions of all notifications it received.
        told: whether it was told on its last connection when to reconnect, before the close.
        resets: the number of resets it received.
    """

    def __init__(self, *, socket: bool, stalled: bool, last_id: bytes) -> None:
        self.socket = socket
        self.stalled = stalled
        self.last_id = last_id
        self.seqs: list[int] = []
        self.told = False
        self.resets = 0
        self.open = asyncio.Event()
        self.ended = asyncio.Event()
        self.ended.set()
        self.transport: asyncio.Transport | None = None
        self._end = b""

    async def connect(self, port: int) -> None:
        self.told, self._end = False, b""
        self.open.clear()
        self.ended.clear()
        await asyncio.get_running_loop().create_connection(lambda: self, "127.0.0.1", port)
        async with asyncio.timeout(LIMIT_S):
            await self.open.wait()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.Transport", transport)  # uvloop's transport does not inherit from it
        self.transport.write((SOCKET_REQUEST if self.socket else STREAM_REQUEST) % self.last_id)

    def data_received(self, data: bytes) -> None:
        whole = self._end + data
        for event_id, seq in EVENT_ID.findall(whole):
            if not self.seqs or int(seq) != self.seqs[-1]:
                self.seqs.append(int(seq))
                self.last_id = event_id
        self.resets += b'"type":"reset"' in data
        # an event may continue in the next read; shorter than the shortest event
        self._end = whole[-60:]
        if b"retry: " in whole or b'"welcome"' in whole:
            self.open.set()
        if self.socket and b'"bye"' in whole:
            self.told = True
        if self.socket and self.told and CLOSE_1012 in whole and self.transport is not None:
            self.transport.write(CLOSE_ANSWER)
        if not self.socket and whole.endswith(b"\n\n\r\n0\r\n\r\n") and b"retryMs" in whole:
            self.told = True

    def abort(self) -> None:
        if self.transport is not None:
            self.transport.abort()

    def connection_lost(self, _exc: Exception | None) -> None:
        self.ended.set()


class Replica:
    """A running process of the service, and its log lines."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self.log: list[dict[str, object]] = []
        self.listening: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    async def read_log(self) -> None:
        assert self.process.stdout is not None
        async for text in self.process.stdout:
            line = orjson.loads(text)
            self.log.append(line)
            if line["message"] == "service listening":
                self.listening.set_result(line["port"])


@asynccontextmanager
async def running(database_url: str, aws_endpoint: str, queue: str) -> AsyncIterator[Replica]:
    environ = {
        "PATH": os.environ["PATH"],
        "HOST": "127.0.0.1",
        "PORT": "0",
        "DATABASE_URL": database_url,
        "SERVICE_TOKEN": "a-token-of-thirty-two-characters",
        "AUTH_MODE": "open",
        "AWS_ENDPOINT_URL": aws_endpoint,
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "NOTIFICATION_QUEUE": queue,
        "CLOUDWATCH": "false",
        "SHUTDOWN_GRACE_S": str(GRACE_S),
        "PUSH_CONNECTIONS_PER_ADDRESS": str(CLIENTS),
        "REQUEST_LIMIT_ADDRESS_RATE": "0",
        "PUSH_PAUSE_LIMIT_S": "60",
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "notification_service", env=environ, stdout=PIPE
    )
    replica = Replica(process)
    reading = asyncio.create_task(replica.read_log())
    try:
        async with asyncio.timeout(LIMIT_S):
            await asyncio.wait((reading, replica.listening), return_when=asyncio.FIRST_COMPLETED)
        assert replica.listening.done(), "it did not start"
        yield replica
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()
        await reading


@pytest.fixture
def many_open_files() -> Iterator[None]:
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (before[1], before[1]))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, before)


async def connect(followers: list[Follower], port: int) -> None:
    for first in range(0, len(followers), CONNECTING_AT_ONCE):
        await asyncio.gather(*(each.connect(port) for each in followers[first : first + CONNECTING_AT_ONCE]))


async def append_until_cancelled(feed: SqlFeed) -> None:
    order = 0
    while True:
        order += 1
        await feed.append([OrderEvent(EventType.ORDER_CREATED, "/test", order, 1, datetime.now(UTC))])
        await feed.notify_replicas((await feed.state()).head)
        await asyncio.sleep(APPEND_EVERY_S)  # the rate


async def until(there: Callable[[], bool], what: str) -> None:
    async def look() -> bool | None:
        return there() or None

    await eventually(look, what, LIMIT_S)


@pytest.mark.usefixtures("many_open_files")
async def test_stopping_replica_tells_every_client_and_none_misses_a_notification(
    database_url: str, aws_endpoint: str, queue: str, feed: SqlFeed
) -> None:
    async with (
        running(database_url, aws_endpoint, queue) as leaving,
        running(database_url, aws_endpoint, queue) as staying,
    ):
        start = f"{(await feed.state()).epoch}-0".encode()
        followers = [
            Follower(socket=bool(number % 2), stalled=number < STALLED, last_id=start) for number in range(CLIENTS)
        ]
        await connect(followers, leaving.listening.result())
        appending = asyncio.create_task(append_until_cancelled(feed))
        try:
            await until(lambda: all(each.seqs for each in followers), "the first notification at every client")
            for each in followers:
                if each.stalled and each.transport is not None:
                    each.transport.pause_reading()
            started = time.monotonic()
            leaving.process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(LIMIT_S):
                await asyncio.gather(*(each.ended.wait() for each in followers if not each.stalled))
                ended_s = time.monotonic() - started
                assert await leaving.process.wait() == 0
            stopped_s = time.monotonic() - started
            not_told = [each.socket for each in followers if not each.stalled and not each.told]
            for each in followers:
                each.abort()
            await asyncio.gather(*(each.ended.wait() for each in followers))
            await connect(followers, staying.listening.result())
            appending.cancel()
            await asyncio.gather(appending, return_exceptions=True)
            head = (await feed.state()).head
            await until(lambda: all(each.seqs[-1] >= head for each in followers), f"{head} at every client")
        finally:
            appending.cancel()
            await asyncio.gather(appending, return_exceptions=True)
            for each in followers:
                each.abort()
            await asyncio.gather(*(each.ended.wait() for each in followers))
        assert {tuple(each.seqs) for each in followers} == {tuple(range(1, head + 1))}
        assert not any(each.resets for each in followers)
        assert not not_told
        assert ended_s < GRACE_S / 2
        assert stopped_s < GRACE_S
        assert "shutdown timed out" not in {line["message"] for line in leaving.log}
        assert not [line for line in leaving.log + staying.log if line.get("level") in {"ERROR", "CRITICAL"}]
