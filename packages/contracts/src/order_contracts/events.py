"""The events of orders, and the notification that each leads to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from service_common.events import Event, event_id
from service_common.scope import ANONYMOUS

from .items import Item

__all__ = ["WITH_ITEMS", "EventType", "OrderEvent", "event_keys", "message"]

MAX_VERSIONS = 100


class EventType(StrEnum):
    """What happened to an order."""

    ORDER_CREATED = "order-created"
    ORDER_UPDATED = "order-updated"
    ORDER_CANCELLED = "order-cancelled"
    ORDER_PROCESSED = "order-processed"
    ORDER_FAILED = "order-failed"

    @property
    def kind(self) -> str:
        """The kind of the notification: CREATED, UPDATED, CANCELLED, CLOSED or FAILED."""
        return _KINDS[self]


_KINDS = {
    EventType.ORDER_CREATED: "CREATED",
    EventType.ORDER_UPDATED: "UPDATED",
    EventType.ORDER_CANCELLED: "CANCELLED",
    EventType.ORDER_PROCESSED: "CLOSED",
    EventType.ORDER_FAILED: "FAILED",
}
WITH_ITEMS = frozenset({EventType.ORDER_CREATED, EventType.ORDER_UPDATED})


def event_keys(order_id: int, version: int, event: UUID | None = None) -> list[str]:
    """Return the keys of all facts of the last hundred versions of an order, *version* being the newest.

    With *event*, the id of one, that of this fact alone.
    """
    versions = range(max(1, version - MAX_VERSIONS + 1), version + 1)
    keys = [_key(each, order_id, number) for number in versions for each in EventType]
    return keys if event is None else [key for key in keys if event_id(key) == str(event)]


def _key(event_type: EventType, order_id: int, version: int) -> str:
    return f"{event_type}:{order_id}:{version}"


def message(event_type: EventType, order_id: int) -> str:
    """Return the text of the notification."""
    return f"Notification {event_type.kind} for order {order_id}"


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """A fact about one version of an order, at *time* (UTC).

    *items* are present in created and updated events, *reason* in failed ones. *customer_id* is whose order it is,
    `ANONYMOUS` where that is not known.
    """

    type: EventType
    source: str
    order_id: int
    version: int
    time: datetime
    traceparent: str | None = None
    items: tuple[Item, ...] = ()
    reason: str | None = None
    customer_id: str = ANONYMOUS
    tracestate: str | None = None

    @property
    def key(self) -> str:
        """The ``event_key`` in the outbox: it names the business fact."""
        return _key(self.type, self.order_id, self.version)

    @property
    def id(self) -> str:
        """The CloudEvent id, derived from `key`: each repeat of the event has the same."""
        return event_id(self.key)

    @property
    def kind(self) -> str:
        """The kind of the notification."""
        return self.type.kind

    @property
    def message(self) -> str:
        """The text of the notification."""
        return message(self.type, self.order_id)

    @property
    def data(self) -> dict[str, Any]:
        """The ``data`` of the event; the SQL function ``order_event_data`` builds the same."""
        data: dict[str, Any] = {"orderId": self.order_id, "customerId": self.customer_id, "version": self.version}
        if self.type in WITH_ITEMS:
            data["orderItems"] = [{"productId": item.product_id, "quantity": item.quantity} for item in self.items]
        if self.reason is not None:
            data["reason"] = self.reason
        data["message"] = self.message
        return data

    def envelope(self) -> Event:
        """Return the event as a CloudEvent."""
        return Event(
            id=self.id,
            source=self.source,
            type=self.type.value,
            subject=str(self.order_id),
            time=self.time,
            traceparent=self.traceparent,
            tracestate=self.tracestate,
            data=self.data,
        )
