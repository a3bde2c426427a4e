"""Appends events one by one for its callers, and those of concurrent callers in one transaction."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence

from order_contracts import OrderEvent
from service_common.call_batcher import CallBatcher
from service_common.errors import PermanentError
from service_common.observability import entered
from service_common.postgres import STATEMENT_SPAN

from ..notification import Notification
from .ports import Feed

__all__ = ["FeedAppender"]


class FeedAppender:
    """Batches the appends of this process.

    Args:
        feed: where events are stored.
        appended: is called after each transaction with all notifications that it stored, in feed order.
        wait_s: returns how long events should gather before they are stored, in seconds; 0 unless under load.
    """

    def __init__(
        self,
        feed: Feed,
        appended: Callable[[Sequence[Notification]], None],
        wait_s: Callable[[], float] = float,
    ) -> None:
        self._feed = feed
        self._appended = appended
        self._wait_s = wait_s
        # so that only the event that can't be stored goes to the dead-letter queue
        self._batches = CallBatcher[OrderEvent, Sequence[Notification]](
            self._append, apart=(PermanentError,), name="append_notifications", **STATEMENT_SPAN
        )

    async def append(self, event: OrderEvent) -> Sequence[Notification]:
        """Store what is new in *event*; see :class:`~notification_service.feed.ports.Appender`."""
        if wait_s := self._wait_s():  # those that come meanwhile wait for the same time, and share a transaction
            await asyncio.sleep(wait_s)
        return await self._batches.submit(event)

    async def close(self) -> None:
        """Store what was submitted, and refuse further events."""
        await self._batches.close()

    async def _append(self, events: Sequence[OrderEvent]) -> Sequence[Sequence[Notification] | Exception]:
        stored = await self._feed.append(events)
        appended = [each for notifications in stored for each in notifications]
        if appended:
            with entered(None):  # each has a trace of its own
                self._appended(appended)
        return stored
