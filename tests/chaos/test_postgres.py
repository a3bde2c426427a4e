"""PostgreSQL killed, restarted and frozen while orders come in."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.problems import refused
from tests.support.processes import frozen
from tests.support.system import System
from tests.support.trial import Trial
from tests.support.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="module")

SERVICES = ("order", "inventory", "processing", "notification")
FREE_AFTER_S = 45.0


async def all_ready(system: System) -> None:
    for service in SERVICES:
        await system.ready(service)


async def test_nothing_is_lost_or_doubled_when_postgres_is_killed(trial: Trial) -> None:
    async def kill() -> None:
        await asyncio.sleep(4)
        trial.system.stack.processes["postgres"].kill()
        await all_ready(trial.system)

    await trial.during(kill, seconds=10, settled_within_s=FREE_AFTER_S)
    assert trial.system.stack.processes["postgres"].restarts >= 1


async def test_nothing_is_lost_or_doubled_when_postgres_is_away_for_a_while(trial: Trial) -> None:
    async def restart() -> None:
        await asyncio.sleep(2)
        await trial.system.stack.processes["postgres"].stop(within_s=8)
        await asyncio.sleep(6)  # how long it is away is the fault itself
        refused(await trial.system.place({"123": 1}), 503)
        await trial.system.stack.processes["postgres"].start()
        await all_ready(trial.system)

    await trial.during(restart, seconds=12, settled_within_s=FREE_AFTER_S)


async def test_nothing_is_lost_or_doubled_when_postgres_is_frozen(trial: Trial) -> None:
    async def not_ready() -> bool | None:
        return (await trial.system.call("order", "GET", "/health/ready")).status == 503 or None

    async def freeze() -> None:
        await asyncio.sleep(2)
        with frozen(trial.system, "postgres"):
            await eventually(not_ready, "the order service missing its database")
            assert (await trial.system.call("order", "GET", "/health/live")).status == 200
            await asyncio.sleep(8)
        await all_ready(trial.system)

    await trial.during(freeze, seconds=14, settled_within_s=FREE_AFTER_S)
