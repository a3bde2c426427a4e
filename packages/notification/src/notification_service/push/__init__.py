"""The push: one hub delivers notifications to all SSE and WebSocket connections of the process.

`Broadcaster` connects the pure modules (hub, replay buffer, encoding) to the transports: what is recent comes from
memory, what is older from the feed. `PushConnection` is a connection after its HTTP handshake, `Heartbeats` its timers.
"""

from __future__ import annotations

from .broadcaster import Broadcaster, open_broadcaster
from .connection import PushConnection, subscribe, take_over
from .counters import PushCounters
from .encoding import (
    END_OF_STREAM,
    ByeReason,
    Framing,
    close_frame,
    encode,
    entry_of,
    error_frame,
    payload,
    pong_frame,
    record_of,
)
from .gauges import PushGauges
from .heartbeats import Heartbeats
from .hub import Subscription
from .limits import PushLimits, TokenBucket
from .replay_buffer import Entry

__all__ = [
    "END_OF_STREAM",
    "Broadcaster",
    "ByeReason",
    "Entry",
    "Framing",
    "Heartbeats",
    "PushConnection",
    "PushCounters",
    "PushGauges",
    "PushLimits",
    "Subscription",
    "TokenBucket",
    "close_frame",
    "encode",
    "entry_of",
    "error_frame",
    "open_broadcaster",
    "payload",
    "pong_frame",
    "record_of",
    "subscribe",
    "take_over",
]
