"""Each service on in-memory adapters, and a client that calls all its endpoints."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeAlias, cast
from uuid import UUID

from aiohttp import web
from aiohttp.test_utils import TestClient

import inventory_service.app
import inventory_service.app_keys
import inventory_service.config
import notification_service.app
import notification_service.config
import notification_service.http
import order_service.app
import order_service.app_keys
import order_service.config
import processing_service.app
import processing_service.app_keys
import processing_service.config
from inventory_service.service import InventoryService
from notification_service.access import Disconnector
from notification_service.feed import History
from notification_service.push import PushCounters, open_broadcaster
from order_contracts import EventType, Item, OrderEvent
from order_service.service import OrderService
from processing_service.saga import Refused, Saga, SagaState, Succeeded, Unanswered
from service_common.auth import TICKETS, Tickets
from service_common.dead_letters import DEAD_LETTERS, DeadLetters
from service_common.http_server import METRICS
from service_common.outbox import OutboxTable
from service_common.postgres import Database
from service_common.sqs import Attribute, Sqs
from tests.support.in_memory.access import InMemoryAccess
from tests.support.in_memory.database import InMemoryDatabase, Statements, order_statements, saga_statements
from tests.support.in_memory.inventory import InMemoryStock
from tests.support.in_memory.notification import InMemoryFeed
from tests.support.in_memory.order import InMemoryOrders, InMemoryStockReader
from tests.support.in_memory.processing import InMemorySagas
from tests.support.in_memory.sqs import InMemorySqs

__all__ = ["ORIGIN", "SECRET", "SERVICES", "TOKEN", "Client", "Service", "ask"]

Client: TypeAlias = TestClient[web.Request, web.Application]
Resource: TypeAlias = Callable[[web.Application], AsyncIterator[None]]
ORIGIN = "http://localhost:4200"
SECRET = "secret"
TOKEN = {"Authorization": f"Bearer {SECRET}"}
# many clients of a test have one address
NO_REQUEST_LIMITS = {"REQUEST_LIMIT_PRINCIPAL_RATE": "0", "REQUEST_LIMIT_ADDRESS_RATE": "0"}
ENVIRON = {
    "SERVICE_TOKEN": SECRET,
    "AUTH_MODE": "open",
    "DATABASE_URL": "postgresql://nowhere/nothing",
    "INVENTORY_URL": "http://nowhere:8081",
    "ORDER_URL": "http://nowhere:8080",
    "ALLOWED_ORIGINS": ORIGIN,
    **NO_REQUEST_LIMITS,
}
WHEN = datetime(2026, 5, 17, 12, tzinfo=UTC)


async def ask(client: Client, method: str, path: str, **options: Any) -> Any:
    async with client.request(method, path, **options) as response:
        body = await response.read()
        return json.loads(body) if response.content_type.endswith("json") else body


async def use_orders(client: Client) -> None:
    two = {"orderItems": [{"productId": "123", "quantity": 2}]}
    for body in (two, two, {"orderItems": [{"productId": "123", "quantity": 1}]}):
        await ask(client, "POST", "/orders", json=body, headers={"Idempotency-Key": "a"})
    for product, quantity in (("empty", 1), ("unknown", 1), ("123", 1), ("123", 1), ("123", 1)):
        await ask(client, "POST", "/orders", json={"orderItems": [{"productId": product, "quantity": quantity}]})
    await ask(client, "GET", "/orders?limit=1")
    for query in (
        "orderId=1&data=true",
        "orderId=999",
        f"traceId={32 * 'a'}&event={UUID(int=0)}",
        f"traceId={32 * 'a'}",
    ):
        await ask(client, "GET", f"/order/events?{query}")
    for query in ("", "?after=2026-05-17T12:00:00.000000Z_0&limit=1"):
        await ask(client, "GET", f"/order/changes{query}", headers=TOKEN)
    for version in ('"1"', '"9"', '"1", "2"'):
        await ask(client, "PUT", "/orders/1", json=two, headers={"If-Match": version})
        await ask(client, "DELETE", "/orders/2", headers={"If-Match": version})
    for order_id in (2, 3, 999):
        await ask(client, "POST", f"/order/close/{order_id}", json={"version": 1}, headers=TOKEN)
    closings = [{"orderId": order_id, "version": 1} for order_id in (2, 3, 999)]
    await ask(client, "POST", "/order/close", json={"orders": closings}, headers=TOKEN)
    for order_id in (2, 4, 999):
        failed = {"version": 1, "reason": "Nothing is left."}
        await ask(client, "POST", f"/order/fail/{order_id}", json=failed, headers=TOKEN)
    for order_id in (2, 3, 4, 999):
        await ask(client, "GET", f"/orders/{order_id}")
        await ask(client, "PUT", f"/orders/{order_id}", json=two)
        await ask(client, "DELETE", f"/orders/{order_id}")


async def use_inventory(client: Client) -> None:
    for _ in range(2):
        await ask(client, "POST", "/inventory", json={"productId": "123", "stock": 9})
    await ask(client, "POST", "/inventory", json={"productId": "b", "stock": 1})
    for query in ("", "?limit=1", "?productId=b&productId=x"):
        await ask(client, "GET", f"/inventory{query}")
    for path in ("/inventory", "/products"):
        async with client.get(path) as response:
            tag = response.headers["ETag"]
        await ask(client, "GET", path, headers={"If-None-Match": f'"x", W/{tag}'})
    for path in ("/inventory/123", "/inventory/unknown"):
        await ask(client, "GET", path)
        for headers in ({"If-Match": '"1"'}, {"If-Match": '"9"'}, {}):
            await ask(client, "PUT", path, json={"stock": 8}, headers=headers)
    item, other = {"productId": "123", "quantity": 1}, {"productId": "123", "quantity": 2}
    wanted = [("1", item), ("1", other), ("2", {**item, "quantity": 99}), ("3", {**item, "productId": "unknown"})]
    for operation_id, line in wanted:
        body = {"operationId": operation_id, "items": [line]}
        await ask(client, "POST", "/inventory/decrement", json=body, headers=TOKEN)
        path = f"/inventory/decrement/{line['productId']}"
        single = {"operationId": f"one-{operation_id}", "quantity": line["quantity"]}
        await ask(client, "POST", path, json=single, headers=TOKEN)
    operations = [{"operationId": f"each-{operation_id}", "items": [line]} for operation_id, line in wanted]
    await ask(client, "POST", "/inventory/decrements", json={"operations": operations}, headers=TOKEN)
    await ask(client, "POST", "/inventory/release", json={"operationId": "1"}, headers=TOKEN)
    await ask(client, "GET", "/stock-operations?prefix=1")
    await ask(client, "POST", "/inventory/forget", json={"operationIds": ["3", "nothing"]}, headers=TOKEN)
    await ask(client, "POST", "/inventory/decrement", json={"operationId": "1", "items": [item]}, headers=TOKEN)
    for path in ("/inventory/b", "/inventory/b"):
        for version in ('"1", "2"', '"9"', '"1"'):
            await ask(client, "DELETE", path, headers={"If-Match": version})


async def use_sagas(client: Client) -> None:
    await use_dead_letters(client)
    for path in ("/sagas", "/sagas?late=true", "/sagas?state=DONE", "/sagas/1", "/sagas/2", "/sagas/999"):
        await ask(client, "GET", path)
    for order_id in (1, 2, 999):
        await ask(client, "GET", f"/sagas/{order_id}/events")
        await ask(client, "POST", f"/sagas/{order_id}/retry")


async def use_dead_letters(client: Client) -> None:
    letters = (await ask(client, "GET", "/dead-letters"))["letters"]
    await ask(client, "GET", "/dead-letters/unknown")
    await ask(client, "GET", f"/dead-letters/{letters[0]['id']}")
    for verb, letter in zip(("redrive", "discard"), letters, strict=True):
        await ask(client, "POST", f"/dead-letters/{verb}", json={"ids": [letter["id"], "unknown"]})
    assert client.app is not None
    sqs = cast(InMemorySqs, client.app[DEAD_LETTERS]._sqs)
    sqs.with_dead_letters = False
    await ask(client, "GET", "/dead-letters")
    for verb in ("redrive", "discard"):
        await ask(client, "POST", f"/dead-letters/{verb}", json={"ids": ["m1"]})
    sqs.with_dead_letters = True


async def use_notifications(client: Client) -> None:
    await use_dead_letters(client)
    for query in ("", "?limit=1", "?after=nonsense", "?orderId=1"):
        await ask(client, "GET", f"/notifications{query}")
    for path in ("/stream", "/ws"):
        await ask(client, "GET", f"{path}?lastEventId=nonsense")
        await ask(client, "GET", f"{path}?ticket=nonsense")
        await ask(client, "GET", f"{path}?ticket=one&ticket=two")
    await ask(client, "POST", "/tickets")
    await ask(client, "POST", "/connections/disconnect", json={"customerId": "alice"})
    await ask(client, "GET", "/ws", headers={"Origin": "http://elsewhere"})
    async with client.get("/stream") as response:
        assert response.status == 200
    async with client.ws_connect("/ws") as socket:
        assert not socket.closed


def outbox_of(statements: Statements) -> OutboxTable:
    return OutboxTable(cast(Database, InMemoryDatabase(statements)))


async def orders_in_memory(app: web.Application) -> AsyncIterator[None]:
    stock, orders = InMemoryStockReader({"123": 5, "empty": 0}), InMemoryOrders()
    app[order_service.app_keys.SERVICE] = OrderService(orders, stock, lambda: None)
    app[order_service.app_keys.OUTBOX] = outbox_of(order_statements(orders))
    yield


async def inventory_in_memory(app: web.Application) -> AsyncIterator[None]:
    app[inventory_service.app_keys.INVENTORY] = InventoryService(InMemoryStock(), app[METRICS])
    yield


def dead_letters() -> DeadLetters:
    sqs = InMemorySqs()
    binary = {"bytes": Attribute(b"\x00\xff", "Binary"), "reason": Attribute("unreadable-event: not JSON")}
    sqs.bury("queue", '{"type":"order-created","subject":"1"}', binary)
    sqs.bury("queue", "nothing", {})
    return DeadLetters(cast(Sqs, sqs), "queue")


async def sagas_in_memory(app: web.Application) -> AsyncIterator[None]:
    sagas = InMemorySagas()
    for order_id in (1, 2):
        saga = Saga(order_id, 1, (Item("a", 1),))
        claim = (await sagas.start(saga, claimed=True)).claim
        assert claim is not None
        if order_id == 1:
            await sagas.save(claim, saga.after(Succeeded()).after(Succeeded()), {SagaState.DONE: WHEN})
        else:
            failing = saga.after(Unanswered("timeout")).after(Refused("Not enough stock."))
            await sagas.save(claim, failing, {SagaState.FAILING: WHEN}, 1.0)
    app[DEAD_LETTERS] = dead_letters()
    app[processing_service.app_keys.SAGAS] = sagas
    app[processing_service.app_keys.OUTBOX] = outbox_of(saga_statements(sagas))
    yield


async def notifications_in_memory(app: web.Application) -> AsyncIterator[None]:
    feed = InMemoryFeed()
    created = OrderEvent(EventType.ORDER_CREATED, "/order-service", 1, 1, WHEN, items=(Item("a", 1),))
    failed = OrderEvent(EventType.ORDER_FAILED, "/processing-service", 1, 1, WHEN, reason="Nothing is left.")
    await feed.append([created, failed])
    limits, counters = app[notification_service.app.CONFIG].push, PushCounters(app[METRICS])
    broadcaster = await open_broadcaster(feed, await feed.state(), limits, counters)
    access = InMemoryAccess()
    app[notification_service.http.BROADCASTER] = broadcaster
    app[notification_service.http.DISCONNECTOR] = Disconnector(access, broadcaster.disconnect)
    app[TICKETS] = Tickets(access)
    app[DEAD_LETTERS] = dead_letters()
    app[notification_service.http.HISTORY] = History(feed)
    yield


@dataclass(frozen=True)
class Service:
    """A service to compose.

    Attributes:
        load: reads its configuration from the environment.
        create: makes its application of the configuration and its resources.
        in_memory: the resource with the in-memory adapters.
        use: calls all its endpoints.
    """

    load: Callable[[Mapping[str, str]], Any]
    create: Callable[[Any, Sequence[Resource]], web.Application]
    in_memory: Resource
    use: Callable[[Client], Awaitable[None]]

    def app(self, *resources: Resource, **environ: str) -> web.Application:
        """Compose it with *resources* instead of the in-memory one; *environ* overrides `ENVIRON`."""
        return self.create(self.load(ENVIRON | environ), resources or (self.in_memory,))


SERVICES: Mapping[str, Service] = {
    "inventory": Service(
        inventory_service.config.Config.from_environ,
        inventory_service.app.create_app,
        inventory_in_memory,
        use_inventory,
    ),
    "notification": Service(
        notification_service.config.Config.from_environ,
        notification_service.app.create_app,
        notifications_in_memory,
        use_notifications,
    ),
    "order": Service(
        order_service.config.Config.from_environ, order_service.app.create_app, orders_in_memory, use_orders
    ),
    "processing": Service(
        processing_service.config.Config.from_environ, processing_service.app.create_app, sagas_in_memory, use_sagas
    ),
}
