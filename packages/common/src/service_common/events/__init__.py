"""Events on the queues: CloudEvents 1.0 in structured JSON, of any type.

`Event` is the value, `encode` and `decode` convert it to the body of a message and back. Pure: no I/O.
"""

from __future__ import annotations

from .decoder import EnvelopeSchema, decode
from .event import Event, UnreadableEventError, encode, event_id

__all__ = ["EnvelopeSchema", "Event", "UnreadableEventError", "decode", "encode", "event_id"]
