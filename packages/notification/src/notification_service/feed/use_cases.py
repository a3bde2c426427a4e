"""What the service does: take down what happened to orders, and tell what it took down."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from service_common.call_batcher import Coalescer
from service_common.errors import PermanentError
from service_common.events import OrderEvent, UnreadableEventError
from service_common.observability import tracing

from ..notification import EventId, FeedState, Notification, start_at
from .ports import Channel, Feed, Source

__all__ = ["History", "HistoryPage", "Notifier"]

logger = logging.getLogger(__name__)

# goes to every client with each push, so it is no place for a stack trace
MAX_REASON_CHARACTERS = 1_000
# what both PostgreSQL and Python can hold, with room for any time zone
YEARS = range(1970, 9999)


class Notifier:
    """Takes events down in the feed and tells each customer once.

    Args:
        feed: where they go; events that arrive together go in one statement.
        channels: how a customer is told, beside the push.
        appended: called after an append with all that it wrote, in order.
    """

    def __init__(
        self, feed: Feed, channels: Sequence[Channel], appended: Callable[[Sequence[Notification]], None]
    ) -> None:
        self._feed = feed
        self._channels = channels
        self._appended = appended
        self._appends = Coalescer[OrderEvent, Sequence[Notification]](self._append)

    async def notify(self, event: OrderEvent) -> None:
        """Have exactly the notifications that *event* makes due.

        Raises:
            UnavailableError: the feed is away; the same event again is safe.
            UnreadableEventError: it can't have happened then.
        """
        with tracing(event.traceparent) as context:
            notifications = await self._appends.submit(_storable(event, context.traceparent))
            logger.info(
                "event consumed",
                extra={
                    "orderId": event.order_id,
                    "kind": event.kind,
                    "eventType": event.type.value,
                    "notifications": len(notifications),
                    "text": event.message,
                },
            )
            for notification in notifications:
                for channel in self._channels:
                    await channel.send(notification)

    async def close(self) -> None:
        """Finish what was submitted."""
        await self._appends.close()

    async def _append(self, events: Sequence[OrderEvent]) -> Sequence[Sequence[Notification] | Exception]:
        try:
            written = await self._feed.append(events)
        except PermanentError as error:
            if len(events) == 1:
                return [error]
            # only the one that can't be stored is to go to the dead-letter queue
            return [outcome for event in events for outcome in await self._append([event])]
        appended = [each for notifications in written for each in notifications]
        if appended:
            self._appended(appended)
        return written


@dataclass(frozen=True, slots=True)
class HistoryPage:
    """A page of the history.

    Attributes:
        state: the feed at that moment.
        notifications: in order, the oldest first.
        next: where the next page begins; None when there is none.
        gap: whether *after* was not in the feed any more, so that the page begins with the oldest there is.
    """

    state: FeedState
    notifications: Sequence[Notification]
    next: EventId | None
    gap: bool


class History:
    """The feed read page by page."""

    def __init__(self, source: Source) -> None:
        self._source = source

    async def page(self, after: EventId | None, orders: frozenset[int] | None, limit: int) -> HistoryPage:
        """Return up to *limit* notifications beyond *after*, from the oldest on when it is None or unknown.

        Raises:
            UnavailableError: the feed is away.
        """
        page = await self._source.read(0 if after is None else after.seq, orders=orders, limit=limit)
        gap = after is not None and start_at(after, page.state) is None
        if gap:
            page = await self._source.read(0, orders=orders, limit=limit)
        more = len(page.notifications) == limit and page.through < page.state.head
        beyond = EventId(page.state.epoch, page.through) if more else None
        return HistoryPage(page.state, page.notifications, beyond, gap)


def _storable(event: OrderEvent, traceparent: str) -> OrderEvent:
    if event.time.year not in YEARS:
        raise UnreadableEventError(f"not a valid event: its time is in the year {event.time.year}")
    reason = event.reason
    if reason is not None:
        reason = reason[:MAX_REASON_CHARACTERS].replace("\0", "\N{REPLACEMENT CHARACTER}")
    return replace(event, reason=reason, traceparent=traceparent)
