"""The handlers of the processing service."""

from __future__ import annotations

import logging

from aiohttp import web

from order_contracts.events import event_keys
from service_common.auth import PRINCIPAL, scope_of
from service_common.http_server import json_response

from .app_keys import OUTBOX, SAGAS
from .saga import SagaEndedError, SagaNotFoundError, SagaState
from .schemas import sagas_payload

__all__ = ["events_of_order", "retry", "sagas_of_order", "search"]

logger = logging.getLogger(__name__)


async def sagas_of_order(request: web.Request, order_id: int) -> web.Response:
    """List the sagas of an order, one for each version."""
    records = await request.app[SAGAS].of_order(order_id)
    if not records:
        raise SagaNotFoundError(order_id)
    return json_response(sagas_payload(records))


async def search(
    request: web.Request,
    *,
    customer: str | None,
    order_id: int | None,
    state: SagaState | None,
    late: bool | None,
    limit: int,
) -> web.Response:
    """List sagas, those of the newest orders first."""
    scope, sagas = scope_of(request, customer), request.app[SAGAS]
    if order_id is None:
        return json_response(sagas_payload(await sagas.search(scope, state=state, late=late, limit=limit)))
    wanted = [
        record
        for record in await sagas.of_order(order_id)
        if scope.includes(record.customer_id) and state in {None, record.state} and late in {None, record.late}
    ]
    return json_response(sagas_payload(wanted[:limit]))


async def events_of_order(request: web.Request, order_id: int) -> web.Response:
    """List what the sagas of an order have announced."""
    records = await request.app[SAGAS].of_order(order_id)
    if not records:
        raise SagaNotFoundError(order_id)
    found = await request.app[OUTBOX].events_of_facts(event_keys(order_id, records[-1].version))
    return json_response({"events": [event.document for event in found]})


async def retry(request: web.Request, order_id: int) -> web.Response:
    """Run the step of an order's sagas that waits for its next attempt now."""
    sagas = request.app[SAGAS]
    records = await sagas.of_order(order_id)
    if not records:
        raise SagaNotFoundError(order_id)
    if all(record.state.ended for record in records):
        raise SagaEndedError(order_id, records[-1].state)
    await sagas.retry(order_id)
    logger.info("saga retry requested", extra={"orderId": order_id, "principal": request[PRINCIPAL].subject})
    return json_response(sagas_payload(await sagas.of_order(order_id)))
