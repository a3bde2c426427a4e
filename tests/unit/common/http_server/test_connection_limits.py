from __future__ import annotations

import asyncio
import logging

import pytest

from service_common.http_server.connection_limits import AT_ONCE, Edge, EdgeLimits
from service_common.observability import Metrics

LIMITS = EdgeLimits(files=12)


class Wire:
    """A connection that is what a test says."""

    def __init__(self, overdue: str | None = None, *, stream: bool = False) -> None:
        self.reason = overdue
        self.stream = stream
        self.asked = 0
        self.ends: list[str] = []

    def is_stream(self) -> bool:
        self.asked += 1
        return self.stream

    def overdue(self, now: float, limits: EdgeLimits) -> str | None:  # noqa: ARG002 - as a connection has them
        return self.reason

    def cut(self, reason: str) -> None:
        self.ends.append(reason)


def cuts(metrics: Metrics, reason: str) -> float:
    return metrics.registry.get_sample_value("orderstream_http_connections_cut_total", {"reason": reason}) or 0


def test_connection_is_not_taken_when_the_files_before_it_are_all_there_is_room_for() -> None:
    metrics = Metrics()
    edge = Edge(LIMITS, metrics)
    first, second, third = Wire(), Wire(), Wire()
    assert [edge.enter(first, 5), edge.enter(second, 11), edge.enter(third, 12)] == [True, True, False]
    assert (edge.open, cuts(metrics, "full")) == (2, 1)
    assert metrics.registry.get_sample_value("orderstream_http_connections") == 2
    edge.leave(first)
    assert edge.open == 1


async def test_sweep_ends_what_is_overdue_and_nothing_else() -> None:
    metrics = Metrics()
    edge = Edge(LIMITS, metrics)
    slow, busy = Wire("head"), Wire()
    edge.enter(slow, 5)
    edge.enter(busy, 6)
    await edge.sweep(0.0)
    assert (slow.ends, busy.ends) == (["head"], [])
    assert cuts(metrics, "head") == 1


async def test_sweep_of_many_leaves_out_who_left_meanwhile() -> None:
    edge = Edge(EdgeLimits(files=10_000), Metrics())
    wires = [Wire("head") for _ in range(3 * AT_ONCE)]
    for file, wire in enumerate(wires):
        edge.enter(wire, file)
    sweep = asyncio.create_task(edge.sweep(0.0))
    await asyncio.sleep(0)
    assert sum(map(len, (wire.ends for wire in wires))) == AT_ONCE
    for wire in wires:
        edge.leave(wire)
    await sweep
    assert sum(map(len, (wire.ends for wire in wires))) == AT_ONCE


async def test_stream_is_looked_at_once() -> None:
    edge = Edge(LIMITS, Metrics())
    stream = Wire("unread", stream=True)
    edge.enter(stream, 5)
    for _ in range(3):
        await edge.sweep(0.0)
    assert (stream.ends, stream.asked, edge.open) == ([], 1, 0)
    edge.leave(stream)


async def test_cuts_are_told_once_a_sweep(caplog: pytest.LogCaptureFixture) -> None:
    edge = Edge(LIMITS, Metrics())
    for file in range(9, 15):
        edge.enter(Wire(), file)
    with caplog.at_level(logging.WARNING):
        await edge.sweep(0.0)
        await edge.sweep(1.0)
    [line] = caplog.records
    assert (line.message, line.__dict__["reasons"]) == ("connections cut", {"full": 3})
