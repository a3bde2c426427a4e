"""What the service keeps and tells: notifications in one dense order, and the places in it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from service_common.errors import InvalidError, Violation
from service_common.events import EventType

__all__ = ["KINDS", "TERMINAL", "EventId", "FeedState", "Notification", "Page", "WrongEventIdError", "start_at"]

KINDS = {
    EventType.ORDER_CREATED: "CREATED",
    EventType.ORDER_UPDATED: "UPDATED",
    EventType.ORDER_CANCELLED: "CANCELLED",
    EventType.ORDER_PROCESSED: "CLOSED",
    EventType.ORDER_FAILED: "FAILED",
}
TERMINAL = frozenset({EventType.ORDER_CANCELLED, EventType.ORDER_PROCESSED, EventType.ORDER_FAILED})

_EVENT_ID = re.compile(r"([0-9a-z]{1,32})-(0|[1-9][0-9]{0,17})", re.ASCII)


class WrongEventIdError(InvalidError):
    """A text that was never an id of this feed."""

    slug = "wrong-event-id"


@dataclass(frozen=True, slots=True)
class EventId:
    """A place in the feed, as clients know it: everything up to and with *seq* of *epoch* was seen."""

    epoch: str
    seq: int

    def __str__(self) -> str:
        return f"{self.epoch}-{self.seq}"

    @classmethod
    def parse(cls, text: str, pointer: str) -> EventId:
        """Read ``<epoch>-<seq>``; *pointer* names where it stood.

        Raises:
            WrongEventIdError: it has another form.
        """
        match = _EVENT_ID.fullmatch(text)
        if match is None:
            detail = "An event id is <epoch>-<seq>, as in the id of an event."
            raise WrongEventIdError(detail, [Violation(pointer, detail)])
        return cls(match[1], int(match[2]))


@dataclass(frozen=True, slots=True)
class FeedState:
    """How far the feed goes: *seq* is dense from above *floor* (forgotten up to and with it) to *head* (the newest)."""

    epoch: str
    floor: int
    head: int


def start_at(wanted: EventId, state: FeedState) -> int | None:
    """Return the cursor of a client that has seen *wanted*, or None when that is not in a feed of this *state*."""
    known = wanted.epoch == state.epoch and state.floor <= wanted.seq <= state.head
    return wanted.seq if known else None


@dataclass(frozen=True, slots=True)
class Notification:
    """What a user is told about an order; *seq* is its place in the feed.

    Attributes:
        recorded_at: when the feed took it down; None to whoever appended it, who is not told.
    """

    seq: int
    type: EventType
    order_id: int
    version: int
    occurred_at: datetime
    trace_id: str | None = None
    reason: str | None = None
    recorded_at: datetime | None = field(default=None, compare=False)

    @property
    def kind(self) -> str:
        """What became of the order: CREATED, UPDATED, CLOSED, FAILED or CANCELLED."""
        return KINDS[self.type]

    @property
    def message(self) -> str:
        """The sentence for the user."""
        return f"Notification {self.kind} for order {self.order_id}"


@dataclass(frozen=True, slots=True)
class Page:
    """Notifications read at one moment, in order.

    Attributes:
        state: the feed at that moment.
        notifications: those asked for.
        through: up to and with this place nothing that was asked for is missing.
    """

    state: FeedState
    notifications: Sequence[Notification]
    through: int
