"""The shipped queries answer on lines at hand what their text asks of Logs Insights."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest

from orderstream_command.log_groups import LogLine
from orderstream_command.queries import QUERIES

AT = datetime(2026, 5, 17, 3, 10, tzinfo=UTC)
LINES: list[dict[str, Any]] = [
    {"level": "INFO", "message": "request handled", "method": "POST", "status": 201, "durationMs": 1.0},
    {"level": "INFO", "message": "request handled", "method": "POST", "status": 201, "durationMs": 9.0},
    {"level": "INFO", "message": "request handled", "method": "POST", "status": 503, "path": "/orders", "traceId": "t"},
    {
        "level": "WARNING",
        "message": "saga step unanswered",
        "orderId": 12,
        "traceId": "t",
        "step": "take stock",
        "error": "take stock: away",
    },
    {"level": "ERROR", "message": "request failed", "exc_info": "Traceback"},
    {"level": "INFO", "message": "stock operation", "operationId": "12:1", "outcome": "taken"},
    {"level": "INFO", "message": "stock operation", "operationId": "123:1", "outcome": "taken"},
    {"level": "INFO", "message": "event published", "subject": "12"},
    {"level": "INFO", "message": "saga ended", "state": "DONE", "seconds": 0.5, "orderId": 12},
    {"message": "no JSON at all"},
    {"level": "INFO", "message": "order consumed", "orderId": 13, "seconds": 29.9},
    {"level": "INFO", "message": "order consumed", "orderId": 14, "seconds": 30.0},
    {"level": "WARNING", "message": "trace export recovered", "seconds": 60.0},
    {
        "level": "WARNING",
        "message": "saga step unanswered",
        "orderId": 15,
        "step": "take stock",
        "error": "take stock: no answer within 1.97 s",
    },
]


def answer(name: str, limit: int = 100) -> list[dict[str, str]]:
    lines = [LogLine(AT.replace(second=place), "order", {"service": "s", **facts}) for place, facts in enumerate(LINES)]
    return QUERIES[name].about(12, "t").rows(lines, limit)


def messages(name: str) -> list[str]:
    return [row["message"] for row in answer(name)]


def test_lines_are_found_by_level_order_and_trace() -> None:
    assert messages("errors") == ["request failed"]
    assert messages("trace") == ["request handled", "saga step unanswered"]
    assert messages("order") == ["saga step unanswered", "stock operation", "event published", "saga ended"]
    assert messages("hurt") == ["request handled", "saga step unanswered", "order consumed", "saga step unanswered"]
    assert (answer("order")[0]["step"], answer("order")[0]["error"]) == ("take stock", "take stock: away")
    assert answer("hurt")[2]["orderId"] == "14"
    assert answer("hurt", limit=1)[0]["@timestamp"] == "2026-05-17 03:10:02.000"


def test_groups_are_measured_and_the_largest_is_first() -> None:
    first, second = answer("requests")
    assert first == {
        "service": "s",
        "method": "POST",
        "status": "201",
        "lines": "2",
        "p50": "1.0",
        "p99": "9.0",
        "longest": "9.0",
    }
    assert (second["status"], second["lines"], "p50" in second) == ("503", "1", False)
    assert answer("orders") == [{"state": "DONE", "lines": "1", "p50": "0.5", "p99": "0.5", "longest": "0.5"}]
    [away] = answer("away")
    assert away == {
        "service": "s",
        "message": "saga step unanswered",
        "step": "take stock",
        "lines": "2",
        "first": "2026-05-17 03:10:03.000",
        "last": "2026-05-17 03:10:13.000",
        "latest_error": "take stock: no answer within 1.97 s",
    }


def test_text_is_what_is_evaluated() -> None:
    assert QUERIES["order"].about(12, "").text() == (
        "fields @timestamp, service, message, step, state, outcome, attempts, error, reason, traceId\n"
        '| filter orderId = 12 or subject = "12" or operationId like /^12:/\n'
        "| sort @timestamp asc"
    )
    assert QUERIES["orders"].text() == (
        'filter message = "saga ended"\n'
        "| stats count(*) as lines, pct(seconds, 50) as p50, pct(seconds, 99) as p99, max(seconds) as longest"
        " by state\n"
        "| sort lines desc"
    )


@pytest.mark.parametrize("name", QUERIES)
def test_query_says_what_it_has_to_be_told(name: str) -> None:
    wanted: Mapping[str, frozenset[str]] = {"order": frozenset({"order"}), "trace": frozenset({"trace"})}
    assert QUERIES[name].parameters == wanted.get(name, frozenset())
    assert not re.search(r"\$", QUERIES[name].about(1, "t").text())
