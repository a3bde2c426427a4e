"""The endpoints of the order service."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import orjson
from aiohttp import web

from order_contracts.limits import MAX_ORDER_ID
from service_common.http_server import etag, if_match, internal, read_json

from . import schemas
from .app_keys import SERVICE
from .domain import Order, OrderNotFoundError, PlaceOrder

__all__ = ["ROUTES"]

_ORDER_ID = re.compile(r"[1-9][0-9]{0,18}", re.ASCII)


async def place(request: web.Request) -> web.Response:
    """``POST /orders``: take an order."""
    key = schemas.idempotency_key(request.headers.getall("Idempotency-Key", ()))
    command = PlaceOrder(schemas.lines(await read_json(request)), key)
    placed = await request.app[SERVICE].place(command)
    headers = {
        "Location": f"/orders/{placed.order.id}",
        "Server-Timing": schemas.server_timing(stock=placed.stock_s, save=placed.save_s),
    }
    if placed.replayed:
        headers["Idempotent-Replayed"] = "true"
    return _answer_order(placed.order, status=201, headers=headers)


async def get(request: web.Request) -> web.Response:
    """``GET /orders/{id}``: one order."""
    return _answer_order(await request.app[SERVICE].get(_order_id(request)))


async def page(request: web.Request) -> web.Response:
    """``GET /orders``: orders, newest first."""
    asked = schemas.page_request(request.query)
    found = await request.app[SERVICE].page(status=asked.status, after=asked.after, limit=asked.limit)
    return _answer(schemas.rendered_page(found))


async def amend(request: web.Request) -> web.Response:
    """``PUT /orders/{id}``: other items."""
    order_id, expected_version = _order_id(request), if_match(request)
    lines = schemas.lines(await read_json(request))
    return _answer_order(await request.app[SERVICE].amend(order_id, lines, expected_version))


async def cancel(request: web.Request) -> web.Response:
    """``DELETE /orders/{id}``: give it up."""
    return _answer_order(await request.app[SERVICE].cancel(_order_id(request), if_match(request)))


async def close(request: web.Request) -> web.Response:
    """``POST /order/close/{id}``: it is fulfilled."""
    order_id, version = _order_id(request), schemas.version(await read_json(request))
    return _answer(schemas.rendered_status(await request.app[SERVICE].close(order_id, version)))


async def fail(request: web.Request) -> web.Response:
    """``POST /order/fail/{id}``: it can't be fulfilled."""
    order_id, (version, reason) = _order_id(request), schemas.failure(await read_json(request))
    return _answer(schemas.rendered_status(await request.app[SERVICE].fail(order_id, version, reason)))


def _order_id(request: web.Request) -> int:
    text = request.match_info["order_id"]
    if _ORDER_ID.fullmatch(text) is None or int(text) > MAX_ORDER_ID:
        raise OrderNotFoundError(text)
    return int(text)


def _answer_order(order: Order, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return _answer(schemas.rendered(order), status=status, headers={"ETag": etag(order.version), **(headers or {})})


def _answer(document: dict[str, Any], *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return web.Response(body=orjson.dumps(document), status=status, headers=headers, content_type="application/json")


ROUTES: Sequence[web.RouteDef] = (
    web.post("/orders", place),
    web.get("/orders", page),
    web.get("/orders/{order_id}", get),
    web.put("/orders/{order_id}", amend),
    web.delete("/orders/{order_id}", cancel),
    web.post("/order/close/{order_id}", internal(close)),
    web.post("/order/fail/{order_id}", internal(fail)),
)
