"""Log lines to CloudWatch Logs: from a thread of its own, in full batches, bounded, tried for as long as it takes."""

from __future__ import annotations

import logging
import os
import platform
import random
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import backoff
import boto3
from botocore.config import Config
from botocore.exceptions import ClientError
from watchtower import CloudWatchLogHandler

from .line_writer import Line, LineBuffer
from .put_log_events import LogEvent, batches, rejected_count

__all__ = ["CloudWatchOptions", "CloudWatchShipper"]

logger = logging.getLogger(__name__)

MIN_DELAY_S = 0.1
# the request is wrong and stays wrong
_PERMANENT = frozenset({"InvalidParameterException", "SerializationException", "ValidationException"})
# a person has to grant something first
_DENIED = frozenset(
    {
        "AccessDeniedException",
        "ExpiredTokenException",
        "IncompleteSignature",
        "InvalidSignatureException",
        "UnrecognizedClientException",
    }
)
_GONE = "ResourceNotFoundException"


@dataclass(frozen=True, slots=True)
class CloudWatchOptions:
    """Where the log goes, and how.

    Attributes:
        stream: in the group; every process has one of its own.
        linger_s: so long lines gather before they are sent together.
        attempt_timeout_s: for one connection, and for one answer.
        max_delay_s: between attempts while CloudWatch Logs is away.
    """

    group: str
    region: str
    endpoint_url: str | None = None
    stream: str = field(default_factory=lambda: f"{platform.node()}/{os.getpid()}-{int(time.time())}")
    linger_s: float = 1.0
    attempt_timeout_s: float = 3.0
    max_delay_s: float = 30.0
    max_lines: int = 20_000
    max_characters: int = 16 * 1024 * 1024


class CloudWatchShipper:
    """Takes lines at once and sends them when it can; nobody ever waits for it.

    Attributes:
        sent: events that CloudWatch Logs took.
        rejected: events that it refused.
        away: it did not take the last batch that was tried.
    """

    def __init__(self, options: CloudWatchOptions) -> None:
        self.sent = 0
        self.rejected = 0
        self._options = options
        self._stream = _LogStream(options)
        self.away = False
        self._left = 0
        self._buffer = LineBuffer(max_lines=options.max_lines, max_characters=options.max_characters)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log-cloudwatch", daemon=True)
        self._thread.start()

    @property
    def dropped(self) -> int:
        """Lines that found no place, or were not sent when the process ended."""
        return self._buffer.dropped + self._left

    def put(self, line: Line) -> None:
        """Send *line* soon; what the sending thread says itself is left out, there would be no end of it."""
        if threading.get_ident() != self._thread.ident:
            self._buffer.put(line)

    def close(self, timeout_s: float) -> int:
        """Send what there is, for *timeout_s* at most; return the number of lines that are left."""
        self._closing.set()
        self._buffer.wake()
        self._thread.join(timeout_s)
        self._left = self._buffer.accepted - self.sent - self.rejected
        return self._left

    def _run(self) -> None:
        while not self._closing.is_set() or self._buffer:
            self._buffer.wait()
            self._closing.wait(self._options.linger_s)
            for batch in batches(self._buffer.take()):
                self._deliver(batch)
        self._stream.close()

    def _deliver(self, batch: Sequence[LogEvent]) -> None:
        delays_s = backoff.expo(max_value=self._options.max_delay_s)
        next(delays_s)  # its first value only starts it
        while True:
            was_away = self.away
            error = self._attempt(batch)
            if error is None or (was_away and self._closing.is_set()):
                return
            self._closing.wait(self._pause_s(error, next(delays_s)))

    def _pause_s(self, error: Exception, longest_s: float) -> float:
        if _is_one_of(_DENIED, error):
            return self._options.max_delay_s * random.uniform(0.5, 1.0)  # noqa: S311 - jitter is no secret
        return MIN_DELAY_S + backoff.full_jitter(longest_s)

    def _attempt(self, batch: Sequence[LogEvent]) -> Exception | None:
        """Return why *batch* has to be sent again, None when it is settled."""
        try:
            rejected = self._stream.put(batch)
        except Exception as error:
            if not _is_one_of(_PERMANENT, error):
                self._tell_away(error)
                return error
            logger.warning("CloudWatch Logs refused a batch", extra={"error": str(error), "events": len(batch)})
            rejected = len(batch)
        self.rejected += rejected
        self.sent += len(batch) - rejected
        self._tell_back()
        return None

    def _tell_away(self, error: Exception) -> None:
        if not self.away:
            self.away = True
            logger.warning("CloudWatch Logs does not take the log", extra={"error": f"{type(error).__name__}: {error}"})

    def _tell_back(self) -> None:
        if self.away:
            self.away = False
            logger.warning("CloudWatch Logs takes the log again", extra={"dropped": self.dropped})


class _LogStream:
    """One stream of CloudWatch Logs, made when it is first written to, and again when it has gone.

    The group is the deployment's: one is made only when CloudWatch Logs says that there is none, so that a log needs no
    right on groups. How is watchtower's work; its queues and its retries have no bounds, so those are ours.
    """

    def __init__(self, options: CloudWatchOptions) -> None:
        self._options = options
        self._client: Any = None  # boto3 makes its methods when it runs
        self._there = False

    def put(self, batch: Sequence[LogEvent]) -> int:
        """Send *batch*; return how many of it were refused."""
        client = self._client = self._client or _client(self._options)
        if not self._there:
            self._make_stream(client)
            self._there = True
        try:
            answer = client.put_log_events(
                logGroupName=self._options.group, logStreamName=self._options.stream, logEvents=batch
            )
        except ClientError as error:
            self._there = _code(error) != _GONE
            raise
        return rejected_count(len(batch), answer.get("rejectedLogEventsInfo"))

    def _make_stream(self, client: Any) -> None:
        target = _Target(self._options, client)
        try:
            target.make_stream()
        except ClientError as error:
            if _code(error) != _GONE:
                raise
            target.make_group()
            target.make_stream()

    def close(self) -> None:
        """Hang up."""
        if self._client is not None:
            self._client.close()


class _Target(CloudWatchLogHandler):
    """watchtower's handler, for what it does exactly: make a group, and a stream in it, unless they are there."""

    def __init__(self, options: CloudWatchOptions, client: Any) -> None:
        super().__init__(options.group, options.stream, use_queues=False, create_log_group=False, boto3_client=client)

    def make_group(self) -> None:
        """Make the group unless it is there."""
        self._idempotent_call("create_log_group", logGroupName=self.log_group_name)  # type: ignore[no-untyped-call]

    def make_stream(self) -> None:
        """Make the stream unless it is there."""
        self._idempotent_call(  # type: ignore[no-untyped-call]
            "create_log_stream", logGroupName=self.log_group_name, logStreamName=self.log_stream_name
        )


def _client(options: CloudWatchOptions) -> Any:
    session = boto3.session.Session()  # not the default one: that is shared with other threads
    return session.client(
        "logs",
        region_name=options.region,
        endpoint_url=options.endpoint_url,
        config=Config(
            connect_timeout=options.attempt_timeout_s,
            read_timeout=options.attempt_timeout_s,
            retries={"total_max_attempts": 1},
            max_pool_connections=1,
            parameter_validation=False,  # it looks at every event of a batch, at half the cost of sending it
        ),
    )


def _code(error: ClientError) -> str:
    return error.response.get("Error", {}).get("Code", "")


def _is_one_of(codes: frozenset[str], error: Exception) -> bool:
    return isinstance(error, ClientError) and _code(error) in codes
