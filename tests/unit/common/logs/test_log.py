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
        "spanId": context.span_id,
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


def circular() -> dict[str, Any]:
    inner: list[Any] = []
    inner.append(inner)
    return {"list": inner, "kept": 1}


def nested(depth: int) -> list[Any]:
    value: list[Any] = []
    for _ in range(depth):
        value = [value]
    return value


class Unspeakable(dict[str, int]):
    """Can neither be read nor named."""

    def items(self) -> Any:
        raise ZeroDivisionError

    def __repr__(self) -> str:
        raise ZeroDivisionError

    def keys(self) -> Any:
        raise ZeroDivisionError


@pytest.mark.parametrize(
    ("value", "written"),
    [
        (circular(), {"list": ["<list>"], "kept": 1}),
        ({(1, 2): float("nan"), 3: float("inf"), None: [1.5]}, {"(1, 2)": None, "3": None, "None": [1.5]}),
        ({"\ud800": "\udfff", 1: "ä"}, {"?": "?", "1": "ä"}),
        ({1: Unspeakable(a=1)}, "<dict>"),
        (2**20_000, "<int>"),
    ],
    ids=["circular", "not a number", "surrogates", "unspeakable", "long"],
)
def test_value_that_json_lacks_keeps_its_line_and_the_other_fields(log: Log, value: object, written: object) -> None:
    logger.info("odd", extra={"value": value, "at": datetime(2026, 1, 2, tzinfo=UTC)})

    [line] = log.lines()
    assert line["value"] == written
    assert (line["message"], line["at"]) == ("odd", "2026-01-02T00:00:00Z")
    assert datetime.fromisoformat(line["time"])


def test_value_that_is_nested_too_deeply_keeps_its_line(log: Log) -> None:
    logger.info("deep", extra={"value": nested(100_000)})

    [line] = log.lines()
    assert "<list>" in str(line["value"])


def test_field_does_not_replace_one_of_the_line(log: Log) -> None:
    own = {"time": 1, "level": 2, "logger": 3, "service": 4}
    with tracing(None) as context:
        logger.info("odd", extra={**own, "traceId": 5, "free": 6})
    logger.info({**own, "message": 7, "free": 8})

    extra, from_dict = log.lines()
    for line in (extra, from_dict):
        assert (line["level"], line["logger"], line["service"]) == ("INFO", "any_service.module", "any-service")
        assert datetime.fromisoformat(line["time"])
        assert [line[f"extra_{name}"] for name in own] == [1, 2, 3, 4]
    assert (extra["message"], extra["traceId"], extra["extra_traceId"]) == ("odd", context.trace_id, 5)
    assert (from_dict["message"], from_dict["extra_message"]) == ("", 7)
    assert (extra["free"], from_dict["free"]) == (6, 8)


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
    logger.error("two")
    log.pipeline.close()

    assert b'orderstream_log_lines_total{outcome="written"} 2.0' in metrics.exposition()
    assert b"orderstream_log_errors_total 1.0" in metrics.exposition()
    assert b"log_events" not in metrics.exposition()
