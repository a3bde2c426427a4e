"""Metrics of a poller."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from ..observability import Metrics

__all__ = ["PollerMetrics"]


class _Count(Protocol):
    def __call__(self, amount: float = 1) -> None: ...


class PollerMetrics:
    """The metrics of the poller of one queue; *in_flight* is called on each scrape."""

    def __init__(self, metrics: Metrics | None, queue: str, in_flight: Callable[[], int]) -> None:
        metrics = metrics or Metrics()

        def counter(name: str, text: str) -> _Count:
            return metrics.counter(f"sqs_{name}_total", text, ("queue",)).labels(queue).inc

        self.received = counter("received", "Messages received.")
        self.duplicates = counter("duplicates", "Messages received again while in flight.")
        self.acknowledged = counter("acknowledged", "Messages processed and deleted.")
        self.retried = counter("retried", "Messages returned to the queue, at once or after a delay.")
        self.dead_lettered = counter("dead_lettered", "Messages sent to the dead-letter queue.")
        self.unsettled = counter("unsettled", "Messages that SQS refused to delete or delay: they are delivered again.")
        self.leases_lost = counter("leases_lost", "Messages whose visibility timeout could not be extended.")
        self.receive_errors = counter("receive_errors", "Receives that failed.")
        self.handled_s = (
            metrics.histogram("sqs_handler_seconds", "Time in the handler.", ("queue",)).labels(queue).observe
        )
        in_flight_gauge = metrics.gauge(
            "sqs_in_flight", "Messages received and not yet acknowledged, delayed or dead-lettered.", ("queue",)
        )
        in_flight_gauge.labels(queue).set_function(in_flight)
