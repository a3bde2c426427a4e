"""Logging: JSON lines to stdout and, if configured, to CloudWatch Logs; neither ever blocks the program.

Use `logging.getLogger` and pass fields in ``extra``; each becomes a member of the line.
"""

from __future__ import annotations

import json
import logging
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack
from datetime import UTC, datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, TextIO

import orjson
from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector
from pythonjsonlogger.core import LogData
from pythonjsonlogger.orjson import OrjsonFormatter

from ..observability import Metrics, current_trace
from .json_values import to_plain, to_text
from .line_writer import Line, LineWriter
from .masking import masked
from .put_log_events import CloudWatchOptions

if TYPE_CHECKING:
    from .cloudwatch import CloudWatchShipper

__all__ = ["JsonFormatter", "LogPipeline", "configure_logging"]

logger = logging.getLogger(__name__)

CLOSE_LIMIT_S = 2.0

# libraries that the log itself uses: their lines are noise, and a loop for CloudWatch
_LIBRARIES = ("aiobotocore", "aiohttp.access", "boto3", "botocore", "urllib3", "watchtower")
# https://docs.python.org/3/howto/logging.html#optimization: a third of the cost of a line, for fields we do not log
_UNUSED_FIELDS = ("_srcfile", "logThreads", "logMultiprocessing", "logProcesses", "logAsyncioTasks")
# the attributes every record has come first, those from ``extra`` after them
_COMMON_ATTRIBUTES = len(vars(logging.makeLogRecord({})))


class JsonFormatter(OrjsonFormatter):
    """One JSON object a line: time, level, logger, service, message, traceId, spanId, then the fields of ``extra``.

    A field of ``extra`` that has one of these names gets the prefix ``extra_``.
    """

    def __init__(self, service: str) -> None:
        super().__init__(["message"])
        self._service = service

    def add_fields(self, log_data: LogData, record: logging.LogRecord, message_dict: dict[str, Any]) -> None:
        """Fill *log_data* from *record*."""
        log_data["time"] = datetime.fromtimestamp(record.created, UTC)
        log_data["level"] = record.levelname
        log_data["logger"] = record.name
        log_data["service"] = self._service
        log_data["message"] = record.message
        context = current_trace()
        if context is not None:
            log_data["traceId"] = context.trace_id
            log_data["spanId"] = context.span_id
        for name, value in islice(vars(record).items(), _COMMON_ATTRIBUTES, None):
            if name not in self._skip_fields:
                log_data[f"extra_{name}" if name in log_data else name] = value
        for name, value in message_dict.items():
            log_data[f"extra_{name}" if name in log_data else name] = value

    def jsonify_log_record(self, log_data: LogData) -> str:
        """Return *log_data* as JSON, whatever it contains, without credentials."""
        try:
            line = self._encoded(log_data)
        except Exception:  # what a field contains must not cost the line
            line = orjson.dumps({to_text(name): self._fragment(value) for name, value in log_data.items()})
        return masked(line.decode())

    def _encoded(self, value: object) -> bytes:
        return orjson.dumps(value, default=self.json_default, option=orjson.OPT_UTC_Z)

    def _fragment(self, value: object) -> orjson.Fragment:
        try:
            return orjson.Fragment(self._encoded(value))
        except Exception:
            return orjson.Fragment(json.dumps(to_plain(value), allow_nan=False, ensure_ascii=False))


class _JsonHandler(logging.Handler):
    """Formats a record once for both destinations.

    Attributes:
        errors: records of level ERROR and above.
    """

    def __init__(self, writer: LineWriter, shipper: CloudWatchShipper | None) -> None:
        super().__init__()
        self.errors = 0
        self.writer = writer
        self.shipper = shipper

    def handle(self, record: logging.LogRecord) -> bool:
        """Emit without the lock of a handler: writer and shipper have their own."""
        self.emit(record)
        return True

    def emit(self, record: logging.LogRecord) -> None:
        try:
            if record.levelno >= logging.ERROR:
                self.errors += 1
            line = Line(record.created, self.format(record))
            self.writer.put(line)
            if self.shipper is not None and not record.name.startswith(_LIBRARIES):
                self.shipper.put(line)
        except Exception:
            self.handleError(record)


class _LogMetrics(Collector):
    def __init__(self, handler: _JsonHandler) -> None:
        self._handler = handler

    def collect(self) -> Iterator[CounterMetricFamily]:
        lines = CounterMetricFamily("orderstream_log_lines", "Log lines by outcome.", labels=["outcome"])
        lines.add_metric(["written"], self._handler.writer.written)
        lines.add_metric(["dropped"], self._handler.writer.dropped)
        yield lines
        yield CounterMetricFamily("orderstream_log_errors", "Lines of level ERROR and CRITICAL.", self._handler.errors)
        shipper = self._handler.shipper
        if shipper is None:
            return
        events = CounterMetricFamily(
            "orderstream_log_events", "Log events for CloudWatch Logs by outcome.", labels=["outcome"]
        )
        events.add_metric(["sent"], shipper.sent)
        events.add_metric(["dropped"], shipper.dropped)
        events.add_metric(["rejected"], shipper.rejected)
        yield events


class LogPipeline(AbstractContextManager["LogPipeline"]):
    """The installed logging of a process, until it is closed."""

    def __init__(self, handler: _JsonHandler, undo: ExitStack) -> None:
        self._handler = handler
        self._undo = undo

    def expose(self, metrics: Metrics) -> None:
        """Register the metrics of the log lines in *metrics*."""
        metrics.register(_LogMetrics(self._handler))

    def close(self, timeout_s: float = CLOSE_LIMIT_S) -> None:
        """Write and send the buffered lines; give up after *timeout_s*."""
        deadline = time.monotonic() + timeout_s
        shipper = self._handler.shipper
        if shipper is not None and (left := shipper.close(timeout_s)):
            logger.warning("cloudwatch delivery incomplete", extra={"events": left})
        self._undo.close()
        self._handler.writer.close(max(0.1, deadline - time.monotonic()))

    def __exit__(self, *_: object) -> None:
        self.close()


def configure_logging(
    service: str, level: str, cloudwatch: CloudWatchOptions | None, stream: TextIO | None = None
) -> LogPipeline:
    """Log to *stream* (stdout), and to CloudWatch Logs when *cloudwatch* is given."""
    shipper = _shipper(cloudwatch) if cloudwatch else None
    handler = _JsonHandler(LineWriter(sys.stdout if stream is None else stream), shipper)
    handler.setFormatter(JsonFormatter(service))
    return LogPipeline(handler, _install(handler, level))


def _shipper(options: CloudWatchOptions) -> CloudWatchShipper:
    from .cloudwatch import CloudWatchShipper  # noqa: PLC0415 - boto3: 10 MB and 0.1 s of CPU

    return CloudWatchShipper(options)


def _install(handler: logging.Handler, level: str) -> ExitStack:
    undo = ExitStack()
    for name in _UNUSED_FIELDS:
        if hasattr(logging, name):
            undo.callback(setattr, logging, name, getattr(logging, name))
            setattr(logging, name, None)
    root = logging.getLogger()
    undo.callback(root.setLevel, root.level)
    root.setLevel(level)
    for library in map(logging.getLogger, _LIBRARIES):
        undo.callback(library.setLevel, library.level)
        library.setLevel(max(logging.WARNING, root.level))
    undo.callback(logging.captureWarnings, False)
    logging.captureWarnings(True)
    undo.callback(root.removeHandler, handler)
    root.addHandler(handler)
    return undo
