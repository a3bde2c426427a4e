"""The use cases: notify the customer of an event, and read the history."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from time import monotonic

from order_contracts import OrderEvent
from service_common.events import UnreadableEventError
from service_common.observability import current_trace
from service_common.paging import ListPage, PageRequest

from ..notification import EventId, FeedState, Notification, Selection, resume_cursor
from .ports import Appender, Channel, Feed

__all__ = ["History", "HistoryPage", "Notifier"]

logger = logging.getLogger(__name__)

# every client gets it with the push: enough for a sentence, too short for a stack trace
MAX_REASON_CHARACTERS = 1_000
# both PostgreSQL and Python hold these, in any time zone
YEARS = range(1970, 9999)


class Notifier:
    """Stores the notifications of events and sends each new one to every channel.

    Args:
        appender: stores them.
        channels: how the customer is told, besides the push.
    """

    def __init__(self, appender: Appender, channels: Sequence[Channel]) -> None:
        self._appender = appender
        self._channels = channels

    async def notify(self, event: OrderEvent) -> None:
        """Store the notifications of *event*, in the current trace, and send the new ones; idempotent.

        Raises:
            UnavailableError: the feed can't be reached; repeating is safe.
            UnreadableEventError: the time of the event is out of range.
        """
        began_s, trace = monotonic(), current_trace()
        notifications = await self._appender.append(_storable(event, trace.traceparent if trace else None))
        logger.info(
            "event consumed",
            extra={
                "orderId": event.order_id,
                "customerId": event.customer_id,
                "kind": event.kind,
                "eventType": event.type.value,
                "notifications": len(notifications),
                "text": event.message,
                "durationMs": round((monotonic() - began_s) * 1000, 3),
            },
        )
        for notification in notifications:
            for channel in self._channels:
                await channel.send(notification)


@dataclass(frozen=True, slots=True, kw_only=True)
class HistoryPage(ListPage[Notification, EventId]):
    """A page of the history.

    Attributes:
        state: the feed at the time of the read.
        gap: the requested position is not in the feed, and the page is the first instead.
    """

    state: FeedState
    gap: bool


class History:
    """Reads the feed page by page."""

    def __init__(self, feed: Feed) -> None:
        self._feed = feed

    async def page(self, request: PageRequest[EventId], wanted: Selection) -> HistoryPage:
        """Return a page of what is *wanted*, the oldest first; the first page when its *after* is not in the feed.

        Raises:
            UnavailableError: the feed can't be reached.
        """
        after, limit = request.after, request.limit
        page = await self._feed.read(0 if after is None else after.seq, wanted=wanted, limit=limit)
        gap = after is not None and resume_cursor(after, page.state) is None
        if gap:
            page = await self._feed.read(0, wanted=wanted, limit=limit)
        following = EventId(page.state.epoch, page.through) if page.through < page.state.head else None
        return HistoryPage(page.notifications, following, state=page.state, gap=gap)

    async def page_back(self, request: PageRequest[EventId], wanted: Selection) -> HistoryPage:
        """Return a page of what is *wanted* before the *after* of *request*, the newest first.

        It is the first page when that is not in the feed. What has expired is neither a gap nor on a page.

        Raises:
            UnavailableError: the feed can't be reached.
        """
        before, limit = request.after, request.limit
        page = await self._feed.read_back(None if before is None else before.seq, wanted=wanted, limit=limit)
        gap = before is not None and (before.epoch != page.state.epoch or before.seq > page.state.head + 1)
        if gap:
            page = await self._feed.read_back(None, wanted=wanted, limit=limit)
        following = EventId(page.state.epoch, page.through) if page.through > page.state.floor + 1 else None
        return HistoryPage(page.notifications, following, state=page.state, gap=gap)


def _storable(event: OrderEvent, traceparent: str | None) -> OrderEvent:
    if event.time.year not in YEARS:
        raise UnreadableEventError(f"not a valid event: its time is in the year {event.time.year}")
    reason = event.reason
    if reason is not None:
        reason = reason[:MAX_REASON_CHARACTERS].replace("\0", "\N{REPLACEMENT CHARACTER}")
    return replace(event, reason=reason, traceparent=traceparent)
