"""Replicas of the feed without clients: what a notification service does between the table, the bus and its hub."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from notification_service.feed import (
    BusCounters,
    BusExchange,
    FeedAppender,
    FeedTailer,
    ListenNotify,
    RedisStream,
    SqlFeed,
)
from notification_service.notification import FeedState
from notification_service.push import Entry, encode, entry_of, record_of
from order_contracts import OrderEvent
from service_common.observability import Metrics
from service_common.postgres import Database

__all__ = ["FeedReplica", "feed_replica"]


@dataclass(frozen=True)
class FeedReplica:
    """A replica that follows the feed, and appends."""

    appender: FeedAppender
    metrics: Metrics

    async def append(self, events: Sequence[OrderEvent]) -> None:
        """Append *events*, with others that are appended at the same time, and tell the other replicas."""
        await asyncio.gather(*map(self.appender.append, events))

    @property
    def received(self) -> float:
        """The number of records that came over the bus, its own too."""
        return self.metrics.registry.get_sample_value("orderstream_feed_bus_records_total", {"way": "received"}) or 0.0


@asynccontextmanager
async def feed_replica(
    database_url: str, bus_url: str | None, published: Callable[[Sequence[Entry]], None], *, poll_s: float = 1.0
) -> AsyncIterator[FeedReplica]:
    """Run one for the block; a reset, or a task that dies, is an error."""

    def reset(state: FeedState) -> None:
        raise AssertionError(f"reset to {state}")

    async with AsyncExitStack() as stack:
        database = await stack.enter_async_context(Database.open(database_url, size=4, name="notification-service"))
        feed, metrics = SqlFeed(database), Metrics()
        tailer = FeedTailer(
            feed, await feed.state(), encode, lambda entries, _state: published(entries), reset, poll_s=poll_s
        )
        listen_notify = ListenNotify(feed, tailer)
        tell, work = listen_notify.appended, [tailer.run, listen_notify.notify]
        if bus_url is not None:
            bus = await stack.enter_async_context(RedisStream.open(bus_url))
            counters = BusCounters(metrics)
            bus_exchange = BusExchange(bus, tailer, listen_notify, record_of, entry_of, counters=counters)
            tell = bus_exchange.appended
            work += [bus_exchange.send, bus_exchange.receive]
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(each()) for each in work]
            tasks.append(group.create_task(listen_notify.listen(database)))
            yield FeedReplica(FeedAppender(feed, tell), metrics)
            for task in tasks:
                task.cancel()
