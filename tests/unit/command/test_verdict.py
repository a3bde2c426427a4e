"""What of a snapshot needs attention."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from orderstream_command.probe import QueueState, Replica, Snapshot
from orderstream_command.verdict import Level, troubles_of
from service_common.sqs import QueueDepth

WELL = (
    Replica("order", "http://order-1", "ready"),
    Replica("processing", "http://processing", "ready", metrics={"sagas_late": 0.0, "sagas_oldest_open_seconds": 1.0}),
)
EMPTY = QueueDepth(0, 0, 0)


def troubles(*replicas: Replica, queue: QueueState | None = None) -> list[tuple[Level, str]]:
    queues = (queue or QueueState("q", dead_letters=False, depth=EMPTY),)
    return [(each.level, each.text) for each in troubles_of(Snapshot(datetime.now(UTC), replicas, queues))]


def test_nothing_is_reported_of_what_is_well() -> None:
    assert troubles(*WELL, queue=QueueState("q-dlq", dead_letters=True, depth=EMPTY)) == []


def test_replica_that_is_away_is_broken_only_when_no_other_is_ready() -> None:
    away = Replica("order", "http://order-2", "away", {"http": "no answer"})
    assert troubles(*WELL, away) == [(Level.DEGRADED, "order-service at http://order-2 is away (http: no answer)")]
    assert troubles(away) == [(Level.BROKEN, "order-service at http://order-2 is away (http: no answer)")]


def test_replica_that_was_not_measured_may_hide_anything() -> None:
    unknown = Replica("processing", "http://p", "ready", unmeasured="/metrics answered 401: The token has expired.")
    text = "processing-service at http://p was not measured: /metrics answered 401: The token has expired."
    assert troubles(*WELL, unknown) == [(Level.DEGRADED, text)]


@pytest.mark.parametrize(
    ("metric", "well", "degraded", "broken"),
    [
        ("outbox_oldest_pending_seconds", 9, 10, 60),
        ("sagas_late", 0, 1, None),
        ("sagas_oldest_open_seconds", 29, 30, 300),
        ("push_feed_lag", 19, 20, 1000),
    ],
)
def test_measurement_is_judged_by_its_thresholds(
    metric: str, well: float, degraded: float, broken: float | None
) -> None:
    def levels(value: float) -> list[Level]:
        return [level for level, _ in troubles(Replica("s", "http://s", "ready", metrics={metric: value}))]

    assert levels(well) == []
    assert levels(degraded) == [Level.DEGRADED]
    if broken is not None:
        assert levels(broken) == [Level.BROKEN]


@pytest.mark.parametrize(
    ("queue", "level"),
    [
        (QueueState("q", dead_letters=False, depth=QueueDepth(99, 500, 0)), None),
        (QueueState("q", dead_letters=False, depth=QueueDepth(100, 0, 0)), Level.DEGRADED),
        (QueueState("q", dead_letters=False, depth=QueueDepth(1000, 0, 0)), Level.BROKEN),
        (QueueState("q", dead_letters=True, depth=QueueDepth(1, 0, 0)), Level.BROKEN),
        (QueueState("q", dead_letters=True, depth=QueueDepth(0, 1, 0)), Level.BROKEN),
        (QueueState("q", dead_letters=False, depth=None, error="away"), Level.DEGRADED),
    ],
)
def test_queue_is_judged_by_what_waits_in_it(queue: QueueState, level: Level | None) -> None:
    assert [found for found, _ in troubles(*WELL, queue=queue)] == ([] if level is None else [level])


def test_worst_comes_first() -> None:
    late = Replica("processing", "http://p", "ready", metrics={"sagas_late": 3.0})
    letters = QueueState("q-dlq", dead_letters=True, depth=QueueDepth(2, 0, 0))
    assert [level for level, _ in troubles(late, queue=letters)] == [Level.BROKEN, Level.DEGRADED]


def test_open_circuit_is_reported_for_a_minute_after_the_last_call_without_an_answer() -> None:
    def called(seconds_ago: float, state: float) -> list[tuple[Level, str]]:
        at = datetime.now(UTC).timestamp() - seconds_ago
        metrics = {"client_circuit_state": state, "client_last_failure_timestamp_seconds": at}
        return troubles(Replica("s", "http://s", "ready", metrics=metrics))

    assert called(5, 2) == [(Level.DEGRADED, "s-service at http://s: a circuit breaker is open")]
    assert called(5, 1) == called(5, 2)
    assert called(5, 0) == called(61, 1) == called(61, 2) == []


def test_request_that_failed_within_a_minute_is_reported() -> None:
    def failed(seconds_ago: float) -> list[tuple[Level, str]]:
        at = datetime.now(UTC).timestamp() - seconds_ago
        return troubles(Replica("s", "http://s", "ready", metrics={"http_last_failure_timestamp_seconds": at}))

    assert failed(61) == []
    assert failed(5) == [(Level.DEGRADED, "s-service at http://s: a request was answered with a 5xx 5 s ago")]
    assert failed(-3) == [(Level.DEGRADED, "s-service at http://s: a request was answered with a 5xx 0 s ago")]
