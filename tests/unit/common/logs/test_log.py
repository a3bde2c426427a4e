"""Every line is one JSON object with time, origin, message, trace and fields."""

from __future__ import annotations

import io
import logging
import uuid
import warnings
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest

from service_common.logs import LogPipeline, configure_logging
from service_common.logs.log import JsonFormatter
from service_common.observability import Metrics, tracing

logger = logging.getLogger("any_service.module")


class Log:
    def __init__(self) -> None:
        self.stream = io.StringIO()
        self.pipeline: LogPipeline = configure_logging("any-service", "INFO", None, self.stream)

    def lines(self) -> list[dict[str, Any]]:
        self.pipeline.close()
        return [orjson.loads(text) for text in self.stream.getvalue().split("\n")[:-1]]


@pytest.fixture
def log() -> Iterator[Log]:
    log = Log()
    yield log
    log.pipeline.close()


def test_line_has_time_origin_message_trace_and_fields(log: Log) -> None:
    with tracing(None) as context:
        logger.info("order %s placed", 7, extra={"orderId": 7, "items": [1, 2], "at": datetime(2026, 1, 2, tzinfo=UTC)})

    [line] = log.lines()
    moment = datetime.fromisoformat(line.pop("time"))
    assert abs(datetime.now(UTC) - moment) < timedelta(seconds=10)
    assert line == {
        "level": "INFO",
        "logger": "any_service.module",
        "service": "any-service",
        "message": "order 7 placed",
        "traceId": context.trace_id,
        "orderId": 7,
        "items": [1, 2],
        "at": "2026-01-02T00:00:00Z",
    }


def test_line_without_trace_and_fields_is_short(log: Log) -> None:
    logger.warning("odd")

    [line] = log.lines()
    assert set(line) == {"time", "level", "logger", "service", "message"}


def test_traceback_is_part_of_its_line(log: Log) -> None:
    logger.error("failed", exc_info=ValueError("no such queue"))

    [line] = log.lines()
    assert "ValueError: no such queue" in line["exc_info"]


def test_any_value_can_be_a_field(log: Log) -> None:
    logger.info("odd", extra={"half": "\ud800", "key": {(1, 2): 3}, "object": object(), "id": uuid.uuid4(), "b": b"x"})
    logger.info("big", extra={"number": 2**80})

    odd, big = log.lines()
    assert odd["message"] == "odd"
    assert big["number"] == 2**80


def test_error_of_formatting_does_not_reach_the_caller(log: Log, capsys: pytest.CaptureFixture[str]) -> None:
    aside = logging.Logger("aside")  # pytest's own handler, at the root, raises
    [ours] = [each for each in logging.getLogger().handlers if isinstance(each.formatter, JsonFormatter)]
    aside.addHandler(ours)

    aside.info("%d items", "many")
    aside.info("next")

    assert [line["message"] for line in log.lines()] == ["next"]
    assert "Logging error" in capsys.readouterr().err


def test_newline_in_a_message_is_escaped(log: Log) -> None:
    logger.info('one\ntwo"}\u2028', extra={"path": "/a\r\nb"})

    [line] = log.lines()
    assert line["message"] == 'one\ntwo"}\u2028'


def test_level_applies_to_our_lines_and_libraries_of_the_log_are_quiet(log: Log) -> None:
    logger.debug("detail")
    logging.getLogger("botocore.credentials").info("Found credentials")
    logging.getLogger("urllib3.connectionpool").warning("retrying")

    assert [line["message"] for line in log.lines()] == ["retrying"]


def test_warnings_are_lines(log: Log) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(True)
        warnings.warn("old", DeprecationWarning, stacklevel=1)
        logging.captureWarnings(False)

    [line] = log.lines()
    assert line["logger"] == "py.warnings"
    assert "DeprecationWarning: old" in line["message"]


def test_closed_log_ignores_lines(log: Log) -> None:
    logger.info("before")
    log.pipeline.close()
    logger.info("after")

    assert [line["message"] for line in log.lines()] == ["before"]


def test_lines_are_counted(log: Log) -> None:
    metrics = Metrics()
    log.pipeline.expose(metrics)

    logger.info("one")
    logger.info("two")
    log.pipeline.close()

    assert b'orderstream_log_lines_total{outcome="written"} 2.0' in metrics.exposition()
    assert b"log_events" not in metrics.exposition()
