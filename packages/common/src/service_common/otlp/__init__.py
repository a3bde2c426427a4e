"""Exports the spans of `service_common.observability` over OTLP, the protocol of OpenTelemetry.

`SpanExporter` records and sends them until it is closed. Import this room only when there is a collector: the messages
of protobuf take a tenth of a second.
"""

from __future__ import annotations

from .exporter import SpanExporter

__all__ = ["SpanExporter"]
