"""Which notifications of an order are due, and which of them are missing. No I/O."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TypeAlias

from order_contracts import EventType, OrderEvent

from ..notification import TERMINAL

__all__ = ["ListedOrder", "StoredEvent", "missing_events"]

SOURCE = "/order-service"
_ENDS = {
    "CLOSED": EventType.ORDER_PROCESSED,
    "FAILED": EventType.ORDER_FAILED,
    "CANCELLED": EventType.ORDER_CANCELLED,
}

# type and version
StoredEvent: TypeAlias = tuple[EventType, int]


@dataclass(frozen=True, slots=True)
class ListedOrder:
    """An order as the order service knows it after its last change."""

    id: int
    version: int
    status: str
    created_at: datetime
    updated_at: datetime
    failure_reason: str | None
    customer_id: str


def missing_events(order: ListedOrder, stored: Collection[StoredEvent]) -> Sequence[OrderEvent]:
    """Return the events of *order* whose notifications are not *stored*, in their order.

    An order in version 2 or higher was created and updated. Its former updates can't be reconstructed: only the last
    one is due, at the time of the last change.
    """
    if any(event_type in TERMINAL for event_type, _ in stored):
        return ()  # nothing follows a terminal notification, and its creation was stored with it at the latest
    due = [_event(order, EventType.ORDER_CREATED, 1, order.created_at)]
    if order.version > 1:
        due.append(_event(order, EventType.ORDER_UPDATED, order.version, order.updated_at))
    if end := _ENDS.get(order.status):
        due.append(_event(order, end, order.version, order.updated_at))
    return [event for event in due if (event.type, event.version) not in stored]


def _event(order: ListedOrder, event_type: EventType, version: int, time: datetime) -> OrderEvent:
    reason = order.failure_reason if event_type is EventType.ORDER_FAILED else None
    return OrderEvent(event_type, SOURCE, order.id, version, time, reason=reason, customer_id=order.customer_id)
