"""Services that are killed without a warning while orders come in."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.trial import Trial

pytestmark = pytest.mark.asyncio(loop_scope="module")

SERVICES = ("order", "inventory", "processing", "notification")
# what a dead process was working on is free again after 30 s at most: visibility time-out and outbox lease
FREE_AFTER_S = 45.0


async def test_nothing_is_lost_or_doubled_when_each_service_is_killed(trial: Trial) -> None:
    processes = trial.system.stack.processes

    async def kill_each() -> None:
        for service in SERVICES:
            await asyncio.sleep(2)  # the load goes on: whatever the process does right then is cut off
            processes[f"{service}-service"].kill()
            await trial.system.ready(service)

    await trial.during(kill_each, seconds=14, settled_within_s=FREE_AFTER_S)
    assert [processes[f"{service}-service"].restarts for service in SERVICES] == [1, 1, 1, 1]
