"""Ships log lines to CloudWatch Logs from a thread: bounded buffer, full batches, retried until they are accepted."""

from __future__ import annotations

import itertools
import logging
import math
import threading
from collections.abc import Callable, Sequence
from typing import Any

import boto3
import orjson
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from watchtower import CloudWatchLogHandler

from ..backoff import Backoff
from .line_writer import LineBuffer
from .put_log_events import CloudWatchOptions, LogEvent, batches, rejected_count

__all__ = ["CloudWatchShipper"]

logger = logging.getLogger(__name__)

MIN_DELAY_S = 0.1
UNKNOWN_ATTEMPTS = 5  # of a batch that fails for a reason that may be final
# the request is wrong: a retry would fail too
_PERMANENT = frozenset({"InvalidParameterException", "SerializationException", "ValidationException"})
# an operator has to grant a permission first
_DENIED = frozenset(
    {
        "AccessDeniedException",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidSignatureException",
        "UnrecognizedClientException",
    }
)
_NOT_FOUND = "ResourceNotFoundException"  # the stream is created again
_BUSY = frozenset(
    {
        "LimitExceededException",
        "OperationAbortedException",
        "RequestLimitExceeded",
        "ServiceUnavailableException",
        "Throttling",
        "ThrottlingException",
    }
)
_PASSING_CODES = _DENIED | _BUSY | {_NOT_FOUND}
_PASSING_STATUSES = frozenset({401, 403, 408, 429})


class CloudWatchShipper:
    """Buffers lines without blocking and sends them from its thread; *refill* is as of `LineBuffer`.

    Attributes:
        sent: events that CloudWatch Logs accepted.
        rejected: events that it refused.
        failing: whether the last attempt failed.
        thread_id: of the sending thread, whose own lines must not be put.
    """

    def __init__(self, options: CloudWatchOptions, refill: Callable[[], None] = lambda: None) -> None:
        self.sent = 0
        self.rejected = 0
        self._options = options
        self._stream = _LogStream(options)
        self.failing = False
        self._left = 0
        self._buffer = LineBuffer(
            linger_s=options.linger_s,
            interval_s=options.interval_s,
            max_lines=options.max_lines,
            max_characters=options.max_characters,
            refill=refill,
        )
        self.put = self._buffer.put
        self.wake = self._buffer.wake
        self._thread = threading.Thread(target=self._run, name="log-cloudwatch", daemon=True)
        self._thread.start()
        self.thread_id = self._thread.ident

    @property
    def dropped(self) -> int:
        """Lines that did not fit into the buffer, or were not sent when the process ended."""
        return self._buffer.dropped + self._left

    def close(self, timeout_s: float) -> int:
        """Send the buffered lines within *timeout_s* seconds; return the number of lines that are left."""
        self._buffer.close()
        self._thread.join(timeout_s)
        self._left = self._buffer.accepted - self.sent - self.rejected
        return self._left

    def _run(self) -> None:
        for lines in self._buffer.batches():
            settled = self.sent + self.rejected + len(lines)
            try:
                for batch in batches(lines):
                    self._deliver(batch)
            except Exception:  # without this thread no line is sent
                logger.exception("cloudwatch delivery crashed")
                self.rejected = settled - self.sent
        self._stream.close()

    def _deliver(self, batch: Sequence[LogEvent]) -> None:
        backoff = Backoff(base_s=1.0, cap_s=self._options.max_delay_s)
        for failures in itertools.count(1):
            was_failing = self.failing
            error = self._attempt(batch, failures)
            if error is None or (was_failing and self._buffer.closing.is_set()):
                return
            floor_s = backoff.cap_s / 2 if _code(error) in _DENIED else MIN_DELAY_S
            self._buffer.closing.wait(backoff.delay_s(failures, floor_s=floor_s))

    def _attempt(self, batch: Sequence[LogEvent], number: int) -> Exception | None:
        """Send *batch*, for the *number*-th time; return the error when it has to be retried."""
        try:
            rejected = self._stream.put(batch)
        except Exception as error:
            if number < _max_attempts(error):
                self._log_failure(error)
                return error
            logger.warning("cloudwatch batch refused", extra={"reason": str(error), "events": len(batch)})
            rejected = len(batch)
        self.rejected += rejected
        self.sent += len(batch) - rejected
        self._log_recovery()
        return None

    def _log_failure(self, error: Exception) -> None:
        if not self.failing:
            self.failing = True
            logger.warning("cloudwatch delivery failed", extra={"reason": f"{type(error).__name__}: {error}"})

    def _log_recovery(self) -> None:
        if self.failing:
            self.failing = False
            logger.warning("cloudwatch delivery recovered", extra={"dropped": self.dropped})


class _LogStream:
    """One log stream, created by the first write, and again when it was deleted.

    The log group is the deployment's and is created only when it is missing, so that a service needs no permission on
    groups. watchtower creates both; decision 0008 says why its queue and retries are not used.
    """

    def __init__(self, options: CloudWatchOptions) -> None:
        self._options = options
        self._client: Any = None  # boto3 makes its methods when it runs
        self._exists = False
        self._body = b""

    def put(self, batch: Sequence[LogEvent]) -> int:
        """Send *batch*; return how many of its events were refused."""
        client = self._client = self._client or self._connected()
        if not self._exists:
            self._create_stream(client)
            self._exists = True
        target = {"logGroupName": self._options.group, "logStreamName": self._options.stream}
        self._body = orjson.dumps({**target, "logEvents": batch})
        try:
            answer = client.put_log_events(**target, logEvents=())
        except ClientError as error:
            self._exists = _code(error) != _NOT_FOUND
            raise
        return rejected_count(len(batch), answer.get("rejectedLogEventsInfo"))

    def _connected(self) -> Any:
        client = _client(self._options)
        client.meta.events.register("before-call.cloudwatch-logs.PutLogEvents", self._set_body)
        return client

    def _set_body(self, params: dict[str, Any], **_event: object) -> None:
        # botocore's serializer walks through each event, which costs more than all the rest of a batch
        params["body"] = self._body

    def _create_stream(self, client: Any) -> None:
        target = _Target(self._options, client)
        try:
            target.create_stream()
        except ClientError as error:
            if _code(error) != _NOT_FOUND:
                raise
            target.create_group()
            target.create_stream()

    def close(self) -> None:
        """Close the connection."""
        if self._client is not None:
            self._client.close()


class _Target(CloudWatchLogHandler):
    """watchtower's handler, used to create the log group and a stream in it unless they exist."""

    def __init__(self, options: CloudWatchOptions, client: Any) -> None:
        super().__init__(options.group, options.stream, use_queues=False, create_log_group=False, boto3_client=client)

    def create_group(self) -> None:
        """Create the log group unless it exists."""
        self._idempotent_call("create_log_group", logGroupName=self.log_group_name)  # type: ignore[no-untyped-call]

    def create_stream(self) -> None:
        """Create the log stream unless it exists."""
        self._idempotent_call(  # type: ignore[no-untyped-call]
            "create_log_stream", logGroupName=self.log_group_name, logStreamName=self.log_stream_name
        )


def _client(options: CloudWatchOptions) -> Any:
    session = boto3.session.Session()  # not the default session, which is shared between threads
    return session.client(
        "logs",
        region_name=options.region,
        endpoint_url=options.endpoint_url,
        config=Config(
            connect_timeout=options.attempt_timeout_s,
            read_timeout=options.attempt_timeout_s,
            retries={"total_max_attempts": 1},
            max_pool_connections=1,
            parameter_validation=False,  # validating every event costs half as much as sending the batch
        ),
    )


def _code(error: Exception) -> str:
    return error.response.get("Error", {}).get("Code", "") if isinstance(error, ClientError) else ""


def _max_attempts(error: Exception) -> float:
    """Return how often a batch is sent that fails with *error*: for ever while that may pass by itself."""
    if not isinstance(error, ClientError):
        # RuntimeError: botocore's for credentials that refresh to expired ones
        return math.inf if isinstance(error, BotoCoreError | OSError | RuntimeError) else UNKNOWN_ATTEMPTS
    if _code(error) in _PERMANENT:
        return 1
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    passing = status >= 500 or status in _PASSING_STATUSES or _code(error) in _PASSING_CODES
    return math.inf if passing else UNKNOWN_ATTEMPTS
