"""The HTTP interface of the inventory as the wire contracts give it, on the stock in memory."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import web
from aiohttp.pytest_plugin import AiohttpClient
from aiohttp.test_utils import TestClient

from inventory_service.app import create_app
from inventory_service.app_keys import INVENTORY
from inventory_service.config import Config
from inventory_service.service import InventoryService
from inventory_service.testing import InMemoryStock
from service_common.http_server import METRICS

Client = TestClient[web.Request, web.Application]
TOKEN = {"Authorization": "Bearer secret"}
CONFIG = Config.from_environ({"SERVICE_TOKEN": "secret", "DATABASE_URL": "postgresql://nowhere/inventory"})


@pytest.fixture
def stock() -> InMemoryStock:
    return InMemoryStock()


@pytest.fixture
async def client(aiohttp_client: AiohttpClient, stock: InMemoryStock) -> Client:
    async def in_memory(app: web.Application) -> AsyncIterator[None]:
        app[INVENTORY] = InventoryService(stock, app[METRICS])
        yield

    return await aiohttp_client(create_app(CONFIG, [in_memory]))


async def decrement(client: Client, operation_id: str, *items: tuple[str, int]) -> tuple[int, dict[str, Any]]:
    body = {"operationId": operation_id, "items": [{"productId": each, "quantity": count} for each, count in items]}
    async with client.post("/inventory/decrement", json=body, headers=TOKEN) as response:
        return response.status, await response.json(content_type=None)


async def test_product_is_answered_with_its_version(client: Client, stock: InMemoryStock) -> None:
    await stock.add("123", 40)
    response = await client.get("/inventory/123")
    body = await response.json()
    assert response.status == 200
    assert response.headers["ETag"] == '"1"'
    assert body.pop("lastUpdate").endswith("Z")
    assert body == {"productId": "123", "stock": 40, "version": 1}


@pytest.mark.parametrize("product_id", ["124", "no%20id", "%00", "x" * 65, "%E2%82%AC"])
async def test_absent_product_is_not_found(client: Client, product_id: str) -> None:
    response = await client.get(f"/inventory/{product_id}")
    body = await response.json(content_type="application/problem+json")
    assert response.status == body["status"] == 404
    assert body["type"] == "urn:orderstream:problem:unknown-product"
    assert body["traceId"] in response.headers["traceparent"]


async def test_named_products_that_exist_are_answered(client: Client, stock: InMemoryStock) -> None:
    for product_id in ("a", "b", "c"):
        await stock.add(product_id, 1)
    response = await client.get("/inventory?productId=c&productId=x&productId=a&productId=c")
    body = await response.json()
    assert [item["productId"] for item in body["items"]] == ["a", "c"]
    assert body["next"] is None


async def test_pages_go_through_all_products(client: Client, stock: InMemoryStock) -> None:
    for number in range(7):
        await stock.add(f"p{number}", number)
    seen: list[str] = []
    query = "?limit=3"
    while query:
        body = await (await client.get(f"/inventory{query}")).json()
        assert len(body["items"]) <= 3
        seen += [item["productId"] for item in body["items"]]
        query = f"?limit=3&after={body['next']}" if body["next"] else ""
    assert seen == [f"p{number}" for number in range(7)]


async def test_last_full_page_says_that_it_is_the_last(client: Client, stock: InMemoryStock) -> None:
    for number in range(3):
        await stock.add(f"p{number}", number)
    assert (await (await client.get("/inventory?limit=3")).json())["next"] is None


@pytest.mark.parametrize(
    "query",
    [
        "limit=0", "limit=201", "limit=x", "after=%20", "limmit=3", "productId=%20", "productId=a&limit=3",
        "&".join(f"productId={number}" for number in range(101)),
    ],
)  # fmt: skip
async def test_query_that_means_nothing_is_refused(client: Client, query: str) -> None:
    assert (await client.get(f"/inventory?{query}")).status == 422


async def test_product_is_put_in(client: Client) -> None:
    response = await client.post("/inventory", json={"productId": "123", "stock": 2147483647})
    body = await response.json()
    assert response.status == 201
    assert response.headers["Location"] == "/inventory/123"
    assert response.headers["ETag"] == '"1"'
    assert (body["productId"], body["stock"], body["version"]) == ("123", 2147483647, 1)
    assert (await client.post("/inventory", json={"productId": "123", "stock": 1})).status == 409


@pytest.mark.parametrize(
    "body",
    [
        {}, {"productId": "123"}, {"stock": 1}, {"productId": "", "stock": 1}, {"productId": "a/b", "stock": 1},
        {"productId": "x" * 65, "stock": 1}, {"productId": "123\n", "stock": 1}, {"productId": 123, "stock": 1},
        {"productId": "123", "stock": -1}, {"productId": "123", "stock": 2147483648},
        {"productId": "123", "stock": 1.0}, {"productId": "123", "stock": "1"}, {"productId": "123", "stock": True},
        {"productId": "123", "stock": None}, {"productId": "123", "stock": 1, "version": 1},
    ],
)  # fmt: skip
async def test_product_that_is_not_valid_is_refused(client: Client, body: dict[str, Any]) -> None:
    response = await client.post("/inventory", json=body)
    problem = await response.json(content_type="application/problem+json")
    assert response.status == 422
    assert problem["errors"]
    assert all(error["pointer"].startswith("/") for error in problem["errors"])


async def test_body_that_cannot_be_read_is_refused(client: Client) -> None:
    json_type = {"Content-Type": "application/json"}
    assert (await client.post("/inventory", data=b"{", headers=json_type)).status == 400
    assert (await client.post("/inventory", data=b"[]", headers=json_type)).status == 400
    assert (await client.post("/inventory", data=b"{}", headers={"Content-Type": "text/plain"})).status == 415
    assert (await client.post("/inventory", data=b"x" * 300_000, headers=json_type)).status == 413


async def test_stock_is_set_at_the_seen_version(client: Client, stock: InMemoryStock) -> None:
    await stock.add("123", 40)
    response = await client.put("/inventory/123", json={"stock": 7}, headers={"If-Match": '"1"'})
    assert response.status == 200
    assert response.headers["ETag"] == '"2"'
    assert (await response.json())["stock"] == 7
    lost = await client.put("/inventory/123", json={"stock": 8}, headers={"If-Match": '"1"'})
    assert lost.status == 412
    assert (await client.put("/inventory/123", json={"stock": 8}, headers={"If-Match": 'W/"2"'})).status == 412
    assert (await client.put("/inventory/123", json={"stock": 8})).status == 428
    assert (await client.put("/inventory/123", json={"stock": -8}, headers={"If-Match": '"2"'})).status == 422
    assert (await client.put("/inventory/124", json={"stock": 8}, headers={"If-Match": '"1"'})).status == 404
    assert (await stock.get("123")).stock == 7
    assert (await client.put("/inventory/123", json={"stock": 8}, headers={"If-Match": "*"})).status == 200


async def test_product_is_taken_out(client: Client, stock: InMemoryStock) -> None:
    await stock.add("123", 40)
    assert (await client.delete("/inventory/123", headers={"If-Match": '"2"'})).status == 412
    response = await client.delete("/inventory/123")
    assert response.status == 204
    assert await response.read() == b""
    assert (await client.delete("/inventory/123")).status == 404


async def test_decrement_takes_all_items(client: Client, stock: InMemoryStock) -> None:
    await stock.add("a", 5)
    await stock.add("b", 5)
    answer = 200, {"items": [{"productId": "a", "stock": 3}, {"productId": "b", "stock": 4}]}
    assert await decrement(client, "1:1", ("b", 1), ("a", 2)) == answer
    assert await decrement(client, "1:1", ("b", 1), ("a", 2)) == answer
    assert (await stock.get("a")).stock == 3


async def test_short_decrement_names_every_short_item(client: Client, stock: InMemoryStock) -> None:
    for product_id in ("a", "b", "c"):
        await stock.add(product_id, 5)
    status, problem = await decrement(client, "1:1", ("c", 9), ("b", 5), ("a", 6))
    assert status == 409
    assert problem["type"] == "urn:orderstream:problem:short-stock"
    assert {
        (error["pointer"], error["productId"], error["requested"], error["stock"]) for error in problem["errors"]
    } == {("/items/0/quantity", "c", 9, 5), ("/items/2/quantity", "a", 6, 5)}
    await stock.change("a", 100, None)
    await stock.change("c", 100, None)
    again_status, again = await decrement(client, "1:1", ("c", 9), ("b", 5), ("a", 6))
    assert (again_status, again["errors"]) == (409, problem["errors"])
    assert (await stock.get("b")).stock == 5


async def test_decrement_of_unknown_product_names_it(client: Client, stock: InMemoryStock) -> None:
    await stock.add("a", 5)
    status, problem = await decrement(client, "1:1", ("a", 9), ("x", 1))
    assert status == 404
    assert [(error["pointer"], error["productId"]) for error in problem["errors"]] == [("/items/1/productId", "x")]


async def test_operation_id_with_other_items_is_refused(client: Client, stock: InMemoryStock) -> None:
    await stock.add("a", 5)
    await decrement(client, "1:1", ("a", 1))
    assert (await decrement(client, "1:1", ("a", 2)))[0] == 422


async def test_released_operation_takes_nothing(client: Client, stock: InMemoryStock) -> None:
    await stock.add("a", 5)
    await decrement(client, "1:1", ("a", 2))
    for operation_id, given in (("1:1", [{"productId": "a", "quantity": 2}]), ("2:1", [])):
        for _ in range(2):
            response = await client.post("/inventory/release", json={"operationId": operation_id}, headers=TOKEN)
            assert (response.status, await response.json()) == (200, {"items": given})
        status, problem = await decrement(client, operation_id, ("a", 2))
        assert (status, problem["type"]) == (409, "urn:orderstream:problem:operation-released")
    assert (await stock.get("a")).stock == 5


async def test_one_product_is_decremented_by_its_path(client: Client, stock: InMemoryStock) -> None:
    await stock.add("123", 5)
    for _ in range(2):
        response = await client.post(
            "/inventory/decrement/123", json={"operationId": "1:1", "quantity": 2}, headers=TOKEN
        )
        assert (response.status, await response.json()) == (200, {"items": [{"productId": "123", "stock": 3}]})
    short = await client.post("/inventory/decrement/123", json={"operationId": "2:1", "quantity": 4}, headers=TOKEN)
    assert short.status == 409
    unknown = await client.post("/inventory/decrement/x", json={"operationId": "3:1", "quantity": 4}, headers=TOKEN)
    assert unknown.status == 404
    assert await decrement(client, "1:1", ("123", 2)) == (200, {"items": [{"productId": "123", "stock": 3}]})


@pytest.mark.parametrize(
    "body",
    [
        {"operationId": "1:1", "items": []},
        {"operationId": "1:1"},
        {"items": [{"productId": "a", "quantity": 1}]},
        {"operationId": "", "items": [{"productId": "a", "quantity": 1}]},
        {"operationId": "1:1", "items": [{"productId": "a", "quantity": 0}]},
        {"operationId": "1:1", "items": [{"productId": "a", "quantity": 1_000_001}]},
        {"operationId": "1:1", "items": [{"productId": "a", "quantity": 1}, {"productId": "a", "quantity": 1}]},
        {"operationId": "1:1", "items": [{"productId": f"p{number}", "quantity": 1} for number in range(101)]},
        {"operationId": "1:1", "items": ["a"]},
        {"operationId": "1:1", "items": None},
    ],
)
async def test_decrement_that_is_not_valid_is_refused(client: Client, body: dict[str, Any]) -> None:
    response = await client.post("/inventory/decrement", json=body, headers=TOKEN)
    assert response.status == 422


@pytest.mark.parametrize("path", ["/inventory/decrement", "/inventory/decrement/123", "/inventory/release"])
async def test_internal_endpoints_ask_for_the_token(client: Client, path: str) -> None:
    body = {"operationId": "1:1"}
    assert (await client.post(path, json=body)).status == 401
    assert (await client.post(path, json=body, headers={"Authorization": "Bearer wrong"})).status == 403


async def test_method_that_is_not_there_is_a_problem_document(client: Client) -> None:
    response = await client.patch("/inventory/123")
    assert response.status == 405
    assert response.content_type == "application/problem+json"
