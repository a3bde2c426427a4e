"""The rules of PutLogEvents: where lines go, what fits into one request, and which events were refused.

Source: https://docs.aws.amazon.com/AmazonCloudWatchLogs/latest/APIReference/API_PutLogEvents.html
"""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypedDict

from .json_values import shortened

if TYPE_CHECKING:
    from .line_writer import Line

__all__ = ["BatchLimits", "CloudWatchOptions", "LogEvent", "batches", "rejected_count"]

OVERHEAD_BYTES = 26


class LogEvent(TypedDict):
    """One event of a request: *timestamp* in milliseconds since 1970."""

    timestamp: int
    message: str


@dataclass(frozen=True, slots=True)
class CloudWatchOptions:
    """Destination and limits of the log shipped to CloudWatch Logs.

    Attributes:
        stream: log stream in *group*; every process has its own.
        linger_s: batching delay while there are few lines, in seconds.
        interval_s: batching delay under load, in seconds.
        attempt_timeout_s: time limit of connecting, and of an answer.
        max_delay_s: upper bound of the delay between attempts.
        max_lines: maximum lines in the buffer; more are dropped and counted.
        max_characters: maximum characters in the buffer.
    """

    group: str
    region: str
    endpoint_url: str | None = None
    stream: str = field(default_factory=lambda: f"{platform.node()}/{os.getpid()}-{int(time.time())}")
    linger_s: float = 1.0
    interval_s: float = 5.0
    attempt_timeout_s: float = 3.0
    max_delay_s: float = 30.0
    max_lines: int = 20_000
    max_characters: int = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """Limits of one request; each event counts its UTF-8 bytes and 26 more."""

    size_bytes: int = 1_048_576
    events: int = 10_000
    span_ms: int = 24 * 3600 * 1000
    event_bytes: int = 256 * 1024


def batches(lines: Sequence[Line], limits: BatchLimits = BatchLimits()) -> Iterator[list[LogEvent]]:
    """Split *lines*, ordered by time, into as few requests as the limits allow; a longer line is shortened."""
    batch: list[LogEvent] = []
    size_bytes = 0
    for line in sorted(lines, key=lambda each: each.time_s):
        event, event_bytes = _event(line, limits.event_bytes - OVERHEAD_BYTES)
        full = size_bytes + event_bytes > limits.size_bytes or len(batch) == limits.events
        if batch and (full or event["timestamp"] - batch[0]["timestamp"] >= limits.span_ms):
            yield batch
            batch, size_bytes = [], 0
        batch.append(event)
        size_bytes += event_bytes
    if batch:
        yield batch


def rejected_count(events: int, info: Mapping[str, int] | None) -> int:
    """Return how many of *events* were refused as too old, expired or too new, by ``rejectedLogEventsInfo``."""
    if not info:
        return 0
    accepted_from = max(info.get("tooOldLogEventEndIndex", 0), info.get("expiredLogEventEndIndex", 0))
    accepted_to = info.get("tooNewLogEventStartIndex", events)
    return events - max(0, min(accepted_to, events) - accepted_from)


def _event(line: Line, limit_bytes: int) -> tuple[LogEvent, int]:
    text = line.text
    size_bytes = len(text) if text.isascii() else len(text.encode())
    if size_bytes > limit_bytes:
        text = shortened(text, limit_bytes)
        size_bytes = limit_bytes
    return {"timestamp": int(line.time_s * 1000), "message": text}, size_bytes + OVERHEAD_BYTES
