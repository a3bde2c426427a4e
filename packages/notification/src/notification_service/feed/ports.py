"""What the use cases need from adapters."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from order_contracts import OrderEvent

from ..notification import FeedReader, Notification, Page, Selection
from .missing import ListedOrder, StoredEvent

__all__ = ["Appender", "Bus", "ChangedOrders", "Channel", "ComparisonStore", "Feed"]


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

    async def read_back(self, before: int | None, *, wanted: Selection, limit: int) -> Page:
        """Return the newest notifications before the position *before*, the newest first; None starts at the head.

        The page has every match from its `through`, inclusively, to *before*.

        Raises:
            UnavailableError: the feed can't be reached.
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


class Bus(Protocol):
    """Carries records from each replica to all; it may lose, repeat and reorder them."""

    async def send(self, epoch: str, records: Sequence[bytes]) -> None:
        """Send *records*, none of which has a line feed, of a feed in *epoch*.

        Raises:
            UnavailableError: the bus did not answer in time; the records may have been sent.
        """

    async def receive(self) -> Sequence[tuple[str, Sequence[bytes]]]:
        """Return what was sent since the last call with its epochs; nothing when that takes long.

        The first call begins at the present.

        Raises:
            UnavailableError: the bus did not answer in time.
        """


class Channel(Protocol):
    """A way to tell the customer, besides the push."""

    async def send(self, notification: Notification) -> None:
        """Send *notification*."""


class ChangedOrders(Protocol):
    """The orders in the order of their last changes."""

    async def after(self, position: str, *, min_age_s: float, limit: int) -> tuple[Sequence[ListedOrder], str]:
        """Return at most *limit* orders that changed after *position*, and the position after the last of them.

        Only changes that are at least *min_age_s* seconds old are listed. After the position ``""`` there are none; the
        returned position is the present.

        Raises:
            UnavailableError: the order service is unavailable.
        """


class ComparisonStore(Protocol):
    """What is stored of the orders, and how far that was compared with the order service."""

    async def claim_comparison(self, lease_s: float) -> str | None:
        """Return the position to continue at, ``""`` at first; None for *lease_s* seconds after another claim."""

    async def advance_comparison(self, before: str, after: str, lease_s: float) -> bool:
        """Move the position from *before* to *after* and extend the lease; false if another replica has moved it."""

    async def stored_events(self, order_ids: Sequence[int]) -> Mapping[int, Collection[StoredEvent]]:
        """Return the types and versions of the stored notifications of those of the orders that have any."""

    async def name_customers(self, customers: Mapping[int, str]) -> int:
        """Store the customer of each order with those of its notifications that have none; return their number."""
