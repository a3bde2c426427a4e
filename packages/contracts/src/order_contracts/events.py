"""The events of orders, which the services send one another, and what a user is told of each."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from service_common.events import Event, event_id

__all__ = ["WITH_ITEMS", "EventType", "Item", "OrderEvent", "message"]


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


def message(event_type: EventType, order_id: int) -> str:
    """Return the sentence for the user."""
    return f"Notification {event_type.kind} for order {order_id}"


@dataclass(frozen=True, slots=True)
class Item:
    """So many of a product: *quantity* is 1 to 1,000,000."""

    product_id: str
    quantity: int


@dataclass(frozen=True, slots=True)
class OrderEvent:
    """Something that happened to one version of one order, at *time* (UTC).

    *items* are there when the type is created or updated, *reason* when it is failed.
    """

    type: EventType
    source: str
    order_id: int
    version: int
    time: datetime
    traceparent: str | None = None
    items: tuple[Item, ...] = ()
    reason: str | None = None

    @property
    def key(self) -> str:
        """The business fact, as the outbox names it."""
        return f"{self.type}:{self.order_id}:{self.version}"

    @property
    def id(self) -> str:
        """The same for the same fact however often it is announced."""
        return event_id(self.key)

    @property
    def kind(self) -> str:
        """The kind of the notification; see :class:`EventType`."""
        return self.type.kind

    @property
    def message(self) -> str:
        """The sentence for the user."""
        return message(self.type, self.order_id)

    @property
    def data(self) -> dict[str, Any]:
        """What is told, as JSON; what ``order_event_data`` in the migrations returns."""
        data: dict[str, Any] = {"orderId": self.order_id, "version": self.version}
        if self.type in WITH_ITEMS:
            data["orderItems"] = [{"productId": item.product_id, "quantity": item.quantity} for item in self.items]
        if self.reason is not None:
            data["reason"] = self.reason
        data["message"] = self.message
        return data

    def envelope(self) -> Event:
        """Return it as a CloudEvent."""
        return Event(
            id=self.id,
            source=self.source,
            type=self.type.value,
            subject=str(self.order_id),
            time=self.time,
            traceparent=self.traceparent,
            data=self.data,
        )
