"""Counters of the push."""

from __future__ import annotations

from service_common.observability import Metrics

__all__ = ["PushCounters"]


class PushCounters:
    """The counters of one process."""

    def __init__(self, metrics: Metrics) -> None:
        self._deliveries = metrics.counter("push_deliveries_total", "Notifications written to a client's transport.")
        self._bytes = metrics.counter("push_bytes_total", "Bytes of notifications written to transports.")
        self._aborts = metrics.counter("push_aborts_total", "Connections aborted, by reason.", ("reason",))
        self._closes = metrics.counter(
            "push_closes_total", "WebSockets closed for what the client sent, by reason.", ("reason",)
        )
        self._refusals = metrics.counter("push_refusals_total", "Connections refused, by reason.", ("reason",))
        self._resets = metrics.counter("push_resets_total", "Resets sent: events may be missing.")
        self._page_reads = metrics.counter("push_catch_up_reads_total", "Pages read from the feed for replays.")
        self._errors = metrics.counter("push_client_errors_total", "WebSocket messages answered with an error.")

    def delivered(self, events: int, size_bytes: int) -> None:
        """Count *events* deliveries of *size_bytes* in total."""
        self._deliveries.inc(events)
        self._bytes.inc(size_bytes)

    def aborted(self, reason: str) -> None:
        """Count an aborted connection."""
        self._aborts.labels(reason).inc()

    def closed(self, reason: str) -> None:
        """Count a WebSocket that was closed for what the client sent."""
        self._closes.labels(reason).inc()

    def refused(self, reason: str) -> None:
        """Count a refused connection."""
        self._refusals.labels(reason).inc()

    def reset(self) -> None:
        """Count a reset that was sent to a client."""
        self._resets.inc()

    def page_read(self) -> None:
        """Count a page that was read for replays."""
        self._page_reads.inc()

    def invalid_message(self) -> None:
        """Count an inbound message that was answered with an error."""
        self._errors.inc()
