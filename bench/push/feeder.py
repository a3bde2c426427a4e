"""Makes notifications due, in the two ways they come to a replica: over the queue, or from another replica's append."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import count, islice

from notification_service.feed import SqlFeed
from order_contracts import EventType, Item, OrderEvent
from service_common.config import AwsConfig
from service_common.events import encode
from service_common.observability import TraceContext
from service_common.postgres import Database
from service_common.scope import ANONYMOUS
from service_common.sqs import Outgoing, Publisher, Sqs
from tests.support.waiting import eventually

from .backends import QUEUE, Backends
from .pace import paced

__all__ = ["Feeder", "feeder"]

COMMITTED = """
    SELECT seq, (extract(epoch FROM pg_xact_commit_timestamp(xmin)) * 1000000000)::bigint
    FROM notification WHERE seq > %s
"""
ITEMS = (Item("bench-1", 1),)
_ORDERS = count(1)


@dataclass(slots=True)
class Feeder:
    """Both ways; what they return is when each notification was committed, nanoseconds since 1970, by its place."""

    feed: SqlFeed
    database: Database
    publisher: Publisher

    async def head(self) -> int:
        """Return the place of the newest notification."""
        return (await self.feed.state()).head

    def created(self, how_many: int) -> list[OrderEvent]:
        """Return the creations of as many new orders."""
        return [self.event(EventType.ORDER_CREATED, next(_ORDERS)) for _ in range(how_many)]

    def reserved(self, how_many: int) -> range:
        """Return the numbers of as many orders that nobody has heard of."""
        numbers = list(islice(_ORDERS, how_many))
        return range(numbers[0], numbers[-1] + 1)

    def event(self, event_type: EventType, order: int, version: int = 1, *, customer: str = ANONYMOUS) -> OrderEvent:
        """Return one event as the order service announces it."""
        trace = TraceContext.new().traceparent
        at = datetime.now(UTC)
        return OrderEvent(event_type, "/order-service", order, version, at, trace, ITEMS, customer_id=customer)

    async def created_long_ago(self, how_many: int) -> None:
        """Have as many notifications in the feed, of new orders; the time it takes does not matter."""
        await self.over_table(self.created(how_many), rate_per_s=5_000, burst=100)

    async def orders_beyond(self, place: int) -> dict[int, int]:
        """Return the order of each notification beyond a place, by its place."""
        return dict(await self.database.fetch("SELECT seq, order_id FROM notification WHERE seq > %s", (place,)))

    async def over_queue(self, events: Sequence[OrderEvent], rate_per_s: float, burst: int = 1) -> dict[int, int]:
        """Send *events* to the notification queue; return when all were taken down."""
        before = await self.head()
        async with asyncio.TaskGroup() as group:
            async for some in paced(events, rate_per_s, burst):
                group.create_task(self._send(some))
        return await self._committed(before, len(events))

    async def over_table(self, events: Sequence[OrderEvent], rate_per_s: float, burst: int = 1) -> dict[int, int]:
        """Append *events* and tell the replicas, each burst in one transaction."""
        before = await self.head()
        async with asyncio.TaskGroup() as group:
            async for some in paced(events, rate_per_s, burst):
                group.create_task(self._append(some))
        return await self._committed(before, len(events))

    async def _send(self, events: Sequence[OrderEvent]) -> None:
        messages = [Outgoing(event.id, encode(event.envelope())) for event in events]
        outcome = await self.publisher.send(QUEUE, messages)
        if outcome.failed:
            raise RuntimeError(f"SQS did not take {dict(outcome.failed)}")

    async def _append(self, events: Sequence[OrderEvent]) -> None:
        written = await self.feed.append(events)
        await self.feed.notify_replicas(written[-1][-1].seq)

    async def _committed(self, before: int, expected: int) -> dict[int, int]:
        async def look() -> bool | None:
            return await self.head() >= before + expected or None

        await eventually(look, f"{expected} notifications in the table")
        return dict(await self.database.fetch(COMMITTED, (before,)))


@asynccontextmanager
async def feeder(backends: Backends) -> AsyncIterator[Feeder]:
    """Open both ways for the block."""
    async with (
        Database.open(backends.database_url, size=4, name="bench") as database,
        Sqs.open(AwsConfig("us-east-1", backends.endpoint)) as sqs,
    ):
        yield Feeder(SqlFeed(database), database, Publisher(sqs))
