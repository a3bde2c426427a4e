"""Locked rows of a saga and of a product: the sagas of others go on at their pace."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from time import monotonic

import psycopg2
import pytest
from aiohttp import web
from aiohttp.pytest_plugin import AiohttpServer

from inventory_service.app import create_app
from inventory_service.config import Config
from inventory_service.postgres import SqlStock
from order_contracts import Item
from processing_service.engine import Engine
from processing_service.inventory_client import HttpStockGateway
from processing_service.order_client import HttpOrderGateway
from processing_service.ports import Claim
from processing_service.postgres import MIGRATIONS, SqlSagas
from processing_service.saga import Saga, SagaState, Succeeded
from processing_service.step_runner import Runner
from service_common.errors import BusyError
from service_common.http_client import RetryingClient
from service_common.observability import Metrics
from service_common.postgres import Database, migrate
from service_common.scope import ALL_CUSTOMERS
from tests.support.waiting import PATIENCE_S

TOKEN = "secret"
LIMIT_S = 20.0


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    await migrate(database_url, *MIGRATIONS)
    async with Database.open(database_url) as database:
        yield database


@contextmanager
def locked(database_url: str, rows: str) -> Iterator[None]:
    with psycopg2.connect(database_url) as connection, connection.cursor() as cursor:
        cursor.execute(f"SELECT FROM {rows} FOR UPDATE")
        yield
    connection.close()


async def url_of_orders(aiohttp_server: AiohttpServer) -> str:
    """Serve an order service that closes every order."""

    async def close(request: web.Request) -> web.Response:
        return web.json_response({"id": int(request.match_info["id"]), "status": "CLOSED"})

    app = web.Application()
    app.add_routes([web.post("/order/close/{id}", close)])
    return str((await aiohttp_server(app)).make_url(""))


async def test_locked_product_delays_its_own_sagas_alone(
    database: Database, database_url: str, aiohttp_server: AiohttpServer
) -> None:
    config = Config.from_environ({"SERVICE_TOKEN": TOKEN, "AUTH_MODE": "open", "DATABASE_URL": database_url})
    inventory_url = str((await aiohttp_server(create_app(config))).make_url(""))
    for product in ("locked", "free"):
        await SqlStock(database).add(product, 1_000)
    sagas, metrics = SqlSagas(database, "notification-queue"), Metrics()
    async with (
        RetryingClient([inventory_url], name="inventory-service", token=TOKEN, metrics=metrics) as inventory,
        RetryingClient([await url_of_orders(aiohttp_server)], name="order-service", token=TOKEN) as orders,
    ):
        runner = Runner(sagas, HttpStockGateway(inventory), HttpOrderGateway(orders), lambda: None, metrics)
        engine = Engine(sagas, runner)
        running = asyncio.create_task(engine.run())

        async def ended_after_s(order_id: int, product: str) -> float:
            began = monotonic()
            await engine.start(Saga(order_id, 1, (Item(product, 1),)))
            async with asyncio.timeout(PATIENCE_S):
                while (await sagas.of_order(order_id, ALL_CUSTOMERS))[0].state is not SagaState.DONE:  # noqa: ASYNC110  # no event
                    await asyncio.sleep(0.02)
            return monotonic() - began

        async def slowest_s(first: int) -> float:
            """Of eighty orders of the free product, ten at a time."""
            tens = [range(start, start + 10) for start in range(first, first + 80, 10)]
            return max([max(await asyncio.gather(*(ended_after_s(each, "free") for each in ten))) for ten in tens])

        unlocked_s = await slowest_s(100)
        with locked(database_url, "inventory WHERE product_id = 'locked'"):
            held = [asyncio.create_task(ended_after_s(number, "locked")) for number in range(1, 31)]
            assert await slowest_s(200) < 2 * unlocked_s + 1.0
            assert not any(task.done() for task in held)
        await asyncio.gather(*held)
        assert 'client_circuit_state{client="inventory-service"} 0.0' in metrics.exposition().decode()
        await engine.stop(LIMIT_S)
        await running
    await sagas.close()


async def test_locked_saga_leaves_the_others_of_its_batch_written(database: Database, database_url: str) -> None:
    sagas = SqlSagas(database, "notification-queue", lease_s=3600)
    claims: list[Claim] = []
    for order_id in (1, 2, 3):
        started = await sagas.start(Saga(order_id, 1, (Item("a", 1),)), claimed=True)
        assert started.claim is not None
        claims.append(started.claim)
    with locked(database_url, "saga WHERE order_id = 2"):
        saved = await asyncio.gather(
            *(sagas.save(claim, claim.saga.after(Succeeded()), {}) for claim in claims), return_exceptions=True
        )
    assert (saved[0], type(saved[1]), saved[2]) == (True, BusyError, True)
    assert await sagas.save(claims[1], claims[1].saga.after(Succeeded()), {})
