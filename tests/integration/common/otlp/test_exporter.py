"""Spans are exported to a collector; one that is away, slow or hanging costs spans, which are counted."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Iterator
from itertools import chain, repeat

import pytest

from service_common.config import TracesConfig
from service_common.observability import SpanKind, span, start_span, tracing
from service_common.otlp.exporter import ATTEMPTS, BATCH, MAX_BUFFERED, SpanExporter
from tests.support.otlp import Collector, collecting
from tests.support.waiting import PATIENCE_S, eventually

UNREACHABLE = "http://127.0.0.1:1"


@pytest.fixture
async def collector() -> AsyncIterator[Collector]:
    async with collecting() as collector:
        yield collector


@pytest.fixture
def exporters() -> Iterator[list[SpanExporter]]:
    opened: list[SpanExporter] = []
    yield opened
    for exporter in opened:
        exporter.close(0)


def spans(count: int) -> None:
    for _ in range(count):
        with tracing(None, name="one"):
            pass


async def test_span_arrives_with_all_that_it_has(collector: Collector) -> None:
    config = TracesConfig(
        endpoint=collector.url, headers={"x-key": "secret"}, resource={"deployment.environment.name": "test"}
    )
    exporter = SpanExporter("billing-service", config)
    other = start_span(None, name="other")
    with tracing(None, name="request", kind=SpanKind.SERVER) as request, span("call", SpanKind.CLIENT) as call:
        call.set("http.response.status_code", 503)
        call.set("url.path", "/bills/ü")
        call.fail("503", "unavailable")
        call.link(other)
    await asyncio.to_thread(exporter.close, PATIENCE_S)
    assert (exporter.exported, exporter.dropped) == (2, 0)
    assert collector.requests[0].headers["X-Key"] == "secret"
    child, parent = collector.trace(request.trace_id).named("call")[0], collector.trace(request.trace_id).spans[0]
    assert (parent.service, parent.name, parent.kind, parent.parent_id) == ("billing-service", "request", "SERVER", "")
    assert (child.parent_id, child.kind, child.failed, child.reason) == (request.span_id, "CLIENT", True, "unavailable")
    assert child.attributes == {"http.response.status_code": 503, "url.path": "/bills/ü", "error.type": "503"}
    assert child.links == [(other.trace_id, other.span_id)]
    assert (child.started_ns, child.ended_ns) == (call.started_ns, call.ended_ns)


async def test_all_spans_of_many_batches_arrive_once(collector: Collector) -> None:
    exporter = SpanExporter("billing-service", TracesConfig(endpoint=collector.url))
    spans(4 * BATCH + 7)
    await asyncio.to_thread(exporter.close, PATIENCE_S)
    assert (exporter.exported, exporter.dropped, len(collector.spans)) == (4 * BATCH + 7, 0, 4 * BATCH + 7)
    assert len(collector.requests) < 10


async def test_collector_that_is_overloaded_gets_the_batch_again(
    collector: Collector, caplog: pytest.LogCaptureFixture
) -> None:
    answers = chain((503, 429), repeat(200))
    collector.answer = lambda: next(answers)
    exporter = SpanExporter("billing-service", TracesConfig(endpoint=collector.url))
    with caplog.at_level(logging.WARNING):
        spans(3)

        async def sent() -> bool | None:
            return exporter.exported == 3 or None

        await eventually(sent, "the third attempt")
    assert [record.message for record in caplog.records] == ["trace export failed", "trace export recovered"]
    await asyncio.to_thread(exporter.close, 1)


async def test_spans_that_are_refused_are_dropped_and_counted(collector: Collector) -> None:
    collector.answer = lambda: 400
    exporter = SpanExporter("billing-service", TracesConfig(endpoint=collector.url))
    spans(3)
    await asyncio.to_thread(exporter.close, PATIENCE_S)
    assert (exporter.exported, exporter.dropped, len(collector.requests)) == (0, 3, 1)
    [spans_metric] = exporter.collect()
    assert {sample.labels["outcome"]: sample.value for sample in spans_metric.samples} == {"exported": 0, "dropped": 3}


async def test_collector_that_hangs_costs_spans_and_no_time(
    collector: Collector, exporters: list[SpanExporter]
) -> None:
    with collector.frozen():
        exporter = SpanExporter("billing-service", TracesConfig(endpoint=collector.url))
        exporters.append(exporter)
        spans(2 * MAX_BUFFERED)
        assert exporter.dropped >= MAX_BUFFERED - BATCH
        began = time.monotonic()
        await asyncio.to_thread(exporter.close, 0.2)
        assert time.monotonic() - began < 2.0
    assert exporter.exported + exporter.dropped == 2 * MAX_BUFFERED
    with tracing(None, name="after"):
        assert exporter.exported + exporter.dropped == 2 * MAX_BUFFERED


async def test_collector_that_is_away_is_given_up_after_some_attempts() -> None:
    exporter = SpanExporter("billing-service", TracesConfig(endpoint=UNREACHABLE))
    spans(3)

    async def dropped() -> bool | None:
        return exporter.dropped == 3 or None

    await eventually(dropped, f"{ATTEMPTS} attempts")
    await asyncio.to_thread(exporter.close, 1)
