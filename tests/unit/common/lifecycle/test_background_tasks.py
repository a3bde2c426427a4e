"""Background tasks are supervised while they run and cancelled with their owner."""

from __future__ import annotations

import asyncio
import logging

import pytest

from service_common.lifecycle import Readiness, background


async def forever() -> None:
    await asyncio.Event().wait()


async def test_work_ends_with_the_block(caplog: pytest.LogCaptureFixture) -> None:
    readiness = Readiness(cached_s=0)

    async with background(readiness, "relay", forever) as task:
        assert (await readiness.report()).ready

    assert task.cancelled()
    assert not caplog.records


async def test_task_that_dies_is_logged_and_the_process_not_ready(caplog: pytest.LogCaptureFixture) -> None:
    async def dies() -> None:
        raise ValueError("no such queue")

    readiness = Readiness(cached_s=0)

    async with background(readiness, "poller", dies) as task:
        await asyncio.wait([task])
        await asyncio.sleep(0)  # callbacks run in the next iteration of the loop
        [record] = caplog.records
        assert (record.levelno, record.message, vars(record)["task"]) == (
            logging.CRITICAL,
            "background task died",
            "poller",
        )
        assert record.exc_info
        assert not (await readiness.report()).ready


async def test_end_is_expected_only_while_the_process_drains(caplog: pytest.LogCaptureFixture) -> None:
    async def ends() -> None:
        pass

    readiness = Readiness()
    async with background(readiness, "poller", ends) as task:
        await asyncio.wait([task])
        await asyncio.sleep(0)
    assert [record.message for record in caplog.records] == ["background task ended"]
    caplog.clear()

    readiness.draining = True
    async with background(readiness, "poller", ends) as task:
        await asyncio.wait([task])
        await asyncio.sleep(0)
    assert not caplog.records


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
