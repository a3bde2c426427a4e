"""A visitor breaks the demo with a click, and it heals."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from tests.support.system import System
from tests.support.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def press(system: System, control: str) -> dict[str, Any]:
    page = system.stack.url("web")
    async with system.session.post(f"{page}/demo/{control}", json={}, headers={"Origin": page}) as answer:
        assert answer.status == 200, await answer.text()
        return dict(await answer.json())


async def answers(system: System, service: str) -> bool:
    try:
        async with asyncio.timeout(1):
            return (await system.call(service, "GET", "/health/live")).status == 200
    except TimeoutError:
        return False


async def test_hundred_orders_are_placed(system: System) -> None:
    before = (await system.call("order", "GET", "/orders?limit=1")).json["orders"]
    assert await press(system, "orders") == {"placed": 100, "refused": 0}
    newest = (await system.call("order", "GET", "/orders?limit=1")).json["orders"][0]["id"]
    assert newest >= 100 + (before[0]["id"] if before else 0)
    for order_id in range(newest - 99, newest + 1):
        await system.ended(order_id)


async def test_inventory_is_frozen_for_a_time(system: System) -> None:
    assert await press(system, "freeze-inventory") == {"frozen": system.stack.replicas("inventory"), "seconds": 20}
    assert not await answers(system, "inventory")

    async def goes_on() -> bool | None:
        return await answers(system, "inventory") or None

    await eventually(goes_on, "the inventory service goes on", within_s=40)


async def test_killed_processing_is_started_again(system: System) -> None:
    process = system.stack.processes["processing-service"]
    restarts = process.restarts
    assert await press(system, "kill-processing") == {"killed": system.stack.replicas("processing")}

    async def restarted() -> bool | None:
        return process.restarts > restarts or None

    await eventually(restarted, "processing is started again")
    await system.ready("processing")
