"""The handlers of the inventory service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from aiohttp import web

from order_contracts import Item
from service_common.http_server import etag, if_match, json_response, outcomes, unless_known
from service_common.paging import ListPage, PageRequest

from .app_keys import INVENTORY
from .domain import Product
from .schemas import description_payload, operation_payload, product_payload

__all__ = [
    "add_product",
    "catalogue",
    "change_stock",
    "decrement",
    "decrement_each",
    "decrement_product",
    "forget",
    "get_product",
    "get_products",
    "operations",
    "release",
    "remove_product",
]


async def get_product(request: web.Request, product_id: str) -> web.Response:
    """Get a product."""
    return _product(await request.app[INVENTORY].product(product_id))


async def get_products(request: web.Request, product_ids: Sequence[str], after: str, limit: int) -> web.Response:
    """List products by id: a page of all, or those with the given ids."""
    inventory = request.app[INVENTORY]
    if product_ids:
        found: ListPage[Product, str] = ListPage(await inventory.products(product_ids))
    else:
        found = await inventory.page(PageRequest(after, limit))
    document = {"items": [product_payload(product) for product in found.items], "next": found.next}
    return unless_known(request, json_response(document))


async def catalogue(request: web.Request, after: str, limit: int) -> web.Response:
    """List what the shop shows of its products, by id."""
    found = await request.app[INVENTORY].catalogue(PageRequest(after, limit))
    document = {"products": [description_payload(each) for each in found.items], "next": found.next}
    return unless_known(request, json_response(document))


async def operations(request: web.Request, prefix: str, limit: int) -> web.Response:
    """List the stock operations whose ids begin with a prefix, such as those of an order."""
    found = await request.app[INVENTORY].operations(prefix, limit)
    return json_response({"operations": [operation_payload(operation) for operation in found]})


async def add_product(request: web.Request, product_id: str, stock: int) -> web.Response:
    """Add a product."""
    product = await request.app[INVENTORY].add_product(product_id, stock)
    return _product(product, status=201, headers={"Location": f"/inventory/{product_id}"})


async def change_stock(request: web.Request, product_id: str, stock: int) -> web.Response:
    """Set the stock of a product that has the version in If-Match."""
    version = if_match(request, required=True)
    return _product(await request.app[INVENTORY].change_stock(product_id, stock, version))


async def remove_product(request: web.Request, product_id: str) -> web.Response:
    """Remove a product."""
    await request.app[INVENTORY].remove_product(product_id, if_match(request))
    return web.Response(status=204)


async def decrement(request: web.Request, operation_id: str, items: Sequence[Item]) -> web.Response:
    """Take all items of an operation from the stock, or none, once."""
    return json_response(await _take(request, operation_id, items))


async def decrement_each(request: web.Request, operations: Sequence[Mapping[str, Any]]) -> web.Response:
    """Take the items of each of several operations, once."""
    return await outcomes(request, [_take(request, **operation, waits=False) for operation in operations])


async def decrement_product(request: web.Request, product_id: str, operation_id: str, quantity: int) -> web.Response:
    """Take a quantity of one product from the stock, once."""
    return json_response(await _take(request, operation_id, (Item(product_id, quantity),)))


async def release(request: web.Request, operation_id: str) -> web.Response:
    """Release an operation: return what it took to the stock."""
    released = await request.app[INVENTORY].release_stock(operation_id)
    return json_response({"items": [{"productId": item.product_id, "quantity": item.quantity} for item in released]})


async def forget(request: web.Request, operation_ids: Sequence[str]) -> web.Response:
    """Forget operations that are never asked for again."""
    return json_response({"forgotten": await request.app[INVENTORY].forget(operation_ids)})


def _product(product: Product, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    headers = {**(headers or {}), "ETag": etag(product.version)}
    return json_response(product_payload(product), status=status, headers=headers)


async def _take(
    request: web.Request, operation_id: str, items: Sequence[Item], *, waits: bool = True
) -> dict[str, Any]:
    levels = await request.app[INVENTORY].take_stock(operation_id, items, waits=waits)
    return {"items": [{"productId": level.product_id, "stock": level.stock} for level in levels]}
