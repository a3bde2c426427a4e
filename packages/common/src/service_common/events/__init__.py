"""Events on the queues: CloudEvents 1.0 in structured JSON.

The event as a value, its encoding, and the decoder that turns a message body back into one. Pure: no I/O.
"""

from __future__ import annotations

from .decoder import decode
from .event import EventType, Item, OrderEvent, UnreadableEventError, encode

__all__ = ["EventType", "Item", "OrderEvent", "UnreadableEventError", "decode", "encode"]
