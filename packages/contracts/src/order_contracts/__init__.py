"""The contracts between the services: order events, items, and the limits of orders and products. No I/O.

`OrderEvent` is an event, `decode` reads the body of a message, `items` has the fields of request bodies. The SQL
functions in ``order_contracts.migrations`` write an event to the outbox.
"""

from __future__ import annotations

from .decoder import DataSchema, decode
from .events import WITH_ITEMS, EventType, OrderEvent, message
from .items import Item

__all__ = ["WITH_ITEMS", "DataSchema", "EventType", "Item", "OrderEvent", "decode", "message"]
