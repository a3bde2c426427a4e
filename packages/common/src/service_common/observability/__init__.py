"""Metrics and traces, used by all other rooms.

`Metrics` holds the Prometheus collectors of the process. `tracing` continues the W3C trace context of a request or a
message, `span` and `batched` record what happens in it, `current_trace` returns it.
"""

from __future__ import annotations

from .metrics import KNOWN_METHODS, Metrics
from .trace import (
    Attributes,
    Span,
    SpanKind,
    TraceContext,
    batched,
    current_trace,
    entered,
    record_with,
    recording,
    span,
    start_span,
    tracing,
)

__all__ = [
    "KNOWN_METHODS",
    "Attributes",
    "Metrics",
    "Span",
    "SpanKind",
    "TraceContext",
    "batched",
    "current_trace",
    "entered",
    "record_with",
    "recording",
    "span",
    "start_span",
    "tracing",
]
