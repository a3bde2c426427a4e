"""The feed of the notification service in memory, and a parser of event streams."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from notification_service.feed.missing import StoredEvent
from notification_service.notification import TERMINAL, FeedState, Notification, Page, Selection
from notification_service.push.encoding import encode
from notification_service.push.hub import EncodedPage
from order_contracts import EventType, OrderEvent
from service_common.observability import TraceContext
from service_common.scope import ANONYMOUS

__all__ = ["Block", "InMemoryFeed", "blocks", "encoded"]


CREATION, TERMINATION = "creation", "termination"


def encoded(page: Page) -> EncodedPage:
    """Encode *page* at once."""
    return EncodedPage(page.state, [encode(each, page.state.epoch) for each in page.notifications], page.through)


class InMemoryFeed:
    """A `Feed` in a list, and its `ComparisonStore`; sequence numbers start at 1."""

    def __init__(self, epoch: str = "test") -> None:
        self.epoch = epoch
        self._floor = 0
        self._rows: list[Notification] = []
        self._stored_at: list[float] = []
        self._known: set[tuple[int, object]] = set()
        self._position = ""
        self._lease_until = 0.0

    async def state(self) -> FeedState:
        return FeedState(self.epoch, self._floor, len(self._rows))

    async def append(self, events: Sequence[OrderEvent]) -> Sequence[Sequence[Notification]]:
        return [self._store(event) for event in events]

    async def read(self, after: int, *, up_to: int | None = None, wanted: Selection, limit: int) -> Page:
        end = len(self._rows) if up_to is None else min(up_to, len(self._rows))
        rows = self._rows[max(after, self._floor) : end]
        found = [each for each in rows if wanted.has(each.customer_id, each.order_id, each.kind)][:limit]
        return Page(await self.state(), found, found[-1].seq if len(found) == limit else max(after, end))

    async def read_back(self, before: int | None, *, wanted: Selection, limit: int) -> Page:
        end = len(self._rows) if before is None else min(max(before - 1, 0), len(self._rows))
        rows = reversed(self._rows[self._floor : end])
        found = [each for each in rows if wanted.has(each.customer_id, each.order_id, each.kind)][:limit]
        return Page(await self.state(), found, found[-1].seq if len(found) == limit else self._floor + 1)

    async def expire(self, older_than_s: float) -> int:
        before = self._floor
        horizon = time.monotonic() - older_than_s
        self._floor = max(before, sum(stored < horizon for stored in self._stored_at))
        return self._floor - before

    async def claim_comparison(self, lease_s: float) -> str | None:
        if time.monotonic() < self._lease_until:
            return None
        self._lease_until = time.monotonic() + lease_s
        return self._position

    async def advance_comparison(self, before: str, after: str, lease_s: float) -> bool:
        if before != self._position:
            return False
        self._position, self._lease_until = after, time.monotonic() + lease_s
        return True

    async def stored_events(self, order_ids: Sequence[int]) -> Mapping[int, Collection[StoredEvent]]:
        stored: dict[int, set[StoredEvent]] = {}
        for row in self._rows:
            if row.order_id in order_ids:
                stored.setdefault(row.order_id, set()).add((row.type, row.version))
        return stored

    async def name_customers(self, customers: Mapping[int, str]) -> int:
        named = [
            place for place, row in enumerate(self._rows) if row.order_id in customers and row.customer_id == ANONYMOUS
        ]
        for place in named:
            self._rows[place] = replace(self._rows[place], customer_id=customers[self._rows[place].order_id])
        return len(named)

    def _store(self, event: OrderEvent) -> Sequence[Notification]:
        own = (event.order_id, _slot(event))
        if own in self._known or (event.order_id, TERMINATION) in self._known:
            return ()
        stored = []
        if (event.order_id, CREATION) not in self._known and event.type is not EventType.ORDER_CREATED:
            stored.append(self._append(event, EventType.ORDER_CREATED, 1, None))
        stored.append(self._append(event, event.type, event.version, event.reason))
        return stored

    def _append(self, event: OrderEvent, event_type: EventType, version: int, reason: str | None) -> Notification:
        trace_id = TraceContext.parse(event.traceparent).trace_id
        seq = len(self._rows) + 1
        owners = (event.customer_id, *(each.customer_id for each in self._rows if each.order_id == event.order_id))
        customer_id = next((owner for owner in owners if owner != ANONYMOUS), ANONYMOUS)
        known = (event.order_id, version, event.time, trace_id, reason)
        row = Notification(seq, event_type, *known, customer_id=customer_id, traceparent=event.traceparent)
        self._rows.append(replace(row, recorded_at=datetime.now(UTC)))
        self._stored_at.append(time.monotonic())
        self._known.add((event.order_id, CREATION if event_type is EventType.ORDER_CREATED else _slot(event)))
        return row


def _slot(event: OrderEvent) -> object:
    if event.type is EventType.ORDER_CREATED:
        return CREATION
    return TERMINATION if event.type in TERMINAL else event.version


@dataclass(frozen=True, slots=True)
class Block:
    """One block of an event stream; absent fields are None, *comment* is the text of the last comment."""

    event: str | None = None
    data: str | None = None
    id: str | None = None
    retry: str | None = None
    comment: str | None = None


async def blocks(lines: AsyncIterator[bytes]) -> AsyncIterator[Block]:
    """Yield each block of a ``text/event-stream``."""
    fields: dict[str, str] = {}
    async for raw in lines:
        line = raw.decode().rstrip("\n")
        if not line:
            yield Block(**fields)
            fields = {}
            continue
        name, _, value = line.partition(":")
        fields[name or "comment"] = value.removeprefix(" ")
