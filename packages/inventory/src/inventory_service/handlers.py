"""The HTTP interface of the inventory."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import orjson
from aiohttp import web

from order_contracts.limits import PRODUCT_ID
from service_common.http_server import etag, if_match, internal, load, read_json

from .app_keys import INVENTORY
from .domain import Level, Line, Product, UnknownProductError
from .schemas import (
    ChosenSchema,
    DecrementSchema,
    PageSchema,
    ProductSchema,
    ReleaseSchema,
    SingleDecrementSchema,
    StockSchema,
    given_payload,
    levels_payload,
    lines_of,
    product_payload,
)

__all__ = ["ROUTES"]

_CHOSEN = ChosenSchema()
_DECREMENT = DecrementSchema()
_PAGE = PageSchema()
_PRODUCT = ProductSchema()
_RELEASE = ReleaseSchema()
_SINGLE_DECREMENT = SingleDecrementSchema()
_STOCK = StockSchema()
_PRODUCT_ID = re.compile(PRODUCT_ID)


async def get_product(request: web.Request) -> web.Response:
    """Answer one product."""
    return _product(await request.app[INVENTORY].product(_product_id(request)))


async def get_products(request: web.Request) -> web.Response:
    """Answer those products that are named and exist, or a page of all."""
    if "productId" in request.query:
        return await _chosen(request)
    page = load(_PAGE, {name: value for name, value in request.query.items() if value})
    products, following = await request.app[INVENTORY].page(**page)
    return _products(products, following)


async def _chosen(request: web.Request) -> web.Response:
    query: dict[str, Any] = dict(request.query)
    query["productId"] = list(dict.fromkeys(request.query.getall("productId")))
    chosen = load(_CHOSEN, query)
    return _products(await request.app[INVENTORY].products(chosen["product_ids"]), None)


async def add_product(request: web.Request) -> web.Response:
    """Put a product in."""
    product = await request.app[INVENTORY].add_product(**load(_PRODUCT, await read_json(request)))
    return _product(product, status=201, headers={"Location": f"/inventory/{product.product_id}"})


async def change_stock(request: web.Request) -> web.Response:
    """Set the stock of a product at the version that the caller saw."""
    version = if_match(request, required=True)
    change = load(_STOCK, await read_json(request))
    return _product(await request.app[INVENTORY].change_stock(_product_id(request), change["stock"], version))


async def remove_product(request: web.Request) -> web.Response:
    """Take a product out."""
    await request.app[INVENTORY].remove_product(_product_id(request), if_match(request))
    return web.Response(status=204)


async def decrement(request: web.Request) -> web.Response:
    """Take stock for the items of an operation: all or none."""
    wanted = load(_DECREMENT, await read_json(request))
    return _levels(await request.app[INVENTORY].take_stock(wanted["operation_id"], lines_of(wanted["items"])))


async def decrement_product(request: web.Request) -> web.Response:
    """Take stock of one product."""
    wanted = load(_SINGLE_DECREMENT, await read_json(request))
    line = Line(_product_id(request), wanted["quantity"])
    return _levels(await request.app[INVENTORY].take_stock(wanted["operation_id"], (line,)))


async def release(request: web.Request) -> web.Response:
    """Give back what an operation took."""
    wanted = load(_RELEASE, await read_json(request))
    return _json(given_payload(await request.app[INVENTORY].release_stock(wanted["operation_id"])))


ROUTES = (
    web.get("/inventory/{product_id}", get_product),
    web.get("/inventory", get_products),
    web.post("/inventory", add_product),
    web.put("/inventory/{product_id}", change_stock),
    web.delete("/inventory/{product_id}", remove_product),
    web.post("/inventory/decrement", internal(decrement)),
    web.post("/inventory/decrement/{product_id}", internal(decrement_product)),
    web.post("/inventory/release", internal(release)),
)


def _product_id(request: web.Request) -> str:
    product_id = request.match_info["product_id"]
    if not _PRODUCT_ID.match(product_id):
        raise UnknownProductError("There is no such product: that is no product id.")
    return product_id


def _product(product: Product, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return _json(product_payload(product), status=status, headers={**(headers or {}), "ETag": etag(product.version)})


def _products(products: Sequence[Product], following: str | None) -> web.Response:
    return _json({"items": [product_payload(product) for product in products], "next": following})


def _levels(levels: Sequence[Level]) -> web.Response:
    return _json(levels_payload(levels))


def _json(data: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(data), content_type="application/json", headers=headers)
