"""Exports spans over OTLP from a thread: bounded buffer, batches, retries; never blocks the program."""

from __future__ import annotations

import logging
import os
import platform
import threading
from collections import deque
from collections.abc import Iterator, Mapping, Sequence
from importlib.metadata import version
from time import monotonic

import urllib3
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from ..backoff import Backoff
from ..config import TracesConfig
from ..observability import Metrics, Span, record_with
from .encoding import export_request
from .sampling import sampler

__all__ = ["SpanExporter"]

logger = logging.getLogger(__name__)

MAX_BUFFERED = 8192
BATCH = 512  # the default of OpenTelemetry; encoded in some 2 ms, during which the event loop waits for the lock
LINGER_S = 1.0
ATTEMPTS = 4
# https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes
_RETRYABLE = frozenset({429, 502, 503, 504})
_BACKOFF = Backoff(base_s=0.5, cap_s=5.0)
_PATH = "/v1/traces"
_SCOPE = "service_common"


class SpanExporter(Collector):
    """Records the spans of this process and sends them to a collector until it is closed.

    Args:
        service: ``service.name`` of the spans.
        config: where they go, and which traces are recorded.

    Attributes:
        exported: spans that the collector accepted.
        dropped: those that it did not, for which there was no room, or that were left at the end.
    """

    def __init__(self, service: str, config: TracesConfig) -> None:
        self.exported = 0
        self.dropped = 0
        self.sample = sampler(config.sampler, config.ratio)
        self._url = config.endpoint + _PATH
        self._headers = {**config.headers, "Content-Type": "application/x-protobuf"}
        self._timeout = urllib3.Timeout(total=config.timeout_s)
        self._resource = _resource(service, config.resource)
        self._buffer: deque[Span] = deque()
        self._sending = 0
        self._failed_since: float | None = None
        self._wake = threading.Event()
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="otlp", daemon=True)
        self._thread.start()
        record_with(self)

    def put(self, span: Span) -> None:
        """Take an ended span, or drop it if too many wait."""
        if len(self._buffer) >= MAX_BUFFERED:
            self.dropped += 1
            return
        self._buffer.append(span)
        if len(self._buffer) == BATCH:
            self._wake.set()

    def expose(self, metrics: Metrics) -> None:
        """Register the metric of the spans in *metrics*."""
        metrics.register(self)

    def collect(self) -> Iterator[CounterMetricFamily]:
        """Yield the metric."""
        spans = CounterMetricFamily("orderstream_trace_spans", "Recorded spans by outcome.", labels=["outcome"])
        spans.add_metric(["exported"], self.exported)
        spans.add_metric(["dropped"], self.dropped)
        yield spans

    def close(self, timeout_s: float) -> None:
        """Record no more, and send what is buffered; give up after *timeout_s*."""
        record_with(None)
        self._closing.set()
        self._wake.set()
        self._thread.join(max(0.0, timeout_s))
        if left := len(self._buffer) + self._sending:
            self.dropped += left
            logger.warning("trace export incomplete", extra={"spans": left})

    def _run(self) -> None:
        with urllib3.PoolManager(retries=False, timeout=self._timeout) as pool:
            while not (self._closing.is_set() and not self._buffer):
                if not self._closing.is_set():
                    self._wake.wait(LINGER_S)
                    self._wake.clear()
                while self._buffer:
                    batch = [self._buffer.popleft() for _ in range(min(BATCH, len(self._buffer)))]
                    self._sending = len(batch)
                    try:
                        self._export(pool, batch)
                    except Exception:  # a defect costs a batch, not the thread
                        self.dropped += len(batch)
                        logger.exception("trace export crashed")
                    self._sending = 0

    def _export(self, pool: urllib3.PoolManager, batch: Sequence[Span]) -> None:
        body = export_request(self._resource, _SCOPE, batch)
        reason = ""
        for attempt in range(1, ATTEMPTS + 1):
            try:
                answer = pool.request("POST", self._url, body=body, headers=self._headers)
            except urllib3.exceptions.HTTPError as error:
                reason = type(error).__name__
            else:
                if 200 <= answer.status < 300:
                    self.exported += len(batch)
                    self._recovered()
                    return
                reason = f"answered {answer.status}"
                if answer.status not in _RETRYABLE:
                    break
            self._failed(reason)
            if attempt == ATTEMPTS or self._closing.wait(_BACKOFF.delay_s(attempt)):
                break
        self._failed(reason)
        self.dropped += len(batch)

    def _failed(self, reason: str) -> None:
        if self._failed_since is None:
            self._failed_since = monotonic()
            logger.warning("trace export failed", extra={"reason": reason})

    def _recovered(self) -> None:
        if self._failed_since is not None:
            facts = {"seconds": round(monotonic() - self._failed_since, 1), "dropped": self.dropped}
            self._failed_since = None
            logger.warning("trace export recovered", extra=facts)


def _resource(service: str, configured: Mapping[str, str]) -> dict[str, str | int]:
    return {
        "service.name": service,
        "service.version": version("orderstream-common"),
        "service.instance.id": f"{platform.node()}/{os.getpid()}",
        "telemetry.sdk.name": _SCOPE,
        "telemetry.sdk.language": "python",
        **configured,
    }
