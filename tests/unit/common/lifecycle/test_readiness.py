"""A process is ready when all checks pass, and reports those that fail."""

from __future__ import annotations

import asyncio

import pytest

from service_common.lifecycle import Readiness
from service_common.postgres import DatabaseUnavailableError


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
        "queue": "failed",
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


async def test_report_shows_no_words_of_an_error_which_are_in_the_log_once(caplog: pytest.LogCaptureFixture) -> None:
    async def refused() -> None:
        raise DatabaseUnavailableError('connection to server at "10.1.2.3" failed: no such user "orders"')

    readiness = Readiness(cached_s=0)
    readiness.add("database", refused)

    reports = [await readiness.report() for _ in range(3)]

    assert {report.checks["database"] for report in reports} == {"database-unavailable"}
    [record] = caplog.records
    assert (record.message, vars(record)["check"]) == ("readiness check failed", "database")
    assert "10.1.2.3" in vars(record)["reason"]
