from __future__ import annotations

import asyncio
import gc
import logging
import os
import random
import socket
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from typing import TypeAlias

import pytest
from aiohttp import ClientSession, web
from aiohttp.http_exceptions import HttpProcessingError
from aiohttp.test_utils import TestServer

from notification_service.config import Config
from notification_service.feed import SqlFeed
from notification_service.http import BROADCASTER
from notification_service.http.websocket import WebSocketConnection
from notification_service.notification import FeedState, Page, Selection
from notification_service.push import (
    Broadcaster,
    PushConnection,
    PushCounters,
    PushLimits,
    connection,
    heartbeats,
    open_broadcaster,
)
from order_contracts import EventType, OrderEvent
from service_common.http_server import METRICS
from tests.support.in_memory.notification import InMemoryFeed
from tests.support.raw_clients import BINARY, CLOSE, CONTINUATION, PING, PONG, RawClient, frame
from tests.support.waiting import PATIENCE_S, eventually

Replica: TypeAlias = Callable[..., Awaitable[TestServer]]

LONG_REASON = "because " * 120
# the high-water mark of a transport, and the largest write on top of it
BUFFER_LIMIT_BYTES = (64 << 10) + 200 * 1_600
PAUSE_LIMIT_S = 2.0
SUBSCRIBE = b'{"type":"subscribe","orderId":[%d]}'


def event(event_type: EventType, order: int) -> OrderEvent:
    reason = LONG_REASON if event_type is EventType.ORDER_FAILED else None
    return OrderEvent(event_type, "/test", order, 1, datetime.now(UTC), reason=reason)


async def fail_orders(feed: SqlFeed, count: int) -> int:
    """Append two notifications for each of *count* orders and return the head."""
    start = (await feed.state()).head
    for first in range(0, count, 50):
        orders = range(start + first + 1, start + min(first + 50, count) + 1)
        await feed.append([event(EventType.ORDER_FAILED, order) for order in orders])
        await feed.notify_replicas((await feed.state()).head)
    return (await feed.state()).head


def client(server: TestServer, window_bytes: int | None = None) -> RawClient:
    return RawClient(server.host, server.port, window_bytes=window_bytes)


def broadcaster(server: TestServer) -> Broadcaster:
    return server.app[BROADCASTER]


async def metric(http: ClientSession, server: TestServer, name: str) -> float:
    async with http.get(server.make_url("/metrics")) as response:
        for line in (await response.text()).splitlines():
            if line.startswith(f"orderstream_push_{name}"):
                return float(line.rpartition(" ")[2])
    return 0.0


async def connections_left(server: TestServer, count: int) -> None:
    """Wait until so many connections are left, and check that no state of the others is."""
    push = broadcaster(server)

    async def look() -> bool | None:
        return (len(push.connections) == count and push.quota.open == count) or None

    await eventually(look, f"{count} connections, not {len(push.connections)} of {push.quota.open}")
    assert len(push.hub._subscriptions) == count
    assert sum(push.quota._by_address.values()) == count
    assert all(len(listed) <= count for listed in push.hub._by_order.values())


def shrink_send_buffer(connection: PushConnection) -> None:
    """Make the kernel's send buffer small, so that a slow client pauses its transport at once."""
    with socket.socket(fileno=os.dup(connection.transport.get_extra_info("socket").fileno())) as same:
        same.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 16_384)


def failures(caplog: pytest.LogCaptureFixture) -> list[logging.LogRecord]:
    """Return the logged errors, except those for bytes that are not HTTP."""
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    return [each for each in errors if each.exc_info is None or not isinstance(each.exc_info[1], HttpProcessingError)]


@asynccontextmanager
async def good_client(server: TestServer, feed: SqlFeed, caplog: pytest.LogCaptureFixture) -> AsyncIterator[RawClient]:
    """Follow everything over SSE during the block, and check that it received everything once and in order."""
    start = (await feed.state()).head
    async with client(server) as good:
        await good.open("sse")
        reading = asyncio.create_task(good.to_the_end())
        try:
            yield good
            head = await fail_orders(feed, 1)

            async def look() -> bool | None:
                return (bool(good.seqs) and good.seqs[-1] >= head) or None

            await eventually(look, f"{head} at the good client")
            assert good.seqs == list(range(start + 1, head + 1))
            await connections_left(server, 1)
        finally:
            reading.cancel()
            await asyncio.gather(reading, return_exceptions=True)
    await connections_left(server, 0)
    assert not broadcaster(server).hub._by_order
    assert not failures(caplog)


@pytest.mark.parametrize("protocol", ["sse", "ws"])
async def test_client_that_never_reads_is_aborted_and_its_buffer_is_bounded_until_then(
    protocol: str, replica: Replica, http: ClientSession, feed: SqlFeed, caplog: pytest.LogCaptureFixture
) -> None:
    server = await replica()
    push, largest = broadcaster(server), 0
    async with good_client(server, feed, caplog), client(server, window_bytes=4096) as stalled:
        known = push.connections.copy()
        await stalled.open(protocol)
        (connection,) = push.connections.keys() - known
        shrink_send_buffer(connection)
        transport = connection.transport

        async def look() -> str | None:
            nonlocal largest
            largest = max(largest, transport.get_write_buffer_size())
            await fail_orders(feed, 50)
            return connection.abort_reason

        async def freed() -> bool | None:  # the transport does it after the connection is lost
            return transport.get_write_buffer_size() == 0 or None

        assert await eventually(look, "the end of the client") == "stalled"
        await connections_left(server, 1)
        assert 0 < largest < BUFFER_LIMIT_BYTES
        await eventually(freed, "the end of the buffer")
        assert await metric(http, server, 'aborts_total{reason="stalled"}') == 1


class Clock:
    """The time of pauses, in place of the module `time`."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def monotonic(self) -> float:
        return self.now_s


@pytest.fixture
async def patient_replica(
    replica: Replica, config: Config, monkeypatch: pytest.MonkeyPatch
) -> tuple[TestServer, Clock]:
    """A replica with a small replay buffer that aborts connections paused for `PAUSE_LIMIT_S` by the clock."""
    clock = Clock()
    for module in (connection, heartbeats):
        monkeypatch.setattr(module, "time", clock)
    push = replace(config.push, pause_limit_s=PAUSE_LIMIT_S, ring_bytes=20_000)
    return await replica(replace(config, push=push)), clock


@pytest.mark.parametrize("protocol", ["sse", "ws"])
async def test_client_that_reads_slowly_but_steadily_gets_everything_and_is_not_aborted(
    protocol: str,
    patient_replica: tuple[TestServer, Clock],
    http: ClientSession,
    feed: SqlFeed,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """The clock goes with the reads: their rate is the same on a busy machine."""
    server, clock = patient_replica
    async with good_client(server, feed, caplog), client(server, window_bytes=4096) as slow:
        await slow.open(protocol)
        for each in broadcaster(server).connections:
            shrink_send_buffer(each)
        appending = asyncio.create_task(fail_orders(feed, 800))
        async with asyncio.timeout(PATIENCE_S):
            while not appending.done() or slow.seqs[-1:] != [appending.result()]:
                assert await slow.read(4_096)
                await asyncio.sleep(0.01)
                clock.now_s += 0.01
        assert clock.now_s > PAUSE_LIMIT_S
        assert slow.seqs == list(range(1, appending.result() + 1))
        assert await metric(http, server, "catch_up_reads_total") > 0
        assert await metric(http, server, "aborts_total") == 0


VIOLATIONS = {
    "no mask": (frame(b"{}", masked=False), 1002),
    "reserved bits": (frame(b"{}", reserved=0b010), 1002),
    "compressed though never agreed": (frame(b"{}", reserved=0b100), 1002),
    "unknown data opcode": (frame(b"{}", 0x3), 1002),
    "unknown control opcode": (frame(b"", 0xB), 1002),
    "long ping": (frame(b"x" * 126, PING), 1002),
    "ping in parts": (frame(b"x", PING, final=False), 1002),
    "nothing to continue": (frame(b"x", CONTINUATION), 1002),
    "message within a message": (frame(b"x", final=False) + frame(b"x"), 1002),
    "close code that may not be sent": (frame(b"\x03\xed", CLOSE), 1002),
    "text that is no UTF-8": (frame(b"\xc0\xaf"), 1007),
    "half a character at the end": (frame(b"\xe2\x82"), 1007),
    "message of 4,097 bytes": (frame(b"x" * 4_097), 1009),
    "head that promises 4 EiB": (b"\x82\xff" + (1 << 62).to_bytes(8, "big") + b"\0\0\0\0", 1009),
    "length with the top bit": (b"\x82\xff" + b"\xff" * 8 + b"\0\0\0\0", 1009),
    "fragments of together 4,352 bytes": (
        frame(b"x" * 256, final=False) + 16 * frame(b"x" * 256, CONTINUATION, final=False),
        1009,
    ),
    "100,000 orders": (frame(b'{"type":"subscribe","orderId":[%s]}' % b",".join([b"1"] * 100_000)), 1009),
    "flood of pings": (200 * frame(b"x", PING), 1008),
    "flood of pongs": (200 * frame(b"x", PONG), 1008),
    "flood of subscriptions": (200 * frame(SUBSCRIBE % 1), 1008),
    "flood of nonsense": (200 * frame(b"\0", BINARY), 1008),
    "fragments without end or content": (frame(final=False) + 5_000 * frame(b"", CONTINUATION, final=False), 1008),
}


@pytest.mark.parametrize("fault", list(VIOLATIONS))
async def test_violation_closes_the_connection_with_its_code(
    fault: str, replica: Replica, feed: SqlFeed, caplog: pytest.LogCaptureFixture
) -> None:
    said, code = VIOLATIONS[fault]
    server = await replica()
    async with good_client(server, feed, caplog):
        async with client(server) as hostile:
            await hostile.open("ws")
            await hostile.send(said)
            await hostile.to_the_end()
            *_, last = hostile.frames
        assert (last.opcode, last.code) == (CLOSE, code)


@pytest.mark.parametrize("fault", ["no mask", "flood of pings", "message of 4,097 bytes"])
async def test_connection_that_broke_a_rule_is_freed_without_a_garbage_collection(fault: str, replica: Replica) -> None:
    async def freed() -> bool | None:
        return not any(type(each) is WebSocketConnection for each in gc.get_objects()) or None

    server = await replica()
    gc.collect()
    gc.disable()
    try:
        async with client(server) as hostile:
            await hostile.open("ws")
            await hostile.send(VIOLATIONS[fault][0])
            await hostile.to_the_end()
        await eventually(freed, "the end of the connection")
    finally:
        gc.enable()


@pytest.mark.parametrize("dripped", [b"\x81", b"\x81\xfe\x10", frame(b"x" * 4_000)[:-1], frame(b"{", final=False)])
async def test_message_that_never_ends_disturbs_no_other_client(
    dripped: bytes, replica: Replica, feed: SqlFeed, caplog: pytest.LogCaptureFixture
) -> None:
    server = await replica()
    async with good_client(server, feed, caplog), client(server) as hostile:
        await hostile.open("ws")
        for byte in dripped:
            await hostile.send(bytes([byte]))
        await fail_orders(feed, 1)
        await hostile.until(lambda: bool(hostile.seqs))


async def test_filter_of_257_orders_is_refused_and_the_old_one_stays(
    replica: Replica, feed: SqlFeed, caplog: pytest.LogCaptureFixture
) -> None:
    server = await replica()
    async with good_client(server, feed, caplog), client(server) as hostile:
        await hostile.open("ws", "?orderId=1")
        await hostile.send(frame(b'{"type":"subscribe","orderId":[%s]}' % b",".join(b"%d" % n for n in range(1, 258))))
        await hostile.until(lambda: b'"error"' in hostile.received)
        await fail_orders(feed, 1)
        await hostile.until(lambda: len(hostile.seqs) == 2)


async def test_index_has_only_the_last_of_thousands_of_filters(
    replica: Replica, feed: SqlFeed, config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    server = await replica(replace(config, push=replace(config.push, message_burst=10_000)))
    hub = broadcaster(server).hub
    async with good_client(server, feed, caplog), client(server) as fickle:
        await fickle.open("ws")
        for first in range(0, 5_000, 100):
            await fickle.send(b"".join(frame(SUBSCRIBE % (1_000_000 + first + each)) for each in range(100)))
        await fickle.until(lambda: fickle.received.count(b'"heartbeat"') >= 5_000)
        assert set(hub._by_order) == {1_004_999}


GARBAGE = {
    "zeros": bytes(2_000),
    "noise": random.Random(1).randbytes(5_000),
    "TLS": b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + random.Random(2).randbytes(506),
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "no version of WebSocket": b"GET /ws HTTP/1.1\r\nHost: [::1]\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "key that is none": (
        b"GET /ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: short\r\n\r\n"
    ),
    "frames without a handshake": 20 * frame(b"{}"),
    "header without end": b"GET /stream HTTP/1.1\r\nX: " + b"x" * 20_000 + b"\r\n\r\n",
}


@pytest.mark.parametrize("garbage", list(GARBAGE))
async def test_garbage_instead_of_a_handshake_gets_a_client_error(
    garbage: str, replica: Replica, feed: SqlFeed, caplog: pytest.LogCaptureFixture
) -> None:
    server = await replica()
    async with good_client(server, feed, caplog), client(server) as hostile:
        await hostile.send(GARBAGE[garbage])
        await hostile.until(lambda: hostile.received.startswith((b"HTTP/1.0 4", b"HTTP/1.1 4")))


@pytest.mark.parametrize("protocol", ["sse", "ws"])
@pytest.mark.parametrize("leave", ["reset", "close"])
async def test_client_that_disconnects_in_any_phase_leaves_no_state(
    protocol: str, leave: str, replica: Replica, feed: SqlFeed, caplog: pytest.LogCaptureFixture
) -> None:
    server = await replica()
    ask = {"sse": b"GET /stream HTTP/1.1\r\n", "ws": b"GET /ws HTTP/1.1\r\nConnection: Upgrade\r\n"}[protocol]

    async def nothing(_: RawClient) -> None:
        pass

    async def part_of_a_request(hostile: RawClient) -> None:
        await hostile.send(ask)

    async def whole_request(hostile: RawClient) -> None:
        await hostile.ask(protocol)

    async def request_that_asks_the_database(hostile: RawClient) -> None:
        await hostile.ask(protocol, "?lastEventId=other-5")

    async def served(hostile: RawClient) -> None:
        await hostile.open(protocol, "?orderId=7")

    async def said_half_a_frame(hostile: RawClient) -> None:
        await hostile.open(protocol)
        await hostile.send(frame(b"{}" * 50)[:40])

    async def in_the_midst_of_a_flood(hostile: RawClient) -> None:
        await hostile.open(protocol)
        await fail_orders(feed, 2)

    phases = (
        nothing,
        part_of_a_request,
        whole_request,
        request_that_asks_the_database,
        served,
        said_half_a_frame,
        in_the_midst_of_a_flood,
    )
    async with good_client(server, feed, caplog):
        for phase in phases * 5:
            async with client(server, window_bytes=4096) as hostile:
                await phase(hostile)
                if leave == "reset":
                    hostile.reset()


async def test_close_frame_ends_the_connection_whatever_follows_it(
    replica: Replica, feed: SqlFeed, caplog: pytest.LogCaptureFixture
) -> None:
    server = await replica()
    async with good_client(server, feed, caplog):
        async with client(server) as hasty:
            await hasty.open("ws")
            await hasty.send(frame(b"\x03\xe8", CLOSE))
        async with client(server) as talkative:
            await talkative.open("ws")
            await talkative.send(frame(b"\x03\xe8", CLOSE) + frame(SUBSCRIBE % 1) + frame(b"nonsense"))
            await fail_orders(feed, 1)
            await talkative.to_the_end()
            *_, last = talkative.frames
            assert (last.opcode, last.code) == (CLOSE, 1000)
            assert b'"error"' not in talkative.received
        for _ in range(20):
            async with client(server) as eager:
                await eager.ask("ws")
                await eager.send(frame(b"\x03\xe8", CLOSE))


async def test_client_that_does_not_answer_a_close_frame_is_aborted(
    replica: Replica, http: ClientSession, config: Config, caplog: pytest.LogCaptureFixture
) -> None:
    server = await replica(replace(config, push=replace(config.push, age_s=0.2, close_timeout_s=0.3)))
    async with client(server) as silent:
        await silent.open("ws")
        await silent.to_the_end()
        assert [each.code for each in silent.frames if each.opcode == CLOSE] == [1012]
    await connections_left(server, 0)
    assert await metric(http, server, 'aborts_total{reason="stuck"}') == 1
    assert not failures(caplog)


class WatchedFeed(InMemoryFeed):
    """A slow feed that records the number of reads and of concurrent reads."""

    def __init__(self) -> None:
        super().__init__()
        self.reading = self.most = self.reads = 0

    async def state(self) -> FeedState:
        await asyncio.sleep(0.01)
        return await super().state()

    async def read(self, after: int, *, up_to: int | None = None, wanted: Selection, limit: int) -> Page:
        self.reading += 1
        self.reads += 1
        self.most = max(self.most, self.reading)
        await asyncio.sleep(0.001)
        self.reading -= 1
        return await super().read(after, up_to=up_to, wanted=wanted, limit=limit)


async def in_memory(replica: Replica, config: Config, feed: InMemoryFeed) -> TestServer:
    async def pushing(app: web.Application) -> AsyncIterator[None]:
        app[BROADCASTER] = await open_broadcaster(feed, await feed.state(), config.push, PushCounters(app[METRICS]))
        yield
        await app[BROADCASTER].close()

    return await replica(config, (pushing,))


async def test_concurrent_reads_are_limited_when_many_resume_from_beyond_the_buffer(
    replica: Replica, config: Config
) -> None:
    feed = WatchedFeed()
    await feed.append([event(EventType.ORDER_CREATED, order) for order in range(1, 1_201)])
    server = await in_memory(replica, replace(config, push=PushLimits(ring_bytes=10_000, replays=3)), feed)
    feed.reads = feed.most = 0
    async with AsyncExitStack() as stack:
        storm = [await stack.enter_async_context(client(server)) for _ in range(200)]
        for number, each in enumerate(storm):
            await each.ask("ws" if number % 2 else "sse", f"?lastEventId=test-{400 + number}")
        for number, each in enumerate(storm):
            await each.until(lambda each=each: b'"id":"test-1200"' in each.received)  # type: ignore[misc]
            assert each.seqs == list(range(401 + number, 1_201))
        assert feed.reads >= 3 * 200
        assert feed.most <= 3
    await connections_left(server, 0)


async def test_clients_that_resume_from_the_same_position_share_reads(replica: Replica, config: Config) -> None:
    feed = WatchedFeed()
    await feed.append([event(EventType.ORDER_CREATED, order) for order in range(1, 1_201)])
    server = await in_memory(replica, replace(config, push=PushLimits(ring_bytes=10_000)), feed)
    feed.reads = 0
    async with AsyncExitStack() as stack:
        crowd = [await stack.enter_async_context(client(server)) for _ in range(100)]
        for number, each in enumerate(crowd):
            await each.ask("ws" if number % 2 else "sse", "?lastEventId=test-600")
        for each in crowd:
            await each.until(lambda each=each: b'"id":"test-1200"' in each.received)  # type: ignore[misc]
        assert {tuple(each.seqs) for each in crowd} == {tuple(range(601, 1_201))}
        assert feed.reads < 100
    await connections_left(server, 0)


def outcome(each: RawClient) -> str:
    """Return whether a client was accepted or refused."""
    data = bytes(each.received)
    if b'"welcome"' in data or b"\nid: " in data:
        return "accepted"
    if any(told.opcode == CLOSE and told.code == 1013 for told in each.frames):
        return "refused"
    return "refused" if b"HTTP/1.1 200" in data and b"retry: " in data else "unknown"


async def crowd(server: TestServer, stack: AsyncExitStack, count: int, query: str = "") -> Counter[str]:
    clients = [await stack.enter_async_context(client(server)) for _ in range(count)]

    async def come(number: int, each: RawClient) -> None:
        await each.ask("ws" if number % 2 else "sse", query)
        async with asyncio.timeout(PATIENCE_S):
            while outcome(each) == "unknown":
                assert await each.read(), bytes(each.received)
            if outcome(each) == "refused":
                if number % 2:
                    await each.send(frame(b"\x03\xf5", CLOSE))
                await each.to_the_end()

    await asyncio.gather(*(come(number, each) for number, each in enumerate(clients)))
    return Counter(outcome(each) for each in clients)


@pytest.mark.parametrize("limit", ["process-full", "address-full"])
async def test_clients_over_the_limit_are_refused_and_the_quota_is_released(
    limit: str, replica: Replica, http: ClientSession, config: Config
) -> None:
    limits = PushLimits(connections=100) if limit == "process-full" else PushLimits(connections_per_address=100)
    server = await in_memory(replica, replace(config, push=limits), InMemoryFeed())
    for _ in range(2):
        async with AsyncExitStack() as stack:
            assert await crowd(server, stack, 500) == {"accepted": 100, "refused": 400}
            assert broadcaster(server).quota.open == 100
        await connections_left(server, 0)
    assert await metric(http, server, f'refusals_total{{reason="{limit}"}}') == 800


async def test_limit_holds_for_clients_that_connect_during_a_database_read(replica: Replica, config: Config) -> None:
    server = await in_memory(replica, replace(config, push=PushLimits(connections=100)), WatchedFeed())
    async with AsyncExitStack() as stack:
        assert await crowd(server, stack, 500, "?lastEventId=other-5") == {"accepted": 100, "refused": 400}
    await connections_left(server, 0)
