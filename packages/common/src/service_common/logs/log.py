"""Logging: JSON lines to stdout and, if configured, to CloudWatch Logs; neither ever blocks the program.

Use `logging.getLogger` and pass fields in ``extra``; each becomes a member of the line.
"""

from __future__ import annotations

import logging
import sys
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack
from logging import ERROR
from threading import RLock, get_ident
from time import monotonic, time
from typing import TYPE_CHECKING, Any, TextIO

from prometheus_client.core import CounterMetricFamily
from prometheus_client.registry import Collector

from ..observability import Metrics, current_trace
from .json_lines import LogCall, call_of, json_line
from .line_writer import Line, LineBuffer, LineWriter
from .put_log_events import CloudWatchOptions

if TYPE_CHECKING:
    from .cloudwatch import CloudWatchShipper

__all__ = ["JsonHandler", "LogPipeline", "configure_logging"]

logger = logging.getLogger(__name__)

CLOSE_LIMIT_S = 2.0

# libraries that the log itself uses: their lines are noise, and a loop for CloudWatch
_LIBRARIES = ("aiobotocore", "aiohttp.access", "boto3", "botocore", "urllib3", "watchtower")
# of which no line is made yet: so many are not kept for a longer delay
MANY_CALLS = 250
# nor are more than these while both destinations hang; their size is not known
MAX_CALLS = 2000


class JsonHandler(logging.Handler):
    """Keeps calls until one of the destinations' threads makes their lines, for both and many at a time.

    A value in ``extra`` must not change after the call.

    Attributes:
        errors: calls of level ERROR and above.
    """

    def __init__(self, service: str, stream: TextIO, cloudwatch: CloudWatchOptions | None) -> None:
        super().__init__()
        self.errors = 0
        self._service = service
        self._calls = deque[LogCall]()
        self._awaited = True  # by the threads: the next call has to wake them
        self._formatting = RLock()  # a value that is made text may log
        self.writer = LineWriter(stream, LineBuffer(refill=self.flush))
        self.shipper = _shipper(cloudwatch, self.flush) if cloudwatch else None

    def handle(self, record: logging.LogRecord) -> bool:
        """Keep *record*, without the lock of a handler."""
        if record.levelno >= ERROR:
            self.errors += 1
        try:
            call = call_of(record, current_trace())
        except Exception:
            self.handleError(record)
        else:
            self.keep(call)
        return True

    def keep(self, call: LogCall) -> None:
        """Keep *call* until its line is made."""
        self._calls.append(call)
        if self._awaited:
            self._awaited = False
            self.writer.wake()
            if self.shipper is not None:
                self.shipper.wake()
        if len(self._calls) == MANY_CALLS:
            self.writer.hurry()
        if len(self._calls) > MAX_CALLS:  # both threads hang: what the buffers can't take is dropped
            self.flush()

    def flush(self) -> None:
        """Put the lines of the kept calls into the buffers of the destinations."""
        with self._formatting:
            self._awaited = True  # before the last look at the calls
            shipper_id = self.shipper and self.shipper.thread_id
            lines, theirs = list[Line](), list[Line]()
            while self._calls and len(lines) <= MAX_CALLS:
                call = self._calls.popleft()
                time_s, thread_id, _, _, logger_name, message, _ = call
                try:
                    line = Line(time_s, json_line(self._service, call))
                except Exception:
                    self.handleError(logging.makeLogRecord({"name": logger_name, "msg": message}))
                    continue
                lines.append(line)
                # what the sending thread logs would never end
                if thread_id != shipper_id and not logger_name.startswith(_LIBRARIES):
                    theirs.append(line)
            self.writer.put(*lines)
            if self.shipper is not None:
                self.shipper.put(*theirs)


class DirectLogger(logging.Logger):
    """Leaves a call to the handler of the root, if that is ours, without a record.

    It makes one, as other loggers do, where another handler, a filter or the text of a message needs it.
    """

    def _log(  # noqa: PLR0917 - as `logging` calls it
        self,
        level: int,
        msg: object,
        args: Any,
        exc_info: Any = None,
        extra: Mapping[str, object] | None = None,
        stack_info: bool = False,
        stacklevel: int = 1,
    ) -> None:
        handlers = self.root.handlers[:]  # another thread may close the log meanwhile
        if (
            level >= ERROR
            or args
            or exc_info
            or stack_info
            or type(msg) is not str
            or self.filters
            or self.handlers
            or not self.propagate
            or self.parent is not self.root
            or len(handlers) != 1
            or type(handlers[0]) is not JsonHandler
        ):
            super()._log(level, msg, args, exc_info, extra, stack_info, stacklevel + 1)  # past this frame
            return
        handlers[0].keep((time(), get_ident(), current_trace(), level, self.name, msg, dict(extra or ())))


class _LogMetrics(Collector):
    def __init__(self, handler: JsonHandler) -> None:
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

    def __init__(self, handler: JsonHandler, undo: ExitStack) -> None:
        self._handler = handler
        self._undo = undo

    def expose(self, metrics: Metrics) -> None:
        """Register the metrics of the log lines in *metrics*."""
        metrics.register(_LogMetrics(self._handler))

    def close(self, timeout_s: float = CLOSE_LIMIT_S) -> None:
        """Write and send the buffered lines; give up after *timeout_s*."""
        deadline = monotonic() + timeout_s
        self._handler.flush()
        shipper = self._handler.shipper
        if shipper is not None and (left := shipper.close(timeout_s)):
            logger.warning("cloudwatch delivery incomplete", extra={"events": left})
        self._undo.close()
        self._handler.flush()
        self._handler.writer.close(max(0.1, deadline - monotonic()))

    def __exit__(self, *_: object) -> None:
        self.close()


def configure_logging(
    service: str, level: str, cloudwatch: CloudWatchOptions | None, stream: TextIO | None = None
) -> LogPipeline:
    """Log to *stream* (stdout), and to CloudWatch Logs when *cloudwatch* is given."""
    handler = JsonHandler(service, sys.stdout if stream is None else stream, cloudwatch)
    return LogPipeline(handler, _install(handler, level))


def _shipper(options: CloudWatchOptions, refill: Callable[[], None]) -> CloudWatchShipper:
    from .cloudwatch import CloudWatchShipper  # noqa: PLC0415 - boto3: 10 MB and 0.1 s of CPU

    return CloudWatchShipper(options, refill)


def _install(handler: JsonHandler, level: str) -> ExitStack:
    undo = ExitStack()
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
    logging.setLoggerClass(DirectLogger)
    for each in list(root.manager.loggerDict.values()):
        if type(each) is logging.Logger:
            each.__class__ = DirectLogger
    return undo
