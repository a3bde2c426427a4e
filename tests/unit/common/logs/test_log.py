"""Every line is one JSON object with time, origin, message, trace and fields."""

from __future__ import annotations

import io
import logging
import os
import threading
import time
import uuid
import warnings
import weakref
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import orjson
import pytest

from service_common.logs import LogPipeline, configure_logging
from service_common.logs import log as log_module
from service_common.logs.line_writer import LineBuffer
from service_common.logs.log import MANY_CALLS, MAX_CALLS, DirectLogger, JsonHandler
from service_common.observability import Metrics, tracing
from tests.support.waiting import PATIENCE_S

NAME = "any_service.module"
EARLIER = logging.getLogger("earlier_service.module")  # than the log is configured


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


def ours() -> JsonHandler:
    [ours] = [each for each in logging.getLogger().handlers if isinstance(each, JsonHandler)]
    return ours


def aside() -> logging.Logger:
    """Return a logger of our handler alone: pytest's, at the root, raises, and keeps what it gets."""

    class Aside(DirectLogger):
        root = logging.RootLogger(logging.INFO)

    logger = Aside(NAME)
    logger.parent = logger.root
    logger.root.addHandler(ours())
    return logger


@pytest.fixture(params=["record", "direct"])
def logger(request: pytest.FixtureRequest, log: Log) -> logging.Logger:  # noqa: ARG001 - installs our handler
    """Return a logger whose records others see too, and one whose calls become lines without a record."""
    return logging.getLogger(NAME) if request.param == "record" else aside()


@contextmanager
def alone() -> Iterator[None]:
    """Take the handlers of others from the root."""
    root = logging.getLogger()
    kept, root.handlers = root.handlers, [ours()]
    try:
        yield
    finally:
        root.handlers = kept


def test_line_has_time_origin_message_trace_and_fields(log: Log, logger: logging.Logger) -> None:
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


def test_line_without_trace_and_fields_is_short(log: Log, logger: logging.Logger) -> None:
    logger.warning("odd")

    [line] = log.lines()
    assert set(line) == {"time", "level", "logger", "service", "message"}


def test_traceback_is_part_of_its_line(log: Log, logger: logging.Logger) -> None:
    logger.error("failed", exc_info=ValueError("no such queue"))

    [line] = log.lines()
    assert "ValueError: no such queue" in line["exc_info"]


def test_lines_have_the_order_of_the_calls_whatever_they_are(log: Log, logger: logging.Logger) -> None:
    calls = (logger.info, logger.exception, logger.warning)
    for number in range(300):
        calls[number % 3]("no arguments", extra={"number": number})
        logger.info("%d", number)

    lines = log.lines()
    assert [line["number"] for line in lines[::2]] == list(range(300))
    assert [line["message"] for line in lines[1::2]] == [str(number) for number in range(300)]


def test_message_is_what_it_was_at_the_call(log: Log, logger: logging.Logger) -> None:
    items: list[object] = [1]
    logger.info("items %s", items)
    logger.info("items %(items)s", {"items": items})
    logger.info(items)
    items.append(2)

    assert [line["message"] for line in log.lines()] == ["items [1]", "items [1]", "[1]"]


def test_fields_are_those_of_the_call(log: Log, logger: logging.Logger) -> None:
    extra: dict[str, object] = {"number": 1}
    logger.info("first", extra=extra)
    extra |= {"number": 2, "more": 3}

    [line] = log.lines()
    assert (line["number"], "more" in line) == (1, False)


def test_calls_become_lines_without_a_record(log: Log) -> None:
    made: list[logging.LogRecord] = []

    def factory(*args: Any, **more: Any) -> logging.LogRecord:
        made.append(logging.LogRecord(*args, **more))
        return made[-1]

    logging.setLogRecordFactory(factory)
    try:
        with alone():
            for logger in (EARLIER, logging.getLogger("later_service.module")):
                logger.info("direct", extra={"orderId": 1})
                logger.warning("direct")
                logger.info("%d", 3)
    finally:
        logging.setLogRecordFactory(logging.LogRecord)

    assert [record.getMessage() for record in made] == ["3", "3"]
    assert [line["message"] for line in log.lines()] == 2 * ["direct", "direct", "3"]


def test_record_says_where_the_call_was(log: Log, caplog: pytest.LogCaptureFixture) -> None:  # noqa: ARG001 - see logger
    EARLIER.info("here", stack_info=True)

    [record] = caplog.records
    assert (record.filename, record.funcName) == ("test_log.py", "test_record_says_where_the_call_was")
    assert record.stack_info is not None
    assert record.stack_info.endswith('EARLIER.info("here", stack_info=True)')


def test_call_while_another_thread_closes_the_log_reaches_the_caller_unharmed(log: Log) -> None:
    class ClosedMeanwhile(list[logging.Handler]):
        def __len__(self) -> int:
            handlers = super().__len__()
            self.clear()
            return handlers

    logger = aside()
    logger.root.handlers = ClosedMeanwhile([ours()])
    logger.info("last")

    assert [line["message"] for line in log.lines()] == ["last"]


def test_handler_or_filter_of_others_sees_each_record_and_may_stop_it(log: Log) -> None:
    def odd(record: logging.LogRecord) -> bool:
        seen.append(record)
        return bool(vars(record)["number"] % 2)

    seen: list[logging.LogRecord] = []
    another = logging.StreamHandler(io.StringIO())
    another.addFilter(odd)
    filtered, heard, apart, disabled = (logging.getLogger(f"other_service.{name}") for name in "abcd")
    filtered.addFilter(odd)
    heard.addHandler(another)
    apart.propagate = False
    disabled.disabled = True
    parent, child = logging.getLogger("parent_service"), logging.getLogger("parent_service.child")
    parent.addHandler(another)
    with alone():
        for logger in (filtered, heard, apart, disabled, child):
            logger.info("one", extra={"number": 1})
            logger.info("two", extra={"number": 2})
        logging.getLogger().addHandler(another)
        EARLIER.info("one", extra={"number": 1})

    assert [record.name for record in seen] == [
        *(each.name for each in (filtered, heard, child) for _ in range(2)),
        EARLIER.name,
    ]
    written = [(line["logger"], line["number"]) for line in log.lines()]
    both = [(each.name, number) for each in (heard, child) for number in (1, 2)]
    assert written == [(filtered.name, 1), *both, (EARLIER.name, 1)]


def test_logged_exception_keeps_nothing_alive(log: Log) -> None:
    class Kept:
        pass

    def fail() -> weakref.ref[Kept]:
        kept = Kept()
        try:
            int("odd")
        except ValueError:
            aside().exception("failed")
        return weakref.ref(kept)

    assert fail()() is None
    assert 'int("odd")' in log.lines()[0]["exc_info"]


def test_any_value_can_be_a_field(log: Log, logger: logging.Logger) -> None:
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
def test_value_that_json_lacks_keeps_its_line_and_the_other_fields(
    log: Log, logger: logging.Logger, value: object, written: object
) -> None:
    logger.info("odd", extra={"value": value, "at": datetime(2026, 1, 2, tzinfo=UTC)})

    [line] = log.lines()
    assert line["value"] == written
    assert (line["message"], line["at"]) == ("odd", "2026-01-02T00:00:00Z")
    assert datetime.fromisoformat(line["time"])


def test_value_that_is_nested_too_deeply_keeps_its_line(log: Log, logger: logging.Logger) -> None:
    logger.info("deep", extra={"value": nested(100_000)})

    [line] = log.lines()
    assert "<list>" in str(line["value"])


def test_field_does_not_replace_one_of_the_line(log: Log, logger: logging.Logger) -> None:
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
    aside().info("%d items", "many")
    aside().info("next")

    assert [line["message"] for line in log.lines()] == ["next"]
    assert "Logging error" in capsys.readouterr().err


def test_newline_in_a_message_is_escaped(log: Log, logger: logging.Logger) -> None:
    logger.info('one\ntwo"}\u2028', extra={"path": "/a\r\nb"})

    [line] = log.lines()
    assert line["message"] == 'one\ntwo"}\u2028'


def test_level_applies_to_our_lines_and_libraries_of_the_log_are_quiet(log: Log, logger: logging.Logger) -> None:
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


def test_closed_log_ignores_lines(log: Log, logger: logging.Logger) -> None:
    logger.info("before")
    log.pipeline.close()
    logger.info("after")

    assert [line["message"] for line in log.lines()] == ["before"]


def test_lines_are_counted(log: Log, logger: logging.Logger) -> None:
    metrics = Metrics()
    log.pipeline.expose(metrics)

    logger.info("one")
    logger.error("two")
    log.pipeline.close()

    assert b'orderstream_log_lines_total{outcome="written"} 2.0' in metrics.exposition()
    assert b"orderstream_log_errors_total 1.0" in metrics.exposition()
    assert b"log_events" not in metrics.exposition()


def test_lines_that_a_stalled_reader_does_not_take_are_dropped_and_counted() -> None:
    read_end, write_end = os.pipe()
    with (
        os.fdopen(read_end) as reader,
        os.fdopen(write_end, "w") as stream,
        closing(configure_logging("any-service", "INFO", None, stream)) as pipeline,
    ):
        metrics = Metrics()
        pipeline.expose(metrics)
        logger = aside()
        for _ in range(3 * MAX_CALLS):
            logger.info("x" * 10_000)

        assert count(metrics, "dropped") > 0
        pipeline.close(0.1)
        dropped = count(metrics, "dropped")
        for _ in range(3 * MAX_CALLS - dropped):
            assert reader.readline().endswith("}\n")
    assert 0 < dropped < 3 * MAX_CALLS


def test_many_records_do_not_wait_for_the_delay(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(log_module, "LineBuffer", partial(LineBuffer, linger_s=3600.0))
    stream = io.StringIO()
    with closing(configure_logging("any-service", "INFO", None, stream)) as pipeline:
        metrics = Metrics()
        pipeline.expose(metrics)
        logger = aside()
        for _ in range(MANY_CALLS):
            logger.info("many")
        deadline = time.monotonic() + PATIENCE_S
        while count(metrics, "written") < MANY_CALLS and time.monotonic() < deadline:
            time.sleep(0.01)
        assert count(metrics, "written") == MANY_CALLS


def count(metrics: Metrics, outcome: str) -> int:
    [line] = [
        line for line in metrics.exposition().decode().splitlines() if f'log_lines_total{{outcome="{outcome}"' in line
    ]
    return int(float(line.split()[1]))


def test_log_is_idle_between_lines_and_woken_by_the_next(log: Log, logger: logging.Logger) -> None:
    logger.info("one")
    written(log, 1)
    before_s = time.process_time()
    threading.Event().wait(0.5)

    assert time.process_time() - before_s < 0.1
    assert log.stream.getvalue().count("\n") == 1
    logger.info("two")
    written(log, 2)


def written(log: Log, lines: int) -> None:
    """Wait until the stream has so many *lines*."""
    deadline = time.monotonic() + PATIENCE_S
    while log.stream.getvalue().count("\n") < lines and time.monotonic() < deadline:
        time.sleep(0.01)
    assert log.stream.getvalue().count("\n") == lines
