"""What the use cases need from adapters."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from order_contracts import OrderEvent

from ..notification import FeedReader, Notification

__all__ = ["Appender", "Channel", "Feed"]


class Feed(FeedReader, Protocol):
    """All notifications in one order: for each order one CREATED first and at most one terminal notification."""

    async def append(self, events: Sequence[OrderEvent]) -> Sequence[Sequence[Notification]]:
        """Store what is new in *events* in one transaction and return the notifications stored for each event.

        A duplicate, and an event after the terminal one of its order, stores none. The first event of an order, when it
        is not its creation, stores two: it implies the creation.

        Raises:
            UnavailableError: the feed can't be reached; the outcome is unknown and repeating is safe.
            PermanentError: one of *events* can't be stored; none was.
        """

    async def expire(self, older_than_s: float) -> int:
        """Raise the floor above what is older than *older_than_s* seconds; return the number of deleted rows.

        Rows of orders without a terminal notification stay in the table: they identify duplicates.
        """


class Appender(Protocol):
    """Stores the notifications of one event."""

    async def append(self, event: OrderEvent) -> Sequence[Notification]:
        """Store what is new in *event* and return it, as `Feed.append` does.

        Raises:
            UnavailableError: the feed can't be reached; the outcome is unknown and repeating is safe.
            PermanentError: *event* can't be stored.
        """


class Channel(Protocol):
    """A way to tell the customer, besides the push."""

    async def send(self, notification: Notification) -> None:
        """Send *notification*."""
