"""What the inventory does with each request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from aiohttp import web

from service_common.http_server import etag, if_match, json_response
from service_common.paging import ListPage, PageRequest

from .app_keys import INVENTORY
from .domain import Level, Product, StockLine
from .schemas import product_payload

__all__ = [
    "add_product",
    "change_stock",
    "decrement",
    "decrement_product",
    "get_product",
    "get_products",
    "release",
    "remove_product",
]


async def get_product(request: web.Request, product_id: str) -> web.Response:
    """One product."""
    return _product(await request.app[INVENTORY].product(product_id))


async def get_products(request: web.Request, product_ids: Sequence[str], after: str, limit: int) -> web.Response:
    """Products by their id: a page of all, or those that are named and exist."""
    inventory = request.app[INVENTORY]
    if product_ids:
        found: ListPage[Product, str] = ListPage(await inventory.products(product_ids))
    else:
        found = await inventory.page(PageRequest(after, limit))
    return json_response({"items": [product_payload(product) for product in found.items], "next": found.next})


async def add_product(request: web.Request, product_id: str, stock: int) -> web.Response:
    """Put a product in."""
    product = await request.app[INVENTORY].add_product(product_id, stock)
    return _product(product, status=201, headers={"Location": f"/inventory/{product_id}"})


async def change_stock(request: web.Request, product_id: str, stock: int) -> web.Response:
    """Set the stock of a product at the version that was seen."""
    version = if_match(request, required=True)
    return _product(await request.app[INVENTORY].change_stock(product_id, stock, version))


async def remove_product(request: web.Request, product_id: str) -> web.Response:
    """Take a product out."""
    await request.app[INVENTORY].remove_product(product_id, if_match(request))
    return web.Response(status=204)


async def decrement(request: web.Request, operation_id: str, items: Sequence[StockLine]) -> web.Response:
    """Take all items of an operation, or none, once."""
    return _levels(await request.app[INVENTORY].take_stock(operation_id, items))


async def decrement_product(request: web.Request, product_id: str, operation_id: str, quantity: int) -> web.Response:
    """Take stock of one product, once."""
    line = StockLine(product_id, quantity)
    return _levels(await request.app[INVENTORY].take_stock(operation_id, (line,)))


async def release(request: web.Request, operation_id: str) -> web.Response:
    """Give back what an operation took."""
    given = await request.app[INVENTORY].release_stock(operation_id)
    return json_response({"items": [{"productId": line.product_id, "quantity": line.quantity} for line in given.lines]})


def _product(product: Product, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    headers = {**(headers or {}), "ETag": etag(product.version)}
    return json_response(product_payload(product), status=status, headers=headers)


def _levels(levels: Sequence[Level]) -> web.Response:
    return json_response({"items": [{"productId": level.product_id, "stock": level.stock} for level in levels]})
