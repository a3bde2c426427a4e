"""The handlers of the order service."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from aiohttp import web

from order_contracts import Item
from order_contracts.events import event_keys
from service_common.auth import PRINCIPAL, InsufficientScopeError, scope_of
from service_common.errors import InvalidError
from service_common.http_server import etag, if_match, json_response, outcomes
from service_common.paging import PageRequest
from service_common.scope import ALL_CUSTOMERS

from . import schemas
from .app_keys import OUTBOX, SERVICE
from .domain import ChangePosition, Order, OrderFilter, OrderStatus, PlaceOrder

__all__ = [
    "amend",
    "cancel",
    "changes",
    "close",
    "close_each",
    "events",
    "fail",
    "get",
    "idempotency_key",
    "page",
    "place",
]


async def place(request: web.Request, items: Sequence[Item]) -> web.Response:
    """Place an order."""
    key = idempotency_key(request.headers.getall("Idempotency-Key", ()))
    placed = await request.app[SERVICE].place(PlaceOrder(tuple(items), key, request[PRINCIPAL].subject))
    headers = {
        "Location": f"/orders/{placed.order.id}",
        "Server-Timing": schemas.server_timing(stock=placed.stock_s, save=placed.save_s),
    }
    if placed.replayed:
        headers["Idempotent-Replayed"] = "true"
    return _order_response(placed.order, status=201, headers=headers)


async def get(request: web.Request, order_id: int) -> web.Response:
    """Get an order."""
    return _order_response(await request.app[SERVICE].get(order_id, scope_of(request)))


async def page(
    request: web.Request,
    *,
    status: OrderStatus | None,
    customer: str | None,
    product_id: str | None,
    created_from: datetime | None,
    created_to: datetime | None,
    trace_id: str | None,
    number: int | None,
    after: int | None,
    limit: int,
) -> web.Response:
    """Find orders, newest first."""
    wanted = OrderFilter(status, product_id, created_from, created_to, trace_id, number)
    found = await request.app[SERVICE].page(PageRequest(after, limit), scope_of(request, customer), wanted)
    return json_response({"orders": [schemas.order_payload(order) for order in found.items], "next": found.next})


async def changes(request: web.Request, after: ChangePosition | None, min_age_s: int, limit: int) -> web.Response:
    """List the orders that have changed since a position."""
    changed, position = await request.app[SERVICE].changes(PageRequest(after, limit), min_age_s)
    payload = [schemas.changed_order_payload(order) for order in changed]
    return json_response({"changes": payload, "next": schemas.position_text(position)})


async def events(
    request: web.Request, order_id: int | None, trace_id: str | None, event: UUID | None, *, data: bool
) -> web.Response:
    """List what was announced of an order, or in a trace."""
    outbox, scope = request.app[OUTBOX], scope_of(request)
    if order_id is not None:
        order = await request.app[SERVICE].get(order_id, scope)
        found = await outbox.events_of_facts(event_keys(order_id, order.version, event), data=data)
    elif scope is ALL_CUSTOMERS:
        found = await outbox.events_of_trace(trace_id or "", data=data)
    else:
        raise InsufficientScopeError("Customers name an order: a trace may be of several customers.")
    return json_response({"events": [each.document for each in found]})


async def amend(request: web.Request, order_id: int, items: Sequence[Item]) -> web.Response:
    """Replace the items of an order."""
    return _order_response(await request.app[SERVICE].amend(order_id, scope_of(request), items, if_match(request)))


async def cancel(request: web.Request, order_id: int) -> web.Response:
    """Cancel an order."""
    return _order_response(await request.app[SERVICE].cancel(order_id, scope_of(request), if_match(request)))


async def close(request: web.Request, order_id: int, version: int) -> web.Response:
    """Close an order: it is fulfilled."""
    return json_response(_status(await request.app[SERVICE].close(order_id, version)))


async def close_each(request: web.Request, orders: Sequence[Mapping[str, Any]]) -> web.Response:
    """Close each of several orders: they are fulfilled."""

    async def close(order_id: int, version: int) -> dict[str, Any]:
        return _status(await request.app[SERVICE].close(order_id, version, waits=False))

    return await outcomes(request, [close(**order) for order in orders])


async def fail(request: web.Request, order_id: int, version: int, reason: str) -> web.Response:
    """Fail an order: it can't be fulfilled."""
    return json_response(_status(await request.app[SERVICE].fail(order_id, version, reason)))


def _order_response(order: Order, *, status: int = 200, headers: dict[str, str] | None = None) -> web.Response:
    headers = {"ETag": etag(order.version), **(headers or {})}
    return json_response(schemas.order_payload(order), status=status, headers=headers)


def _status(order: Order) -> dict[str, Any]:
    return {"id": order.id, "status": order.status.value}


def idempotency_key(values: Sequence[str]) -> str | None:
    """Return the value of the header ``Idempotency-Key``, if present.

    Raises:
        InvalidError: the header is repeated, or is not 1 to 255 printable characters.
    """
    if not values:
        return None
    if len(values) > 1 or not 1 <= len(values[0]) <= schemas.MAX_KEY or not values[0].isprintable():
        raise InvalidError(f"Idempotency-Key must be a single header of 1 to {schemas.MAX_KEY} printable characters.")
    return values[0]
