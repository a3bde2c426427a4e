"""Requests stay within the limits of PutLogEvents."""

from __future__ import annotations

import time
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from service_common.logs.line_writer import Line
from service_common.logs.put_log_events import OVERHEAD_BYTES, BatchLimits, batches, rejected_count

SMALL = BatchLimits(size_bytes=200, events=5, span_ms=10_000, event_bytes=100)


def line(time_s: float, text: str = "x") -> Line:
    return Line(time_s, text)


@given(st.lists(st.builds(Line, st.floats(0, 60, allow_nan=False), st.text(min_size=1, max_size=60))))
def test_every_request_keeps_every_limit_and_nothing_is_lost(lines: list[Line]) -> None:
    requests = list(batches(lines, SMALL))

    for request in requests:
        times = [event["timestamp"] for event in request]
        sizes = [len(event["message"].encode()) + OVERHEAD_BYTES for event in request]
        assert times == sorted(times)
        assert times[-1] - times[0] < SMALL.span_ms
        assert 1 <= len(request) <= SMALL.events
        assert sum(sizes) <= SMALL.size_bytes
        assert max(sizes) <= SMALL.event_bytes
    assert sum(map(len, requests)) == len(lines)


def test_lines_are_sent_in_the_order_of_their_times() -> None:
    [request] = batches([line(3, "c"), line(1, "a"), line(2, "b")])

    assert [event["message"] for event in request] == ["a", "b", "c"]


def test_few_requests_carry_many_lines() -> None:
    assert [len(request) for request in batches([line(1)] * 25_000)] == [10_000, 10_000, 5_000]


def test_size_is_counted_in_bytes_of_utf8() -> None:
    limits = BatchLimits(size_bytes=2 * (8 + OVERHEAD_BYTES))

    assert [len(request) for request in batches([line(1, "€€xx")] * 4, limits)] == [2, 2]


def test_long_line_is_truncated_between_characters() -> None:
    [[event]] = batches([line(1, "€" * 100)], BatchLimits(event_bytes=OVERHEAD_BYTES + 10))

    assert event["message"] == "€€€"


@given(
    st.dictionaries(st.text(max_size=5), st.one_of(st.text(max_size=400), st.lists(st.integers(0, 9)), st.floats())),
    st.integers(300, 2000),
)
def test_long_line_stays_json_and_keeps_its_short_fields(fields: dict[str, Any], limit: int) -> None:
    fields |= {"level": "INFO", "exc_info": "\n\x00ä" * 500}

    [[event]] = batches([line(1, orjson.dumps(fields).decode())], BatchLimits(event_bytes=OVERHEAD_BYTES + limit))

    assert len(event["message"].encode()) <= limit
    if len(fields) < 10:
        written = orjson.loads(event["message"])
        assert written.keys() == fields.keys()
        assert written["level"] == "INFO"
        assert written["exc_info"] != fields["exc_info"]
        assert written["exc_info"].startswith("\n")


def test_line_of_many_fields_is_shortened_quickly() -> None:
    text = orjson.dumps({f"name-{number}": "x" * 130 for number in range(20_000)}).decode()

    before_s = time.process_time()
    [[event]] = batches([line(1, text)], BatchLimits(event_bytes=OVERHEAD_BYTES + 1_000_000))

    assert time.process_time() - before_s < 2
    assert len(orjson.loads(event["message"])) == 20_000


@pytest.mark.parametrize(
    ("info", "rejected"),
    [
        (None, 0),
        ({}, 0),
        ({"tooOldLogEventEndIndex": 3}, 3),
        ({"expiredLogEventEndIndex": 4, "tooOldLogEventEndIndex": 3}, 4),
        ({"tooNewLogEventStartIndex": 8}, 2),
        ({"tooOldLogEventEndIndex": 3, "tooNewLogEventStartIndex": 8}, 5),
        ({"tooNewLogEventStartIndex": 0}, 10),
        ({"tooOldLogEventEndIndex": 10, "tooNewLogEventStartIndex": 0}, 10),
    ],
)
def test_refused_events_are_counted(info: dict[str, int] | None, rejected: int) -> None:
    assert rejected_count(10, info) == rejected
