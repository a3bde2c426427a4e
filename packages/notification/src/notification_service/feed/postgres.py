"""Adapter: the feed in PostgreSQL."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from order_contracts import EventType, OrderEvent
from service_common.observability import TraceContext
from service_common.postgres import Database, Row, load_statements
from service_common.scope import ANONYMOUS

from ..notification import FeedState, Notification, Page, Selection
from .missing import StoredEvent

__all__ = ["NOTIFY_CHANNEL", "SqlFeed"]

NOTIFY_CHANNEL = "notification_feed"

# the most rows that a read filters without an index, as by kind: the next of a rare kind may be far
ROWS_PER_READ = 20_000
# rows of one DELETE: well within the statement timeout
EXPIRED_PER_STATEMENT = 5_000


class SqlFeed:
    """Feed and comparison on the tables of ``migrations``; each call is one statement.

    ``seq`` comes from a counter row that an append locks until its commit, so it is dense and in commit order: a reader
    of ``seq > n`` never misses a row that commits later.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load_statements("notification_service.feed")

    async def open(self) -> FeedState:
        """Return the range of the feed, after giving it a new epoch if this database was restored or promoted."""
        return _state(await self._one("open_feed"))

    async def renew_epoch(self, seen: FeedState) -> None:
        """Give the feed a new epoch if it lacks a part of what was *seen* of it: others will get those ids."""
        await self._database.execute(self._sql["renew_epoch"], {"epoch": seen.epoch, "head": seen.head})

    async def state(self) -> FeedState:
        """Return the range of the feed."""
        return _state(await self._one("feed_state"))

    async def append(self, events: Sequence[OrderEvent]) -> Sequence[Sequence[Notification]]:
        """Store what is new in *events* in one statement; see :class:`~notification_service.feed.ports.Feed`."""
        traces = [TraceContext.parse(event.traceparent).trace_id for event in events]
        rows = await self._database.fetch(
            self._sql["append_notifications"],
            {
                "types": [event.type.value for event in events],
                "orders": [event.order_id for event in events],
                "versions": [event.version for event in events],
                "times": [event.time for event in events],
                "traces": traces,
                "traceparents": [event.traceparent for event in events],
                "reasons": [event.reason for event in events],
                "customers": [event.customer_id for event in events],
            },
        )
        stored: list[list[Notification]] = [[] for _ in events]
        for number, seq, name, version, customer_id in rows:
            event, event_type = events[number - 1], EventType(name)
            reason = event.reason if event_type is event.type else None
            known = (event.order_id, version, event.time, traces[number - 1], reason)
            stored[number - 1].append(
                Notification(seq, event_type, *known, customer_id=customer_id, traceparent=event.traceparent)
            )
        return stored

    async def read(self, after: int, *, up_to: int | None = None, wanted: Selection, limit: int) -> Page:
        """Return the oldest notifications after *after*; see :class:`~notification_service.notification.FeedReader`."""
        parameters = {"after": after, "up_to": up_to, "limit": limit, **_filter(wanted)}
        state, end, found = _read(await self._database.fetch(self._sql["read_notifications"], parameters))
        return Page(state, found, found[-1].seq if len(found) == limit else max(after, end))

    async def read_back(self, before: int | None, *, wanted: Selection, limit: int) -> Page:
        """Return the newest notifications before *before*; see :class:`~notification_service.feed.ports.Feed`."""
        parameters = {"before": before, "limit": limit, **_filter(wanted)}
        state, first, found = _read(await self._database.fetch(self._sql["read_notifications_back"], parameters))
        return Page(state, found, found[-1].seq if len(found) == limit else first)

    async def expire(self, older_than_s: float) -> int:
        """Raise the floor and delete; see :class:`~notification_service.feed.ports.Feed`."""
        total = 0
        while True:
            row = await self._one("expire_notifications", age_s=older_than_s, limit=EXPIRED_PER_STATEMENT)
            deleted: int = row[0]
            total += deleted
            if deleted < EXPIRED_PER_STATEMENT:
                return total

    async def notify_replicas(self, head: int) -> int:
        """Send *head* to every replica that listens and return their number, including this one."""
        row = await self._one("notify_replicas", head=head)
        listening: int = row[0]
        return listening

    async def claim_comparison(self, lease_s: float) -> str | None:
        """Claim the comparison; see :class:`~notification_service.feed.ports.ComparisonStore`."""
        row = await self._database.fetch_one(self._sql["claim_comparison"], {"lease_s": lease_s})
        return None if row is None else str(row[0])

    async def advance_comparison(self, before: str, after: str, lease_s: float) -> bool:
        """Move the position; see :class:`~notification_service.feed.ports.ComparisonStore`."""
        parameters = {"before": before, "after": after, "lease_s": lease_s}
        return await self._database.execute(self._sql["advance_comparison"], parameters) == 1

    async def stored_events(self, order_ids: Sequence[int]) -> Mapping[int, Collection[StoredEvent]]:
        """Return what is stored of the orders; see :class:`~notification_service.feed.ports.ComparisonStore`."""
        rows = await self._database.fetch(self._sql["stored_notifications"], (list(order_ids),))
        return {order: set(zip(map(EventType, types), versions, strict=True)) for order, types, versions in rows}

    async def name_customers(self, customers: Mapping[int, str]) -> int:
        """Store the customers of the orders; see :class:`~notification_service.feed.ports.ComparisonStore`."""
        parameters = {"orders": list(customers), "customers": list(customers.values())}
        return await self._database.execute(self._sql["name_customers"], parameters)

    async def _one(self, statement: str, **params: float) -> Row:
        row = await self._database.fetch_one(self._sql[statement], params)
        if row is None:
            raise LookupError(f"{statement} returned no row")
        return row


def _filter(wanted: Selection) -> dict[str, object]:
    orders, kinds, customer_id = wanted.filter.orders, wanted.filter.kinds, wanted.scope.customer_id
    indexed = orders is not None or customer_id not in {None, ANONYMOUS}
    unfiltered = customer_id is None and kinds is None
    return {
        "orders": None if orders is None else list(orders),
        "types": None if kinds is None else [each.value for each in EventType if each.kind in kinds],
        "customer_id": customer_id,
        "most": None if indexed or unfiltered else ROWS_PER_READ,
    }


def _read(rows: Sequence[Row]) -> tuple[FeedState, int, Sequence[Notification]]:
    return _state(rows[0]), rows[0][3], [_notification(row) for row in rows if row[4] is not None]


def _state(row: Row) -> FeedState:
    return FeedState(row[0], row[1], row[2])


def _notification(row: Row) -> Notification:
    _epoch, _floor, _head, _end, seq, name, *known = row
    return Notification(seq, EventType(name), *known)
