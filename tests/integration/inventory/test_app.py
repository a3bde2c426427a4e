"""The whole inventory service on real PostgreSQL."""

from __future__ import annotations

from aiohttp.pytest_plugin import AiohttpClient

from inventory_service.app import create_app
from inventory_service.config import Config
from tests.support.waiting import until_ready

TOKEN = {"Authorization": "Bearer secret"}


def config_of(database_url: str, **environ: str) -> Config:
    return Config.from_environ(
        {"SERVICE_TOKEN": "secret", "AUTH_MODE": "open", "DATABASE_URL": database_url, **environ}
    )


async def test_demo_products_are_added_and_stay_removed_once_removed(
    database_url: str, aiohttp_client: AiohttpClient
) -> None:
    config = config_of(database_url, SEED_PRODUCTS="true")
    client = await aiohttp_client(create_app(config))
    products = (await (await client.get("/inventory")).json())["items"]
    assert len(products) == 12
    assert "123" in {product["productId"] for product in products}
    assert 0 in {product["stock"] for product in products}
    assert (await client.delete("/inventory/123")).status == 204
    await client.close()
    again = await aiohttp_client(create_app(config))
    assert (await again.get("/inventory/123")).status == 404


async def test_inventory_is_empty_unless_it_is_seeded(database_url: str, aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(create_app(config_of(database_url)))
    assert await (await client.get("/inventory")).json() == {"items": [], "next": None}


async def test_stock_is_taken_and_released_over_http(database_url: str, aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(create_app(config_of(database_url)))
    assert (await client.post("/inventory", json={"productId": "123", "stock": 5})).status == 201
    taking = {"operationId": "1:1", "items": [{"productId": "123", "quantity": 2}]}
    for _ in range(2):
        taken = await client.post("/inventory/decrement", json=taking, headers=TOKEN)
        assert (taken.status, await taken.json()) == (200, {"items": [{"productId": "123", "stock": 3}]})
    lost = await client.put("/inventory/123", json={"stock": 9}, headers={"If-Match": '"1"'})
    assert lost.status == 412
    released = await client.post("/inventory/release", json={"operationId": "1:1"}, headers=TOKEN)
    assert (released.status, await released.json()) == (200, {"items": [{"productId": "123", "quantity": 2}]})
    assert (await client.post("/inventory/decrement", json=taking, headers=TOKEN)).status == 409
    product = await (await client.get("/inventory/123")).json()
    assert (product["stock"], product["version"]) == (5, 3)


async def test_service_is_ready_when_its_database_answers(database_url: str, aiohttp_client: AiohttpClient) -> None:
    client = await aiohttp_client(create_app(config_of(database_url)))
    assert await until_ready(lambda: client.get("/health/ready")) == {"database": "ok"}
