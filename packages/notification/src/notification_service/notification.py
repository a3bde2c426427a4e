"""The domain: notifications, their positions in the feed, and how the feed is read."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, Protocol, TypeAlias

from order_contracts import EventType, message
from service_common.errors import InvalidError, Violation
from service_common.scope import ALL_CUSTOMERS, ANONYMOUS, Scope

__all__ = [
    "EARLIEST",
    "EVERYTHING",
    "NO_FILTER",
    "TERMINAL",
    "EventId",
    "FeedReader",
    "FeedState",
    "Notification",
    "NotificationFilter",
    "Page",
    "Position",
    "Selection",
    "WrongEventIdError",
    "resume_cursor",
]

TERMINAL = frozenset({EventType.ORDER_CANCELLED, EventType.ORDER_PROCESSED, EventType.ORDER_FAILED})

_EVENT_ID = re.compile(r"([0-9a-z]{1,32})-(0|[1-9][0-9]{0,17})", re.ASCII)


class WrongEventIdError(InvalidError):
    """A text that does not have the form of an event id."""

    slug = "wrong-event-id"


@dataclass(frozen=True, slots=True)
class EventId:
    """A position in the feed as clients know it: they have seen everything of *epoch* up to and including *seq*."""

    epoch: str
    seq: int

    def __str__(self) -> str:
        return f"{self.epoch}-{self.seq}"

    @classmethod
    def parse(cls, text: str, pointer: str) -> EventId:
        """Parse ``<epoch>-<seq>``; *pointer* names the parameter or header for the error.

        Raises:
            WrongEventIdError: the text has another form.
        """
        match = _EVENT_ID.fullmatch(text)
        if match is None:
            detail = "An event id is <epoch>-<seq>, as in the id of an event."
            raise WrongEventIdError(detail, [Violation(pointer, detail)])
        return cls(match[1], int(match[2]))


EARLIEST: Final = "earliest"
# where a client continues: after an id, or with everything that is stored
Position: TypeAlias = EventId | Literal["earliest"]


@dataclass(frozen=True, slots=True)
class NotificationFilter:
    """Which notifications a client wants: those of *orders* and of *kinds*; None is all of them."""

    orders: frozenset[int] | None = None
    kinds: frozenset[str] | None = None

    def __post_init__(self) -> None:
        for each in (self.orders, self.kinds):
            if each is not None and not each:
                raise ValueError("an empty filter matches nothing")

    def includes(self, kind: str) -> bool:
        """Whether notifications of this kind match."""
        return self.kinds is None or kind in self.kinds


NO_FILTER = NotificationFilter()


@dataclass(frozen=True, slots=True)
class Selection:
    """Which notifications a client gets: those in its *scope* that match its *filter*."""

    scope: Scope
    filter: NotificationFilter = NO_FILTER

    def has(self, customer_id: str, order_id: int, kind: str) -> bool:
        """Whether a notification of this kind, of this order of this customer, is one of them."""
        orders = self.filter.orders
        return (
            self.scope.includes(customer_id) and (orders is None or order_id in orders) and self.filter.includes(kind)
        )


EVERYTHING = Selection(ALL_CUSTOMERS)


@dataclass(frozen=True, slots=True)
class FeedState:
    """The range of the feed: every *seq* above *floor* up to *head* is stored; up to *floor* they have expired."""

    epoch: str
    floor: int
    head: int


def resume_cursor(last_seen: EventId, state: FeedState) -> int | None:
    """Return the cursor of a client that has seen *last_seen*; None when that is outside of a feed in this *state*."""
    known = last_seen.epoch == state.epoch and state.floor <= last_seen.seq <= state.head
    return last_seen.seq if known else None


@dataclass(frozen=True, slots=True)
class Notification:
    """What a customer is told about an order; *seq* is its position in the feed.

    Attributes:
        recorded_at: when the feed stored it; None in the result of an append.
        customer_id: whose order it is.
        traceparent: the W3C trace context in which it was stored; None in those that a former version stored.
    """

    seq: int
    type: EventType
    order_id: int
    version: int
    occurred_at: datetime
    trace_id: str | None = None
    reason: str | None = None
    recorded_at: datetime | None = field(default=None, compare=False)
    customer_id: str = ANONYMOUS
    traceparent: str | None = field(default=None, compare=False)

    @property
    def kind(self) -> str:
        """The notification kind: CREATED, UPDATED, CLOSED, FAILED or CANCELLED."""
        return self.type.kind

    @property
    def message(self) -> str:
        """The sentence for the customer."""
        return message(self.type, self.order_id)


@dataclass(frozen=True, slots=True)
class Page:
    """Notifications read in one statement, in feed order or backwards.

    Attributes:
        state: the feed at the time of the read.
        notifications: those that match the request.
        through: the page has every match as far as this position, which is included.
    """

    state: FeedState
    notifications: Sequence[Notification]
    through: int


class FeedReader(Protocol):
    """Port: reads the feed."""

    async def state(self) -> FeedState:
        """Return the range of the feed.

        Raises:
            UnavailableError: the feed can't be reached.
        """

    async def read(self, after: int, *, up_to: int | None = None, wanted: Selection, limit: int) -> Page:
        """Return the oldest notifications after the position *after*.

        Args:
            after: an exclusive lower bound.
            up_to: an inclusive upper bound; None for the head.
            wanted: which of them.
            limit: the most notifications of the page.

        Raises:
            UnavailableError: the feed can't be reached.
        """
