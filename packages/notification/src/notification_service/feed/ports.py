"""What the use cases need of the outside."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from service_common.events import OrderEvent

from ..notification import FeedState, Notification, Page

__all__ = ["Channel", "Feed", "Source"]


class Source(Protocol):
    """Where notifications are read from."""

    async def state(self) -> FeedState:
        """Return how far the feed goes.

        Raises:
            UnavailableError: it can't be reached.
        """

    async def read(
        self, after: int, *, up_to: int | None = None, orders: frozenset[int] | None = None, limit: int
    ) -> Page:
        """Return the oldest notifications beyond *after*, at most *limit*.

        Args:
            after: a place in the feed.
            up_to: the last place wanted; None for the head.
            orders: only these; None for all.
            limit: how many at most.

        Raises:
            UnavailableError: it can't be reached.
        """


class Feed(Source, Protocol):
    """All notifications in one order, in which each order has one CREATED first and at most one end."""

    async def append(self, events: Sequence[OrderEvent]) -> Sequence[Sequence[Notification]]:
        """Write what is new in *events* and return, for each, the notifications written for it.

        None when it was written before or comes after the end of its order; two when it is the first that is heard of
        its order and is not its creation, which it implies.

        Raises:
            UnavailableError: it can't be reached; whether anything was written is unknown, and repeating is safe.
            PermanentError: something in *events* can't be stored; nothing was written.
        """

    async def forget(self, older_than_s: float) -> int:
        """Let the feed begin later, with what is younger than *older_than_s*; return how many were deleted.

        Notifications of orders that have not come to an end stay in the table: they say what is a duplicate.
        """


class Channel(Protocol):
    """A way to tell the customer, beside the push."""

    async def send(self, notification: Notification) -> None:
        """Tell of *notification*."""
