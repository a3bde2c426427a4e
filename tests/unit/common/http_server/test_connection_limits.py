from __future__ import annotations

import asyncio
import logging

import pytest

from service_common.http_server.connection_limits import CHECKED_AT_ONCE, ConnectionLimiter, ConnectionLimits
from service_common.observability import Metrics

LIMITS = ConnectionLimits(files=12)


class Wire:
    """A connection in the state that a test sets."""

    def __init__(self, overdue: str | None = None, *, stream: bool = False) -> None:
        self.reason = overdue
        self.stream = stream
        self.asked = 0
        self.ends: list[str] = []

    def is_stream(self) -> bool:
        self.asked += 1
        return self.stream

    def overdue(self, now: float, limits: ConnectionLimits) -> str | None:  # noqa: ARG002 - as a connection has them
        return self.reason

    def cut(self, reason: str) -> None:
        self.ends.append(reason)


def cuts(metrics: Metrics, reason: str) -> float:
    return metrics.registry.get_sample_value("orderstream_http_connections_cut_total", {"reason": reason}) or 0


def test_connection_beyond_the_limit_of_files_is_refused() -> None:
    metrics = Metrics()
    limiter = ConnectionLimiter(LIMITS, metrics)
    first, second, third = Wire(), Wire(), Wire()
    assert [limiter.admit(first, 5), limiter.admit(second, 11), limiter.admit(third, 12)] == [True, True, False]
    assert (limiter.open, cuts(metrics, "full")) == (2, 1)
    assert metrics.registry.get_sample_value("orderstream_http_connections") == 2
    limiter.remove(first)
    assert limiter.open == 1


async def test_sweep_cuts_only_overdue_connections() -> None:
    metrics = Metrics()
    limiter = ConnectionLimiter(LIMITS, metrics)
    slow, busy = Wire("head"), Wire()
    limiter.admit(slow, 5)
    limiter.admit(busy, 6)
    await limiter.sweep(0.0)
    assert (slow.ends, busy.ends) == (["head"], [])
    assert cuts(metrics, "head") == 1


async def test_sweep_skips_connections_that_closed_meanwhile() -> None:
    limiter = ConnectionLimiter(ConnectionLimits(files=10_000), Metrics())
    wires = [Wire("head") for _ in range(3 * CHECKED_AT_ONCE)]
    for file, wire in enumerate(wires):
        limiter.admit(wire, file)
    sweep = asyncio.create_task(limiter.sweep(0.0))
    await asyncio.sleep(0)
    assert sum(map(len, (wire.ends for wire in wires))) == CHECKED_AT_ONCE
    for wire in wires:
        limiter.remove(wire)
    await sweep
    assert sum(map(len, (wire.ends for wire in wires))) == CHECKED_AT_ONCE


async def test_stream_is_checked_once() -> None:
    limiter = ConnectionLimiter(LIMITS, Metrics())
    stream = Wire("unread", stream=True)
    limiter.admit(stream, 5)
    for _ in range(3):
        await limiter.sweep(0.0)
    assert (stream.ends, stream.asked, limiter.open) == ([], 1, 0)
    limiter.remove(stream)


async def test_cuts_are_logged_once_a_sweep(caplog: pytest.LogCaptureFixture) -> None:
    limiter = ConnectionLimiter(LIMITS, Metrics())
    for file in range(9, 15):
        limiter.admit(Wire(), file)
    with caplog.at_level(logging.WARNING):
        await limiter.sweep(0.0)
        await limiter.sweep(1.0)
    [line] = caplog.records
    assert (line.message, line.__dict__["reasons"]) == ("connections cut", {"full": 3})
