"""Events on the queues: CloudEvents 1.0 in structured JSON, of any type, one or many in a message.

`Event` is the value, `encode` and `decode` convert it to the body of a message and back; `join_batch` and `split_batch`
do so for many. Pure: no I/O.
"""

from __future__ import annotations

from .batch import join_batch, split_batch
from .decoder import EnvelopeSchema, decode
from .event import Event, UnreadableEventError, encode, event_id

__all__ = [
    "EnvelopeSchema",
    "Event",
    "UnreadableEventError",
    "decode",
    "encode",
    "event_id",
    "join_batch",
    "split_batch",
]
