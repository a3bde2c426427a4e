"""Push: one hub that feeds SSE and WebSocket connections from memory, and from the table what is older.

The hub, replay buffer and encoding are pure; `Broadcaster` connects them to the transports.
"""

from __future__ import annotations

from .broadcaster import Broadcaster, open_broadcaster
from .connection import Peer, take_over
from .counters import PushMeter
from .draining import drain
from .encoding import END_OF_STREAM, Framing, bye, close_frame, error_frame, payload, pong_frame
from .gauges import PushGauges
from .heartbeats import Sweep
from .hub import Subscription
from .limits import PushLimits, TokenBucket, retry_ms

__all__ = [
    "END_OF_STREAM",
    "Broadcaster",
    "Framing",
    "Peer",
    "PushGauges",
    "PushLimits",
    "PushMeter",
    "Subscription",
    "Sweep",
    "TokenBucket",
    "bye",
    "close_frame",
    "drain",
    "error_frame",
    "open_broadcaster",
    "payload",
    "pong_frame",
    "retry_ms",
    "take_over",
]
