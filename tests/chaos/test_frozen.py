"""Services that hang, connections and all, while orders come in."""

from __future__ import annotations

import asyncio

import pytest

from tests.support.processes import frozen
from tests.support.trial import Trial

pytestmark = pytest.mark.asyncio(loop_scope="module")

FROZEN_S = 8.0
FREE_AFTER_S = 45.0


@pytest.mark.parametrize("services", [("inventory",), ("order",), ("processing", "notification")], ids=" ".join)
async def test_nothing_is_lost_or_doubled_when_services_are_frozen(trial: Trial, services: tuple[str, ...]) -> None:
    async def freeze() -> None:
        await asyncio.sleep(2)
        with frozen(trial.system, *(f"{service}-service" for service in services)):
            await asyncio.sleep(FROZEN_S)
        for service in services:
            await trial.system.ready(service)

    await trial.during(freeze, seconds=FROZEN_S + 4, settled_within_s=FREE_AFTER_S)
