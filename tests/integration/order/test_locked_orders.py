"""An order whose row another transaction holds: its changes are to be tried again, other orders change as ever."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TypeAlias

import psycopg2
import pytest
from aiohttp import ClientResponse, web
from aiohttp.test_utils import TestClient

from order_service.config import Config
from tests.support.waiting import until_ready

Api: TypeAlias = TestClient[web.Request, web.Application]
ITEMS = {"orderItems": [{"productId": "123", "quantity": 1}]}
INTERNAL = {"Authorization": "Bearer token-of-the-services"}

CHANGES: dict[str, Callable[[Api, int], Awaitable[ClientResponse]]] = {
    "amend": lambda api, order: api.put(f"/orders/{order}", json=ITEMS),
    "cancel": lambda api, order: api.delete(f"/orders/{order}"),
    "close": lambda api, order: api.post(f"/order/close/{order}", json={"version": 1}, headers=INTERNAL),
    "fail": lambda api, order: api.post(
        f"/order/fail/{order}", json={"version": 1, "reason": "no stock"}, headers=INTERNAL
    ),
}


async def test_locked_order_of_a_batch_is_busy_and_the_others_are_closed_at_once(api: Api, config: Config) -> None:
    locked, *free = [(await (await api.post("/orders", json=ITEMS)).json())["id"] for _ in range(3)]
    body = {"orders": [{"orderId": number, "version": 1} for number in (free[0], locked, free[1])]}
    with psycopg2.connect(config.database_url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT FROM orders WHERE id = %s FOR UPDATE", (locked,))
        answer = await api.post("/order/close", json=body, headers=INTERNAL)
        first, busy, last = (await answer.json())["outcomes"]
        assert (first, last) == tuple({"id": number, "status": "CLOSED"} for number in free)
        assert (busy["problem"]["type"], busy["problem"]["status"]) == ("urn:orderstream:problem:resource-busy", 503)
    connection.close()
    answer = await api.post("/order/close", json=body, headers=INTERNAL)
    assert [each["status"] for each in (await answer.json())["outcomes"]] == ["CLOSED"] * 3


@pytest.mark.parametrize("change", CHANGES)
async def test_change_of_a_locked_order_is_to_be_tried_again(api: Api, config: Config, change: str) -> None:
    locked, other = [(await (await api.post("/orders", json=ITEMS)).json())["id"] for _ in range(2)]
    with psycopg2.connect(config.database_url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT FROM orders WHERE id = %s FOR UPDATE", (locked,))
        refused = await CHANGES[change](api, locked)
        problem = await refused.json()
        assert (refused.status, refused.headers["Retry-After"]) == (503, "1")
        assert problem["type"] == "urn:orderstream:problem:resource-busy"
        assert "relation" not in problem["detail"]
        assert (await api.delete(f"/orders/{other}")).status == 200
        await until_ready(lambda: api.get("/health/ready"))
    connection.close()
    assert (await CHANGES[change](api, locked)).status == 200
