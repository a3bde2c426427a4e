"""The client of the inventory service over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from inventory_service.domain import ProductNotFoundError
from order_service.inventory_client import HttpStockReader
from service_common.errors import InvalidError, UnavailableError
from service_common.http_client import RetryingClient
from service_common.http_server import Problem
from service_common.observability import TraceContext, tracing

Answer = Callable[[web.Request], web.Response]


@dataclass
class Inventory:
    """An inventory service that gives prepared answers and records the requests."""

    answer: Answer
    asked: list[str] = field(default_factory=list)
    traces: list[str] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.Response:
        self.asked.append(str(request.rel_url))
        self.traces.append(TraceContext.parse(request.headers.get("traceparent")).trace_id)
        return self.answer(request)


def product(product_id: str, stock: int) -> dict[str, object]:
    return {"productId": product_id, "stock": stock, "version": 1, "lastUpdate": "2026-03-01T12:00:00.000000Z"}


@pytest.fixture
def inventory() -> Inventory:
    return Inventory(lambda _: web.json_response(product("123", 40)))


@pytest.fixture
async def stock(inventory: Inventory) -> AsyncIterator[HttpStockReader]:
    app = web.Application()
    app.router.add_get("/{path:.*}", inventory.handle)
    async with (
        TestServer(app) as server,
        RetryingClient([str(server.make_url("/"))], name="inventory-service") as client,
    ):
        yield HttpStockReader(client)


async def test_one_product_is_queried_by_its_path(inventory: Inventory, stock: HttpStockReader) -> None:
    assert await stock.stock_of(["123"]) == {"123": 40}
    assert inventory.asked == ["/inventory/123"]


async def test_concurrent_queries_are_batched(inventory: Inventory, stock: HttpStockReader) -> None:
    def answer(request: web.Request) -> web.Response:
        if request.query:
            return web.json_response({"items": [product(name, 7) for name in request.query.getall("productId")]})
        return web.json_response(product("a", 7))

    inventory.answer = answer
    answers = await asyncio.gather(*(stock.stock_of([name]) for name in ("a", "b", "a")))
    assert [each[name] for each, name in zip(answers, ("a", "b", "a"), strict=True)] == [7, 7, 7]
    assert inventory.asked == ["/inventory?productId=a&productId=b"]


async def test_query_carries_the_trace_of_its_order(inventory: Inventory, stock: HttpStockReader) -> None:
    with tracing(None) as trace:
        await stock.stock_of(["123"])
    assert inventory.traces == [trace.trace_id]


async def test_failure_reaches_every_query_of_the_batch(inventory: Inventory, stock: HttpStockReader) -> None:
    inventory.answer = lambda _: web.Response(status=500)
    outcomes = await asyncio.gather(*(stock.stock_of([name]) for name in "ab"), return_exceptions=True)
    assert [type(each) for each in outcomes] == [UnavailableError, UnavailableError]


async def test_several_products_are_queried_in_one_call(inventory: Inventory, stock: HttpStockReader) -> None:
    inventory.answer = lambda _: web.json_response({"items": [product("a", 1), product("c", 0)], "next": None})
    assert await stock.stock_of(["a", "b", "c"]) == {"a": 1, "c": 0}
    assert inventory.asked == ["/inventory?productId=a&productId=b&productId=c"]


async def test_a_hundred_of_the_longest_ids_fit_in_one_call(inventory: Inventory, stock: HttpStockReader) -> None:
    inventory.answer = lambda request: web.json_response(
        {"items": [product(each, 1) for each in request.query.getall("productId")], "next": None}
    )
    ids = [f"{n:_>64}" for n in range(100)]
    assert await stock.stock_of(ids) == dict.fromkeys(ids, 1)


async def test_unknown_product_has_no_stock(inventory: Inventory, stock: HttpStockReader) -> None:
    inventory.answer = lambda _: Problem.of(ProductNotFoundError("There is none."), "/inventory/123").to_response()
    assert await stock.stock_of(["123"]) == {}


@pytest.mark.parametrize("status", [200, 302, 403, 404, 409, 422])
@pytest.mark.parametrize("products", [["123"], ["123", "456"]], ids=["one", "two"])
async def test_foreign_answer_counts_as_unavailable(
    inventory: Inventory, stock: HttpStockReader, status: int, products: list[str]
) -> None:
    inventory.answer = lambda _: web.Response(status=status, text="<html>", content_type="text/html")
    with pytest.raises(UnavailableError):
        await stock.stock_of(products)


async def test_refusal_of_the_query_itself_counts_as_unavailable(inventory: Inventory, stock: HttpStockReader) -> None:
    inventory.answer = lambda _: Problem.of(InvalidError("That is wrong."), "/inventory").to_response()
    for products in (["123"], ["123", "456"]):
        with pytest.raises(UnavailableError, match="answered 422: invalid"):
            await stock.stock_of(products)


@pytest.mark.parametrize("document", [{}, [], {"productId": "123"}, {"productId": "123", "stock": "many"}, None])
async def test_invalid_answer_counts_as_unavailable(
    inventory: Inventory, stock: HttpStockReader, document: object
) -> None:
    inventory.answer = lambda _: web.json_response(document)
    with pytest.raises(UnavailableError):
        await stock.stock_of(["123"])
    with pytest.raises(UnavailableError):
        await stock.stock_of(["123", "456"])


async def test_failing_inventory_is_unavailable(inventory: Inventory, stock: HttpStockReader) -> None:
    inventory.answer = lambda _: web.Response(status=503)
    with pytest.raises(UnavailableError):
        await stock.stock_of(["123"])
    assert len(inventory.asked) > 1
