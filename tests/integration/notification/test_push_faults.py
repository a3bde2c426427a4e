from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeAlias

import pytest
from aiohttp import ClientError, ClientSession
from aiohttp.test_utils import TestServer

from notification_service.config import Config
from notification_service.feed import SqlFeed
from notification_service.http import BROADCASTER
from notification_service.notification import EVERYTHING
from order_contracts import EventType, OrderEvent
from service_common.postgres import Database
from tests.support.in_memory.notification import Block, blocks
from tests.support.waiting import PATIENCE_S, until_ready

Replica: TypeAlias = Callable[..., Awaitable[TestServer]]
CREATED, CLOSED, FAILED = EventType.ORDER_CREATED, EventType.ORDER_PROCESSED, EventType.ORDER_FAILED

EVENT_ID = re.compile(rb'data: \{"id":"[0-9a-z]+-([0-9]+)"')
LONG_REASON = "because " * 120


def event(event_type: EventType, order: int) -> OrderEvent:
    reason = LONG_REASON if event_type is FAILED else None
    return OrderEvent(event_type, "/test", order, 1, datetime.now(UTC), reason=reason)


@asynccontextmanager
async def sse(http: ClientSession, server: TestServer, query: str = "") -> AsyncIterator[AsyncIterator[Block]]:
    async with http.get(server.make_url(f"/stream{query}")) as response:
        yield blocks(aiter(response.content))


async def seqs(stream: AsyncIterator[Block], last: int) -> list[int]:
    found: list[int] = []
    async for block in stream:
        if block.data is not None and block.event is None:
            assert block.id is not None
            found.append(int(block.id.partition("-")[2]))
            if found[-1] >= last:
                break
    return found


async def metric(http: ClientSession, server: TestServer, name: str) -> float:
    async with http.get(server.make_url("/metrics")) as response:
        for line in (await response.text()).splitlines():
            if line.startswith(f"orderstream_push_{name}"):
                return float(line.rpartition(" ")[2])
    return 0.0


class RawClient:
    """A socket with a small receive buffer that reads only on request."""

    def __init__(self, server: TestServer) -> None:
        self._socket = socket.socket()
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        self._socket.setblocking(False)
        self._address = (server.host, server.port)
        self.received = bytearray()

    async def ask(self, query: str = "") -> None:
        loop = asyncio.get_running_loop()
        await loop.sock_connect(self._socket, self._address)
        await loop.sock_sendall(self._socket, f"GET /stream{query} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        while b"id: " not in self.received:
            self.received += await loop.sock_recv(self._socket, 1024)
        self.epoch = bytes(self.received).partition(b"id: ")[2].partition(b"-")[0]

    async def read_to(self, seq: int) -> None:
        last = b'data: {"id":"' + self.epoch + b"-%d" % seq
        recent = bytearray()
        while last not in recent:
            data = await asyncio.get_running_loop().sock_recv(self._socket, 65_536)
            assert data, "the connection was closed"
            recent = recent[-100:] + data
            self.received.extend(data)

    @property
    def seqs(self) -> list[int]:
        return [int(seq) for seq in EVENT_ID.findall(self.received)]

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
async def flood(feed: SqlFeed) -> Callable[[int], Awaitable[int]]:
    """Appends so many failed orders with a long reason, in batches, and returns the head."""

    async def append(orders: int) -> int:
        start = (await feed.state()).head
        for first in range(0, orders, 50):
            await feed.append([event(FAILED, start + first + each + 1) for each in range(min(50, orders - first))])
            await feed.notify_replicas((await feed.state()).head)
        return (await feed.state()).head

    return append


async def test_concurrent_appends_get_dense_positions_in_commit_order(feed: SqlFeed, database_url: str) -> None:
    seen: list[int] = []
    writers_done = asyncio.Event()

    async def follow() -> None:
        while not (writers_done.is_set() and len(seen) == (await feed.state()).head):
            page = await feed.read(seen[-1] if seen else 0, wanted=EVERYTHING, limit=50)
            seen.extend(each.seq for each in page.notifications)

    async def write(writer: SqlFeed, number: int) -> None:
        for batch in range(20):
            await writer.append([event(CREATED, batch * 10 + each) for each in range(1, 11)])
            await writer.append([event(CLOSED, batch * 10 + number + 1)])

    reader = asyncio.create_task(follow())
    async with Database.open(database_url, size=4) as one, Database.open(database_url, size=4) as two:
        await asyncio.gather(*(write(SqlFeed(one if number % 2 else two), number) for number in range(8)))
    writers_done.set()
    async with asyncio.timeout(PATIENCE_S):
        await reader
    assert seen == list(range(1, 361))


async def test_append_without_notify_arrives_by_the_poll(replica: Replica, http: ClientSession, feed: SqlFeed) -> None:
    server = await replica()
    async with sse(http, server) as stream:
        await anext(stream)
        await feed.append([event(CREATED, 1)])
        assert await seqs(stream, 1) == [1]


async def test_stream_continues_after_every_database_connection_was_killed(
    replica: Replica, http: ClientSession, feed: SqlFeed, database_url: str
) -> None:
    server = await replica()
    async with sse(http, server) as stream, Database.open(database_url, size=1, name="killer") as killer:
        await anext(stream)
        await feed.append([event(CREATED, 1)])
        assert await seqs(stream, 1) == [1]
        killed = await killer.fetch(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name LIKE 'notification-service%%'"
        )
        assert len(killed) >= 2  # one for statements and the listening one
        await feed.append([event(CREATED, 2), event(CREATED, 3)])
        assert await seqs(stream, 3) == [2, 3]


async def test_new_epoch_resets_every_connected_client(
    replica: Replica, http: ClientSession, feed: SqlFeed, database_url: str
) -> None:
    await feed.append([event(CREATED, 1)])
    server = await replica()
    async with sse(http, server) as stream, Database.open(database_url, size=1) as database:
        await anext(stream)
        await database.execute("UPDATE feed SET epoch = 'new'")
        async for block in stream:
            if block.event == "reset":
                assert block.id == "new-1"
                break
        await feed.append([event(CREATED, 2)])
        assert await seqs(stream, 2) == [2]


async def test_restored_database_gets_a_new_epoch(feed: SqlFeed, database_url: str) -> None:
    epoch = (await feed.open()).epoch
    assert (await feed.open()).epoch == epoch
    async with Database.open(database_url, size=1) as database:
        await database.execute("UPDATE feed SET lineage = 'another server:00000001'")
    assert (await feed.open()).epoch != epoch


async def test_client_that_never_reads_is_aborted_and_others_get_everything(
    replica: Replica, http: ClientSession, feed: SqlFeed, flood: Callable[[int], Awaitable[int]]
) -> None:
    server = await replica()
    stalled = RawClient(server)
    await stalled.ask()
    async with sse(http, server) as stream:
        await anext(stream)
        reading = asyncio.create_task(seqs(stream, 8_000))
        assert await flood(4_000) == 8_000
        assert await reading == list(range(1, 8_001))
    async with asyncio.timeout(PATIENCE_S):
        while not await metric(http, server, 'aborts_total{reason="stalled"}'):
            await feed.notify_replicas(8_000)
        while await metric(http, server, 'connections{protocol="sse",state="gone"}'):
            await feed.notify_replicas(8_000)
    stalled.close()


async def test_client_that_falls_behind_catches_up_without_loss_or_duplicate(
    replica: Replica,
    http: ClientSession,
    flood: Callable[[int], Awaitable[int]],
    config: Config,
) -> None:
    server = await replica(replace(config, push=replace(config.push, pause_limit_s=15.0, ring_bytes=500_000)))
    slow = RawClient(server)
    await slow.ask()
    head = await flood(4_000)
    assert await metric(http, server, 'connections{protocol="sse",state="catching-up"}') == 1
    async with asyncio.timeout(PATIENCE_S):
        await slow.read_to(head)
        assert slow.seqs == list(range(1, head + 1))
        assert await metric(http, server, "catch_up_reads_total") > 0
        head = await flood(1)
        await slow.read_to(head)
    assert await metric(http, server, 'connections{protocol="sse",state="live"}') == 1
    slow.close()


async def test_stop_does_not_wait_for_a_client_that_never_reads(
    replica: Replica, config: Config, flood: Callable[[int], Awaitable[int]]
) -> None:
    server = await replica(replace(config, push=replace(config.push, pause_limit_s=60.0)))
    stalled = RawClient(server)
    await stalled.ask()
    await flood(4_000)
    async with asyncio.timeout(config.shutdown_grace_s + 1):
        await server.close()
    stalled.close()


async def test_readiness_checks_every_task_of_the_push(replica: Replica, http: ClientSession) -> None:
    server = await replica()
    checks = await until_ready(lambda: http.get(server.make_url("/health/ready")))
    assert set(checks) >= {"database", "tail", "sweep", "retention"}


async def test_client_whose_catch_up_crashes_is_disconnected_and_can_resume(
    replica: Replica, http: ClientSession, feed: SqlFeed, monkeypatch: pytest.MonkeyPatch
) -> None:
    await feed.append([event(CREATED, order) for order in range(1, 6)])
    server = await replica()
    epoch = (await feed.state()).epoch
    hub = server.app[BROADCASTER].hub

    def crash(_: object) -> None:
        raise LookupError("a defect")

    with monkeypatch.context() as patch:
        patch.setattr(hub, "next_action", crash)
        async with sse(http, server, f"?lastEventId={epoch}-2") as stream:
            [received] = await asyncio.gather(seqs(stream, 5), return_exceptions=True)
    assert received == [] or isinstance(received, ClientError)
    assert await metric(http, server, 'aborts_total{reason="failed"}') == 1
    async with sse(http, server, f"?lastEventId={epoch}-2") as stream:
        assert await seqs(stream, 5) == [3, 4, 5]
