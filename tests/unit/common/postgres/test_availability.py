from __future__ import annotations

import asyncio

import pytest

from service_common.backoff import Backoff
from service_common.postgres import DatabaseUnavailableError
from service_common.postgres.availability import Availability
from tests.support.waiting import PATIENCE_S


class Probe:
    """Fails *failures* times, then succeeds."""

    def __init__(self, failures: int) -> None:
        self.failures = failures
        self.calls = 0

    async def __call__(self) -> None:
        self.calls += 1
        await asyncio.sleep(0)
        if self.calls <= self.failures:
            raise DatabaseUnavailableError("still away")


async def test_lost_database_is_down_until_a_probe_succeeds() -> None:
    probe = Probe(failures=3)
    availability = Availability(probe, Backoff(0.001, 0.002))
    seen = [availability.up]
    availability.lost("gone")
    seen.append(availability.up)
    async with asyncio.timeout(PATIENCE_S):
        await availability.wait()
    seen.append(availability.up)
    assert seen == [True, False, True]
    assert probe.calls == 4


@pytest.mark.parametrize(("failures", "told"), [(0, []), (2, ["database lost", "database recovered"])])
async def test_loss_and_recovery_are_told_once_each_or_neither(
    caplog: pytest.LogCaptureFixture, failures: int, told: list[str]
) -> None:
    caplog.set_level("INFO")
    availability = Availability(Probe(failures), Backoff(0.001, 0.002))
    availability.lost("gone")
    async with asyncio.timeout(PATIENCE_S):
        await availability.wait()
    assert [record.getMessage() for record in caplog.records] == told


@pytest.mark.parametrize("defect", [ValueError("not enough values to unpack"), asyncio.CancelledError()], ids=repr)
async def test_probe_that_crashes_is_repeated(defect: BaseException) -> None:
    outcomes: list[BaseException] = [defect]

    async def probe() -> None:
        await asyncio.sleep(0)
        if outcomes:
            raise outcomes.pop()

    availability = Availability(probe, Backoff(0.001, 0.002))
    availability.lost("gone")
    async with asyncio.timeout(PATIENCE_S):
        await availability.wait()
    assert availability.up


async def test_concurrent_losses_start_one_probe() -> None:
    probe = Probe(failures=0)
    availability = Availability(probe)
    for _ in range(10):
        availability.lost("gone")
    async with asyncio.timeout(PATIENCE_S):
        await availability.wait()
    assert probe.calls == 1


async def test_recovered_database_can_be_lost_again() -> None:
    probe = Probe(failures=0)
    availability = Availability(probe)
    for _ in range(2):
        availability.lost("gone")
        async with asyncio.timeout(PATIENCE_S):
            await availability.wait()
    assert probe.calls == 2


async def test_close_stops_probing() -> None:
    probe = Probe(failures=1_000_000)
    availability = Availability(probe, Backoff(3600.0, 3600.0))
    availability.lost("gone")
    await asyncio.sleep(0)
    await availability.close()
    calls = probe.calls
    availability.lost("gone again")
    await asyncio.sleep(0)
    assert probe.calls == calls
    assert not availability.up
