"""A process that appends to the feed as a replica of its own: ``python -m tests.support.appender URL SEED ORDERS``."""

from __future__ import annotations

import asyncio
import random
import sys
from datetime import UTC, datetime, timedelta

from notification_service.feed import SqlFeed
from order_contracts import EventType, OrderEvent
from service_common.errors import TransientError
from service_common.postgres import Database

__all__ = ["append_all", "stories"]

BEGIN = datetime(2026, 3, 1, 12, 0, 0, tzinfo=UTC)
WRITERS = 4
BATCH = 7


def stories(orders: int) -> list[OrderEvent]:
    """Return the events of so many orders, the same whoever asks: a creation, a change for some, and an end."""
    types = (EventType.ORDER_PROCESSED, EventType.ORDER_FAILED, EventType.ORDER_CANCELLED)
    events = []
    for order in range(1, orders + 1):
        at = BEGIN + timedelta(seconds=order)
        reason = "out of stock" if types[order % 3] is EventType.ORDER_FAILED else None
        events.append(OrderEvent(EventType.ORDER_CREATED, "/test", order, 1, at))
        if order % 2:
            events.append(OrderEvent(EventType.ORDER_UPDATED, "/test", order, 2, at))
        events.append(OrderEvent(types[order % 3], "/test", order, 1 + order % 2, at, reason=reason))
    return events


async def append_all(url: str, events: list[OrderEvent]) -> int:
    """Append *events* through several connections at once until all are in; return how many were new."""
    batches = [events[first : first + BATCH] for first in range(0, len(events), BATCH)]
    async with Database.open(url, size=WRITERS, name="appender") as database:
        feed = SqlFeed(database)

        async def write() -> int:
            new = 0
            while batches:
                new += await _append(feed, database, batches.pop())
            return new

        return sum(await asyncio.gather(*(write() for _ in range(WRITERS))))


async def _append(feed: SqlFeed, database: Database, batch: list[OrderEvent]) -> int:
    while True:
        try:
            return sum(map(len, await feed.append(batch)))
        except TransientError:  # whether it was written is unknown: a consumer gets the message again
            await database.wait_available()


def main() -> None:
    """Append the stories of ORDERS orders in an order that SEED decides."""
    url, seed, orders = sys.argv[1:]
    events = stories(int(orders))
    random.Random(int(seed)).shuffle(events)
    asyncio.run(append_all(url, events))


if __name__ == "__main__":
    main()
