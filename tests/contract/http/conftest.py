"""The services under one suite of requests: in memory or on PostgreSQL in this process, and over the wire."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

import psycopg2
import pytest
import pytest_asyncio
from aiohttp import web

from inventory_service.app_keys import INVENTORY
from inventory_service.seed import seed_demo_products
from inventory_service.service import InventoryService
from order_service.app_keys import SERVICE
from order_service.postgres import MIGRATIONS, SqlOrders
from order_service.service import OrderService
from service_common.errors import UnavailableError
from service_common.http_server import METRICS
from service_common.postgres import Database, migrate
from tests.support.http_service import HttpService, serving
from tests.support.in_memory.inventory import InMemoryStock
from tests.support.in_memory.order import InMemoryOrders, InMemoryStockReader
from tests.support.in_memory.services import SERVICES
from tests.support.processes import frozen
from tests.support.system import ORDERS
from tests.support.waiting import eventually

if TYPE_CHECKING:
    from tests.support.system import System

IN_MEMORY, POSTGRES = "in_memory", "postgres"
# the first of a run starts the system, whose first start builds the page
WIRE = pytest.param("wire", marks=(pytest.mark.wire, pytest.mark.timeout(300)))


@dataclass(frozen=True, slots=True)
class Shop:
    """The order service and what tests of it need from its surroundings.

    Attributes:
        orders: the service.
        put_in: makes a product, or sets its stock.
        fulfil: has an order closed, as the processing service does when its items are taken.
        unprocessed: while the block runs, new orders stay CREATED.
        inventory_away: while the block runs, the inventory service does not answer.
        stock: how much there is of a product.
    """

    orders: HttpService
    put_in: Callable[[str, int], Awaitable[None]]
    fulfil: Callable[[int], Awaitable[None]]
    unprocessed: Callable[[], AbstractContextManager[None]]
    inventory_away: Callable[[], AbstractAsyncContextManager[None]]
    stock: Callable[[str], Awaitable[int]]


@pytest.fixture(scope="module", params=[IN_MEMORY, WIRE])
def inventory(request: pytest.FixtureRequest) -> HttpService:
    """The inventory service."""
    found: HttpService = request.getfixturevalue(f"inventory_{request.param}")
    return found


@pytest.fixture(scope="module", params=[IN_MEMORY, POSTGRES, WIRE])
def shop(request: pytest.FixtureRequest) -> Shop:
    """The order service in its surroundings."""
    found: Shop = request.getfixturevalue(f"shop_{request.param}")
    return found


@pytest.fixture(scope="module")
def orders(shop: Shop) -> HttpService:
    """The order service."""
    return shop.orders


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def inventory_in_memory() -> AsyncIterator[HttpService]:
    stock = InMemoryStock()
    await seed_demo_products(stock)

    async def opened(app: web.Application) -> AsyncIterator[None]:
        app[INVENTORY] = InventoryService(stock, app[METRICS])
        yield

    async with serving(SERVICES["inventory"].app(opened), lambda: repr(vars(stock))) as service:
        yield service


@pytest.fixture(scope="module")
def inventory_wire(system: System) -> HttpService:
    return system.service("inventory")


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop_in_memory() -> AsyncIterator[Shop]:
    orders = InMemoryOrders()
    stock = known_stock()
    service = OrderService(orders, stock, lambda: None)
    async with serving(SERVICES["order"].app(providing(service)), lambda: repr(vars(orders))) as served:
        yield in_process(served, stock)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def shop_postgres(module_database_url: str) -> AsyncIterator[Shop]:
    await migrate(module_database_url, *MIGRATIONS)

    def stored() -> object:
        connection = psycopg2.connect(module_database_url)
        try:
            with connection.cursor() as cursor:
                cursor.execute(ORDERS)
                return cursor.fetchall()
        finally:
            connection.close()

    async with Database.open(module_database_url) as database:
        stock = known_stock()
        repository = SqlOrders(database, processing_queue="processing", notification_queue="notification")
        service = OrderService(repository, stock, lambda: None)
        async with serving(SERVICES["order"].app(providing(service)), stored) as served:
            yield in_process(served, stock)


@pytest.fixture(scope="module")
def shop_wire(system: System) -> Shop:
    inventory = system.service("inventory")

    async def put_in(product: str, stock: int) -> None:
        answer = await inventory.call("POST", "/inventory", json={"productId": product, "stock": stock})
        if answer.status == 409:
            every = {"If-Match": "*"}
            answer = await inventory.call("PUT", f"/inventory/{product}", json={"stock": stock}, headers=every)
        assert answer.status in {200, 201}, answer

    async def fulfil(order_id: int) -> None:
        assert (await system.ended(order_id))["status"] == "CLOSED"

    @asynccontextmanager
    async def inventory_away() -> AsyncIterator[None]:
        with frozen(system, "inventory-service"):
            yield
        await eventually(circuit_closed, "orders are taken again")

    async def circuit_closed() -> bool | None:
        return (await system.place({"nobody-has": 1})).status == 422 or None

    return Shop(
        system.service("order"),
        put_in,
        fulfil,
        lambda: frozen(system, "processing-service"),
        inventory_away,
        system.stock,
    )


def known_stock() -> InMemoryStockReader:
    return InMemoryStockReader({"123": 1_000_000, "sold-out": 0})


def providing(service: OrderService) -> Callable[[web.Application], AsyncIterator[None]]:
    async def opened(app: web.Application) -> AsyncIterator[None]:
        app[SERVICE] = service
        yield

    return opened


def in_process(orders: HttpService, stock: InMemoryStockReader) -> Shop:
    async def put_in(product: str, quantity: int) -> None:
        stock.stock[product] = quantity

    async def fulfil(order_id: int) -> None:
        order = (await orders.call("GET", f"/orders/{order_id}")).json
        for item in order["orderItems"]:
            stock.stock[item["productId"]] -= item["quantity"]
        closed = await orders.internal(f"/order/close/{order_id}", {"version": order["version"]})
        assert closed.status == 200, closed

    @asynccontextmanager
    async def inventory_away() -> AsyncIterator[None]:
        stock.failure = UnavailableError("The inventory service does not answer.")
        yield
        stock.failure = None

    async def level(product: str) -> int:
        return stock.stock[product]

    return Shop(orders, put_in, fulfil, nullcontext, inventory_away, level)
