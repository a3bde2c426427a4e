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
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SpanMessage
from opentelemetry.proto.trace.v1.trace_pb2 import Status
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from ..backoff import Backoff
from ..config import TracesConfig
from ..observability import Metrics, Span, record_with
from .sampling import sampler

__all__ = ["SpanExporter"]

logger = logging.getLogger(__name__)

MAX_BUFFERED = 8192
BATCH = 256  # encoded in some 2 ms, during which the event loop waits for the interpreter's lock
LINGER_S = 1.0
ATTEMPTS = 4
# https://opentelemetry.io/docs/specs/otlp/#retryable-response-codes
_RETRYABLE = frozenset({429, 502, 503, 504})
_BACKOFF = Backoff(base_s=0.5, cap_s=5.0)
_PATH = "/v1/traces"
_SCOPE = "service_common"
_ERROR = Status(code=Status.STATUS_CODE_ERROR)


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
        body = self._encode(batch)
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

    def _encode(self, batch: Sequence[Span]) -> bytes:
        request = ExportTraceServiceRequest()
        resource_spans = request.resource_spans.add()
        _set_attributes(resource_spans.resource.attributes, self._resource)
        scope_spans = resource_spans.scope_spans.add()
        scope_spans.scope.name = _SCOPE
        for each in batch:
            _encode(each, scope_spans.spans.add())
        return request.SerializeToString()


def _resource(service: str, configured: Mapping[str, str]) -> dict[str, str | int]:
    return {
        "service.name": service,
        "service.version": version("orderstream-common"),
        "service.instance.id": f"{platform.node()}/{os.getpid()}",
        "telemetry.sdk.name": _SCOPE,
        "telemetry.sdk.language": "python",
        **configured,
    }


def _encode(recorded: Span, message: SpanMessage) -> None:
    message.trace_id = bytes.fromhex(recorded.trace_id)
    message.span_id = bytes.fromhex(recorded.span_id)
    if recorded.parent_id is not None:
        message.parent_span_id = bytes.fromhex(recorded.parent_id)
    if recorded.tracestate:
        message.trace_state = recorded.tracestate
    message.flags = int(recorded.flags, 16)
    message.name = recorded.name
    message.kind = recorded.kind.value  # type: ignore[assignment]
    message.start_time_unix_nano = recorded.started_ns
    message.end_time_unix_nano = recorded.ended_ns
    _set_attributes(message.attributes, recorded.attributes)
    for link in recorded.links:
        message.links.add(trace_id=bytes.fromhex(link.trace_id), span_id=bytes.fromhex(link.span_id))
    if recorded.error is not None:
        message.status.CopyFrom(_ERROR)
        message.status.message = recorded.error


def _set_attributes(messages, attributes: Mapping[str, str | int]) -> None:  # type: ignore[no-untyped-def]
    for name, value in attributes.items():
        attribute = messages.add(key=name)
        if isinstance(value, str):
            attribute.value.string_value = value
        else:
            attribute.value.int_value = value
