"""What a process logs of itself."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from service_common.errors import TransientError
from service_common.lifecycle import Measurements, Readiness
from service_common.observability import Metrics
from tests.support.waiting import eventually, meanwhile


async def away() -> None:
    raise TransientError("connection refused")


def lines(caplog: pytest.LogCaptureFixture) -> list[Any]:
    return [record for record in caplog.records if record.message == "service measured"]


async def test_line_has_gauges_added_up_and_counters_since_the_line_before(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    metrics = Metrics()
    measurements = Measurements(metrics, Readiness(metrics))
    connections = metrics.gauge("connections", "Connections.", ("protocol",))
    connections.labels("sse").set(2)
    connections.labels("ws").set(3)
    sent = metrics.counter("sent_total", "Sent.", ("queue",))
    sent.labels("a").inc(5)
    sent.labels("b").inc()
    metrics.request("GET", "/", 200, 0.1)  # a histogram: the log has each request

    await measurements.once()
    sent.labels("b").inc()
    await measurements.once()

    first, second = (each.metrics for each in lines(caplog))
    assert first == {"connections": 5.0, "sent_total": 6.0}
    assert second == {"connections": 5.0, "sent_total": 1.0}


async def test_line_has_the_checks_which_are_gauges_too(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    metrics = Metrics()
    readiness = Readiness(metrics)
    readiness.add("database", away)

    await Measurements(metrics, readiness).once()

    assert lines(caplog)[0].checks == {"database": TransientError.slug}
    assert b'orderstream_readiness_check_passed{check="database"} 0.0' in metrics.exposition()


async def test_it_is_logged_at_once_and_again_and_again(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)

    async def logged() -> bool | None:
        return len(lines(caplog)) > 2 or None

    async with meanwhile(Measurements(Metrics(), Readiness(), interval_s=0.001).run()):
        await eventually(logged, "three lines")


async def test_checks_are_made_for_every_second_line(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.INFO)
    made = 0

    async def check() -> None:
        nonlocal made
        made += 1

    readiness = Readiness(cached_s=0.0)
    readiness.add("queue", check)
    measurements = Measurements(Metrics(), readiness, interval_s=3600)
    await measurements.once()
    await measurements.once()

    assert made == 1
    assert [each.checks for each in lines(caplog)] == [{"queue": "ok"}, {"queue": "ok"}]
