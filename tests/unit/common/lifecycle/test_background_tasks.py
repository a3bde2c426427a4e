"""Background tasks are started again when they die, and cancelled with their owner."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

import pytest

from service_common.backoff import Backoff
from service_common.lifecycle import Readiness, background, log_death, uncancelled
from service_common.lifecycle.background_tasks import BACKOFF, MAX_DEATHS
from service_common.observability import Metrics
from tests.support.waiting import PATIENCE_S


@pytest.fixture(autouse=True)
def short_delays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service_common.lifecycle.background_tasks.BACKOFF", Backoff(base_s=0.001, cap_s=0.001))


async def forever() -> None:
    await asyncio.Event().wait()


async def raises() -> None:
    raise ValueError("no such queue")


async def returns() -> None:
    pass


async def awaits_what_is_cancelled() -> None:
    awaited = asyncio.get_running_loop().create_future()
    awaited.cancel()
    await awaited


class Mortal:
    """Work that ends *times* times as *death* does, and then goes on."""

    def __init__(self, death: Callable[[], object], times: int = 1) -> None:
        self.starts = 0
        self.recovered = asyncio.Event()
        self._death = death
        self._times = times

    async def run(self) -> None:
        self.starts += 1
        if self.starts <= self._times:
            await self._death()  # type: ignore[misc]  # a coroutine function
            return
        self.recovered.set()
        await forever()


def restarts(metrics: Metrics, task: str) -> float | None:
    return metrics.registry.get_sample_value("orderstream_background_task_restarts_total", {"task": task})


async def test_work_ends_with_the_block(caplog: pytest.LogCaptureFixture) -> None:
    readiness = Readiness(cached_s=0)

    async with background(readiness, "relay", forever) as task:
        await asyncio.sleep(0)
        assert (await readiness.report()).checks == {"relay": "ok"}

    assert task.cancelled()
    assert not caplog.records


@pytest.mark.parametrize("death", [raises, returns, awaits_what_is_cancelled])
async def test_work_that_ends_is_logged_counted_and_started_again(
    death: Callable[[], object], caplog: pytest.LogCaptureFixture
) -> None:
    metrics = Metrics()
    readiness = Readiness(metrics, cached_s=0)
    work = Mortal(death, times=2)

    async with asyncio.timeout(PATIENCE_S), background(readiness, "poller", work.run):
        await work.recovered.wait()
        assert (await readiness.report()).checks == {"poller": "ok"}

    assert work.starts == 3
    assert restarts(metrics, "poller") == 2
    assert [(each.levelno, each.message, vars(each)["deaths"]) for each in caplog.records] == [
        (logging.CRITICAL, "background task died", 1),
        (logging.CRITICAL, "background task died", 2),
    ]
    assert all(each.exc_info and vars(each)["task"] == "poller" for each in caplog.records)


async def test_process_is_not_ready_until_the_work_is_started_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service_common.lifecycle.background_tasks.BACKOFF", Backoff(base_s=60, cap_s=60))
    readiness = Readiness(cached_s=0)

    async with background(readiness, "poller", raises):
        await asyncio.sleep(0)
        report = await readiness.report()

    assert not report.ready
    assert report.checks == {"poller": "restarting"}


async def test_work_that_keeps_dying_stops_the_process() -> None:
    readiness = Readiness(cached_s=0)
    work = Mortal(raises, times=1_000)

    async with asyncio.timeout(PATIENCE_S), background(readiness, "poller", work.run):
        await readiness.stop.wait()
        assert not (await readiness.report()).ready

    assert readiness.failed
    assert work.starts == MAX_DEATHS


async def test_deaths_with_a_quiet_time_between_do_not_stop_the_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("service_common.lifecycle.background_tasks.QUIET_S", 0.0)
    work = Mortal(raises, times=2 * MAX_DEATHS)
    readiness = Readiness()

    async with asyncio.timeout(PATIENCE_S), background(readiness, "poller", work.run):
        await work.recovered.wait()

    assert not readiness.failed


def test_work_is_started_again_within_five_seconds() -> None:
    assert BACKOFF.bound_s(1) <= 1
    assert max(BACKOFF.bound_s(deaths) for deaths in range(1, MAX_DEATHS + 1)) < 5


async def test_end_is_expected_while_the_process_drains(caplog: pytest.LogCaptureFixture) -> None:
    readiness = Readiness()
    readiness.draining = True
    work = Mortal(returns)

    async with background(readiness, "poller", work.run) as task:
        await asyncio.wait([task])

    assert work.starts == 1
    assert not caplog.records


async def test_death_while_the_process_drains_is_logged_and_final(caplog: pytest.LogCaptureFixture) -> None:
    readiness = Readiness()
    readiness.draining = True
    work = Mortal(raises)

    async with background(readiness, "poller", work.run) as task:
        await asyncio.wait([task])

    assert work.starts == 1
    assert not readiness.failed
    assert [record.message for record in caplog.records] == ["background task died"]


async def test_block_ends_after_the_task_has_cleaned_up() -> None:
    cleaned = False

    async def careful() -> None:
        nonlocal cleaned
        try:
            await forever()
        finally:
            await asyncio.sleep(0)
            cleaned = True

    async with background(Readiness(), "relay", careful):
        await asyncio.sleep(0)

    assert cleaned


async def test_task_of_a_group_that_is_cancelled_by_nobody_ends_the_group() -> None:
    async def grouped() -> None:
        async with asyncio.timeout(PATIENCE_S), asyncio.TaskGroup() as group:
            group.create_task(uncancelled(awaits_what_is_cancelled))
            await forever()

    with pytest.raises(ExceptionGroup, match="unhandled errors"):
        await grouped()


async def test_cancellation_of_a_task_stays_one() -> None:
    async with asyncio.TaskGroup() as group:
        task = group.create_task(uncancelled(forever))
        await asyncio.sleep(0)
        task.cancel()
    assert task.cancelled()


async def test_error_of_a_task_that_nobody_awaits_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    task = asyncio.create_task(raises(), name="catch-up")
    task.add_done_callback(log_death)
    await asyncio.wait([task])
    [record] = caplog.records
    assert (record.message, vars(record)["task"]) == ("task died", "catch-up")
