"""Steps of several sagas that are due at the same time share a request; each has its own outcome."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from aiohttp import web
from aiohttp.pytest_plugin import AiohttpServer

from inventory_service.app import create_app
from inventory_service.app_keys import INVENTORY
from inventory_service.config import Config
from inventory_service.service import InventoryService
from order_contracts import Item
from processing_service import inventory_client
from processing_service.inventory_client import HttpStockGateway
from processing_service.order_client import HttpOrderGateway
from processing_service.saga import Refused, Succeeded, Unanswered, Withdrawn
from service_common.http_client import RetryingClient, RetryPolicy
from service_common.http_server import METRICS
from tests.support.in_memory.inventory import InMemoryStock
from tests.support.waiting import PATIENCE_S

TOKEN = "secret"
CONFIG = Config.from_environ(
    {"SERVICE_TOKEN": TOKEN, "AUTH_MODE": "open", "DATABASE_URL": "postgresql://nowhere/inventory"}
)
SHARED, ALONE = "/inventory/decrements", "/inventory/decrement"


@dataclass
class Inventory:
    """The inventory service in memory; *answer*, when set, replaces its answer to a shared request."""

    gateway: HttpStockGateway
    asked: list[str] = field(default_factory=list)
    answer: web.Response | None = None

    async def take(self, *wanted: tuple[str, int]) -> list[Any]:
        return await asyncio.gather(
            *(self.gateway.take(f"{product}:{number}", (Item(product, number),)) for product, number in wanted)
        )


@pytest.fixture
async def inventory(aiohttp_server: AiohttpServer, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Inventory]:
    unhurried = replace(inventory_client._TAKE, attempt_timeout_s=PATIENCE_S, deadline_s=PATIENCE_S)
    monkeypatch.setattr(inventory_client, "_TAKE", unhurried)  # thirty at once take a busy machine seconds

    async def stocked(app: web.Application) -> AsyncIterator[None]:
        stock = InMemoryStock()
        await stock.add("a", 10)
        app[INVENTORY] = InventoryService(stock, app[METRICS])
        yield

    @web.middleware
    async def counted(request: web.Request, handler: Any) -> web.StreamResponse:
        found.asked.append(request.path)
        if request.path == SHARED and found.answer is not None:
            return found.answer
        answer: web.StreamResponse = await handler(request)
        return answer

    app = create_app(CONFIG, [stocked])
    app.middlewares.append(counted)
    url = str((await aiohttp_server(app)).make_url(""))
    policy = RetryPolicy(attempts=1, connect_timeout_s=PATIENCE_S)
    async with RetryingClient([url], name="inventory-service", token=TOKEN, policy=policy) as client:
        found = Inventory(HttpStockGateway(client))
        yield found


async def test_lone_step_has_a_request_of_its_own(inventory: Inventory) -> None:
    assert await inventory.take(("a", 1)) == [Succeeded()]
    assert inventory.asked == [ALONE]


async def test_steps_of_the_same_moment_share_a_request_and_none_an_outcome(inventory: Inventory) -> None:
    taken, short, unknown, last = await inventory.take(("a", 6), ("a", 5), ("b", 1), ("a", 4))
    assert (taken, last) == (Succeeded(), Succeeded())
    assert short == Refused("Not enough stock: a has 4 of 5.")
    assert unknown == Refused("Unknown product: b.")
    assert inventory.asked == [SHARED]


async def test_more_than_fit_in_a_request_have_several(inventory: Inventory) -> None:
    assert len(await inventory.take(*(("b", number) for number in range(1, 202)))) == 201
    assert inventory.asked == [SHARED, SHARED, ALONE]


async def test_those_that_do_not_fit_in_a_request_have_one_each(inventory: Inventory) -> None:
    large = tuple(Item(f"{number:064}", 1) for number in range(100))
    outcomes = await asyncio.gather(*(inventory.gateway.take(str(number), large) for number in range(30)))
    assert {type(each) for each in outcomes} == {Refused}
    assert inventory.asked == [ALONE] * 30


BUSY = {"type": "urn:orderstream:problem:resource-busy", "status": 503}


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(lambda: web.Response(status=404, text="no such path"), id="a replica without the batch form"),
        pytest.param(lambda: web.json_response({"outcomes": []}), id="too few outcomes"),
        pytest.param(lambda: web.json_response({"outcomes": [{"problem": BUSY}] * 2}), id="locked by others"),
        pytest.param(lambda: web.json_response({"outcomes": [{}, None]}), id="outcomes of another kind"),
        pytest.param(
            lambda: web.json_response({"type": "urn:orderstream:problem:invalid"}, status=422, content_type=PROBLEM),
            id="one that is not valid",
        ),
    ],
)
async def test_what_a_shared_request_does_not_decide_is_asked_alone(inventory: Inventory, answer: Any) -> None:
    inventory.answer = answer()
    assert await inventory.take(("a", 1), ("a", 10)) == [Succeeded(), Refused("Not enough stock: a has 9 of 10.")]
    assert inventory.asked == [SHARED, ALONE, ALONE]


PROBLEM = "application/problem+json"


async def test_steps_of_a_request_without_an_answer_are_all_unanswered(inventory: Inventory) -> None:
    inventory.answer = web.Response(status=503)
    outcomes = await inventory.take(("a", 1), ("a", 2))
    assert [type(each) for each in outcomes] == [Unanswered, Unanswered]
    assert inventory.asked == [SHARED]


async def test_orders_are_closed_together(aiohttp_server: AiohttpServer) -> None:
    asked: list[Any] = []

    async def close(request: web.Request) -> web.Response:
        asked.append(await request.json())
        state = {"type": "urn:orderstream:problem:order-state", "status": 409, "detail": "Order 2 is CANCELLED."}
        return web.json_response({"outcomes": [{"id": 1, "status": "CLOSED"}, {"problem": state}]})

    app = web.Application()
    app.router.add_post("/order/close", close)
    url = str((await aiohttp_server(app)).make_url(""))
    async with RetryingClient([url], name="order-service", token=TOKEN) as client:
        gateway = HttpOrderGateway(client)
        outcomes = await asyncio.gather(gateway.close(1, 1), gateway.close(2, 3))
    assert list(outcomes) == [Succeeded(), Withdrawn("order-service answered 409: Order 2 is CANCELLED.")]
    assert asked == [{"orders": [{"orderId": 1, "version": 1}, {"orderId": 2, "version": 3}]}]
