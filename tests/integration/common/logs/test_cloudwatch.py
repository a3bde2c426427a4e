"""The log is shipped to CloudWatch Logs, and an outage does not block the process."""

from __future__ import annotations

import io
import logging
import os
import select
import socket
import threading
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import boto3
import orjson
import pytest
from botocore.exceptions import ClientError
from moto.server import ThreadedMotoServer

from service_common.logs import CloudWatchOptions, configure_logging
from service_common.logs.cloudwatch import UNKNOWN_ATTEMPTS, CloudWatchShipper
from service_common.logs.line_writer import Line
from service_common.observability import Metrics
from tests.support.ports import free_port

logger = logging.getLogger("any_service.module")

LIMIT_S = 20.0


def until(condition: Callable[[], object], limit_s: float = LIMIT_S) -> None:
    """Wait for another thread, which offers nothing to await."""
    waiting = threading.Event()
    deadline = time.monotonic() + limit_s
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        waiting.wait(0.01)


class Group:
    """A log group, read without the code under test."""

    def __init__(self, endpoint_url: str) -> None:
        self.name = f"group-{uuid.uuid4().hex}"
        self._client: Any = boto3.client("logs", region_name="us-east-1", endpoint_url=endpoint_url)

    def make(self) -> None:
        self._client.create_log_group(logGroupName=self.name)

    def delete(self) -> None:
        self._client.delete_log_group(logGroupName=self.name)

    def streams(self) -> list[str]:
        answer = self._client.describe_log_streams(logGroupName=self.name)
        return [stream["logStreamName"] for stream in answer["logStreams"]]

    def messages(self) -> list[str]:
        try:
            pages = self._client.get_paginator("filter_log_events").paginate(logGroupName=self.name)
            return [event["message"] for page in pages for event in page["events"]]
        except ClientError:
            return []

    def close(self) -> None:
        self._client.close()


@pytest.fixture
def group(aws_endpoint: str) -> Iterator[Group]:
    with closing(Group(aws_endpoint)) as group:
        yield group


def test_delivery_that_crashes_costs_its_lines_alone_which_are_counted(
    group: Group, aws_endpoint: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def crash(_: object) -> None:
        raise LookupError("a defect")

    group.make()
    options = CloudWatchOptions(group.name, "us-east-1", aws_endpoint, linger_s=0.01, interval_s=0)
    with closing_within(CloudWatchShipper(options)) as shipper:
        with monkeypatch.context() as patch:
            patch.setattr("service_common.logs.cloudwatch.batches", crash)
            shipper.put(Line(time.time(), "lost"))
            until(lambda: shipper.rejected == 1)
        shipper.put(Line(time.time(), "sent"))
        until(lambda: shipper.sent == 1)
    assert group.messages() == ["sent"]
    assert shipper.dropped == 0


@contextmanager
def closing_within(shipper: CloudWatchShipper) -> Iterator[CloudWatchShipper]:
    try:
        yield shipper
    finally:
        shipper.close(LIMIT_S)


class SilentEndpoint:
    """Takes connections and never answers."""

    def __init__(self) -> None:
        self._socket = socket.create_server(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}"
        self._attempts = 0

    def attempts(self) -> int:
        """Return how many connections there were; each is hung up on when it is counted."""
        with suppress(BlockingIOError):
            while True:
                self._socket.accept()[0].close()
                self._attempts += 1
        return self._attempts

    def is_called(self) -> bool:
        """Return whether somebody waits for an answer."""
        return bool(select.select([self._socket], [], [], 0)[0])

    def close(self) -> None:
        self._socket.close()


@pytest.fixture
def silent() -> Iterator[SilentEndpoint]:
    with closing(SilentEndpoint()) as endpoint:
        yield endpoint


class ScriptedEndpoint(ThreadingHTTPServer):
    """Answers each PutLogEvents with the next of *answers*, then as CloudWatch Logs does."""

    daemon_threads = True

    def __init__(self, *answers: tuple[int, dict[str, Any]]) -> None:
        self.answers = list(answers)
        self.batches: list[list[str]] = []
        self.operations: list[str] = []
        super().__init__(("127.0.0.1", 0), _ScriptedHandler)
        self.url = f"http://127.0.0.1:{self.server_port}"
        self._thread = threading.Thread(target=self.serve_forever, kwargs={"poll_interval": 0.01})

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_error: object) -> None:
        self.shutdown()
        self._thread.join()
        self.server_close()


class _ScriptedHandler(BaseHTTPRequestHandler):
    server: ScriptedEndpoint

    def do_POST(self) -> None:
        body = orjson.loads(self.rfile.read(int(self.headers["Content-Length"])))
        status, answer = 200, dict[str, Any]()
        operation = self.headers["X-Amz-Target"].rpartition(".")[2]
        self.server.operations.append(operation)
        if operation == "PutLogEvents":
            self.server.batches.append([event["message"] for event in body["logEvents"]])
            if self.server.answers:
                status, answer = self.server.answers.pop(0)
        self.send_response(status)
        self.send_header("Content-Type", "application/x-amz-json-1.1")
        self.end_headers()
        self.wfile.write(orjson.dumps(answer))

    def log_message(self, *_arguments: object) -> None:
        """Be quiet."""


def error(code: str) -> tuple[int, dict[str, Any]]:
    return 400, {"__type": code, "message": "as the test wants it"}


@pytest.fixture(autouse=True)
def _quiet_server() -> Iterator[None]:
    server = logging.getLogger("werkzeug")  # the emulator, in this process, logs every request
    before = server.level
    server.setLevel(logging.WARNING)
    yield
    server.setLevel(before)


def options(
    group: str, endpoint_url: str, *, attempt_timeout_s: float = 10.0, max_delay_s: float = 0.1, **more: Any
) -> CloudWatchOptions:
    return CloudWatchOptions(
        group,
        "us-east-1",
        endpoint_url,
        linger_s=0.02,
        interval_s=0,
        attempt_timeout_s=attempt_timeout_s,
        max_delay_s=max_delay_s,
        **more,
    )


def line(text: str) -> Line:
    return Line(time.time(), text)


def test_lines_arrive_in_order_in_a_stream_of_this_process(aws_endpoint: str, group: Group) -> None:
    shipper = CloudWatchShipper(options(group.name, aws_endpoint))

    for number in range(50):
        shipper.put(Line(time.time() + number / 1000, str(number)))
    left = shipper.close(LIMIT_S)

    assert left == 0
    assert (shipper.sent, shipper.dropped, shipper.rejected) == (50, 0, 0)
    assert group.messages() == [str(number) for number in range(50)]
    assert len(group.streams()) == 1


def test_existing_group_is_used(aws_endpoint: str, group: Group) -> None:
    group.make()
    shipper = CloudWatchShipper(options(group.name, aws_endpoint))

    shipper.put(line("one"))
    shipper.close(LIMIT_S)

    assert group.messages() == ["one"]


def test_existing_group_needs_no_permission_on_groups() -> None:
    with ScriptedEndpoint() as endpoint:
        shipper = CloudWatchShipper(options("any", endpoint.url))
        shipper.put(line("one"))
        shipper.close(LIMIT_S)

    assert endpoint.operations == ["CreateLogStream", "PutLogEvents"]


def test_deleted_group_is_created_again_without_losing_lines(aws_endpoint: str, group: Group) -> None:
    shipper = CloudWatchShipper(options(group.name, aws_endpoint))
    shipper.put(line("before"))
    until(lambda: shipper.sent == 1)

    group.delete()
    shipper.put(line("after"))
    shipper.close(LIMIT_S)

    assert group.messages() == ["after"]
    assert (shipper.sent, shipper.rejected) == (2, 0)


def test_events_that_cloudwatch_refuses_are_counted() -> None:
    with ScriptedEndpoint((200, {"rejectedLogEventsInfo": {"tooOldLogEventEndIndex": 1}})) as endpoint:
        shipper = CloudWatchShipper(options("any", endpoint.url))
        shipper.put(line("a month old"))
        shipper.put(line("new"))
        shipper.close(LIMIT_S)

    assert (shipper.sent, shipper.rejected, shipper.dropped) == (1, 1, 0)


def test_invalid_batch_does_not_delay_the_next() -> None:
    with ScriptedEndpoint(error("InvalidParameterException")) as endpoint:
        shipper = CloudWatchShipper(options("any", endpoint.url))
        shipper.put(line("wrong"))
        until(lambda: shipper.rejected == 1)
        shipper.put(line("right"))
        shipper.close(LIMIT_S)

    assert endpoint.batches == [["wrong"], ["right"]]
    assert (shipper.sent, shipper.rejected, shipper.dropped) == (1, 1, 0)


def test_batch_that_is_refused_with_an_unknown_code_does_not_hold_up_the_next_for_ever() -> None:
    with ScriptedEndpoint(*[error("SomeNewException")] * UNKNOWN_ATTEMPTS) as endpoint:
        shipper = CloudWatchShipper(options("any", endpoint.url))
        shipper.put(line("wrong"))
        until(lambda: shipper.rejected == 1)
        shipper.put(line("right"))
        shipper.close(LIMIT_S)

    assert endpoint.batches == [*[["wrong"]] * UNKNOWN_ATTEMPTS, ["right"]]
    assert (shipper.sent, shipper.rejected, shipper.dropped) == (1, 1, 0)


@pytest.mark.parametrize("code", ["ThrottlingException", "AccessDeniedException", "ResourceNotFoundException"])
def test_batch_that_may_pass_later_is_retried_for_ever(code: str) -> None:
    with ScriptedEndpoint(*[error(code)] * (UNKNOWN_ATTEMPTS + 2)) as endpoint:
        shipper = CloudWatchShipper(options("any", endpoint.url))
        shipper.put(line("one"))
        until(lambda: shipper.sent == 1)
        shipper.close(LIMIT_S)

    assert (shipper.rejected, shipper.dropped) == (0, 0)


@pytest.mark.parametrize("answer", [error("ThrottlingException"), error("AccessDeniedException"), (503, {})])
def test_failed_batch_is_retried(answer: tuple[int, dict[str, Any]]) -> None:
    with ScriptedEndpoint(answer, answer, answer) as endpoint:
        shipper = CloudWatchShipper(options("any", endpoint.url))
        shipper.put(line("one"))
        until(lambda: shipper.sent == 1)
        shipper.close(LIMIT_S)

    assert endpoint.batches == [["one"]] * 4
    assert (shipper.sent, shipper.rejected, shipper.dropped) == (1, 0, 0)


def test_missing_permission_is_retried_with_a_long_delay() -> None:
    with ScriptedEndpoint(*[error("AccessDeniedException")] * 9) as endpoint:
        shipper = CloudWatchShipper(options("any", endpoint.url, max_delay_s=60.0))
        shipper.put(line("one"))
        until(lambda: shipper.failing)
        thread = next(each for each in threading.enumerate() if each.name == "log-cloudwatch")
        thread.join(1.3)  # an outage would be retried within 1 s
        attempts = len(endpoint.batches)
        shipper.close(LIMIT_S)

    assert attempts == 1


def test_line_with_any_character_arrives(aws_endpoint: str, group: Group) -> None:
    shipper = CloudWatchShipper(options(group.name, aws_endpoint))

    shipper.put(line('{"message":"Grüße, 世界 \U0001f680 \\u0000"}'))
    shipper.close(LIMIT_S)

    assert group.messages() == ['{"message":"Grüße, 世界 \U0001f680 \\u0000"}']


def test_endpoint_that_refuses_connections_is_retried_until_it_is_up(group: Group) -> None:
    port = free_port()
    shipper = CloudWatchShipper(options(group.name, f"http://127.0.0.1:{port}"))
    shipper.put(line("early"))
    until(lambda: shipper.failing)

    server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
    server.start()
    shipper.put(line("late"))
    left = shipper.close(LIMIT_S)
    server.stop()

    assert left == 0
    assert group.messages() == ["early", "late"]
    assert shipper.dropped == 0


def test_hanging_endpoint_does_not_block_and_memory_is_bounded(silent: SilentEndpoint) -> None:
    shipper = CloudWatchShipper(options("any", silent.url, attempt_timeout_s=0.3, max_lines=100))

    started = time.perf_counter()
    for number in range(10_000):
        shipper.put(line(str(number)))
    took_s = time.perf_counter() - started

    assert took_s < LIMIT_S / 2  # were each line to wait for an attempt, it would be an hour
    assert shipper.dropped >= 9_000
    started = time.perf_counter()
    left = shipper.close(0.2)
    assert time.perf_counter() - started < LIMIT_S / 2
    assert left > 0
    assert shipper.sent == 0
    assert shipper.dropped == 10_000


def test_start_does_not_wait_for_the_endpoint(silent: SilentEndpoint) -> None:
    started = time.perf_counter()
    pipeline = configure_logging(
        "any-service", "INFO", options("any", silent.url, attempt_timeout_s=LIMIT_S), io.StringIO()
    )
    took_s = time.perf_counter() - started

    pipeline.close(0.1)
    assert took_s < LIMIT_S / 2


def test_lines_are_json_and_those_of_the_log_libraries_are_not_shipped() -> None:
    stream = io.StringIO()
    metrics = Metrics()
    with (
        ScriptedEndpoint() as endpoint,
        configure_logging("any-service", "INFO", options("any", endpoint.url), stream) as pipeline,
    ):
        pipeline.expose(metrics)
        logger.info("ours", extra={"orderId": 7})
        logging.getLogger("urllib3.connectionpool").warning("theirs")
        logging.getLogger("botocore.endpoint").error("theirs too")
        until(lambda: metrics.registry.get_sample_value("orderstream_log_events_total", {"outcome": "sent"}))

    sent = [message for batch in endpoint.batches for message in batch]
    ours = next(message for message in sent if orjson.loads(message)["logger"] == logger.name)
    assert orjson.loads(ours)["orderId"] == 7
    assert f"{ours}\n" in stream.getvalue()
    assert stream.getvalue().count("theirs") == 2
    assert "theirs" not in str(sent)
    assert f'orderstream_log_events_total{{outcome="sent"}} {len(sent)}.0' in metrics.exposition().decode()


def test_outage_is_logged_once_and_not_shipped_by_its_own_thread(silent: SilentEndpoint) -> None:
    stream = io.StringIO()
    pipeline = configure_logging("any-service", "DEBUG", options("any", silent.url, attempt_timeout_s=0.3), stream)
    metrics = Metrics()
    pipeline.expose(metrics)

    logger.info("ours")
    until(lambda: "cloudwatch delivery failed" in stream.getvalue())
    until(lambda: silent.attempts() >= 3)
    pipeline.close(0.1)

    told = [orjson.loads(text)["message"] for text in stream.getvalue().splitlines()]
    assert told == ["ours", "cloudwatch delivery failed", "cloudwatch delivery incomplete"]
    assert b'orderstream_log_events_total{outcome="dropped"} 1.0' in metrics.exposition()


def test_stalled_stdout_does_not_hold_up_cloudwatch() -> None:
    read_end, write_end = os.pipe()
    with (
        os.fdopen(read_end, "rb") as reader,
        os.fdopen(write_end, "w") as stream,
        ScriptedEndpoint() as endpoint,
        closing(configure_logging("any-service", "INFO", options("any", endpoint.url), stream)) as pipeline,
    ):
        logger.info("first " + "x" * 1_000_000)
        until(lambda: select.select([reader], [], [], 0)[0] and endpoint.batches)
        threading.Event().wait(0.3)  # longer than any batching delay: its thread waits for a line
        logger.info("second")
        until(lambda: "second" in str(endpoint.batches))
        pipeline.close(0.1)
        assert [b"first" in reader.readline(), b"second" in reader.readline()] == [True, True]


def test_hanging_cloudwatch_does_not_hold_up_stdout(silent: SilentEndpoint) -> None:
    stream = io.StringIO()
    hanging = options("any", silent.url, attempt_timeout_s=3 * LIMIT_S)
    with closing(configure_logging("any-service", "INFO", hanging, stream)) as pipeline:
        logger.info("first")
        until(silent.is_called)
        logger.info("second")
        until(lambda: "second" in stream.getvalue())
        pipeline.close(0.1)


def test_idle_log_does_nothing(silent: SilentEndpoint) -> None:
    shipper = CloudWatchShipper(options("any", silent.url, attempt_timeout_s=0.3))
    thread = next(each for each in threading.enumerate() if each.name == "log-cloudwatch")

    before_s = time.process_time()
    thread.join(0.3)

    assert time.process_time() - before_s < 0.1
    assert silent.attempts() == 0
    assert shipper.close(LIMIT_S) == 0
