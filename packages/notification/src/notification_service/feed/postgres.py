"""The feed in PostgreSQL."""

from __future__ import annotations

from collections.abc import Sequence

from service_common.events import EventType, OrderEvent
from service_common.observability import TraceContext
from service_common.postgres import Database, Row, load_statements

from ..notification import FeedState, Notification, Page

__all__ = ["WAKE_UP_CHANNEL", "SqlFeed"]

WAKE_UP_CHANNEL = "notification_feed"

# rows of one statement of the retention job: well within the statement timeout
FORGOTTEN_AT_ONCE = 5_000


class SqlFeed:
    """Feed on the tables of ``migrations``; each call is one statement.

    The place of a notification comes from a counter row that is locked until the commit of whoever appends, so the
    places are dense and in the order of the commits: whoever reads ``seq > n`` never misses one that commits later.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._sql = load_statements("notification_service.feed")

    async def open(self) -> FeedState:
        """Return how far the feed goes, after giving it another epoch if this database is a restored one."""
        return _state(await self._one("open_feed"))

    async def disown(self, seen: FeedState) -> None:
        """Give the feed another epoch if it lacks some of what was *seen* of it: its places will be taken by others."""
        await self._database.execute(self._sql["disown_feed"], {"epoch": seen.epoch, "head": seen.head})

    async def state(self) -> FeedState:
        """Return how far the feed goes."""
        return _state(await self._one("feed_state"))

    async def append(self, events: Sequence[OrderEvent]) -> Sequence[Sequence[Notification]]:
        """Write what is new in *events* in one statement; see :class:`~notification_service.feed.ports.Feed`."""
        traces = [TraceContext.parse(event.traceparent).trace_id for event in events]
        rows = await self._database.fetch(
            self._sql["append_notifications"],
            {
                "types": [event.type.value for event in events],
                "orders": [event.order_id for event in events],
                "versions": [event.version for event in events],
                "times": [event.time for event in events],
                "traces": traces,
                "reasons": [event.reason for event in events],
            },
        )
        written: list[list[Notification]] = [[] for _ in events]
        for place, seq, name, version in rows:
            event, event_type = events[place - 1], EventType(name)
            reason = event.reason if event_type is event.type else None
            written[place - 1].append(
                Notification(seq, event_type, event.order_id, version, event.time, traces[place - 1], reason)
            )
        return written

    async def read(
        self, after: int, *, up_to: int | None = None, orders: frozenset[int] | None = None, limit: int
    ) -> Page:
        """Return the oldest notifications beyond *after*; see :class:`~notification_service.feed.ports.Source`."""
        rows = await self._database.fetch(
            self._sql["read_notifications"],
            {"after": after, "up_to": up_to, "orders": None if orders is None else list(orders), "limit": limit},
        )
        state = _state(rows[0])
        found = [_notification(row) for row in rows if row[3] is not None]
        end = state.head if up_to is None else min(up_to, state.head)
        return Page(state, found, found[-1].seq if len(found) == limit else max(after, end))

    async def forget(self, older_than_s: float) -> int:
        """Let the feed begin later; see :class:`~notification_service.feed.ports.Feed`."""
        total = 0
        while True:
            row = await self._one("forget_notifications", age_s=older_than_s, limit=FORGOTTEN_AT_ONCE)
            deleted: int = row[0]
            total += deleted
            if deleted < FORGOTTEN_AT_ONCE:
                return total

    async def wake_replicas(self, head: int) -> int:
        """Tell every replica that the feed goes up to *head*; return how many there are, this one too."""
        row = await self._one("wake_replicas", head=head)
        listening: int = row[0]
        return listening

    async def _one(self, statement: str, **params: float) -> Row:
        row = await self._database.fetch_one(self._sql[statement], params)
        if row is None:
            raise LookupError(f"{statement} gave no row")
        return row


def _state(row: Row) -> FeedState:
    return FeedState(row[0], row[1], row[2])


def _notification(row: Row) -> Notification:
    _epoch, _floor, _head, seq, name, order_id, version, occurred_at, trace_id, reason, recorded_at = row
    return Notification(seq, EventType(name), order_id, version, occurred_at, trace_id, reason, recorded_at)
