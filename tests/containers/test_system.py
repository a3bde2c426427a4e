"""The system of compose.yaml, from its images, in containers. The tests run in this order."""

from __future__ import annotations

import io
import secrets
from functools import partial
from typing import TYPE_CHECKING, cast

import aiohttp
import pytest
from rich.console import Console

from orderstream_local.sign_in import CUSTOMER
from orderstream_local.walkthrough import walk
from orderstream_local.watcher import watching
from tests.containers.deployment import Deployment
from tests.containers.images import SERVICES
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from orderstream_local.stack import Stack

pytestmark = pytest.mark.timeout(300)
WITHIN_S = 20.0
RECOVERED_WITHIN_S = 60.0  # a database is away, then its new address has to be known, then circuits have to close


async def test_the_use_cases_pass_through_nginx_over_http_sse_and_websocket(system: Deployment) -> None:
    shown = io.StringIO()
    assert await walk(cast("Stack", system), Console(file=shown, width=160)) == 0, shown.getvalue()


@pytest.mark.parametrize("service", SERVICES)
async def test_orders_are_fulfilled_after_a_restart_of(service: str, system: Deployment) -> None:
    system.restart(service)
    await fulfil_an_order(system)


async def fulfil_an_order(system: Deployment) -> None:
    authorize = partial(system.authorization, CUSTOMER)
    async with aiohttp.ClientSession() as session, watching(session, system.url("order"), authorize) as watcher:
        order_id = await place_an_order(system, session)
        assert await watcher.wait_for(order_id, "CLOSED", WITHIN_S)
        for protocol in ("SSE", "WebSocket"):
            assert watcher.kinds(order_id, protocol) == ["CREATED", "CLOSED"]


async def place_an_order(system: Deployment, session: aiohttp.ClientSession) -> int:
    """Place an order as clients should: again with the same key, while nginx has an address from before a restart."""
    body = {"orderItems": [{"productId": "123", "quantity": 1}]}
    key = {"Idempotency-Key": secrets.token_hex(8)}

    async def placed() -> int | None:
        async with session.post(f"{system.url('order')}/orders", json=body, headers=key) as response:
            if response.status in {502, 503, 504}:
                return None
            assert response.status == 201, await response.text()
            order_id: int = (await response.json())["id"]
            return order_id

    return await eventually(placed, "an order", RECOVERED_WITHIN_S)


def test_they_stop_in_order_and_within_their_grace(system: Deployment) -> None:
    system.stop()
    assert set(system.stopped) == {each for name in SERVICES for each in system.containers(name)}
    assert {name: status for name, (status, _) in system.stopped.items() if status != 0} == {}
    assert {name: seconds for name, (_, seconds) in system.stopped.items() if seconds > 9} == {}
