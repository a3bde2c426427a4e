"""Metrics and trace context, used by all other rooms.

`Metrics` holds the Prometheus collectors of the process; `tracing` sets the W3C trace context, `current_trace` returns
it.
"""

from __future__ import annotations

from .metrics import Metrics
from .trace import TraceContext, current_trace, tracing

__all__ = ["Metrics", "TraceContext", "current_trace", "tracing"]
