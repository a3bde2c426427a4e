"""Counts what the push does."""

from __future__ import annotations

from service_common.observability import Metrics

__all__ = ["PushMeter"]


class PushMeter:
    """The counters of the push in one process."""

    def __init__(self, metrics: Metrics) -> None:
        self._deliveries = metrics.counter("push_deliveries_total", "Notifications handed to a client's transport.")
        self._bytes = metrics.counter("push_bytes_total", "Bytes of notifications handed to transports.")
        self._aborts = metrics.counter("push_aborts_total", "Connections cut, by the reason.", ("reason",))
        self._closes = metrics.counter(
            "push_closes_total", "WebSockets closed in order for what the client sent, by the reason.", ("reason",)
        )
        self._refusals = metrics.counter("push_refusals_total", "Connections not taken, by the reason.", ("reason",))
        self._resets = metrics.counter("push_resets_total", "Clients told that events may be missing.")
        self._replays = metrics.counter("push_catch_up_reads_total", "Reads of the table for a client that is behind.")
        self._errors = metrics.counter("push_client_errors_total", "WebSocket messages answered with an error.")

    def delivered(self, events: int, size_bytes: int) -> None:
        """Count *events* deliveries of together *size_bytes*."""
        self._deliveries.inc(events)
        self._bytes.inc(size_bytes)

    def aborted(self, reason: str) -> None:
        """Count a connection that was cut."""
        self._aborts.labels(reason).inc()

    def closed(self, reason: str) -> None:
        """Count a WebSocket that was closed in order for what its client sent."""
        self._closes.labels(reason).inc()

    def refused(self, reason: str) -> None:
        """Count a connection that was not taken."""
        self._refusals.labels(reason).inc()

    def reset(self) -> None:
        """Count a client that was told of a reset."""
        self._resets.inc()

    def replayed(self) -> None:
        """Count a read of the table for one client."""
        self._replays.inc()

    def misunderstood(self) -> None:
        """Count an inbound message that was answered with an error."""
        self._errors.inc()
