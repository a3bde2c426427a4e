"""Metrics and trace context: what every other room may record.

`Metrics` holds the Prometheus collectors of the process, `tracing` and `current_trace` carry the W3C trace context.
"""

from __future__ import annotations

from .metrics import Metrics
from .trace import TraceContext, current_trace, tracing

__all__ = ["Metrics", "TraceContext", "current_trace", "tracing"]
