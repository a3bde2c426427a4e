"""Metrics of a process, for Prometheus."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, TypeVar

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    GCCollector,
    Histogram,
    ProcessCollector,
    generate_latest,
)
from prometheus_client.registry import Collector

__all__ = ["KNOWN_METHODS", "Metrics"]

_PREFIX = "orderstream_"
# seconds; narrow around the latency objectives, wide beyond
_BUCKETS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
KNOWN_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})

_C = TypeVar("_C", Counter, Gauge, Histogram)


class Metrics:
    """The collectors of one process; the same name returns the same collector, as its first call described it.

    Names are given without the prefix ``orderstream_``.
    """

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        self._collectors: dict[str, Counter | Gauge | Histogram] = {}
        self._request_s: dict[tuple[str, str, int], Histogram] = {}
        self._refreshes: list[Callable[[], Awaitable[None]]] = []
        ProcessCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self._http = self.histogram("http_request_seconds", "Time to answer a request.", ("method", "route", "status"))
        self._problems = self.counter(
            "http_problems_total", "Requests that were answered with a problem document, by its type.", ("reason",)
        )
        self._streams = self.counter("http_streams_total", "Streams that ended.", ("route", "status"))
        self._failure = self.gauge("http_last_failure_timestamp_seconds", "Unix time of the last 5xx; 0 for none.")

    def counter(self, name: str, text: str, labels: Sequence[str] = ()) -> Counter:
        """Return the counter *name*."""
        return self._collector(Counter, name, text, labels)

    def gauge(self, name: str, text: str, labels: Sequence[str] = ()) -> Gauge:
        """Return the gauge *name*."""
        return self._collector(Gauge, name, text, labels)

    def histogram(
        self, name: str, text: str, labels: Sequence[str] = (), *, buckets: Sequence[float] = _BUCKETS_S
    ) -> Histogram:
        """Return the histogram *name*."""
        return self._collector(Histogram, name, text, labels, buckets=buckets)

    def register(self, collector: Collector) -> None:
        """Register a collector that reads its values on each scrape."""
        self.registry.register(collector)

    def on_scrape(self, refresh: Callable[[], Awaitable[None]]) -> None:
        """Call *refresh*, which has to be quick, before each scrape."""
        self._refreshes.append(refresh)

    async def refresh(self) -> None:
        """Call what was registered by `on_scrape`."""
        await asyncio.gather(*(refresh() for refresh in self._refreshes))

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """Record an answered request; *route* is a template, not a path, to bound the number of label values."""
        key = (method if method in KNOWN_METHODS else "other", route, status)
        histogram = self._request_s.get(key)
        if histogram is None:
            histogram = self._request_s[key] = self._http.labels(*key)
        histogram.observe(seconds)

    def problem(self, reason: str) -> None:
        """Count a request that was answered with a problem document; *reason* is of a bounded number of values."""
        self._problems.labels(reason).inc()

    def failure(self) -> None:
        """Note that a request was answered with a 5xx now."""
        self._failure.set_to_current_time()

    def stream(self, route: str, status: int) -> None:
        """Count a stream that ended; its duration is not a response time."""
        self._streams.labels(route, status).inc()

    def exposition(self) -> bytes:
        """Return all metrics as ``text/plain; version=0.0.4``."""
        return generate_latest(self.registry)

    def totals(self) -> dict[str, float]:
        """Return our gauges and counters by name, without those that are times, each summed over its labels."""
        totals: dict[str, float] = defaultdict(float)
        for family in self.registry.collect():
            if family.name.startswith(_PREFIX) and family.type in {"counter", "gauge"}:
                for sample in family.samples:
                    if not sample.name.endswith(("_created", "_timestamp_seconds")):
                        totals[sample.name.removeprefix(_PREFIX)] += sample.value
        return dict(totals)

    def _collector(self, kind: type[_C], name: str, text: str, labels: Sequence[str], **options: Any) -> _C:
        collector = self._collectors.get(name)
        if collector is None:
            collector = self._collectors[name] = kind(_PREFIX + name, text, labels, registry=self.registry, **options)
        if not isinstance(collector, kind):
            raise TypeError(f"{name} is a {type(collector).__name__}, not a {kind.__name__}")
        return collector
