"""What the services agree on: the events of orders on the queues, and the limits of orders and products.

`OrderEvent` is an event, `decode` reads one off a queue, `limits` has the limits. How a change of an order becomes a
row of the outbox is SQL, in ``order_contracts.migrations``. Pure: no I/O.
"""

from __future__ import annotations

from .decoder import DataSchema, decode
from .events import WITH_ITEMS, EventType, Item, OrderEvent, message

__all__ = ["WITH_ITEMS", "DataSchema", "EventType", "Item", "OrderEvent", "decode", "message"]
