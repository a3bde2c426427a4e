"""What arrives while a consumer is being stopped is not lost to it for a visibility timeout."""

from __future__ import annotations

import asyncio
from functools import partial

import pytest

from tests.support.events import Queues
from tests.support.system import System
from tests.support.waiting import eventually

pytestmark = pytest.mark.asyncio(loop_scope="session")

CONSUMERS = ("processing", "notification")
VISIBLE_AGAIN_WITHIN_S = 60.0
UNSENT = "SELECT count(*) FROM outbox_event WHERE sent_at IS NULL"


async def test_orders_placed_while_the_consumers_stop_are_dealt_with_at_the_next_start(system: System) -> None:
    product = await system.product("stopping", stock=1000)
    queues = Queues(system.sqs())
    for name in CONSUMERS:  # what a process held that was killed before is in flight for its visibility timeout
        await eventually(partial(_worked_off, queues, name), f"nothing for {name}", VISIBLE_AGAIN_WITHIN_S)
    processes = [system.stack.processes[f"{name}-service"] for name in CONSUMERS]
    stopping = asyncio.gather(*(process.stop(within_s=8) for process in processes))
    placed: list[int] = []
    while not stopping.done():
        placed.append((await system.place({product: 1})).json["id"])
        await asyncio.wait([stopping], timeout=0.1)
    await stopping
    await eventually(lambda: _sent(system), "the event of each order on the queues")
    # a message that went to a connection that was given up is in flight
    assert {name: await queues.hidden(f"{name}-queue") for name in CONSUMERS} == dict.fromkeys(CONSUMERS, 0)
    await asyncio.gather(*(process.start() for process in processes))
    for service in CONSUMERS:
        await system.ready(service)
    for order_id in placed:
        assert (await system.ended(order_id))["status"] == "CLOSED"
        await eventually(lambda order_id=order_id: _told(system, order_id), f"told of {order_id}")  # type: ignore[misc]


async def _worked_off(queues: Queues, name: str) -> bool | None:
    return await queues.waiting(f"{name}-queue") == 0 or None


async def _sent(system: System) -> bool | None:
    return system.rows("orders", UNSENT) == [(0,)] or None


async def _told(system: System, order_id: int) -> bool | None:
    found = (await system.call("notification", "GET", f"/notifications?orderId={order_id}")).json["notifications"]
    return {"CREATED", "CLOSED"} <= {each["kind"] for each in found} or None
