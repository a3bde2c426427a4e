"""SQS and CloudWatch frozen, and killed with everything on the queues, while orders come in."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping

import pytest

from tests.support.processes import frozen
from tests.support.trial import Trial

pytestmark = pytest.mark.asyncio(loop_scope="module")

FROZEN_S = 22.0
RECONCILE_AFTER_S = 5.0
FREE_AFTER_S = 60.0


@pytest.fixture(scope="module")
def environ() -> Mapping[str, str]:
    """Orders that nobody seems to work on are announced again soon, and missing notifications restored."""
    return {"RECONCILE_AFTER_S": str(RECONCILE_AFTER_S)}


async def test_orders_are_taken_while_sqs_is_frozen_and_finish_afterwards(trial: Trial) -> None:
    slowest_s = 0.0

    async def freeze() -> None:
        nonlocal slowest_s
        await asyncio.sleep(2)
        with frozen(trial.system, "emulator"):
            thaw_at = time.monotonic() + FROZEN_S
            while time.monotonic() < thaw_at:
                began = time.monotonic()
                assert (await trial.system.call("order", "GET", "/orders?limit=1")).status == 200
                slowest_s = max(slowest_s, time.monotonic() - began)
                await asyncio.sleep(0.2)

    await trial.during(freeze, seconds=FROZEN_S + 4, settled_within_s=FREE_AFTER_S)
    assert set(trial.ledger.statuses) <= {201, 409}  # neither the events nor the log held up a request
    assert slowest_s < 1.0


async def test_orders_finish_and_are_told_when_the_queues_are_lost(trial: Trial) -> None:
    async def kill() -> None:
        await asyncio.sleep(4)
        trial.system.stack.processes["emulator"].kill()

    await trial.during(kill, seconds=10, settled_within_s=FREE_AFTER_S)
    assert trial.system.stack.processes["emulator"].restarts == 1
