"""What the order service does with each request."""

from __future__ import annotations

from collections.abc import Sequence

from aiohttp import web

from service_common.http_server import etag, if_match, json_response
from service_common.paging import PageRequest

from . import schemas
from .app_keys import SERVICE
from .domain import Order, OrderLine, OrderStatus, PlaceOrder

__all__ = ["amend", "cancel", "close", "fail", "get", "page", "place"]


async def place(request: web.Request, lines: Sequence[OrderLine]) -> web.Response:
    """Take an order."""
    key = schemas.idempotency_key(request.headers.getall("Idempotency-Key", ()))
    placed = await request.app[SERVICE].place(PlaceOrder(tuple(lines), key))
    headers = {
        "Location": f"/orders/{placed.order.id}",
        "Server-Timing": schemas.server_timing(stock=placed.stock_s, save=placed.save_s),
    }
    if placed.replayed:
        headers["Idempotent-Replayed"] = "true"
    return _order_response(placed.order, status=201, headers=headers)


async def get(request: web.Request, order_id: int) -> web.Response:
    """One order."""
    return _order_response(await request.app[SERVICE].get(order_id))


async def page(request: web.Request, status: OrderStatus | None, after: int | None, limit: int) -> web.Response:
    """Orders, newest first."""
    found = await request.app[SERVICE].page(PageRequest(after, limit), status)
    return json_response({"orders": [schemas.rendered(order) for order in found.items], "next": found.next})


async def amend(request: web.Request, order_id: int, lines: Sequence[OrderLine]) -> web.Response:
    """Give an order other items."""
    return _order_response(await request.app[SERVICE].amend(order_id, lines, if_match(request)))


async def cancel(request: web.Request, order_id: int) -> web.Response:
    """Give an order up."""
    return _order_response(await request.app[SERVICE].cancel(order_id, if_match(request)))


async def close(request: web.Request, order_id: int, version: int) -> web.Response:
    """Say that an order is fulfilled."""
    return _status_response(await request.app[SERVICE].close(order_id, version))


async def fail(request: web.Request, order_id: int, version: int, reason: str) -> web.Response:
    """Say that an order can't be fulfilled."""
    return _status_response(await request.app[SERVICE].fail(order_id, version, reason))


def _order_response(order: Order, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    return json_response(
        schemas.rendered(order), status=status, headers={"ETag": etag(order.version), **(headers or {})}
    )


def _status_response(order: Order) -> web.Response:
    return json_response({"id": order.id, "status": order.status.value})
