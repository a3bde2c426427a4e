"""Queue depths are polled on scrape, with a time limit and at most once per interval."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from service_common.observability import Metrics
from service_common.sqs import Sqs, measuring_depths
from service_common.sqs.queue_depth import QueueDepthGauges
from tests.support.waiting import PATIENCE_S

if TYPE_CHECKING:
    from tests.integration.common.conftest import Answer, Call, FaultySqs, TestQueue

ASK = "GetQueueAttributes"


def told(metrics: Metrics, queue: str, state: str) -> float | None:
    return metrics.registry.get_sample_value("orderstream_sqs_messages", {"queue": queue, "state": state})


def age_s(metrics: Metrics, queue: str) -> float | None:
    return metrics.registry.get_sample_value("orderstream_sqs_messages_age_seconds", {"queue": queue})


async def test_depths_of_the_queue_and_its_dead_letter_queue_are_measured(sqs: Sqs, queue: TestQueue) -> None:
    metrics = Metrics()
    await queue.send("a", "b", "c")
    await sqs.receive(await sqs.queue(queue.name), 1, 0)

    await QueueDepthGauges(sqs, queue.name, metrics, limit_s=PATIENCE_S).refresh()

    assert [told(metrics, queue.name, state) for state in ("visible", "in-flight", "delayed")] == [2, 1, 0]
    assert told(metrics, f"{queue.name}-dlq", "visible") == 0


async def test_concurrent_scrapes_poll_sqs_once_per_interval(sqs: Sqs, faulty: FaultySqs, queue: TestQueue) -> None:
    metrics = Metrics()
    depths = QueueDepthGauges(sqs, queue.name, metrics, interval_s=60, limit_s=PATIENCE_S)
    await asyncio.gather(*(depths.refresh() for _ in range(5)))
    asked = len(faulty.of(ASK))
    await queue.send("a")
    await depths.refresh()
    assert len(faulty.of(ASK)) == asked
    assert told(metrics, queue.name, "visible") == 0

    eager = QueueDepthGauges(sqs, queue.name, metrics, interval_s=0, limit_s=PATIENCE_S)
    await eager.refresh()
    await queue.send("b")
    await eager.refresh()
    assert told(metrics, queue.name, "visible") == 2


async def test_slow_answer_shows_on_the_next_scrape(sqs: Sqs, faulty: FaultySqs, queue: TestQueue) -> None:
    metrics = Metrics()
    answer = asyncio.Event()
    depths = QueueDepthGauges(sqs, queue.name, metrics, interval_s=60, limit_s=0.01)
    faulty.next(ASK, faulty.hold(answer))
    async with asyncio.timeout(PATIENCE_S):
        await depths.refresh()
    assert told(metrics, queue.name, "visible") is None
    answer.set()
    async with asyncio.timeout(PATIENCE_S):
        while told(metrics, queue.name, "visible") is None:
            await depths.refresh()
    assert len(faulty.of(ASK)) <= 3
    await depths.close()


async def test_values_stay_and_age_in_an_outage_that_is_logged_once(
    sqs: Sqs, faulty: FaultySqs, queue: TestQueue, caplog: pytest.LogCaptureFixture
) -> None:
    metrics = Metrics()
    depths = QueueDepthGauges(sqs, queue.name, metrics, interval_s=0, limit_s=PATIENCE_S)
    await queue.send("a")
    await depths.refresh()
    fresh_s = age_s(metrics, queue.name) or 0.0
    faulty.away = True
    await depths.refresh()
    await depths.refresh()

    assert told(metrics, queue.name, "visible") == 1
    assert (age_s(metrics, queue.name) or 0.0) > fresh_s
    complaints = [each for each in caplog.records if each.message == "queue depth poll failed"]
    assert [each.__dict__["queue"] for each in complaints] == [queue.name, f"{queue.name}-dlq"]


async def test_queue_is_measured_when_its_dead_letter_queue_is_refused(
    sqs: Sqs, faulty: FaultySqs, queue: TestQueue
) -> None:
    metrics = Metrics()
    await sqs.queue(queue.name)

    async def denied_for_dead_letters(call: Call) -> Answer:
        denied = call.body["QueueUrl"].endswith("-dlq")
        return await (faulty.fail(403, "AccessDeniedException")(call) if denied else call.forward(call.body))

    faulty.next(ASK, denied_for_dead_letters, denied_for_dead_letters)
    await QueueDepthGauges(sqs, queue.name, metrics, limit_s=PATIENCE_S).refresh()
    assert told(metrics, queue.name, "visible") == 0
    assert told(metrics, f"{queue.name}-dlq", "visible") is None


async def test_closed_gauges_do_not_poll(sqs: Sqs, faulty: FaultySqs, queue: TestQueue) -> None:
    metrics = Metrics()
    async with measuring_depths(sqs, queue.name, metrics):
        await metrics.refresh()
    asked = len(faulty.calls)
    await metrics.refresh()
    assert len(faulty.calls) == asked
