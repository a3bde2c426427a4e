"""A process is ready when all checks pass, and reports those that fail."""

from __future__ import annotations

import asyncio

from service_common.lifecycle import Readiness


async def there() -> None:
    pass


async def away() -> None:
    raise ConnectionError("connection refused")


async def hung() -> None:
    await asyncio.Event().wait()


async def test_ready_when_every_check_passes() -> None:
    readiness = Readiness()
    readiness.add("database", there)

    report = await readiness.report()

    assert report.ready
    assert report.checks == {"database": "ok"}


async def test_failed_check_is_reported_with_its_reason() -> None:
    readiness = Readiness(limit_s=0.01)
    readiness.add("database", there)
    readiness.add("queue", away)
    readiness.add("relay", hung)

    report = await readiness.report()

    assert not report.ready
    assert report.checks == {
        "database": "ok",
        "queue": "ConnectionError: connection refused",
        "relay": "no answer within 0.01 s",
    }


async def test_concurrent_reports_share_one_round_of_checks() -> None:
    rounds = 0

    async def counted() -> None:
        nonlocal rounds
        rounds += 1
        await asyncio.sleep(0)

    readiness = Readiness(cached_s=60)
    readiness.add("database", counted)

    await asyncio.gather(*(readiness.report() for _ in range(20)))

    assert rounds == 1


async def test_checks_run_again_when_the_results_are_old() -> None:
    outcomes = [ConnectionError(), None]

    async def changing() -> None:
        if error := outcomes.pop(0):
            raise error

    readiness = Readiness(cached_s=0)
    readiness.add("database", changing)

    assert not (await readiness.report()).ready
    assert (await readiness.report()).ready


async def test_draining_process_is_not_ready_at_once() -> None:
    readiness = Readiness(cached_s=60)
    readiness.add("database", there)
    assert (await readiness.report()).ready

    readiness.draining = True

    report = await readiness.report()
    assert not report.ready
    assert report.checks == {"process": "draining"}


async def test_process_is_not_ready_after_a_watched_task_died() -> None:
    end = asyncio.Event()

    async def dies() -> None:
        await end.wait()
        raise ValueError("no such queue")

    readiness = Readiness(cached_s=0)
    task = asyncio.create_task(dies())
    readiness.watch("poller", task)
    assert (await readiness.report()).ready

    end.set()
    await asyncio.wait([task])

    report = await readiness.report()
    assert report.checks == {"poller": "TaskEndedError: died of ValueError: no such queue"}


async def test_process_is_not_ready_after_a_watched_task_ended() -> None:
    readiness = Readiness(cached_s=0)
    task = asyncio.create_task(there())
    readiness.watch("poller", task)

    await asyncio.wait([task])

    assert (await readiness.report()).checks == {"poller": "TaskEndedError: ended"}
