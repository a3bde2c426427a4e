"""Exports the spans of `service_common.observability` over OTLP, the protocol of OpenTelemetry.

`SpanExporter` records and sends them until it is closed. Import this room only when there is a collector.
"""

from __future__ import annotations

from .exporter import SpanExporter

__all__ = ["SpanExporter"]
