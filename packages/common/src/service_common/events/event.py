"""The events on the queues: CloudEvents 1.0 in structured JSON, the only wire contract between the services."""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

import orjson

from ..errors import PermanentError
from ..timestamps import rfc3339

__all__ = ["WITH_ITEMS", "EventType", "Item", "OrderEvent", "UnreadableEventError", "encode"]

_NAMESPACE = uuid.uuid5(uuid.NAMESPACE_URL, "urn:orderstream:event")


class EventType(StrEnum):
    """What happened to an order."""

    ORDER_CREATED = "order-created"
    ORDER_UPDATED = "order-updated"
    ORDER_CANCELLED = "order-cancelled"
    ORDER_PROCESSED = "order-processed"
    ORDER_FAILED = "order-failed"


_OUTCOME = {
    EventType.ORDER_CREATED: "CREATED",
    EventType.ORDER_UPDATED: "UPDATED",
    EventType.ORDER_CANCELLED: "CANCELLED",
    EventType.ORDER_PROCESSED: "CLOSED",
    EventType.ORDER_FAILED: "FAILED",
}
WITH_ITEMS = frozenset({EventType.ORDER_CREATED, EventType.ORDER_UPDATED})


class UnreadableEventError(PermanentError):
    """A message that is no event of ours; its detail is the reason that goes to the dead-letter queue."""

    slug = "unreadable-event"


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
    def id(self) -> str:
        """The same for the same business fact however often it is announced (CloudEvents: source + id is unique)."""
        return str(uuid.uuid5(_NAMESPACE, f"{self.type}:{self.order_id}:{self.version}"))

    @property
    def kind(self) -> str:
        """What the user is told became of the order: CREATED, UPDATED, CANCELLED, CLOSED or FAILED."""
        return _OUTCOME[self.type]

    @property
    def message(self) -> str:
        """The sentence for the user."""
        return f"Notification {self.kind} for order {self.order_id}"


def encode(event: OrderEvent) -> str:
    """Return the event as the body of a message."""
    data: dict[str, Any] = {"orderId": event.order_id, "version": event.version}
    if event.type in WITH_ITEMS:
        data["orderItems"] = [{"productId": item.product_id, "quantity": item.quantity} for item in event.items]
    if event.reason is not None:
        data["reason"] = event.reason
    data["message"] = event.message
    envelope = {
        "specversion": "1.0",
        "id": event.id,
        "source": event.source,
        "type": event.type.value,
        "subject": str(event.order_id),
        "time": rfc3339(event.time),
        "datacontenttype": "application/json",
        "data": data,
    }
    if event.traceparent:
        envelope["traceparent"] = event.traceparent
    return orjson.dumps(envelope).decode()
