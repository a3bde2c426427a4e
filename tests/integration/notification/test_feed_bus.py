"""Replicas that exchange what they append over a real Redis: whatever it does, each has every notification once."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession
from aiohttp.test_utils import TestServer
from redis.asyncio import Redis

from notification_service.app import NOTIFIER
from notification_service.config import Config
from notification_service.feed import SqlFeed
from notification_service.feed.redis_stream import STREAM
from notification_service.push import Entry
from order_contracts import EventType, OrderEvent
from tests.support.feed_replicas import FeedReplica, feed_replica
from tests.support.in_memory.notification import Block, blocks
from tests.support.redis_server import RedisServer, install, redis_server
from tests.support.waiting import PATIENCE_S, eventually

NEVER_S = 3_600.0


def created(*orders: int) -> list[OrderEvent]:
    return [OrderEvent(EventType.ORDER_CREATED, "/test", order, 1, datetime.now(UTC)) for order in orders]


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis server that is not started yet."""
    program = install()
    if program is None:
        pytest.skip("there is no redis-server: apt-get install redis-server")
    with redis_server(program, tmp_path) as server:
        yield server


@pytest.fixture
def redis(server: RedisServer) -> RedisServer:
    """A running Redis server."""
    server.start()
    return server


@pytest.fixture(autouse=True)
async def _migrated(feed: SqlFeed) -> None:
    """The database has the tables."""


@dataclass
class Replica:
    """A replica, and the positions that it published."""

    running: FeedReplica
    seen: list[int]

    async def append(self, *orders: int) -> None:
        await self.running.append(created(*orders))

    async def reaches(self, head: int) -> None:
        async def look() -> bool | None:
            return (bool(self.seen) and self.seen[-1] >= head) or None

        await eventually(look, f"the replica at {head}")
        assert self.seen == list(range(1, head + 1))

    @property
    def received(self) -> float:
        return self.running.received


@asynccontextmanager
async def running(database_url: str, bus_url: str, poll_s: float) -> AsyncIterator[Replica]:
    """Run a replica for the block."""
    seen: list[int] = []

    def published(entries: Sequence[Entry]) -> None:
        seen.extend(each.seq for each in entries)

    async with feed_replica(database_url, bus_url, published, poll_s=poll_s) as replica:
        yield Replica(replica, seen)


async def received(replica: Replica) -> None:
    """Wait until the replica has got something over the bus: it follows."""

    async def look() -> bool | None:
        return replica.received > 0 or None

    await eventually(look, "a record received")


async def test_bus_alone_carries_every_notification(database_url: str, redis: RedisServer) -> None:
    """Nobody polls, and nobody is notified."""
    async with (
        Redis.from_url(redis.url) as client,
        running(database_url, redis.url, NEVER_S) as one,
        running(database_url, redis.url, NEVER_S) as two,
    ):

        async def both_read() -> bool | None:
            return (await client.info("clients"))["blocked_clients"] == 2 or None

        async def all_received() -> bool | None:
            return all(each.received >= 100 for each in (one, two)) or None

        await eventually(both_read, "two replicas that wait for what is added")
        for order in range(1, 101):
            await (one, two)[order % 2].append(order)
        await asyncio.gather(one.reaches(100), two.reaches(100))
        await eventually(all_received, "100 records at each, the own ones too")
        assert [each.received for each in (one, two)] == [100, 100]


async def test_gap_in_the_bus_is_filled_from_the_table(feed: SqlFeed, database_url: str, redis: RedisServer) -> None:
    async with (
        running(database_url, redis.url, NEVER_S) as one,
        running(database_url, redis.url, NEVER_S) as two,
    ):
        await one.append(1)
        await two.reaches(1)
        await feed.append(created(2, 3))  # by a replica that dies before it tells the others
        await one.append(4)
        await asyncio.gather(one.reaches(4), two.reaches(4))


async def away(server: RedisServer, _redis: Redis) -> None:
    server.kill()
    await asyncio.sleep(1.0)
    server.start()


async def frozen(server: RedisServer, _redis: Redis) -> None:
    server.freeze()
    await asyncio.sleep(2.0)
    server.thaw()


async def restarted(server: RedisServer, _redis: Redis) -> None:
    for _ in range(3):
        server.kill()
        server.start()
        await asyncio.sleep(0.3)


async def emptied(_server: RedisServer, redis: Redis) -> None:
    for _ in range(10):
        await redis.flushall()
        await asyncio.sleep(0.05)


async def trimmed(_server: RedisServer, redis: Redis) -> None:
    """Readers are behind what is kept."""
    for _ in range(10):
        await redis.xtrim(STREAM, maxlen=1)
        await asyncio.sleep(0.05)


async def refilled(_server: RedisServer, redis: Redis) -> None:
    """Another stream, with lower ids, as after a failover to a server whose clock is behind."""
    async with redis.pipeline(transaction=True) as both:  # a replica would write between the two
        both.delete(STREAM)
        both.xadd(STREAM, {"epoch": "other", "records": "-"}, id="5-1")
        await both.execute()


async def doubled(_server: RedisServer, redis: Redis) -> None:
    """Everything is repeated, in another order."""
    chance = random.Random(5)
    for _ in range(10):
        entries: Any = await redis.xrange(STREAM)
        for _id, fields in chance.sample(entries, min(50, len(entries))):
            await redis.xadd(STREAM, fields)
        await asyncio.sleep(0.05)


async def disturbed(_server: RedisServer, redis: Redis) -> None:
    """Others write what nobody understands."""
    for place in range(10):
        await redis.xadd(STREAM, {"epoch": "other", "records": f'- {{"id":"other-{place}"}}'})
        await redis.xadd(STREAM, {"what": "ever"})
        await asyncio.sleep(0.03)


@pytest.mark.parametrize("fault", [away, frozen, restarted, emptied, trimmed, refilled, doubled, disturbed])
async def test_fault_of_the_bus_costs_no_notification(
    feed: SqlFeed, database_url: str, redis: RedisServer, fault: Callable[[RedisServer, Redis], Awaitable[None]]
) -> None:
    """Two replicas append throughout; afterwards the bus carries again."""
    orders = iter(range(1, 100_000))
    over = asyncio.Event()

    async def keep_appending(replica: Replica) -> None:
        while not over.is_set():
            await replica.append(*(next(orders) for _ in range(3)))
            await asyncio.sleep(0.02)

    async with (
        Redis.from_url(redis.url) as client,
        running(database_url, redis.url, 0.5) as one,
        running(database_url, redis.url, 0.5) as two,
    ):
        async with asyncio.TaskGroup() as group:
            for each in (one, two):
                group.create_task(keep_appending(each))
                await received(each)
            await fault(redis, client)
            before = two.received
            over.set()
        head = (await feed.state()).head
        await asyncio.gather(one.reaches(head), two.reaches(head))

        async def carries_again() -> bool | None:
            await one.append(next(orders))
            return two.received > before or None

        await eventually(carries_again, "a record over the bus", every_s=0.2)
        head = (await feed.state()).head
        await asyncio.gather(one.reaches(head), two.reaches(head))


async def test_replica_that_starts_without_the_bus_joins_it_later(
    feed: SqlFeed, database_url: str, server: RedisServer
) -> None:
    async with running(database_url, server.url, 0.5) as one, running(database_url, server.url, 0.5) as two:
        await one.append(1, 2)
        await two.append(3)
        await asyncio.gather(one.reaches(3), two.reaches(3))
        server.start()
        orders = iter(range(4, 1_000))

        async def carried() -> bool | None:
            await one.append(next(orders))
            return two.received > 0 or None

        await eventually(carried, "a record over the bus", every_s=0.2)
        head = (await feed.state()).head
        await asyncio.gather(one.reaches(head), two.reaches(head))


async def test_clients_of_all_replicas_get_the_same_bytes(
    replica: Callable[..., Awaitable[TestServer]], http: ClientSession, config: Config, redis: RedisServer
) -> None:
    changed = replace(config, feed_bus_url=redis.url, feed_poll_s=60.0)
    servers = [await replica(changed) for _ in range(2)]
    async with AsyncExitStack() as stack:
        await stack.enter_async_context(asyncio.timeout(PATIENCE_S))
        responses = [await stack.enter_async_context(http.get(each.make_url("/stream"))) for each in servers]
        streams = [blocks(aiter(each.content)) for each in responses]
        for stream in streams:
            await anext(stream)  # welcome
        for order, server in enumerate(servers, 1):
            await server.app[NOTIFIER].notify(created(order)[0])
        one, two = [[await pushed(stream) for _ in servers] for stream in streams]
        assert one == two


async def pushed(stream: AsyncIterator[Block]) -> Block:
    """Return the next notification."""
    async for block in stream:
        if block.event is None:
            return block
    raise AssertionError("the stream ended")
